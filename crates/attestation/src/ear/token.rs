// SPDX-License-Identifier: Apache-2.0
//! The claims of a token.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes, FixedBytes, keccak256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subrosa_evidence::{Binding, Collateral, Product, TcbStatus, Verdict, report_data};
use subrosa_types::Challenge;
use subrosa_types::id::{TeeKind, measurement_id};

use crate::{Bound, Claims, Firmware, Register};

/// `eat_profile` of the tokens: EAR's own.
pub const PROFILE: &str = "tag:github.com,2023:veraison/ear";

/// Name of the one submodule.
pub const SUBMODULE: &str = "subrosa-enclave";

#[derive(Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) eat_profile: String,
    pub(crate) iss: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    /// The client's challenge, base64url.
    pub(crate) eat_nonce: String,
    pub(crate) cnf: Confirmation,
    #[serde(rename = "ear.verifier-id")]
    pub(crate) verifier: VerifierId,
    pub(crate) submods: BTreeMap<String, Submodule>,
}

/// The key that the enclave proves possession of with every signature (RFC 7800, 3.4): its
/// signer's address, 0x-prefixed hexadecimal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) kid: alloy_primitives::Address,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct VerifierId {
    pub(crate) developer: String,
    pub(crate) build: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Submodule {
    #[serde(rename = "ear.status")]
    pub(crate) status: String,
    #[serde(rename = "ear.trustworthiness-vector")]
    pub(crate) vector: Vector,
    #[serde(rename = "ear.appraisal-policy-id")]
    pub(crate) policy: String,
    pub(crate) subrosa: Appraised,
}

/// AR4SI trustworthiness claims (draft-ietf-rats-ar4si, 2.3): 0 no claim, 2 affirming, 32 warning.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Vector {
    pub(crate) instance_identity: i8,
    pub(crate) configuration: i8,
    pub(crate) executables: i8,
    pub(crate) hardware: i8,
    pub(crate) runtime_opaque: i8,
}

/// Everything a client compares, so that it need not take the verifier's word for more than it
/// must.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Appraised {
    pub(crate) development: bool,
    pub(crate) tee: TeeKind,
    pub(crate) product: Product,
    pub(crate) root_id: B256,
    pub(crate) measurement: Bytes,
    pub(crate) measurement_id: B256,
    pub(crate) measurement_appraised: bool,
    /// Absent where the platform has no register for it.
    #[serde(default)]
    pub(crate) config_register: Option<FixedBytes<48>>,
    pub(crate) registers: Vec<Register>,
    pub(crate) signer: alloy_primitives::Address,
    pub(crate) transfer_key_hash: B256,
    pub(crate) config_hash: B256,
    pub(crate) start_hash: B256,
    pub(crate) debug: u8,
    pub(crate) migratable: bool,
    #[serde(default)]
    pub(crate) vmpl: Option<u8>,
    #[serde(default)]
    pub(crate) tcb_status: Option<TcbStatus>,
    #[serde(default)]
    pub(crate) tcb_date: Option<u64>,
    #[serde(default)]
    pub(crate) firmware: Option<Firmware>,
    pub(crate) advisories: Vec<String>,
    #[serde(default)]
    pub(crate) tcb_evaluation: Option<u32>,
    pub(crate) machine_id: B256,
    #[serde(default)]
    pub(crate) issued: Option<u64>,
    pub(crate) revocation_checked: bool,
    pub(crate) collateral: Vec<Collateral>,
    pub(crate) collateral_expires: u64,
    pub(crate) evidence_hash: B256,
    pub(crate) policy_hash: B256,
    /// Every check the verifier made, as its other outputs show it.
    pub(crate) verdict: Verdict,
}

