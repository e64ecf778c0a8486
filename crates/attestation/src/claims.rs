// SPDX-License-Identifier: Apache-2.0
//! What evidence says.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::{B256, Bytes, FixedBytes, keccak256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};
use subrosa_evidence::{
    Binding, Collateral, INTEL_SGX_ROOT_ID, Product, Subject, TcbStatus, Verdict, is_development,
};
use subrosa_types::Challenge;
use subrosa_types::id::{TeeKind, measurement_id, product_id};

/// What hardware says about an enclave, the same for every kind of TEE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// The kind of TEE.
    pub tee: TeeKind,
    /// The family of the hardware, as its certificates state it.
    pub product: Product,
    /// SHA-256 of the SubjectPublicKeyInfo of the root that the evidence hangs from.
    pub root_id: B256,
    /// What runs:
    ///
    /// | kind | content | bytes |
    /// |---|---|---|
    /// | TDX | MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2 | 192 |
    /// | SGX | MRENCLAVE | 32 |
    /// | SEV-SNP | MEASUREMENT | 48 |
    /// | Nitro | PCR0 ‖ PCR1 ‖ PCR2 | 144 |
    /// | Azure vTPM | launch digest (SEV-SNP MEASUREMENT or MRTD) ‖ PCR 4, 7, 8, 9, 11, 12, 13 (SHA-256) | 272 |
    pub measurement: Bytes,
    /// keccak256 of `measurement`.
    pub measurement_hash: B256,
    /// H\["measurement"\](rootId, teeKind, measurementHash).
    pub measurement_id: B256,
    /// Where the configuration hash was extended: for TDX RTMR3. `None` where the platform has no
    /// such register; the report data alone binds the configuration there.
    pub config_register: Option<FixedBytes<48>>,
    /// What the enclave asked its platform to sign: 64 bytes of report data for TDX, SGX and
    /// SEV-SNP, `user_data` (at most 512 bytes) for Nitro, `extraData` of the quote for a TPM.
    pub report_data: Bytes,
    /// Everything else that is signed and worth showing, by the name the vendor gives it in lower
    /// case: `mrtd`, `mrsigner`, `host_data`, `pcr3`, …
    pub registers: Vec<Register>,
    /// The debug byte of the TEE's attributes; zero is neither debugged nor profiled.
    pub debug: u8,
    /// Whether the guest may be migrated to another machine by an agent.
    pub migratable: bool,
    /// SEV-SNP: the privilege level that asked for the report, 0 is the highest.
    pub vmpl: Option<u8>,
    /// How up to date the platform is; `None` where the vendor publishes no such judgement.
    pub tcb_status: Option<TcbStatus>,
    /// When the vendor last knew nothing against that TCB level (Intel: `tcbDate`), Unix seconds.
    pub tcb_date: Option<u64>,
    /// SEV-SNP: the firmware's security version numbers, `REPORTED_TCB`.
    pub firmware: Option<Firmware>,
    /// Security advisories that apply to it.
    pub advisories: Vec<String>,
    /// Which TCB recovery that was judged by: the lower number of TCB info and QE identity. `None`
    /// where the vendor does not number them.
    pub tcb_evaluation: Option<u32>,
    /// H\["machine"\](rootId, keccak256(hardware identity)): PPID, chip id; the same for every kind of
    /// TEE that the machine has. Zero where the platform gives none: Nitro, masked chip ids.
    pub machine_id: B256,
    /// When the platform signed it, Unix seconds, where it says so (Nitro).
    pub issued: Option<u64>,
    /// Whether revocation lists were part of what was verified, or the vendor has none.
    pub revocation_checked: bool,
    /// What vouches for it, and until when.
    pub collateral: Vec<Collateral>,
    /// When the first piece of the collateral runs out, Unix seconds.
    pub collateral_expires: u64,
    /// keccak256 of the signed part of the evidence, which is all that the claims depend on:
    /// quotes that differ only in unsigned bytes, or in the form of an ECDSA signature, are the
    /// same evidence.
    pub evidence_hash: B256,
}

impl Claims {
    /// Whether this is software evidence, which protects nothing.
    pub fn is_development(&self) -> bool {
        is_development(self.root_id)
    }

    /// A named register, if the evidence has it.
    pub fn register(&self, name: &str) -> Option<&Bytes> {
        self.registers
            .iter()
            .find(|register| register.name == name)
            .map(|register| &register.value)
    }

    /// H\["product"\] of what the registry can deny: Intel's FMSPC, AMD's product name, nothing for
    /// Nitro. `None` if the claims are Intel's and lack the register `fmspc` of 6 bytes.
    pub fn product_id(&self) -> Option<B256> {
        let name: &[u8] = match self.product {
            Product::IntelSgx | Product::IntelTdx => {
                let fmspc = self.register("fmspc")?;
                (fmspc.len() == 6).then_some(fmspc)?
            }
            Product::Milan => b"Milan",
            Product::Genoa => b"Genoa",
            Product::Turin => b"Turin",
            Product::Nitro => b"",
        };
        Some(product_id(self.tee, name))
    }
}

