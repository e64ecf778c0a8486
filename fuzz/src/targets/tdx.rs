// SPDX-License-Identifier: Apache-2.0
//! TDX quotes and their collateral.

use std::sync::LazyLock;

use subrosa_evidence::EvidencePart;
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::id::TeeKind;

use super::target::{MIB, Target, stock};
use crate::evidence::{DICTIONARY, Known, judge, known, seeds};

pub(super) const TARGET: Target = Target {
    name: "tdx",
    run,
    dictionary: DICTIONARY,
    header: 1,
    memory: 4 * MIB,
    seeds: || &SEEDS,
};

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| known(&[TeeKind::Tdx]));
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut made = seeds(&KNOWN);
    made.extend(FAULTS.into_iter().flat_map(faulty));
    stock("tdx", made)
});

fn run(input: &[u8]) -> bool {
    judge(&KNOWN, input)
}

/// The first sample's quote and collateral with a fault, each to be put in place of the sound one;
/// of the two, the one that has nothing to do with the fault is sound.
fn faulty(fault: Fault) -> [Vec<u8>; 2] {
    let forge = Forge::new().report_data([0x5a; 64]);
    let evidence = forge.fault(fault).evidence();
    [
        [&[0x01], evidence.quote()].concat(),
        [
            &[0x02],
            evidence.part(EvidencePart::Collateral).unwrap_or_default(),
        ]
        .concat(),
    ]
}

const FAULTS: [Fault; 8] = [
    Fault::DebugTd,
    Fault::MigratableTd,
    Fault::SeptVeEnabled,
    Fault::ForeignRoot,
    Fault::RevokedPck,
    Fault::OutOfDate,
    Fault::RevokedTcbLevel,
    Fault::DebugQe,
];
