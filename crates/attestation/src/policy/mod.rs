// SPDX-License-Identifier: Apache-2.0
//! What a relying party requires.

mod file;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolValue;
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
    DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, Product, TcbStatus,
};
use subrosa_types::id::TeeKind;

pub use file::{MAX_POLICY_BYTES, PolicyError, PolicyFile};

use crate::{Firmware, Root};

/// Which hardware, in which state, is trusted at all.
///
/// [`Policy::strict`] is the default; everything laxer than it is named by
/// [`Policy::relaxations`], which every verdict repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Accepted kinds of TEE.
    pub kinds: BTreeSet<TeeKind>,
    /// Accepted roots. The development root in this list has no effect.
    pub roots: BTreeSet<B256>,
    /// Roots beside the built-in ones. Being known is not being accepted: that is `roots`.
    pub certificates: Vec<Root>,
    /// Whether software evidence under the development root is accepted. It protects nothing.
    pub allow_development: bool,
    /// Accepted TCB statuses, where the vendor publishes one. A revoked level is never accepted.
    pub tcb_statuses: BTreeSet<TcbStatus>,
    /// Further TCB statuses, accepted until this many seconds after the level's `tcbDate`: the
    /// platform grace period of Intel's Quote Appraisal Library.
    pub tcb_grace: BTreeMap<TcbStatus, u64>,
    /// Smallest accepted TCB evaluation number, where the vendor numbers them.
    pub minimum_tcb_evaluation: u32,
    /// Oldest accepted firmware of an AMD product; products that are not listed may have any.
    pub minimum_firmware: BTreeMap<Product, Firmware>,
    /// Advisories that must not apply, whatever the status.
    pub denied_advisories: BTreeSet<String>,
    /// If set, no other advisory may apply.
    pub tolerated_advisories: Option<BTreeSet<String>>,
    /// Denied families of hardware.
    pub denied_products: BTreeSet<Product>,
    /// Whether revocation lists must have been consulted where the vendor publishes them.
    pub require_revocation_lists: bool,
    /// Highest accepted SEV-SNP privilege level; 0 is the most privileged. Does not concern Azure,
    /// where level 0 belongs to the paravisor that the launch digest covers.
    pub maximum_vmpl: u8,
    /// Oldest accepted evidence, seconds, where it says when it was signed. The challenge is what
    /// proves freshness everywhere.
    pub maximum_age: u64,
    /// Ids of the accepted machines; `None` accepts any. See [`machine_id`](crate::machine_id).
    pub machines: Option<BTreeSet<B256>>,
    /// Accepts enclaves whose memory the host can read and change. Never for anything but a look
    /// at broken hardware.
    pub dangerous_accept_debug: bool,
    /// Accepts guests that an agent may move elsewhere.
    pub dangerous_accept_migration: bool,
}

impl Policy {
    /// Vendors' production roots, TCB status `UpToDate`, revocation lists consulted, no EPYC Milan,
    /// no debugging, no migration, any machine.
    pub fn strict() -> Self {
        Self {
            kinds: BTreeSet::from(TeeKind::ALL),
            roots: BTreeSet::from([
                INTEL_SGX_ROOT_ID,
                AMD_MILAN_ROOT_ID,
                AMD_GENOA_ROOT_ID,
                AMD_TURIN_ROOT_ID,
                AWS_NITRO_ROOT_ID,
            ]),
            certificates: Vec::new(),
            allow_development: false,
            tcb_statuses: BTreeSet::from([TcbStatus::UpToDate]),
            tcb_grace: BTreeMap::new(),
            minimum_tcb_evaluation: 0,
            minimum_firmware: BTreeMap::new(),
            denied_advisories: BTreeSet::new(),
            tolerated_advisories: None,
            denied_products: BTreeSet::from([Product::Milan]),
            require_revocation_lists: true,
            maximum_vmpl: 0,
            maximum_age: MAXIMUM_AGE,
            machines: None,
            dangerous_accept_debug: false,
            dangerous_accept_migration: false,
        }
    }

    /// [`Self::strict`], and software evidence: for development only.
    pub fn development() -> Self {
        Self {
            allow_development: true,
            ..Self::strict()
        }
    }

    /// Makes `root` known and accepted.
    pub fn pin(&mut self, root: Root) {
        self.roots.insert(root.id());
        self.certificates.push(root);
    }