impl From<&Claims> for Subject {
    fn from(claims: &Claims) -> Self {
        Self {
            tee: claims.tee,
            product: claims.product,
            root_id: claims.root_id,
            measurement: claims.measurement.clone(),
            measurement_id: claims.measurement_id,
            machine_id: claims.machine_id,
            tcb_status: claims.tcb_status,
            advisories: claims.advisories.clone(),
            collateral: claims.collateral.clone(),
            collateral_expires: claims.collateral_expires,
        }
    }
}

impl Claims {
    /// Whether these can be the claims of one kind of evidence: its product, under its vendor's
    /// root if it is a built-in one, with everything that the kind always says and nothing that it
    /// never does. A check that passes because a platform has no such thing depends on it.
    pub(crate) fn is_consistent(&self) -> bool {
        let product = match self.tee {
            TeeKind::Tdx | TeeKind::AzureTdx => self.product == Product::IntelTdx,
            TeeKind::Sgx => self.product == Product::IntelSgx,
            TeeKind::Snp | TeeKind::AzureSnp => Product::AMD.contains(&self.product),
            TeeKind::Nitro => self.product == Product::Nitro,
            _ => false,
        };
        let bytes = match self.tee {
            TeeKind::Tdx => 192,
            TeeKind::Sgx => 32,
            TeeKind::Snp => 48,
            TeeKind::Nitro => 144,
            _ => 272,
        };
        let intel = Product::INTEL.contains(&self.product);
        product
            && self.measurement.len() == bytes
            && vendor_allows(self.root_id, self.product)
            && self.config_register.is_some() == (self.tee == TeeKind::Tdx)
            && [
                self.tcb_status.is_some(),
                self.tcb_date.is_some(),
                self.tcb_evaluation.is_some(),
            ] == [intel; 3]
            && self.firmware.is_some() == Product::AMD.contains(&self.product)
            && self.vmpl.is_some() == (self.tee == TeeKind::Snp)
            && self.issued.is_some() == (self.tee == TeeKind::Nitro)
            && (self.revocation_checked || Product::AMD.contains(&self.product))
    }
}

/// Whether the owner of a built-in root makes this product. Whoever pins another root answers for
/// it.
fn vendor_allows(root_id: B256, product: Product) -> bool {
    // The development root signs what Intel's does.
    let vendor = if is_development(root_id) {
        INTEL_SGX_ROOT_ID
    } else {
        root_id
    };
    let built_in = Product::ALL.iter().any(|known| known.root_id() == vendor);
    !built_in || product.root_id() == vendor
}

/// The hashes of a measurement: keccak256 and the measurement id.
pub(crate) fn measurement_hashes(root_id: B256, tee: TeeKind, measurement: &[u8]) -> (B256, B256) {
    let hash = keccak256(measurement);
    (hash, measurement_id(root_id, tee, hash))
}

/// H\["machine"\]: keccak256(abi.encode(keccak256("subrosa.v1.machine"), rootId, keccak256(identity))),
/// where the identity is what the hardware is known by: for Intel the PPID (16 bytes), for AMD the
/// chip id (64 bytes). The kind of TEE is no part of it: a machine whose memory is read or written
/// is lost with all its kinds.
pub fn machine_id(root_id: B256, identity: &[u8]) -> B256 {
    let words = (
        keccak256("subrosa.v1.machine"),
        root_id,
        keccak256(identity),
    );
    keccak256(words.abi_encode())
}

/// A signed value and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The vendor's name, lower case.
    pub name: String,
    /// The value.
    pub value: Bytes,
}

impl Register {
    pub(crate) fn new(name: impl Into<String>, value: &[u8]) -> Self {
        Self {
            name: name.into(),
            value: Bytes::copy_from_slice(value),
        }
    }
}

/// Security version numbers of AMD's firmware (SEV-SNP ABI, TCB_VERSION).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    /// FMC, from Turin on; zero before.
    #[serde(default)]
    pub fmc: u8,
    /// Boot loader.
    pub bootloader: u8,
    /// PSP operating system.
    pub tee: u8,
    /// SNP firmware.
    pub snp: u8,
    /// Microcode patch level.
    pub microcode: u8,
}

impl Firmware {
    /// Whether no number is lower than in `minimum`.
    pub fn meets(&self, minimum: &Self) -> bool {
        self.fmc >= minimum.fmc
            && self.bootloader >= minimum.bootloader
            && self.tee >= minimum.tee
            && self.snp >= minimum.snp
            && self.microcode >= minimum.microcode
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "fmc {} bootloader {} tee {} snp {} microcode {}",
            self.fmc, self.bootloader, self.tee, self.snp, self.microcode
        )
    }
}

/// Claims together with what they were found to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What hardware says.
    pub claims: Claims,
    /// The preimages of the first half of the report data.
    pub binding: Binding,
    /// The preimage of the second half.
    pub challenge: Challenge,
    /// Whether the measurement was compared with a list. If not, whoever uses this must.
    pub measurement_appraised: bool,
    /// [`Policy::hash`](crate::Policy::hash) of the policy that was applied.
    pub policy_hash: B256,
    /// How every check went.
    pub verdict: Verdict,
}
