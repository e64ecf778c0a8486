// SPDX-License-Identifier: Apache-2.0
//! Changed bytes: refused, or the same claims.

use proptest::prelude::*;
use subrosa_attestation::{Policy, verify_genuine};
use subrosa_evidence::EvidenceBundle;
use subrosa_types::id::TeeKind;

use crate::fixture::{NOW, sound};

/// Flips one bit in every 64 and holds each mutant to the claims of the original. Returns how many
/// were refused and how many accepted with identical claims.
pub(crate) fn flip_every_64th_bit(
    bundle: &EvidenceBundle,
    policy: &Policy,
    now: u64,
) -> (usize, usize) {
    let original = verify_genuine(bundle, policy, now).unwrap();
    let (mut refused, mut identical) = (0, 0);
    for position in (0..bundle.quote().len() * 8).step_by(64) {
        let mut quote = bundle.quote().to_vec();
        // Another bit of the byte each time, so that all eight are tried.
        quote[position / 8] ^= 1 << (position / 64 % 8);
        let mutant =
            EvidenceBundle::new(TeeKind::Tdx, quote, bundle.collateral().to_vec()).unwrap();
        match verify_genuine(&mutant, policy, now) {
            Err(_) => refused += 1,
            Ok(claims) => {
                assert_eq!(claims, original, "bit {position} changed the claims");
                identical += 1;
            }
        }
    }
    (refused, identical)
}

#[test]
fn a_flipped_bit_is_refused_or_changes_no_claim() {
    let (refused, identical) = flip_every_64th_bit(&sound(), &Policy::development(), NOW);
    println!("{refused} refused, {identical} accepted with identical claims");
    assert_eq!(refused + identical, sound().quote().len().div_ceil(8));
    // Header, report, signature, key, QE report and its signature are all covered: what may differ
    // is the outer certification type and the PEM armour.
    assert!(refused > 500 && identical < 8, "{refused} {identical}");
}

#[test]
fn changed_collateral_never_changes_the_identity() {
    let bundle = sound();
    let original = verify_genuine(&bundle, &Policy::development(), NOW).unwrap();
    let mut refused = 0;
    for position in (0..bundle.collateral().len()).step_by(13) {
        let mut collateral = bundle.collateral().to_vec();
        collateral[position] ^= 1;
        let mutant =
            EvidenceBundle::new(TeeKind::Tdx, bundle.quote().to_vec(), collateral).unwrap();
        match verify_genuine(&mutant, &Policy::development(), NOW) {
            Err(_) => refused += 1,
            Ok(claims) => assert_eq!(claims, original, "byte {position}"),
        }
    }
    assert!(refused > 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_quotes_and_collateral_do_not_panic(
        quote in proptest::collection::vec(any::<u8>(), 0..2000),
        collateral in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let bundle = EvidenceBundle::new(TeeKind::Tdx, quote, collateral).unwrap();
        prop_assert!(verify_genuine(&bundle, &Policy::development(), NOW).is_err());
    }

    #[test]
    fn spliced_quotes_do_not_panic_and_are_not_accepted(
        start in 0usize..4300,
        splice in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let sound = sound();
        let mut quote = sound.quote().to_vec();
        let start = start.min(quote.len());
        let end = (start + splice.len()).min(quote.len());
        quote.splice(start..end, splice);
        let original = verify_genuine(&sound, &Policy::development(), NOW).unwrap();
        let mutant =
            EvidenceBundle::new(TeeKind::Tdx, quote, sound.collateral().to_vec()).unwrap();
        if let Ok(claims) = verify_genuine(&mutant, &Policy::development(), NOW) {
            prop_assert_eq!(claims, original);
        }
    }
}