    /// Whether evidence under `root_id` is accepted.
    pub fn accepts_root(&self, root_id: B256) -> bool {
        if root_id == DEVELOPMENT_ROOT_ID {
            self.allow_development
        } else {
            self.roots.contains(&root_id)
        }
    }

    /// Everything in which this policy is laxer than [`Self::strict`], for people: one sentence
    /// each, beginning with the name of the check it weakens.
    pub fn relaxations(&self) -> Vec<String> {
        let strict = Self::strict();
        let mut found = Vec::new();
        let mut note = |lax: bool, what: String| {
            if lax {
                found.push(what);
            }
        };
        note(
            self.allow_development,
            "root: software evidence is accepted, which protects nothing".to_owned(),
        );
        for root in self.roots.difference(&strict.roots) {
            note(
                *root != DEVELOPMENT_ROOT_ID,
                format!("root: {root} is accepted, which is no vendor's known root"),
            );
        }
        for status in self.tcb_statuses.difference(&strict.tcb_statuses) {
            note(true, format!("tcb.status: {status} is accepted"));
        }
        for (status, seconds) in &self.tcb_grace {
            note(
                !self.tcb_statuses.contains(status),
                format!(
                    "tcb.status: {status} is accepted until {seconds} seconds after its tcbDate"
                ),
            );
        }
        for product in strict.denied_products.difference(&self.denied_products) {
            note(
                true,
                format!("product: {product} is accepted ({})", why(*product)),
            );
        }
        note(
            !self.require_revocation_lists,
            "revocation: evidence without revocation lists is accepted".to_owned(),
        );
        note(
            self.maximum_vmpl > strict.maximum_vmpl,
            format!("vmpl: levels up to {} are accepted", self.maximum_vmpl),
        );
        note(
            self.maximum_age > strict.maximum_age,
            format!(
                "age: evidence up to {} seconds old is accepted",
                self.maximum_age
            ),
        );
        note(
            self.dangerous_accept_debug,
            "debug: DANGER, the host reads and changes what runs".to_owned(),
        );
        note(
            self.dangerous_accept_migration,
            "migration: DANGER, an agent may move the guest elsewhere".to_owned(),
        );
        found
    }

    /// keccak256(abi.encode(keccak256("subrosa.v2.policy"), keccak256(text))), where `text` is
    /// the canonical form of the policy: one line `field=values\n` for each field in the order of
    /// this type, with sets ascending and separated by commas.
    pub fn hash(&self) -> B256 {
        let text = self.canonical();
        keccak256((keccak256("subrosa.v2.policy"), keccak256(text)).abi_encode())
    }

    fn canonical(&self) -> String {
        let machines = self.machines.as_ref();
        let tolerated = self.tolerated_advisories.as_ref();
        let lines = [
            ("kinds", list(&self.kinds)),
            ("roots", list(&self.roots)),
            ("allow_development", self.allow_development.to_string()),
            ("tcb_statuses", list(&self.tcb_statuses)),
            (
                "tcb_grace",
                list(
                    self.tcb_grace
                        .iter()
                        .map(|(status, grace)| format!("{status}:{grace}")),
                ),
            ),
            (
                "minimum_tcb_evaluation",
                self.minimum_tcb_evaluation.to_string(),
            ),
            (
                "minimum_firmware",
                list(
                    self.minimum_firmware
                        .iter()
                        .map(|(product, minimum)| format!("{product}:{minimum}")),
                ),
            ),
            ("denied_advisories", list(&self.denied_advisories)),
            (
                "tolerated_advisories",
                tolerated.map_or("any".to_owned(), list),
            ),
            ("denied_products", list(&self.denied_products)),
            (
                "require_revocation_lists",
                self.require_revocation_lists.to_string(),
            ),
            ("maximum_vmpl", self.maximum_vmpl.to_string()),
            ("maximum_age", self.maximum_age.to_string()),
            ("machines", machines.map_or("any".to_owned(), list)),
            (
                "dangerous_accept_debug",
                self.dangerous_accept_debug.to_string(),
            ),
            (
                "dangerous_accept_migration",
                self.dangerous_accept_migration.to_string(),
            ),
        ];
        lines
            .iter()
            .map(|(field, values)| format!("{field}={values}\n"))
            .collect()
    }
}

