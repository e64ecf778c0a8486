// SPDX-License-Identifier: Apache-2.0
//! Getting an enclave's signer registered by its quote: the chain verifies it, and nobody's word is
//! taken.

use alloy_primitives::{B256, keccak256};
use subrosa_chain::{
    bindings::SubrosaRegistry::DcapRegistration,
    dcap::{Collateral, DocumentKind, Quoted, evidence_parts},
};
use subrosa_types::{frame::Started, id::TeeKind};
use tracing::{info, warn};

use super::{error::BringupError, needs::Needs};
use crate::{chain::DcapContract, enclave::Link, verifier::ChainChallenge};

/// Submits what the chain lacks of the platform's collateral, then the quote. Returns the
/// transaction.
///
/// # Errors
///
/// [`BringupError::NoDcap`], [`BringupError::Collateral`], [`BringupError::Evidence`], and whatever
/// the enclave and the chain fail with.
pub(super) async fn by_quote(
    needs: &Needs,
    link: &Link,
    started: &Started,
) -> Result<B256, BringupError> {
    let dcap = needs.chain.dcap().await?.ok_or(BringupError::NoDcap)?;
    let mut evidence = Evidence::obtain(needs, link).await?;
    let (editions, sent) = provide(needs, dcap.as_ref(), &evidence, started.config_hash).await?;
    if sent {
        // The challenge must be of a recent block, and that took some.
        evidence = Evidence::obtain(needs, link).await?;
    }
    let registration = DcapRegistration {
        quote: evidence.quoted.short,
        pckCertificate: evidence.quoted.pck_certificate,
        rootId: evidence.quoted.root_id,
        pckAuthority: evidence.quoted.pck_authority,
        tcbInfo: editions.tcb_info,
        qeIdentity: editions.qe_identity,
        signer: started.signer,
        transferKeyHash: keccak256(&started.transfer_key),
        configHash: started.config_hash,
        startHash: started.start_hash,
        challengeBlock: evidence.challenge.block,
    };
    Ok(needs.transactions.register_by_quote(registration).await?)
}

/// By which TCB info and QE identity a quote is to be judged: those that came with it, which nobody
/// can replace; zero for the latest, if the chain does not keep these in force.
#[derive(Default)]
struct Editions {
    tcb_info: B256,
    qe_identity: B256,
}

/// A quote that answers a challenge of the chain, and the collateral that came with it.
struct Evidence {
    challenge: ChainChallenge,
    quoted: Quoted,
    collateral: Option<Collateral>,
}

impl Evidence {
    async fn obtain(needs: &Needs, link: &Link) -> Result<Self, BringupError> {
        let tip = needs.chain.tip().await?;
        let challenge = ChainChallenge {
            block: tip.number,
            block_hash: tip.hash,
            registrant: needs.chain.address(),
        };
        let bundle = link
            .quote(challenge.block_hash, challenge.registrant)
            .await?;
        let (quote, collateral) = evidence_parts(&bundle)?;
        let collateral = match collateral {
            [] => None,
            json => Some(Collateral::from_json(json)?),
        };
        let quoted = match &collateral {
            Some(collateral) => Quoted::with_collateral(quote, collateral)?,
            None => Quoted::read(quote)?,
        };
        Ok(Self {
            challenge,
            quoted,
            collateral,
        })
    }
}

impl Evidence {
    /// The edition of a TCB info or QE identity that came with the quote, if the chain keeps it and it
    /// has not run out.
    async fn edition_in_force(
        &self,
        dcap: &dyn DcapContract,
        kind: DocumentKind,
        now: u64,
    ) -> Result<Option<B256>, BringupError> {
        let mut documents = self.collateral.iter().flat_map(|all| &all.documents);
        let Some(document) =
            documents.find(|document| document.kind == kind && !document.edition.is_zero())
        else {
            return Ok(None);
        };
        let kept = dcap.kept(document.key).await?;
        Ok(kept
            .is_some_and(|kept| kept.expires >= now)
            .then_some(document.edition))
    }
}

/// Submits what the chain lacks before it can judge the quote. By what it is to judge it, and whether
/// anything had to be sent.
async fn provide(
    needs: &Needs,
    dcap: &dyn DcapContract,
    evidence: &Evidence,
    config_hash: B256,
) -> Result<(Editions, bool), BringupError> {
    let mut wanted = Vec::new();
    for document in evidence.collateral.iter().flat_map(|all| &all.documents) {
        if !dcap.standing(document).await?.is_wanted() {
            continue;
        }
        match dcap.refusal(document).await? {
            None => wanted.push(document),
            // What is kept may still do.
            Some(refusal) => warn!(document = %document.kind, %refusal, "collateral is refused"),
        }
    }
    let mut sent = false;
    for submission in dcap.submissions(&wanted) {
        let transaction = needs.transactions.prepare(submission.call).await?;
        info!(%transaction, documents = submission.documents.len(), "collateral submitted");
        sent = true;
    }
    let editions = require(needs, dcap, evidence).await?;
    // Enclaves of SGX have no such register.
    if evidence.quoted.tee == TeeKind::Tdx
        && let Some(call) = dcap.config_register(config_hash).await?
    {
        let transaction = needs.transactions.prepare(call).await?;
        info!(%transaction, "configuration register submitted");
        sent = true;
    }
    Ok((editions, sent))
}

/// Fails by name if something that the quote needs is not there or has run out.
async fn require(
    needs: &Needs,
    dcap: &dyn DcapContract,
    evidence: &Evidence,
) -> Result<Editions, BringupError> {
    let now = needs.chain.tip().await?.timestamp;
    let mut editions = Editions::default();
    let mut lacking = Vec::new();
    for (kind, latest) in evidence.quoted.needs() {
        if let Some(edition) = evidence.edition_in_force(dcap, kind, now).await? {
            match kind {
                DocumentKind::TcbInfo { .. } => editions.tcb_info = edition,
                _ => editions.qe_identity = edition,
            }
            continue;
        }
        match dcap.kept(latest).await? {
            Some(kept) if kept.expires >= now => {}
            Some(kept) => lacking.push(format!("{kind} ran out at {}", kept.expires)),
            None => lacking.push(format!("{kind} is missing")),
        }
    }
    if lacking.is_empty() {
        return Ok(editions);
    }
    Err(BringupError::Collateral(lacking.join(", ")))
}