impl Token {
    pub(crate) fn of(bound: &Bound, nonce: &[u8], issuer: &str, issued: u64, expires: u64) -> Self {
        let (claims, binding) = (&bound.claims, &bound.binding);
        let development = claims.is_development();
        let submodule = Submodule {
            status: status_of(claims).to_owned(),
            vector: Vector {
                // Which machine and which configuration are right is for whoever asked.
                instance_identity: 0,
                configuration: 0,
                executables: if bound.measurement_appraised { 2 } else { 0 },
                hardware: if status_of(claims) == AFFIRMING {
                    2
                } else {
                    32
                },
                runtime_opaque: if opaque(claims) { 2 } else { 32 },
            },
            policy: format!("urn:subrosa:policy:{}", bound.policy_hash),
            subrosa: Appraised {
                development,
                tee: claims.tee,
                product: claims.product,
                root_id: claims.root_id,
                measurement: claims.measurement.clone(),
                measurement_id: claims.measurement_id,
                measurement_appraised: bound.measurement_appraised,
                config_register: claims.config_register,
                registers: claims.registers.clone(),
                signer: binding.signer,
                transfer_key_hash: binding.transfer_key_hash,
                config_hash: binding.config_hash,
                start_hash: binding.start_hash,
                debug: claims.debug,
                migratable: claims.migratable,
                vmpl: claims.vmpl,
                tcb_status: claims.tcb_status,
                tcb_date: claims.tcb_date,
                firmware: claims.firmware,
                advisories: claims.advisories.clone(),
                tcb_evaluation: claims.tcb_evaluation,
                machine_id: claims.machine_id,
                issued: claims.issued,
                revocation_checked: claims.revocation_checked,
                collateral: claims.collateral.clone(),
                collateral_expires: claims.collateral_expires,
                evidence_hash: claims.evidence_hash,
                policy_hash: bound.policy_hash,
                verdict: bound.verdict.clone(),
            },
        };
        Self {
            eat_profile: PROFILE.to_owned(),
            iss: issuer.to_owned(),
            iat: issued,
            exp: expires,
            eat_nonce: URL_SAFE_NO_PAD.encode(nonce),
            cnf: Confirmation {
                kid: binding.signer,
            },
            verifier: VerifierId {
                developer: "Subrosa".to_owned(),
                build: format!("subrosa-attestation {}", env!("CARGO_PKG_VERSION")),
            },
            submods: BTreeMap::from([(SUBMODULE.to_owned(), submodule)]),
        }
    }
}

impl Appraised {
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            signer: self.signer,
            transfer_key_hash: self.transfer_key_hash,
            config_hash: self.config_hash,
            start_hash: self.start_hash,
        }
    }

    /// The evidence's claims as they must have been for a verifier to say this. Everything that
    /// can be recomputed is; `None` if the token contradicts itself.
    pub(crate) fn claims(&self, challenge: &Challenge) -> Option<Claims> {
        let measurement_hash = keccak256(&self.measurement);
        let measurement_id = measurement_id(self.root_id, self.tee, measurement_hash);
        let data = report_data(&self.binding(), challenge);
        let claims = Claims {
            tee: self.tee,
            product: self.product,
            root_id: self.root_id,
            measurement: self.measurement.clone(),
            measurement_hash,
            measurement_id,
            config_register: self.config_register,
            report_data: Bytes::copy_from_slice(&data),
            registers: self.registers.clone(),
            debug: self.debug,
            migratable: self.migratable,
            vmpl: self.vmpl,
            tcb_status: self.tcb_status,
            tcb_date: self.tcb_date,
            firmware: self.firmware,
            advisories: self.advisories.clone(),
            tcb_evaluation: self.tcb_evaluation,
            machine_id: self.machine_id,
            issued: self.issued,
            revocation_checked: self.revocation_checked,
            collateral: self.collateral.clone(),
            collateral_expires: self.collateral_expires,
            evidence_hash: self.evidence_hash,
        };
        let consistent = measurement_id == self.measurement_id
            && claims.is_development() == self.development
            && claims.is_consistent();
        consistent.then_some(claims)
    }
}

/// What a relying party that knows nothing of us should think of it: `warning` for evidence that a
/// policy had to tolerate something for, so that nobody takes it for sound hardware.
pub(crate) fn status_of(claims: &Claims) -> &'static str {
    let current = claims
        .tcb_status
        .is_none_or(|status| status == TcbStatus::UpToDate);
    let strict = current
        && opaque(claims)
        && !claims.migratable
        && claims.revocation_checked
        && claims.vmpl.is_none_or(|level| level == 0)
        && claims.product != Product::Milan;
    if strict { AFFIRMING } else { WARNING }
}

/// Whether the host cannot look inside.
fn opaque(claims: &Claims) -> bool {
    !claims.is_development() && claims.debug == 0
}

const AFFIRMING: &str = "affirming";
const WARNING: &str = "warning";
