// SPDX-License-Identifier: Apache-2.0
//! Verifies one fulfilled entry offline, from its receipt and a statement of what to trust.
//!
//! A receipt says: this entry of this contract's log, with this input, had this outcome; an
//! enclave with this measurement and configuration signed so, and a trusted verifier vouches for
//! its signer. Everything in a receipt but `transaction`, which is a pointer for convenience, is
//! bound by one of its signatures, and altering it fails a named check.
//!
//! What a receipt cannot say offline: that the entry is still on the canonical chain, that the
//! oracle accepted this result, and that neither signer nor measurement was revoked since.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, Signature, keccak256};
use alloy_sol_types::SolValue;
use subrosa_types::{
    abi::{CosignedResults, Entry, Outcome, SignedResults, SignerAdmission},
    eip712,
    entry::{EntryKind, Execution},
    result::{Status, result_hash},
    rpc::{Receipt, ReceiptSignature},
};

use crate::{
    Deployment, DeploymentError,
    check::{Check, Checklist, Subject},
};

/// What a receipt is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptTrust {
    /// Chain the oracle lives on.
    pub chain_id: u64,
    /// The oracle.
    pub oracle: Address,
    /// The registry.
    pub registry: Address,
    /// Hash of the configuration an enclave must run with.
    pub config_hash: B256,
    /// H\["start"\] of the checkpoint that its header trust must have started from.
    pub start_hash: B256,
    /// Verifiers whose word admits a signer.
    pub verifiers: Vec<Address>,
    /// Ids of the measurements that may sign.
    pub measurements: Vec<B256>,
    /// Roots that may vouch for evidence.
    pub roots: Vec<B256>,
    /// Whether the development root may be among them.
    pub development: bool,
    /// Timestamp of the block that fulfilled the entry (Unix seconds), if it was looked up on
    /// chain. Otherwise leases are held against the time of the entry itself, which is earlier.
    pub fulfilled_at: Option<u64>,
}

impl ReceiptTrust {
    /// What `deployment` says to trust. Its development root counts only if `development` says so
    /// too.
    ///
    /// # Errors
    ///
    /// [`DeploymentError::Measured`].
    pub fn new(deployment: &Deployment, development: bool) -> Result<Self, DeploymentError> {
        let config = deployment.enclave_config()?;
        Ok(Self {
            chain_id: deployment.measured.chain_id,
            oracle: deployment.measured.oracle,
            registry: deployment.measured.registry,
            config_hash: config.hash(),
            start_hash: deployment.start_hash(),
            // Without a verifier there is no admission to hold a receipt against.
            verifiers: deployment
                .verifier
                .as_ref()
                .map(|verifier| verifier.admission.clone())
                .unwrap_or_default(),
            measurements: deployment.measurements.clone(),
            roots: deployment.roots.clone(),
            development: development && deployment.development,
            fulfilled_at: None,
        })
    }
}

/// Makes every check of `receipt`, in a fixed order, and never stops at the first failure. The
/// receipt holds if all of them [`passed`](Check::passed).
///
/// A part that does not decode fails `decode`, and checks that need it are not made.
pub fn verify(receipt: &Receipt, trust: &ReceiptTrust) -> Vec<Check> {
    let mut checklist = Checklist::new(Subject::Receipt);
    checklist.equal("version", &RECEIPT_VERSION, &receipt.version);
    checklist.equal("chain", &trust.chain_id, &receipt.chain_id);
    checklist.equal("oracle", &trust.oracle, &receipt.oracle);
    checklist.equal("registry", &trust.registry, &receipt.registry);

    let entry = decode::<Entry>(&mut checklist, "decode.entry", &receipt.entry);
    let outcome = decode::<Outcome>(&mut checklist, "decode.outcome", &receipt.outcome);
    let results =
        decode::<SignedResults>(&mut checklist, "decode.results", &receipt.signed_results);
    if let (Some(entry), Some(outcome), Some(results)) = (entry, outcome, results) {
        let parts = Parts {
            entry,
            outcome,
            results,
        };
        parts.check_entry(&mut checklist, receipt);
        parts.check_outcome(&mut checklist, receipt);
        parts.check_result(&mut checklist, receipt);
        checklist.record(
            "signatures",
            !receipt.signatures.is_empty(),
            "one or more",
            receipt.signatures.len(),
        );
        let mut signers = BTreeSet::new();
        for (index, signature) in receipt.signatures.iter().enumerate() {
            let admission =
                decode::<SignerAdmission>(&mut checklist, "decode.admission", &signature.admission);
            let Some(admission) = admission else { continue };
            parts.check_signature(&mut checklist, receipt, index, &admission);
            parts.check_admission(&mut checklist, receipt, signature, &admission, trust);
            signers.insert(admission.signer);
        }
        checklist.equal(
            "signatures.distinct",
            &receipt.signatures.len(),
            &signers.len(),
        );
    }
    checklist.into_checks()
}

/// A receipt's encoded parts, decoded.
struct Parts {
    entry: Entry,
    outcome: Outcome,
    results: SignedResults,
}

impl Parts {
    fn check_entry(&self, checklist: &mut Checklist, receipt: &Receipt) {
        let execution = Execution::unpack(self.entry.execution);
        let found = match &execution {
            Ok(_) => "well-formed".to_owned(),
            Err(error) => error.to_string(),
        };
        checklist.record("entry.execution", execution.is_ok(), "well-formed", found);
        let commits = matches!(
            execution.map(|execution| execution.kind),
            Ok(EntryKind::Deploy | EntryKind::Upgrade)
        );
        // For these kinds the logged input is the code commitment, which is its own "hash".
        let hash = match B256::try_from(receipt.input.as_ref()) {
            Ok(commitment) if commits => commitment,
            _ => keccak256(&receipt.input),
        };
        checklist.equal("entry.input", &self.entry.inputHash, &hash);
    }

