// SPDX-License-Identifier: Apache-2.0
//! What the targets of the kinds of evidence have in common.
//!
//! The first byte of an input says what the rest is: its upper half, modulo the number of samples,
//! chooses one of them; its lower half, modulo 10, is the number of the part of that sample that
//! the rest replaces, or 0 for a whole encoded bundle.

use subrosa_attestation::{Claims, Policy, Stated, Verified, inspect, verify_genuine};
use subrosa_evidence::{CheckOutcome, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use crate::forge::samples::{DEVELOPMENT_NOW, Sample, forged, genuine};

/// Words of DER, PEM, JSON and of the bundle that evidence of any kind is made of.
pub(crate) const DICTIONARY: &[&[u8]] = &[
    b"sreb\x02",
    b"\x30\x80",
    b"\x30\x82\xff\xff",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x02\x01\x00",
    b"\x03\x02\x00\x00",
    b"\x04\x00",
    b"\x05\x00",
    b"\xa0\x03\x02\x01\x02",
    b"\x01\x01\xff",
    // basicConstraints, keyUsage, extended key usage, an unknown critical extension.
    b"\x06\x03\x55\x1d\x13",
    b"\x06\x03\x55\x1d\x0f",
    b"\x06\x03\x55\x1d\x25",
    b"\x06\x03\x55\x1d\x7f\x01\x01\xff",
    // UTCTime and GeneralizedTime at their edges.
    b"\x17\x0d500101000000Z",
    b"\x17\x0d491231235959Z",
    b"\x18\x0f99991231235959Z",
    // P-256, P-384, ecdsa-with-SHA256, ecdsa-with-SHA384, RSASSA-PSS.
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    b"\x06\x05\x2b\x81\x04\x00\x22",
    b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
    b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"-----BEGIN X509 CRL-----\n",
    b"\\n",
    b"\\u0000",
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\"2056-01-01T00:00:00Z\"",
    b"\"tcbStatus\":\"Revoked\"",
    b"\"pck_certificate_chain\":\"\",",
    b"\"tcb_info\":\"{}\",",
    b",\"tcb_info\":null",
];

/// A sample, and what it says.
pub(crate) struct Known {
    sample: Sample,
    claims: Verified<Claims>,
}

/// Forged and genuine samples of the kinds, the forged ones first.
pub(crate) fn known(kinds: &[TeeKind]) -> Vec<Known> {
    let samples = kinds.iter().flat_map(|kind| forged(*kind));
    let samples = samples.chain(kinds.iter().flat_map(|kind| genuine(*kind)));
    samples.map(Known::new).collect()
}

/// The parts of every sample, and every sample whole.
pub(crate) fn seeds(known: &[Known]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, known) in (0u8..16).zip(known) {
        let seed = |slot: u8, bytes: &[u8]| [&[number << 4 | slot], bytes].concat();
        seeds.push(seed(WHOLE, &known.sample.bundle.encode()));
        for (part, bytes) in known.sample.bundle.parts() {
            seeds.push(seed(part as u8, bytes));
        }
    }
    seeds
}

/// Judges what `input` makes of a sample, and returns whether it was accepted.
///
/// Holds it to this: what is accepted says exactly what some sample says; whichever way it is
/// judged, the verdict is the same; a rejection names a check that failed.
pub(crate) fn judge(known: &[Known], input: &[u8]) -> bool {
    let Some((bundle, sample)) = mutant(known, input) else {
        return false;
    };
    held(known, &bundle, &sample.policy, sample.now)
}

/// Judges `bundle` as every sample is judged, and as nothing is known of; holds it to the same.
pub(crate) fn judge_bundle(known: &[Known], bundle: &EvidenceBundle) -> bool {
    let mut accepted = held(known, bundle, &Policy::strict(), DEVELOPMENT_NOW);
    for Known { sample, .. } in known {
        accepted |= held(known, bundle, &sample.policy, sample.now);
    }
    accepted
}

fn held(known: &[Known], bundle: &EvidenceBundle, policy: &Policy, now: u64) -> bool {
    let accepted = verdict(bundle, policy, now);
    if let Some(claims) = &accepted {
        assert!(
            known.iter().any(|known| known.claims == *claims),
            "accepted with claims that no sample has: {claims:?}"
        );
    }
    accepted.is_some()
}

/// What the policy accepts of `bundle`.
fn verdict(bundle: &EvidenceBundle, policy: &Policy, now: u64) -> Option<Verified<Claims>> {
    let (verdict, claims) = inspect(bundle, policy, &Stated::default(), now);
    let failed = |check: &subrosa_evidence::Check| check.outcome == CheckOutcome::Failed;
    match &claims {
        Ok(claims) => {
            assert!(!verdict.checks.iter().any(failed), "{:?}", verdict.checks);
            let genuine = verify_genuine(bundle, policy, now);
            assert_eq!(genuine.as_ref(), Ok(claims));
        }
        Err(error) => {
            let first = verdict.checks.iter().find(|check| failed(check));
            assert_eq!(first.map(|check| check.id), Some(error.check()));
        }
    }
    claims.ok()
}

fn mutant<'a>(known: &'a [Known], input: &[u8]) -> Option<(EvidenceBundle, &'a Sample)> {
    let (selector, rest) = input.split_first()?;
    let number = usize::from(selector >> 4).checked_rem(known.len())?;
    let sample = &known.get(number)?.sample;
    let bundle = match (selector & 0x0f) % SLOTS {
        WHOLE => EvidenceBundle::decode(rest).ok()?,
        part => {
            let part = EvidencePart::from_number(part)?;
            sample.bundle.clone().with_part(part, rest.to_vec()).ok()?
        }
    };
    Some((bundle, sample))
}

impl Known {
    fn new(sample: Sample) -> Self {
        let claims = verdict(&sample.bundle, &sample.policy, sample.now);
        let Some(claims) = claims else {
            let error = verify_genuine(&sample.bundle, &sample.policy, sample.now);
            unreachable!("{} is not sound: {error:?}", sample.name);
        };
        Self { sample, claims }
    }
}

const WHOLE: u8 = 0;
/// Nine parts, and the whole.
const SLOTS: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_itself_is_accepted_whole_and_in_parts() {
        let known = known(&[TeeKind::Sgx]);
        let seeds = seeds(&known);
        assert!(seeds.len() >= 3);
        assert!(seeds.iter().all(|seed| judge(&known, seed)));
        assert!(!judge(&known, &[]) && !judge(&known, b"\x00sreb"));
    }

    #[test]
    #[should_panic(expected = "accepted with claims that no sample has")]
    fn sound_evidence_that_says_something_else_is_a_broken_promise() {
        let other = forged(TeeKind::Tdx);
        let known = known(&[TeeKind::Sgx]);
        judge_bundle(&known, &other[0].bundle);
    }
}
