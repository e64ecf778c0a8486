// SPDX-License-Identifier: Apache-2.0
//! Getting an enclave's signer admitted on chain.

use alloy_primitives::B256;
use alloy_sol_types::SolValue;
use subrosa_store::AdmissionRecord;
use subrosa_types::frame::Started;
use tracing::info;

use super::{BringupError, registration};
use crate::{
    config::Admission,
    enclave::Link,
    failpoint::failpoint,
    host::Host,
    verifier::{Challenge, Verifier},
};

/// Makes sure that the registry accepts the signer; returns when its lease ends, Unix seconds.
///
/// A signer is admitted once. A verifier's admission is stored before it is sent: receipts need it,
/// and a host that is killed in between must not lose the one that was mined.
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
    let (what, transaction) = match (host.config.admission(), &host.verifier) {
        (Admission::Verifier, Some(verifier)) => {
            ("admit", by_verifier(host, verifier, link, started).await?)
        }
        _ => (
            "registerSignerDcap",
            registration::by_quote(host, link, started).await?,
        ),
    };
    if let Some(lease_until) = lease(host, started).await? {
        info!(signer = %started.signer, lease_until, "signer admitted");
        return Ok(lease_until);
    }
    Err(BringupError::Reverted { what, transaction })
}

/// Has the verifier vouch for the signer, and submits what it signed. Returns the transaction.
async fn by_verifier(
    host: &Host,
    verifier: &Verifier,
    link: &Link,
    started: &Started,
) -> Result<B256, BringupError> {
    let tip = host.ledger.tip().await?;
    let challenge = Challenge {
        block: tip.number,
        block_hash: tip.hash,
        registrant: host.ledger.account(),
    };
    let bundle = link.quote(challenge.bytes()).await?;
    let registry = host.enclave_config.registry;
    let signed = verifier
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
    Ok(sent.transaction)
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