/// Why the strict policy denies a product.
pub(crate) fn why(product: Product) -> &'static str {
    match product {
        Product::Milan => "its report signing key can be extracted in software, arXiv 2605.12990",
        _ => "denied by the policy",
    }
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    // A name from a policy file cannot forge a separator.
    let quoted: Vec<String> = values
        .into_iter()
        .map(|value| format!("{:?}", value.to_string()))
        .collect();
    quoted.join(",")
}

/// Oldest accepted evidence under the strict policy, seconds.
const MAXIMUM_AGE: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_hash_follows_every_field() {
        let root = Root::from_certificate(include_bytes!("../roots/intel-sgx.der")).unwrap();
        let spoil: &[fn(&mut Policy)] = &[
            |_| {},
            |policy| policy.kinds.clear(),
            |policy| policy.roots.clear(),
            |policy| policy.allow_development = true,
            |policy| {
                policy.tcb_statuses.insert(TcbStatus::OutOfDate);
            },
            |policy| {
                policy.tcb_grace.insert(TcbStatus::OutOfDate, 1);
            },
            |policy| {
                policy.tcb_grace.insert(TcbStatus::OutOfDate, 2);
            },
            |policy| policy.minimum_tcb_evaluation = 1,
            |policy| {
                policy
                    .minimum_firmware
                    .insert(Product::Genoa, Firmware::default());
            },
            |policy| {
                policy.denied_advisories.insert("INTEL-SA-1".to_owned());
            },
            |policy| policy.tolerated_advisories = Some(BTreeSet::new()),
            |policy| policy.denied_products.clear(),
            |policy| policy.require_revocation_lists = false,
            |policy| policy.maximum_vmpl = 1,
            |policy| policy.maximum_age = 1,
            |policy| policy.machines = Some(BTreeSet::new()),
            |policy| policy.machines = Some(BTreeSet::from([B256::repeat_byte(1)])),
            |policy| policy.dangerous_accept_debug = true,
            |policy| policy.dangerous_accept_migration = true,
        ];
        let hash = |spoil: &fn(&mut Policy)| {
            let mut policy = Policy::strict();
            spoil(&mut policy);
            policy.hash()
        };
        let hashes: BTreeSet<B256> = spoil.iter().map(hash).collect();
        assert_eq!(hashes.len(), spoil.len());
        // A certificate by itself accepts nothing.
        let mut policy = Policy::strict();
        policy.pin(root);
        assert_eq!(policy.hash(), Policy::strict().hash());
    }

    #[test]
    fn an_advisory_cannot_pose_as_two() {
        let mut one = Policy::strict();
        one.denied_advisories = BTreeSet::from(["a\",\"b".to_owned()]);
        let mut two = Policy::strict();
        two.denied_advisories = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert_ne!(one.hash(), two.hash());
    }

    #[test]
    fn the_strict_policy_has_no_relaxation_and_each_laxity_is_one() {
        assert_eq!(Policy::strict().relaxations(), Vec::<String>::new());
        type Relax = fn(&mut Policy);
        let relax: &[(&str, Relax)] = &[
            ("root", |policy| policy.allow_development = true),
            ("root", |policy| {
                policy.roots.insert(B256::ZERO);
            }),
            ("tcb.status", |policy| {
                policy.tcb_statuses.insert(TcbStatus::OutOfDate);
            }),
            ("tcb.status", |policy| {
                policy.tcb_grace.insert(TcbStatus::OutOfDate, 1);
            }),
            ("product", |policy| policy.denied_products.clear()),
            ("revocation", |policy| {
                policy.require_revocation_lists = false
            }),
            ("vmpl", |policy| policy.maximum_vmpl = 3),
            ("age", |policy| policy.maximum_age += 1),
            ("debug", |policy| policy.dangerous_accept_debug = true),
            ("migration", |policy| {
                policy.dangerous_accept_migration = true
            }),
        ];
        for (check, relax) in relax {
            let mut policy = Policy::strict();
            relax(&mut policy);
            let found = policy.relaxations();
            assert!(
                matches!(found.as_slice(), [one] if one.starts_with(&format!("{check}: "))),
                "{found:?}"
            );
        }
    }

    #[test]
    fn listing_the_development_root_does_not_accept_it() {
        let mut policy = Policy::strict();
        policy.roots.insert(DEVELOPMENT_ROOT_ID);
        assert!(!policy.accepts_root(DEVELOPMENT_ROOT_ID));
        assert!(Policy::development().accepts_root(DEVELOPMENT_ROOT_ID));
    }
}
