// SPDX-License-Identifier: Apache-2.0
//! SEV-SNP reports, their certificates, certificate tables and revocation lists.

use std::sync::LazyLock;

use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::evidence::{DICTIONARY, Known, judge, known, seeds};

pub(super) const TARGET: Target = Target {
    name: "snp",
    run,
    dictionary: DICTIONARY,
    header: 1,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| known(&[TeeKind::Snp]));
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| stock("snp", seeds(&KNOWN)));

fn run(input: &[u8]) -> bool {
    judge(&KNOWN, input)
}
