// SPDX-License-Identifier: Apache-2.0
//! Policy files: what is laxer than the strict policy is named, and what differs hashes otherwise.

use std::sync::LazyLock;

use subrosa_attestation::{MAX_POLICY_BYTES, Policy, PolicyFile};

use super::target::{MIB, Target, stock};

pub(super) const TARGET: Target = Target {
    name: "policy",
    run,
    dictionary: WORDS,
    header: 0,
    // The largest file there may be, nothing but one-digit numbers, takes 33 MiB.
    memory: 48 * MIB,
    seeds: || &SEEDS,
};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let vectors = include_str!("../../../fixtures/policies/vectors.toml");
    let uncommented = PolicyFile::DEFAULT
        .replace("# OutOfDate =", "OutOfDate =")
        .replace("# genoa", "genoa")
        .replace("# tolerated_advisories", "tolerated_advisories")
        .replace("# [machines]", "[machines]")
        .replace("# hardware =", "hardware =");
    let made = ["version = 1", PolicyFile::DEFAULT, vectors, &uncommented];
    stock("policy", made.map(|text| text.as_bytes().to_vec()).to_vec())
});

fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let Ok(file) = PolicyFile::parse(text) else {
        return false;
    };
    assert!(text.len() <= MAX_POLICY_BYTES);
    let policy = &file.policy;
    let again = PolicyFile::parse(text).map(|again| again.policy.hash());
    assert_eq!(again.ok(), Some(policy.hash()));
    // The hash covers everything but the certificates that merely make a root known.
    let mut comparable = policy.clone();
    comparable.certificates.clear();
    let strict = Policy::strict();
    assert_eq!(policy.hash() == strict.hash(), comparable == strict);
    if policy.relaxations().is_empty() {
        assert!(
            at_least_as_strict(policy),
            "laxer, and does not say so: {policy:?}"
        );
    }
    true
}

/// Whether the policy accepts nothing that the strict one refuses.
fn at_least_as_strict(policy: &Policy) -> bool {
    let strict = Policy::strict();
    let graced = policy.tcb_grace.keys();
    policy.kinds.is_subset(&strict.kinds)
        && policy.roots.iter().all(|root| strict.roots.contains(root))
        && !policy.allow_development
        && policy.tcb_statuses.is_subset(&strict.tcb_statuses)
        && graced
            .into_iter()
            .all(|status| strict.tcb_statuses.contains(status))
        && policy.denied_products.is_superset(&strict.denied_products)
        && policy.require_revocation_lists
        && policy.maximum_vmpl <= strict.maximum_vmpl
        && policy.maximum_age <= strict.maximum_age
        && !policy.dangerous_accept_debug
        && !policy.dangerous_accept_migration
}

/// TOML, and the fields and values of a policy.
const WORDS: &[&[u8]] = &[
    b"version = 1\n",
    b"version = 2\n",
    b"kinds = []\n",
    b"kinds = [\"snp\"]\n",
    b"roots = []\n",
    b"roots = [\"amd-genoa\"]\n",
    b"roots = [\"intel-sgx\", \"aws-nitro\"]\n",
    b"pinned = [\"\"]\n",
    b"measurements = []\n",
    b"measurements = [\"0x0000000000000000000000000000000000000000000000000000000000000000\"]\n",
    b"development = true\n",
    b"\n[tcb]\n",
    b"\n[tcb.grace_days]\n",
    b"\n[tcb.minimum_firmware]\n",
    b"\n[products]\n",
    b"\n[evidence]\n",
    b"\n[machines]\n",
    b"\n[danger]\n",
    b"statuses = [\"OutOfDate\"]\n",
    b"OutOfDate = 4294967295\n",
    b"UpToDate = 1\n",
    b"genoa = { bootloader = 1, tee = 0, snp = 255, microcode = 4294967295 }\n",
    b"denied = []\n",
    b"denied = [\"genoa\"]\n",
    b"denied_advisories = [\"a,b=c\\n\"]\n",
    b"tolerated_advisories = []\n",
    b"minimum_evaluation = 17\n",
    b"revocation_lists = \"if-present\"\n",
    b"maximum_vmpl = 3\n",
    b"maximum_age_seconds = 4294967295\n",
    b"accept_debug = true\n",
    b"accept_migration = true\n",
    b"ids = []\n",
    b"hardware = [{ tee = \"snp\", identity = \"00\" }]\n",
    b"\"\"\"",
    b"'''",
    b"\\u0000",
    b"\\U0010FFFF",
    b"0x",
    b"1_000",
    b"9223372036854775808",
    b"1e400",
    b"nan",
    b"1979-05-27T07:32:00Z",
    b"[[",
    b"[[[[[[[[",
    b"{a={a={a={a=",
    b"a.b.c.d = 1\n",
    b"# ",
];
