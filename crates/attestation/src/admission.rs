// SPDX-License-Identifier: Apache-2.0
//! Admissions: a verifier's word to the registry contract.
//!
//! An admission says that, as of a recent block, evidence was appraised that binds a signer to a
//! measurement and a configuration. The registry decides from its own tables whether that
//! measurement is allowed; an admission never authorizes anyone to hand out secrets.

use core::fmt;

use alloy_primitives::{Address, B256, Signature};
use alloy_sol_types::Eip712Domain;
use k256::ecdsa::SigningKey;
use subrosa_types::Challenge;
use subrosa_types::abi::SignerAdmission;
use subrosa_types::eip712::signing_hash;

use crate::{Bound, Verified};

/// Which registration an admission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Number of the block that the challenge names.
    pub challenge_block: u64,
    /// Its hash.
    pub challenge_block_hash: B256,
    /// Who sends the transaction.
    pub registrant: Address,
}

impl Registration {
    /// What the evidence must answer.
    pub const fn challenge(&self) -> Challenge {
        Challenge::Registration {
            block_hash: self.challenge_block_hash,
            registrant: self.registrant,
        }
    }
}

/// Why there is no admission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The evidence answers another challenge than the registration's.
    #[error("the evidence was appraised for another challenge than this registration's")]
    Challenge,
    /// The claims are Intel's and name no platform.
    #[error("the evidence does not say which product the platform is")]
    Product,
    /// The signature is not 65 bytes with a recovery byte of 27 or 28, or not in low-s form, or
    /// recovers to nobody.
    #[error("malformed admission signature")]
    Signature,
    /// Somebody else signed.
    #[error("the admission is signed by {found}, who is not a trusted verifier")]
    Verifier {
        /// The address that the signature recovers to.
        found: Address,
    },
}

/// States an admission for `registration` from appraised evidence. Its lease ends `lease` seconds
/// after `now`, or when the collateral runs out if that is sooner.
///
/// # Errors
///
/// [`AdmissionError::Challenge`] if the evidence was not appraised for this registration,
/// [`AdmissionError::Product`] if it lacks the platform's FMSPC, which no genuine evidence does.
pub fn admit(
    bound: &Verified<Bound>,
    registration: &Registration,
    lease: u64,
    now: u64,
) -> Result<SignerAdmission, AdmissionError> {
    if bound.challenge != registration.challenge() {
        return Err(AdmissionError::Challenge);
    }
    let (claims, binding) = (&bound.claims, &bound.binding);
    Ok(SignerAdmission {
        signer: binding.signer,
        transferKeyHash: binding.transfer_key_hash,
        measurementId: claims.measurement_id,
        configHash: binding.config_hash,
        startHash: binding.start_hash,
        rootId: claims.root_id,
        teeKind: claims.tee as u8,
        product: claims.product_id().ok_or(AdmissionError::Product)?,
        machineId: claims.machine_id,
        // Zero where the vendor publishes none.
        tcbStatus: claims.tcb_status.map_or(0, |status| status as u8),
        tcbEvaluation: claims.tcb_evaluation.unwrap_or(0),
        policyHash: bound.policy_hash,
        evidenceHash: claims.evidence_hash,
        challengeBlock: registration.challenge_block,
        challengeBlockHash: registration.challenge_block_hash,
        registrant: registration.registrant,
        notAfter: now.saturating_add(lease).min(claims.collateral_expires),
    })
}

/// A verifier's key for admissions (secp256k1).
pub struct AdmissionKey(SigningKey);

impl AdmissionKey {
    /// The key with this private scalar, big-endian. `None` if it is zero or not below the order.
    pub fn from_bytes(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(Self)
    }

    /// What the registry knows this verifier by.
    pub fn address(&self) -> Address {
        let point = self.0.verifying_key().to_encoded_point(false);
        Address::from_raw_public_key(point.as_bytes().get(1..).unwrap_or_default())
    }

    /// Signs `admission` under the registry's domain: r ‖ s ‖ v, low s, v 27 or 28, RFC 6979.
    ///
    /// # Errors
    ///
    /// [`AdmissionError::Signature`], with the probability of a hash collision.
    pub fn sign(
        &self,
        admission: &SignerAdmission,
        domain: &Eip712Domain,
    ) -> Result<[u8; 65], AdmissionError> {
        let hash = signing_hash(admission, domain);
        let (signature, recovery) = self
            .0
            .sign_prehash_recoverable(hash.as_slice())
            .map_err(|_| AdmissionError::Signature)?;
        let mut bytes = [0; 65];
        let (rs, v) = bytes.split_at_mut(64);
        rs.copy_from_slice(&signature.to_bytes());
        v.copy_from_slice(&[27 + recovery.to_byte()]);
        Ok(bytes)
    }
}

impl fmt::Debug for AdmissionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdmissionKey({})", self.address())
    }
}

/// Verifies that one of `verifiers` signed `admission` under `domain`, and says which.
///
/// # Errors
///
/// [`AdmissionError::Signature`] or [`AdmissionError::Verifier`].
pub fn verify(
    admission: &SignerAdmission,
    signature: &[u8],
    domain: &Eip712Domain,
    verifiers: &[Address],
) -> Result<Address, AdmissionError> {
    let found = recover(admission, signature, domain)?;
    if verifiers.contains(&found) {
        Ok(found)
    } else {
        Err(AdmissionError::Verifier { found })
    }
}

fn recover(
    admission: &SignerAdmission,
    signature: &[u8],
    domain: &Eip712Domain,
) -> Result<Address, AdmissionError> {
    if !matches!(signature, [.., 27 | 28]) || signature.len() != 65 {
        return Err(AdmissionError::Signature);
    }
    let signature = Signature::from_raw(signature).map_err(|_| AdmissionError::Signature)?;
    if signature.normalize_s().is_some() {
        return Err(AdmissionError::Signature);
    }
    signature
        .recover_address_from_prehash(&signing_hash(admission, domain))
        .map_err(|_| AdmissionError::Signature)
}
