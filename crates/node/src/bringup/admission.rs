// SPDX-License-Identifier: Apache-2.0
//! Getting an enclave's signer admitted on chain.

use alloy_sol_types::SolValue;
use subrosa_store::AdmissionRecord;
use subrosa_types::frame::Started;
use tracing::info;

use super::BringupError;
use crate::{enclave::Link, failpoint::failpoint, host::Host, verifier::Challenge};

/// Makes sure that the registry accepts the signer; returns when its lease ends, Unix seconds.
///
/// A signer is admitted once. The admission is stored before it is sent: receipts need it, and a
/// host that is killed in between must not lose the one that was mined.
///
/// # Errors
///
/// [`BringupError::SignerSpent`] if it was admitted and is not accepted any more, and whatever the
/// enclave, the verifier and the chain fail with.
pub(super) async fn ensure(
    host: &Host,
    link: &Link,
    started: &Started,
) -> Result<u64, BringupError> {
    if let Some(lease_until) = lease(host, started).await? {
        return Ok(lease_until);
    }
    failpoint!("before_admit");
    let tip = host.ledger.tip().await?;
    let challenge = Challenge {
        block: tip.number,
        block_hash: tip.hash,
        registrant: host.ledger.account(),
    };
    let bundle = link.quote(challenge.bytes()).await?;
    let registry = host.enclave_config.registry;
    let signed = host
        .verifier
        .admit(
            &bundle,
            host.enclave_config.chain_id(),
            registry,
            &challenge,
            started,
        )
        .await?;
    let record = AdmissionRecord {
        admission: signed.admission.abi_encode().into(),
        signatures: vec![signed.signature.clone()],
    };
    let signer = started.signer;
    host.durably(move |store| store.put_admission(signer, &record))
        .await?;
    let sent = host
        .ledger
        .admit(signed.admission, vec![signed.signature])
        .await?;
    if let Some(lease_until) = lease(host, started).await? {
        info!(%signer, lease_until, "signer admitted");
        return Ok(lease_until);
    }
    Err(BringupError::Reverted {
        what: "admit",
        transaction: sent.transaction,
    })
}

/// When the signer's lease ends; `None` if it was never admitted.
async fn lease(host: &Host, started: &Started) -> Result<Option<u64>, BringupError> {
    let Some(lease_until) = host.ledger.lease(started.signer).await? else {
        return Ok(None);
    };
    if host.ledger.is_accepted(started).await? {
        return Ok(Some(lease_until));
    }
    Err(BringupError::SignerSpent)
}
