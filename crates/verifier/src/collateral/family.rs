// SPDX-License-Identifier: Apache-2.0
//! Collateral of a family of Intel's platforms, fetched once and for no evidence in particular.

use std::time::Duration;

use subrosa_attestation::Policy;

use super::content::{self, Dated};
use super::fetch::{FetchError, Fetcher};
use super::intel;
use super::piece::{IntelCa, IntelTee, Piece};
use super::signed::Anchors;
use crate::{CollateralConfig, ConfigError};

/// A family of Intel's platforms, as the provisioning certification service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntelFamily {
    /// Which TEE.
    pub tee: IntelTee,
    /// Family, model, stepping, platform type and custom SKU.
    pub fmspc: [u8; 6],
    /// Which authority issued its PCK certificates.
    pub ca: IntelCa,
}

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
        let fetcher = Fetcher::new(config.urls()?, Duration::from_secs(config.timeout_seconds))
            .map_err(FamilyError::Client)?;
        let anchors = Anchors::of(policy);
        let one = async |piece: Piece| -> Result<Dated, FamilyError> {
            let failed = |source: FetchError| FamilyError::Piece {
                piece: piece.to_string(),
                source: Box::new(source),
            };
            let answer = fetcher.ask(&piece, now).await.map_err(failed)?;
            content::read(&piece, answer, None, &anchors, now)
                .map_err(|refusal| failed(refusal.into()))
        };
        let [tcb_info, qe_identity, pck_list, root_list] =
            intel::pieces(self.tee, self.fmspc, self.ca);
        let (tcb_info, qe_identity, pck_list, root_list) = tokio::try_join!(
            one(tcb_info),
            one(qe_identity),
            one(pck_list),
            one(root_list)
        )?;
        intel::assembled([tcb_info, qe_identity, pck_list, root_list]).ok_or(FamilyError::Form)
    }
}

/// Why there is no collateral of a family.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// The sources are not usable.
    #[error("collateral sources are not usable")]
    Config(#[from] ConfigError),
    /// The platform gives no HTTP client.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
    /// A piece could not be had, or is not what was asked for.
    #[error("cannot fetch {piece}")]
    Piece {
        /// Which.
        piece: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The pieces do not fit together: a bug.
    #[error("collateral has no JSON form")]
    Form,
}
