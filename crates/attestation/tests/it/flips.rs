// SPDX-License-Identifier: Apache-2.0
//! Every single-bit flip of genuine evidence: rejected, or accepted with identical claims.
//!
//! Each sample is one genuine vector with everything beside it. By default every 8th bit of what
//! the platform signed is flipped, and every 64th of the rest; `SUBROSA_FLIPS=all` flips every bit.
//! Prints how often each check fired, and which bytes are not authenticated.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use subrosa_attestation::{Claims, Policy, Verified, verify_genuine};
use subrosa_evidence::{EvidenceBundle, EvidencePart};

use crate::vectors::{genuine, permissive};

#[test]
fn a_flipped_bit_of_a_genuine_tdx_quote_is_rejected_or_changes_no_claim() {
    flip("tdx_v4_phala");
}

#[test]
fn a_flipped_bit_of_a_genuine_sgx_quote_is_rejected_or_changes_no_claim() {
    flip("sgx_v3_phala");
}

#[test]
fn a_flipped_bit_of_a_genuine_snp_report_is_rejected_or_changes_no_claim() {
    flip("snp_genoa_v5");
}

#[test]
fn a_flipped_bit_of_a_genuine_nitro_document_is_rejected_or_changes_no_claim() {
    flip("nitro_dstack_nsm");
}

fn flip(id: &str) {
    let Some((bundle, now)) = genuine(id) else {
        return;
    };
    let policy = permissive();
    let original = verify_genuine(&bundle, &policy, now).unwrap();
    for (part, bytes) in bundle.parts() {
        let step = match (all(), part) {
            (true, _) => 1,
            (false, EvidencePart::Quote) => 8,
            (false, _) => 64,
        };
        let sample = Sample {
            bundle: &bundle,
            original: &original,
            policy: &policy,
            now,
            part,
            step,
        };
        let report = sample.flip_all(bytes.len() * 8);
        report.print(id, part);
        let flipped = (bytes.len() * 8).div_ceil(step);
        assert_eq!(report.total(), flipped);
        // What is not authenticated is padding, PEM armour, letter case and the like.
        assert!(
            report.unauthenticated.len() * 2 < bytes.len(),
            "{id} {part:?}"
        );
    }
}

fn all() -> bool {
    std::env::var("SUBROSA_FLIPS").as_deref() == Ok("all")
}

struct Sample<'a> {
    bundle: &'a EvidenceBundle,
    original: &'a Verified<Claims>,
    policy: &'a Policy,
    now: u64,
    part: EvidencePart,
    step: usize,
}

#[derive(Default)]
struct Report {
    /// Rejections, by the check that failed.
    rejected: BTreeMap<String, usize>,
    /// Acceptances; every one has identical claims.
    identical: usize,
    /// Bytes of which a bit may change without changing the verdict, ascending.
    unauthenticated: Vec<usize>,
}

impl Sample<'_> {
    fn flip_all(&self, bits: usize) -> Report {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut report = Report::default();
            loop {
                let bit = next.fetch_add(1, Ordering::Relaxed) * self.step;
                if bit >= bits {
                    return report;
                }
                self.flip(bit, &mut report);
            }
        };
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let mut sum = Report::default();
            for worker in workers {
                sum.add(worker.join().unwrap());
            }
            sum
        })
    }

    fn flip(&self, bit: usize, report: &mut Report) {
        let byte = bit / 8;
        let mut bytes = self.bundle.part(self.part).unwrap().to_vec();
        // Another bit of the byte each time, so that all eight are tried however large the step.
        let within = if self.step == 1 {
            bit % 8
        } else {
            bit / self.step % 8
        };
        bytes[byte] ^= 1 << within;
        let mutant = self.bundle.clone().with_part(self.part, bytes).unwrap();
        match verify_genuine(&mutant, self.policy, self.now) {
            Err(error) => {
                *report
                    .rejected
                    .entry(error.check().to_string())
                    .or_default() += 1
            }
            Ok(claims) => {
                assert_eq!(claims, *self.original, "{:?}: bit {bit}", self.part);
                report.identical += 1;
                report.unauthenticated.push(byte);
            }
        }
    }
}

impl Report {
    fn add(&mut self, other: Self) {
        for (check, count) in other.rejected {
            *self.rejected.entry(check).or_default() += count;
        }
        self.identical += other.identical;
        self.unauthenticated.extend(other.unauthenticated);
        self.unauthenticated.sort_unstable();
        self.unauthenticated.dedup();
    }

    fn total(&self) -> usize {
        self.rejected.values().sum::<usize>() + self.identical
    }

    fn print(&self, id: &str, part: EvidencePart) {
        for (check, count) in &self.rejected {
            println!("flips: {id} {part:?} rejected {check} {count}");
        }
        println!("flips: {id} {part:?} identical {}", self.identical);
        // Of a part that is only sampled the ranges would be an accident of the samples.
        let unauthenticated = if all() || part == EvidencePart::Quote {
            ranges(&self.unauthenticated)
        } else {
            format!("{} sampled bytes", self.unauthenticated.len())
        };
        println!("flips: {id} {part:?} unauthenticated {unauthenticated}");
    }
}

fn ranges(bytes: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for byte in bytes {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == *byte => *end = *byte,
            _ => ranges.push((*byte, *byte)),
        }
    }
    let texts: Vec<String> = ranges
        .iter()
        .map(|(start, end)| {
            if start == end {
                start.to_string()
            } else {
                format!("{start}-{end}")
            }
        })
        .collect();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.join(",")
    }
}