    fn check_outcome(&self, checklist: &mut Checklist, receipt: &Receipt) {
        let status = Status::try_from(self.outcome.status);
        let found = match &status {
            Ok(status) => format!("{status:?}"),
            Err(error) => error.to_string(),
        };
        checklist.record("outcome.status", status.is_ok(), "a known status", found);
        checklist.equal(
            "outcome.output",
            &self.outcome.outputHash,
            &keccak256(&receipt.output),
        );
        checklist.equal(
            "outcome.sealed-output",
            &self.outcome.sealedOutputHash,
            &keccak256(&receipt.sealed_output),
        );
    }

    fn check_result(&self, checklist: &mut Checklist, receipt: &Receipt) {
        // The hash has its tag in the bits that a commitment leaves free.
        let free = |commitment: B256| commitment[26..].iter().all(|byte| *byte == 0);
        checklist.record(
            "result.commitments",
            free(receipt.previous_commitment) && free(receipt.commitment),
            "208 bits",
            format_args!("{} and {}", receipt.previous_commitment, receipt.commitment),
        );
        let digest = self.entry.digest(receipt.chain_id, receipt.oracle);
        let hash = result_hash(
            digest,
            self.outcome.hash(),
            receipt.previous_commitment,
            receipt.commitment,
        );
        checklist.one_of("result.listed", &self.results.resultHashes, &hash);
    }

    /// The first signer signed a payee too, the others the list alone.
    fn check_signature(
        &self,
        checklist: &mut Checklist,
        receipt: &Receipt,
        index: usize,
        admission: &SignerAdmission,
    ) {
        let domain = eip712::oracle_domain(receipt.chain_id, receipt.oracle);
        let hash = if index == 0 {
            eip712::signing_hash(&self.results, &domain)
        } else {
            let cosigned = CosignedResults {
                resultHashes: self.results.resultHashes.clone(),
            };
            eip712::signing_hash(&cosigned, &domain)
        };
        let mut compact = [0; 64];
        if let Some(signature) = receipt.signatures.get(index) {
            compact[..32].copy_from_slice(signature.r.as_slice());
            compact[32..].copy_from_slice(signature.vs.as_slice());
        }
        let signer = recover(&Signature::from_erc2098(&compact), hash);
        checklist.equal(
            "signature.signer",
            &admission.signer.to_string(),
            &signer.map_or_else(ToOwned::to_owned, |address| address.to_string()),
        );
    }

    fn check_admission(
        &self,
        checklist: &mut Checklist,
        receipt: &Receipt,
        signature: &ReceiptSignature,
        admission: &SignerAdmission,
        trust: &ReceiptTrust,
    ) {
        let domain = eip712::registry_domain(receipt.chain_id, receipt.registry);
        let hash = eip712::signing_hash(admission, &domain);
        let verifier = Signature::from_raw(&signature.admission_signature)
            .map_err(|_| NO_SIGNATURE)
            .and_then(|signature| recover(&signature, hash));
        let trusted: Vec<_> = trust.verifiers.iter().map(ToString::to_string).collect();
        checklist.one_of(
            "admission.verifier",
            &trusted,
            &verifier.map_or_else(ToOwned::to_owned, |address| address.to_string()),
        );
        checklist.one_of("measurement", &trust.measurements, &admission.measurementId);
        checklist.equal("config-hash", &trust.config_hash, &admission.configHash);
        checklist.equal("start-hash", &trust.start_hash, &admission.startHash);
        checklist.one_of("root", &trust.roots, &admission.rootId);
        let development = admission.rootId == subrosa_evidence::DEVELOPMENT_ROOT_ID;
        checklist.record(
            "development",
            trust.development || !development,
            if trust.development {
                "any root"
            } else {
                "no development root"
            },
            if development {
                "the development root"
            } else {
                "a production root"
            },
        );
        let (time, what) = match trust.fulfilled_at {
            Some(time) => (time, "the fulfillment"),
            None => (self.entry.block().1, "the entry"),
        };
        checklist.record(
            "admission.lease",
            admission.notAfter >= time,
            format_args!("{time} (time of {what}) or later"),
            admission.notAfter,
        );
    }
}

/// The account behind a signature, or why there is none. A malleable (high-s) one has none.
fn recover(signature: &Signature, hash: B256) -> Result<Address, &'static str> {
    if signature.normalize_s().is_some() {
        return Err("a malleable signature");
    }
    signature
        .recover_address_from_prehash(&hash)
        .map_err(|_| NO_SIGNATURE)
}

/// Decodes `bytes` if they are the canonical encoding of a `T`, and records whether they are.
fn decode<T>(checklist: &mut Checklist, id: &'static str, bytes: &Bytes) -> Option<T>
where
    T: SolValue + From<<T::SolType as alloy_sol_types::SolType>::RustType>,
{
    let decoded = T::abi_decode_validate(bytes)
        .ok()
        .filter(|value| value.abi_encode() == bytes.as_ref());
    let found = format!("{} bytes", bytes.len());
    checklist.record(id, decoded.is_some(), "a canonical ABI encoding", found);
    decoded
}

/// The only version of [`Receipt`] there is.
const RECEIPT_VERSION: u16 = 2;
const NO_SIGNATURE: &str = "no valid signature";
