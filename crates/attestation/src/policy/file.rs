// SPDX-License-Identifier: Apache-2.0
//! Policies as TOML files. [`PolicyFile::DEFAULT`] is the documented schema.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes};
use serde::Deserialize;
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
    DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, Product, TcbStatus,
};
use subrosa_types::id::TeeKind;

use super::Policy;
use crate::{Firmware, Measurements, Root, RootError, machine_id, root_certificate};

/// Largest policy file that is parsed, bytes.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;

/// A policy, and what may run under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Which hardware is trusted.
    pub policy: Policy,
    /// Ids of what may run on it; `None` leaves that open, and no verdict is an acceptance.
    pub measurements: Option<BTreeSet<B256>>,
}

/// Why a policy file is refused. Whoever wrote it must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Larger than [`MAX_POLICY_BYTES`].
    #[error("a policy of {0} bytes is larger than {MAX_POLICY_BYTES}")]
    TooLarge(usize),
    /// Not the TOML it should be; unknown fields are errors.
    #[error("not a policy")]
    Parse(#[from] toml::de::Error),
    /// Of a version this build does not know.
    #[error("policy version {0}, expected 1")]
    Version(u32),
    /// A name or id that no known root has.
    #[error("root {0:?} is neither a built-in name nor the id of a known root")]
    UnknownRoot(String),
    /// The development root among production's.
    #[error("the development root is accepted by `development = true`, not by listing it")]
    ListedDevelopmentRoot,
    /// A pinned certificate that is none.
    #[error("pinned root {index}")]
    Pinned {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        source: RootError,
    },
    /// A privilege level that SEV-SNP does not have.
    #[error("maximum_vmpl is {0}, expected 0 to 3")]
    Vmpl(u8),
    /// Firmware numbers for hardware that has none.
    #[error("minimum_firmware of {0}, which is not an AMD product")]
    Firmware(Product),
}

