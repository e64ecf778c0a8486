// SPDX-License-Identifier: Apache-2.0
//! Getting an enclave's signer admitted on chain.

use alloy_primitives::B256;
use alloy_sol_types::SolValue;
use subrosa_store::AdmissionRecord;
use subrosa_types::frame::Started;
use tracing::info;

use super::{error::BringupError, needs::Needs, registration};
use crate::{
    chain::Lease,
    config::Admission,
    enclave::Link,
    failpoint::failpoint,
    verifier::{ChainChallenge, Verifier},
};

/// Makes sure that the registry accepts the signer; returns when its lease ends, Unix seconds.
///
/// A verifier's admission is stored before it is sent: receipts need it, and a host that is killed
/// in between must not lose the one that was mined.
///
/// # Errors
///
/// [`BringupError::SignerSpent`] if its lease has ended or it was revoked, and whatever the
/// enclave, the verifier and the chain fail with.
pub(super) async fn ensure(
    needs: &Needs,
    link: &Link,
    started: &Started,
) -> Result<u64, BringupError> {
    match standing(needs, started).await? {
        Standing::Accepted { until } => Ok(until),
        Standing::Spent => Err(BringupError::SignerSpent),
        // Its lease runs, but something that it rests on was taken away, such as a verifier's key.
        // Fresh evidence, or another's word, may do.
        Standing::Refused { until } => {
            info!(signer = %started.signer, "renewing a lease that counts no more");
            enroll(needs, link, started, until).await
        }
        Standing::Unknown => {
            failpoint!("before_admit");
            enroll(needs, link, started, 0).await
        }
    }
}

/// Submits fresh evidence, to admit the signer or to renew its lease that runs until then (Unix
/// seconds; zero if it has none). Returns when the lease ends now.
///
/// # Errors
///
/// As [`ensure`], and [`BringupError::ShorterLease`]. That a renewal would change nothing is
/// [`BringupError::Chain`].
pub(super) async fn enroll(
    needs: &Needs,
    link: &Link,
    started: &Started,
    until: u64,
) -> Result<u64, BringupError> {
    let (what, transaction) = match (needs.settings.admission, &needs.verifier) {
        (Admission::Verifier, Some(verifier)) => (
            "admit",
            by_verifier(needs, verifier, link, started, until).await?,
        ),
        _ => (
            "registerSignerDcap",
            registration::by_quote(needs, link, started).await?,
        ),
    };
    match standing(needs, started).await? {
        Standing::Accepted { until } => {
            info!(signer = %started.signer, lease_until = until, "signer admitted");
            Ok(until)
        }
        _ => Err(BringupError::Reverted { what, transaction }),
    }
}

/// Has the verifier vouch for the signer, and submits what it signed. Returns the transaction.
async fn by_verifier(
    needs: &Needs,
    verifier: &Verifier,
    link: &Link,
    started: &Started,
    until: u64,
) -> Result<B256, BringupError> {
    let tip = needs.chain.tip().await?;
    let challenge = ChainChallenge {
        block: tip.number,
        block_hash: tip.hash,
        registrant: needs.chain.address(),
    };
    let bundle = link
        .quote(challenge.block_hash, challenge.registrant)
        .await?;
    let registry = needs.settings.enclave_config.registry;
    let signed = verifier
        .admit(
            &bundle,
            needs.settings.enclave_config.chain_id(),
            registry,
            &challenge,
            started,
        )
        .await?;
    // It would take the place of one in the store that lasts longer, and receipts need that.
    let offered = signed.admission.notAfter;
    if offered < until {
        return Err(BringupError::ShorterLease { until, offered });
    }
    let record = AdmissionRecord {
        admission: signed.admission.abi_encode().into(),
        signatures: vec![signed.signature.clone()],
    };
    let signer = started.signer;
    needs.store.put_admission(signer, record).await?;
    let signatures = vec![signed.signature];
    Ok(needs
        .transactions
        .admit(signed.admission, signatures)
        .await?)
}

/// What the registry thinks of a signer.
enum Standing {
    /// Never admitted.
    Unknown,
    /// Its results count until then, Unix seconds.
    Accepted { until: u64 },
    /// Its lease runs, but its results do not count.
    Refused { until: u64 },
    /// It can never be admitted again.
    Spent,
}

async fn standing(needs: &Needs, started: &Started) -> Result<Standing, BringupError> {
    let Some(Lease { until, revoked }) = needs.chain.lease(started.signer).await? else {
        return Ok(Standing::Unknown);
    };
    Ok(if revoked || until <= needs.clock.unix() {
        Standing::Spent
    } else if needs.chain.is_accepted(started).await? {
        Standing::Accepted { until }
    } else {
        Standing::Refused { until }
    })
}
