// SPDX-License-Identifier: Apache-2.0
//! Fetches once what a family of Intel's platforms needs, for no evidence in particular.

use std::time::Duration;

use subrosa_attestation::Policy;

use crate::anchors::Anchors;
use crate::config::{CollateralConfig, CollateralConfigError};
use crate::edition::Edition;
use crate::fetch::{FetchError, Fetcher};
use crate::intel::IntelFamily;
use crate::intel::json::assembled;
use crate::publication::Publication;
use crate::read::read;

impl IntelFamily {
    /// Fetches TCB info, QE identity and both revocation lists from the sources that `config`
    /// names, and holds each of them to its signature under the roots that `policy` accepts and to
    /// its dates at `now` (Unix seconds). The JSON object of Intel's collateral.
    ///
    /// # Errors
    ///
    /// [`FamilyError`] naming what could not be had.
    pub async fn fetch(
        &self,
        config: &CollateralConfig,
        policy: &Policy,
        now: u64,
    ) -> Result<Vec<u8>, FamilyError> {
        let timeout = Duration::from_secs(config.timeout_seconds);
        let fetcher = Fetcher::new(config.urls()?, timeout)?;
        let anchors = Anchors::of(policy);
        let one = async |publication: Publication| -> Result<Edition, FamilyError> {
            let failed = |source: FetchError| FamilyError::Fetch {
                what: publication.to_string(),
                source: Box::new(source),
            };
            let answer = fetcher.ask(&publication, now).await.map_err(failed)?;
            read(&publication, answer, None, &anchors, now)
                .map_err(|refusal| failed(refusal.into()))
        };
        let [tcb_info, qe_identity, pck_list, root_list] = Publication::of_family(self);
        let (tcb_info, qe_identity, pck_list, root_list) = tokio::try_join!(
            one(tcb_info),
            one(qe_identity),
            one(pck_list),
            one(root_list)
        )?;
        assembled([tcb_info, qe_identity, pck_list, root_list]).ok_or(FamilyError::Form)
    }
}

/// Why there is no collateral of a family.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// The sources are not usable.
    #[error("collateral sources are not usable")]
    Config(#[from] CollateralConfigError),
    /// One of the publications could not be had, or is not what was asked for.
    #[error("cannot fetch {what}")]
    Fetch {
        /// The publication, as logs name it.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was fetched does not fit together: a bug.
    #[error("collateral has no JSON form")]
    Form,
}
