// SPDX-License-Identifier: Apache-2.0
//! Every single bit of genuine evidence flipped: rejected, or accepted with identical claims.

use std::collections::BTreeMap;
use std::time::Instant;

use eyre::{Result, bail, eyre};
use serde::Serialize;
use serde_json::{Value, json};

use crate::shell;

/// Flips each bit of each part of one genuine sample of each kind, in a release build.
pub(super) fn run() -> Result<Value> {
    if std::env::var_os("SUBROSA_VECTORS").is_none() {
        bail!("the bits are those of genuine evidence; SUBROSA_VECTORS names its directory");
    }
    let started = Instant::now();
    let test = ["test", "--release", "--locked", "--quiet"];
    let printed = shell::output(
        shell::cargo()
            .args(test)
            .args(["--package", "subrosa-attestation", "--test", "it"])
            .args(["flips::", "--", "--nocapture"])
            .env("SUBROSA_FLIPS", "all"),
    )?;
    let seconds = started.elapsed().as_secs();
    let samples = parse(&printed)?;
    if samples.is_empty() {
        bail!("the test flipped nothing:\n{printed}");
    }
    for (sample, parts) in &samples {
        for (part, flips) in parts {
            println!(
                "{sample} {part}: {} bits flipped, {} rejected, {} accepted with identical claims; \
                 bytes that are not authenticated: {}",
                flips.bits, flips.rejected, flips.identical, flips.unauthenticated
            );
        }
    }
    let bits: u64 = samples
        .values()
        .flatten()
        .map(|(_, flips)| flips.bits)
        .sum();
    println!("{bits} bits in {seconds} s");
    Ok(json!({
        "command": "cargo xtask soak flips",
        "bits": bits,
        "seconds": seconds,
        "samples": samples,
    }))
}

/// What flipping every bit of one part came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flips {
    bits: u64,
    rejected: u64,
    identical: u64,
    /// Rejections, by the check that failed.
    by_check: BTreeMap<String, u64>,
    /// Bytes of which some bit may change without changing the verdict: ranges, or `none`.
    unauthenticated: String,
}

type Samples = BTreeMap<String, BTreeMap<String, Flips>>;

/// Reads the lines `flips: SAMPLE PART rejected CHECK N`, `… identical N`, `… unauthenticated R`.
fn parse(printed: &str) -> Result<Samples> {
    let mut samples = Samples::new();
    // The harness prints the name of a test in front of its first line.
    let lines = printed
        .lines()
        .filter_map(|line| line.split_once("flips: "));
    for (_, line) in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| {
            word.parse::<u64>()
                .map_err(|_| eyre!("not a count: {line}"))
        };
        let [sample, part, ..] = words[..] else {
            bail!("not a line of counts: {line}");
        };
        let parts = samples.entry(sample.to_owned()).or_default();
        let flips = parts.entry(part.to_owned()).or_default();
        match words[2..] {
            ["rejected", check, count] => {
                let count = number(count)?;
                flips.by_check.insert(check.to_owned(), count);
                flips.rejected += count;
                flips.bits += count;
            }
            ["identical", count] => {
                flips.identical = number(count)?;
                flips.bits += flips.identical;
            }
            ["unauthenticated", ranges] => flips.unauthenticated = ranges.to_owned(),
            _ => bail!("not a line of counts: {line}"),
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_up_by_sample_and_part() {
        let printed = "\nrunning 1 test\ntest flips::x ... flips: a Quote rejected root 3\n\
                       flips: a Quote rejected dcap.signature 5\nflips: a Quote identical 2\n\
                       flips: a Quote unauthenticated 1,3-4\nflips: a Collateral identical 0\n\
                       flips: a Collateral unauthenticated none\nok\n";
        let samples = parse(printed).unwrap();
        let quote = &samples["a"]["Quote"];
        assert_eq!((quote.bits, quote.rejected, quote.identical), (10, 8, 2));
        assert_eq!(quote.by_check["dcap.signature"], 5);
        assert_eq!(quote.unauthenticated, "1,3-4");
        assert_eq!(samples["a"]["Collateral"].unauthenticated, "none");
        assert!(parse("flips: a Quote rejected root many").is_err());
        assert!(parse("flips: a").is_err());
        assert!(parse("nothing").unwrap().is_empty());
    }
}