impl PolicyFile {
    /// The documented schema, with every default: a policy file that changes nothing.
    pub const DEFAULT: &str = include_str!("default.toml");

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(PolicyError::TooLarge(text.len()));
        }
        toml::from_str::<Document>(text)?.policy()
    }

    /// [`Policy::strict`], which leaves open what runs.
    pub fn strict() -> Self {
        Self {
            policy: Policy::strict(),
            measurements: None,
        }
    }

    /// Whether what runs is appraised, and against what.
    pub fn measurements(&self) -> Measurements {
        match &self.measurements {
            Some(ids) => Measurements::AnyOf(ids.clone()),
            None => Measurements::JudgedElsewhere,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    kinds: Option<BTreeSet<TeeKind>>,
    roots: Option<Vec<String>>,
    #[serde(default)]
    pinned: Vec<String>,
    measurements: Option<BTreeSet<B256>>,
    #[serde(default)]
    development: bool,
    #[serde(default)]
    tcb: Tcb,
    #[serde(default)]
    products: Products,
    #[serde(default)]
    evidence: Evidence,
    machines: Option<Machines>,
    #[serde(default)]
    danger: Danger,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tcb {
    statuses: Option<BTreeSet<TcbStatus>>,
    minimum_evaluation: u32,
    denied_advisories: BTreeSet<String>,
    tolerated_advisories: Option<BTreeSet<String>>,
    grace_days: BTreeMap<TcbStatus, u32>,
    minimum_firmware: BTreeMap<Product, Firmware>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Products {
    denied: Option<BTreeSet<Product>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Evidence {
    maximum_age_seconds: Option<u32>,
    revocation_lists: RevocationLists,
    maximum_vmpl: u8,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RevocationLists {
    #[default]
    Required,
    IfPresent,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Machines {
    ids: BTreeSet<B256>,
    /// What the machines are known by.
    hardware: Vec<Bytes>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Danger {
    accept_debug: bool,
    accept_migration: bool,
}

impl Document {
    fn policy(self) -> Result<PolicyFile, PolicyError> {
        if self.version != VERSION {
            return Err(PolicyError::Version(self.version));
        }
        if self.evidence.maximum_vmpl > MAX_VMPL {
            return Err(PolicyError::Vmpl(self.evidence.maximum_vmpl));
        }
        let amd = [Product::Milan, Product::Genoa, Product::Turin];
        let mut firmware = self.tcb.minimum_firmware.keys();
        if let Some(product) = firmware.find(|product| !amd.contains(product)) {
            return Err(PolicyError::Firmware(*product));
        }
        let mut policy = Policy::strict();
        for (index, pem) in self.pinned.iter().enumerate() {
            let root = Root::from_certificate(pem.as_bytes())
                .map_err(|source| PolicyError::Pinned { index, source })?;
            policy.certificates.push(root);
        }
        if let Some(roots) = self.roots {
            policy.roots = roots
                .into_iter()
                .map(|name| root_id(name, &policy.certificates))
                .collect::<Result<_, _>>()?;
        }
        replace(&mut policy.kinds, self.kinds);
        replace(&mut policy.tcb_statuses, self.tcb.statuses);
        replace(&mut policy.denied_products, self.products.denied);
        replace(
            &mut policy.maximum_age,
            self.evidence.maximum_age_seconds.map(u64::from),
        );
        policy.allow_development = self.development;
        policy.tcb_grace = self
            .tcb
            .grace_days
            .into_iter()
            .map(|(status, days)| (status, u64::from(days) * DAY))
            .collect();
        policy.minimum_tcb_evaluation = self.tcb.minimum_evaluation;
        policy.minimum_firmware = self.tcb.minimum_firmware;
        policy.denied_advisories = self.tcb.denied_advisories;
        policy.tolerated_advisories = self.tcb.tolerated_advisories;
        policy.require_revocation_lists =
            self.evidence.revocation_lists == RevocationLists::Required;
        policy.maximum_vmpl = self.evidence.maximum_vmpl;
        policy.machines = self.machines.map(|machines| machines.ids(&policy.roots));
        policy.dangerous_accept_debug = self.danger.accept_debug;
        policy.dangerous_accept_migration = self.danger.accept_migration;
        Ok(PolicyFile {
            policy,
            measurements: self.measurements,
        })
    }
}

impl Machines {
    /// A machine has an id under each root it could hang from.
    fn ids(self, roots: &BTreeSet<B256>) -> BTreeSet<B256> {
        let named = self.hardware.iter().flat_map(|identity| {
            roots
                .iter()
                .chain([&DEVELOPMENT_ROOT_ID])
                .map(|root| machine_id(*root, identity))
        });
        self.ids.iter().copied().chain(named).collect()
    }
}

fn replace<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

fn root_id(name: String, pinned: &[Root]) -> Result<B256, PolicyError> {
    let named = NAMES.iter().find(|(known, _)| *known == name);
    let id = match (named, name.parse::<B256>()) {
        (Some((_, id)), _) => *id,
        (None, Ok(id)) => id,
        (None, Err(_)) => return Err(PolicyError::UnknownRoot(name)),
    };
    if id == DEVELOPMENT_ROOT_ID {
        return Err(PolicyError::ListedDevelopmentRoot);
    }
    let known = root_certificate(id).is_some() || pinned.iter().any(|root| root.id() == id);
    if known {
        Ok(id)
    } else {
        Err(PolicyError::UnknownRoot(name))
    }
}

const NAMES: [(&str, B256); 5] = [
    ("intel-sgx", INTEL_SGX_ROOT_ID),
    ("amd-milan", AMD_MILAN_ROOT_ID),
    ("amd-genoa", AMD_GENOA_ROOT_ID),
    ("amd-turin", AMD_TURIN_ROOT_ID),
    ("aws-nitro", AWS_NITRO_ROOT_ID),
];
const VERSION: u32 = 1;
const MAX_VMPL: u8 = 3;
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> PolicyFile {
        PolicyFile::parse(&format!("version = 1\n{text}")).unwrap()
    }

    fn refused(text: &str) -> PolicyError {
        PolicyFile::parse(&format!("version = 1\n{text}")).unwrap_err()
    }

    #[test]
    fn the_default_file_and_an_empty_one_are_strict() {
        for file in [PolicyFile::parse(PolicyFile::DEFAULT).unwrap(), parsed("")] {
            assert_eq!(file.policy, Policy::strict());
            assert_eq!(file.measurements(), Measurements::JudgedElsewhere);
        }
    }

    #[test]
    fn every_commented_example_in_the_default_file_is_valid() {
        let text = PolicyFile::DEFAULT
            .replace("# OutOfDate =", "OutOfDate =")
            .replace("# genoa", "genoa")
            .replace("# tolerated_advisories", "tolerated_advisories")
            .replace("# [machines]", "[machines]")
            .replace("# hardware =", "hardware =");
        let policy = PolicyFile::parse(&text).unwrap().policy;
        assert_eq!(policy.tcb_grace[&TcbStatus::OutOfDate], 30 * DAY);
        assert_eq!(policy.minimum_firmware[&Product::Genoa].microcode, 84);
        assert_eq!(policy.tolerated_advisories.unwrap().len(), 1);
        let machine = machine_id(
            INTEL_SGX_ROOT_ID,
            &alloy_primitives::hex!("00112233445566778899aabbccddeeff"),
        );
        assert!(policy.machines.unwrap().contains(&machine));
    }

    #[test]
    fn fields_mean_what_they_say() {
        let id = B256::repeat_byte(7);
        let file = parsed(&format!(
            "kinds = [\"snp\"]\nroots = [\"amd-turin\"]\nmeasurements = [\"{id}\"]\n[products]\n\
             denied = []\n[evidence]\nrevocation_lists = \"if-present\"\nmaximum_vmpl = 2\n\
             maximum_age_seconds = 5\n[danger]\naccept_debug = true"
        ));
        let policy = &file.policy;
        assert_eq!(policy.kinds, BTreeSet::from([TeeKind::Snp]));
        assert_eq!(policy.roots, BTreeSet::from([AMD_TURIN_ROOT_ID]));
        assert!(policy.denied_products.is_empty() && !policy.require_revocation_lists);
        assert_eq!((policy.maximum_vmpl, policy.maximum_age), (2, 5));
        assert!(policy.dangerous_accept_debug && !policy.dangerous_accept_migration);
        assert_eq!(
            file.measurements(),
            Measurements::AnyOf(BTreeSet::from([id]))
        );
        assert_eq!(policy.relaxations().len(), 4);
    }

    #[test]
    fn a_pinned_root_is_accepted_only_if_it_is_listed() {
        let pem = include_str!("../roots/amd-milan.pem");
        let start = pem.rfind("-----BEGIN").unwrap();
        let root = Root::from_certificate(&pem.as_bytes()[start..]).unwrap();
        let pinned = format!("pinned = ['''{}''']\n", &pem[start..]);
        let unlisted = parsed(&format!("roots = []\n{pinned}")).policy;
        assert!(unlisted.certificates == [root.clone()] && !unlisted.accepts_root(root.id()));
        let listed = parsed(&format!("roots = [\"{}\"]\n{pinned}", root.id())).policy;
        assert!(listed.accepts_root(root.id()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(matches!(
            PolicyFile::parse("version = 2"),
            Err(PolicyError::Version(2))
        ));
        assert!(matches!(PolicyFile::parse(""), Err(PolicyError::Parse(_))));
        assert!(matches!(
            PolicyFile::parse(&" ".repeat(MAX_POLICY_BYTES + 1)),
            Err(PolicyError::TooLarge(_))
        ));
        for text in [
            "allow_debug = true",
            "kinds = [\"sev\"]",
            "[tcb]\nstatuses = [\"Revoked\"]",
            "[tcb.grace_days]\nOutOfDate = -1",
            "[danger]\naccept_revoked = true",
            "[products]\ndenied = [\"naples\"]",
            "measurements = [\"0x00\"]",
            "development = \"yes\"",
        ] {
            assert!(matches!(refused(text), PolicyError::Parse(_)), "{text}");
        }
        assert!(matches!(
            refused("roots = [\"intel\"]"),
            PolicyError::UnknownRoot(_)
        ));
        let zero = format!("roots = [\"{}\"]", B256::ZERO);
        assert!(matches!(refused(&zero), PolicyError::UnknownRoot(_)));
        let development = format!("roots = [\"{DEVELOPMENT_ROOT_ID}\"]");
        assert!(matches!(
            refused(&development),
            PolicyError::ListedDevelopmentRoot
        ));
        assert!(matches!(
            refused("pinned = [\"x\"]"),
            PolicyError::Pinned { index: 0, .. }
        ));
        assert!(matches!(
            refused("[evidence]\nmaximum_vmpl = 4"),
            PolicyError::Vmpl(4)
        ));
        assert!(matches!(
            refused(
                "[tcb.minimum_firmware]\nnitro = { bootloader = 1, tee = 0, snp = 0, microcode = 0 }"
            ),
            PolicyError::Firmware(Product::Nitro)
        ));
    }
}
