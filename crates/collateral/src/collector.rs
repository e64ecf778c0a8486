// SPDX-License-Identifier: Apache-2.0
//! Completes evidence with what its vendor publishes.
//!
//! What a vendor says about many machines at once (TCB info, QE identities, revocation lists) is
//! fetched for every piece of evidence, from Intel's provisioning certification service (or a PCCS)
//! and from AMD's key distribution service, verified, kept, and fetched anew before it runs out.
//! What evidence brings of it counts only where it is the later edition, or where nothing can be
//! had: a machine that was revoked today could else attach yesterday's list. Certificates that
//! evidence brings are used, and fetched where it has none in force. Whatever is put into evidence
//! here is judged by the appraisal as if the node had sent it.
//!
//! Fetching is bounded: once per publication however many wait for it, per client by whoever calls,
//! per source, and in what is kept.

use std::fmt;
use std::sync::Arc;

use subrosa_attestation::Policy;
use subrosa_evidence::{EvidenceBundle, EvidencePart};

use crate::amd::need as amd;
use crate::anchors::Anchors;
use crate::config::{CollateralConfig, CollateralConfigError};
use crate::edition::Edition;
use crate::incomplete::Incomplete;
use crate::intel::need as intel;
use crate::keeper::{Clock, Keeper, Missing};
use crate::metrics::CollateralMetrics;
use crate::plan::Plan;
use crate::publication::Publication;

/// Completes evidence.
pub struct Collector {
    keeper: Arc<Keeper>,
}

/// Why evidence is not completed.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortage {
    /// The evidence lacks what nobody but its sender has, or leaves no room for what it lacks.
    Evidence(String),
    /// Its sender may not cause fetches before this many seconds.
    TooMany(u64),
    /// A source does not give what is needed; seconds to wait.
    Unavailable(u64),
}

impl Collector {
    /// A collector that asks the sources of `config`, and takes what hangs from roots that `policy`
    /// accepts.
    ///
    /// # Errors
    ///
    /// [`CollateralConfigError`] if the sources are not usable.
    pub fn new(
        config: &CollateralConfig,
        policy: &Policy,
        clock: Clock,
        metrics: CollateralMetrics,
    ) -> Result<Self, CollateralConfigError> {
        Ok(Self {
            keeper: Keeper::new(config, Anchors::of(policy), clock, metrics)?,
        })
    }

    /// `bundle` with everything it needs that can be had, of each publication the later of the
    /// editions that are held and brought. If nothing in force can be had, what ran out stays, so
    /// that the verdict says that it is stale.
    ///
    /// `charge` is asked before anything is fetched that nobody fetches yet, once for all of it;
    /// `Err` says how many seconds the sender has to wait.
    ///
    /// # Errors
    ///
    /// [`Shortage`] if there is not even that.
    pub async fn complete(
        &self,
        bundle: EvidenceBundle,
        charge: impl FnOnce() -> Result<(), u64>,
    ) -> Result<EvidenceBundle, Shortage> {
        let keeper = Arc::clone(&self.keeper);
        let read = move || {
            let plan = Plan::of(&bundle, &keeper.anchors, keeper.now());
            (bundle, plan)
        };
        let Ok((bundle, plan)) = tokio::task::spawn_blocking(read).await else {
            return Err(Shortage::Unavailable(1));
        };
        let plan = match plan {
            Ok(Plan::Nothing) => return Ok(bundle),
            Ok(plan) => plan,
            Err(incomplete) if bundle.collateral().is_empty() => return Err(incomplete.into()),
            // It brought something; the verdict says what is wrong with it.
            Err(_) => return Ok(bundle),
        };
        if self.keeper.would_fetch(&plan.publications()) {
            charge().map_err(Shortage::TooMany)?;
        }
        match plan {
            Plan::Nothing => Ok(bundle),
            Plan::Intel(need) => self.complete_intel(bundle, *need).await,
            Plan::Amd(need) => self.complete_amd(bundle, need).await,
        }
    }

    /// Fetches anew what is in use and due, one after the other.
    pub async fn refresh(&self) {
        self.keeper.refresh().await;
    }

    /// Brings the gauges up to date.
    pub fn measure(&self) {
        self.keeper.measure();
    }

    async fn complete_intel(
        &self,
        bundle: EvidenceBundle,
        need: intel::Need,
    ) -> Result<EvidenceBundle, Shortage> {
        let [tcb_info, qe_identity, pck_list, root_list] = need.publications();
        let (tcb_info, qe_identity, pck_list, root_list) = tokio::join!(
            self.keeper.obtain(&tcb_info),
            self.keeper.obtain(&qe_identity),
            self.keeper.obtain(&pck_list),
            self.keeper.obtain(&root_list),
        );
        let found = [tcb_info, qe_identity, pck_list, root_list];
        let until = found.iter().find_map(|found| match found {
            Err(missing) if missing.expired.is_none() => Some(missing.until),
            _ => None,
        });
        let Some(collateral) = need.collateral(found.map(held)) else {
            return Err(self.unavailable(until.unwrap_or_default()));
        };
        // The bundle as it came is no substitute: its sender may have filled it up so that nothing
        // newer fits.
        bundle
            .with_part(EvidencePart::Collateral, collateral)
            .map_err(|error| Shortage::Evidence(error.to_string()))
    }

    async fn complete_amd(
        &self,
        bundle: EvidenceBundle,
        need: amd::Need,
    ) -> Result<EvidenceBundle, Shortage> {
        let (vcek, chain, list) = tokio::join!(
            self.obtain_some(need.vcek.as_ref()),
            self.obtain_some(need.chain.as_ref()),
            self.keeper.obtain(&need.list),
        );
        let vcek = match vcek {
            Some(Err(missing)) if missing.expired.is_none() && !need.stale => {
                return Err(self.unavailable(missing.until));
            }
            other => other.and_then(held),
        };
        // Issuers may be built in, and whether a list is required is the policy's affair.
        let found = amd::Found {
            vcek: vcek.map(|edition| edition.content),
            chain: chain.and_then(held).map(|edition| edition.content),
            list: Edition::later(held(list), need.brought).map(|edition| edition.content),
        };
        amd::completed(bundle, &found).map_err(|error| Shortage::Evidence(error.to_string()))
    }

    async fn obtain_some(
        &self,
        publication: Option<&Publication>,
    ) -> Option<Result<Edition, Missing>> {
        match publication {
            Some(publication) => Some(self.keeper.obtain(publication).await),
            None => None,
        }
    }

    /// What is missing may be asked for again at `until`.
    fn unavailable(&self, until: u64) -> Shortage {
        let wait = until.saturating_sub(self.keeper.now());
        Shortage::Unavailable(wait.clamp(1, LONGEST_WAIT))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl From<Incomplete> for Shortage {
    fn from(incomplete: Incomplete) -> Self {
        Self::Evidence(incomplete.to_string())
    }
}

/// What there is, in force or not.
fn held(found: Result<Edition, Missing>) -> Option<Edition> {
    match found {
        Ok(edition) => Some(edition),
        Err(missing) => missing.expired,
    }
}

/// Longest wait that a client is told, seconds.
const LONGEST_WAIT: u64 = 3600;
