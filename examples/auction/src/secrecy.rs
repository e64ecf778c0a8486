// SPDX-License-Identifier: Apache-2.0
//! Looks for secrets where they must not be: raw, in hexadecimal and in base64, at any alignment.
//!
//! Anything can prove that it found nothing by not looking. So the same scan must find what is
//! known to be public, and a value that was planted for it.

use std::{borrow::Cow, collections::HashSet, fs, path::Path};

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use eyre::{Result, WrapErr};

/// Bytes to look for, and what to call them.
pub(crate) struct Needle {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Everything that is scanned, in pieces that have names.
#[derive(Default)]
pub(crate) struct Haystack {
    pieces: Vec<(String, Vec<u8>)>,
}

/// Where a needle was found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) needle: String,
    pub(crate) place: String,
    pub(crate) encoding: &'static str,
}

impl Needle {
    pub(crate) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }

    /// The forms in which a number gets written: big-endian without leading zeros, little-endian,
    /// and decimal.
    pub(crate) fn number(name: &str, value: u128) -> Vec<Self> {
        let big: Vec<u8> = value
            .to_be_bytes()
            .into_iter()
            .skip_while(|byte| *byte == 0)
            .collect();
        let little: Vec<u8> = big.iter().rev().copied().collect();
        vec![
            Self::new(format!("{name} (big-endian)"), big),
            Self::new(format!("{name} (little-endian)"), little),
            Self::new(format!("{name} (decimal)"), value.to_string()),
        ]
    }

    /// Every window of `width` bytes of `secret` that is in none of `public`, nor a small number
    /// padded with zeros, which every chain is full of.
    pub(crate) fn windows(
        name: &str,
        secret: &[u8],
        public: &[Vec<u8>],
        width: usize,
    ) -> Vec<Self> {
        let known: HashSet<&[u8]> = public
            .iter()
            .flat_map(|bytes| bytes.windows(width))
            .collect();
        let mut seen = HashSet::new();
        secret
            .windows(width)
            .enumerate()
            .filter(|(_, window)| !known.contains(window) && !is_padded_number(window))
            .filter(|(_, window)| seen.insert(*window))
            .map(|(offset, window)| Self::new(format!("{name} at byte {offset}"), window))
            .collect()
    }
}

impl Haystack {
    pub(crate) fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.pieces.push((name.into(), bytes.into()));
    }

    /// Adds every regular file below `directory`.
    pub(crate) fn add_directory(&mut self, directory: &Path) -> Result<()> {
        for entry in walkdir::WalkDir::new(directory) {
            let entry = entry.wrap_err("cannot list a directory of the host")?;
            if entry.file_type().is_file() {
                self.add_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let bytes = fs::read(path).wrap_err_with(|| format!("cannot read {}", path.display()))?;
        self.add(path.display().to_string(), bytes);
        Ok(())
    }

    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Every (needle, place) at which a needle occurs.
    pub(crate) fn scan(&self, needles: &[Needle]) -> Result<Vec<Found>> {
        let automaton = AhoCorasick::new(needles.iter().map(|needle| &needle.bytes))?;
        let mut found = Vec::new();
        for (place, bytes) in &self.pieces {
            for (encoding, stream) in streams(bytes) {
                for hit in automaton.find_overlapping_iter(stream.as_ref()) {
                    let needle = needles[hit.pattern().as_usize()].name.clone();
                    found.push(Found {
                        needle,
                        place: place.clone(),
                        encoding,
                    });
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// At most a quarter of it is not zero.
fn is_padded_number(window: &[u8]) -> bool {
    4 * window.iter().filter(|byte| **byte != 0).count() <= window.len()
}

/// The bytes as they are, and what runs of hexadecimal and base64 in them decode to. Decoding at
/// every alignment finds a needle wherever it starts inside a longer value.
fn streams(bytes: &[u8]) -> Vec<(&'static str, Cow<'_, [u8]>)> {
    let mut streams = vec![("raw", Cow::Borrowed(bytes))];
    for run in runs(bytes, u8::is_ascii_hexdigit) {
        for start in 0..2 {
            let digits = &run[start..];
            let even = &digits[..digits.len() & !1];
            streams.extend(
                hex::decode(even)
                    .ok()
                    .map(|decoded| ("hex", decoded.into())),
            );
        }
    }
    for run in runs(bytes, is_base64) {
        let standard: Vec<u8> = run.iter().map(|byte| to_standard(*byte)).collect();
        for start in 0..4 {
            let symbols = &standard[start..];
            // One symbol too many holds no byte.
            let spare = usize::from(symbols.len() % 4 == 1);
            let symbols = &symbols[..symbols.len() - spare];
            streams.extend(
                LENIENT
                    .decode(symbols)
                    .ok()
                    .map(|decoded| ("base64", decoded.into())),
            );
        }
    }
    streams
}

/// A run that is cut anywhere ends in bits that belong to no byte.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// Maximal runs of at least [`SHORTEST_RUN`] bytes of a kind.
fn runs(bytes: &[u8], is_kind: impl Fn(&u8) -> bool) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(move |byte| !is_kind(byte))
        .filter(|run| run.len() >= SHORTEST_RUN)
}

/// Encodes 6 bytes or more in either encoding; needles are longer.
const SHORTEST_RUN: usize = 12;

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)
}

/// The URL-safe alphabet's two symbols as the standard alphabet's.
fn to_standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &[u8] = b"\x00\xfe sixteen bytes\xff";

    fn encodings(found: &[Found]) -> HashSet<&str> {
        found.iter().map(|found| found.encoding).collect()
    }

    #[test]
    fn a_secret_is_found_raw_and_encoded_at_every_alignment() {
        for (before, after) in (0..6).flat_map(|n| [(n, 0), (n, 1), (n, 4)]) {
            let value = [&vec![b'x'; before][..], SECRET, &vec![b'y'; after]].concat();
            for (encoding, text) in [
                ("raw", value.clone()),
                (
                    "hex",
                    format!("{{\"v\":\"0x{}\"}}", hex::encode(&value)).into_bytes(),
                ),
                ("hex", hex::encode_upper(&value).into_bytes()),
                ("base64", STANDARD.encode(&value).into_bytes()),
                (
                    "base64",
                    format!("key={}&", URL_SAFE.encode(&value)).into_bytes(),
                ),
            ] {
                let mut haystack = Haystack::default();
                haystack.add("place", text);
                let found = haystack.scan(&[Needle::new("secret", SECRET)]).unwrap();
                assert!(
                    encodings(&found).contains(encoding),
                    "{before} {after} {encoding}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let mut haystack = Haystack::default();
        haystack.add("place", SECRET[..SECRET.len() - 1].to_vec());
        assert_eq!(haystack.scan(&[Needle::new("secret", SECRET)]).unwrap(), []);
    }

    #[test]
    fn numbers_are_found_in_every_form() {
        let value = 12_345_678_901_234_567_890_u128;
        let needles = Needle::number("bid", value);
        for text in [
            value.to_string().into_bytes(),
            value.to_be_bytes().to_vec(),
            value.to_le_bytes().to_vec(),
            hex::encode(value.to_be_bytes()).into_bytes(),
        ] {
            let mut haystack = Haystack::default();
            haystack.add("place", text);
            assert!(!haystack.scan(&needles).unwrap().is_empty());
        }
    }

    #[test]
    fn padded_numbers_are_left_out() {
        let code = [&[0; 9][..], &[7], b"code"].concat();
        let windows: Vec<_> = Needle::windows("code", &code, &[], 8).into_iter().collect();
        let first = windows.first().map(|needle| needle.bytes.clone());
        assert_eq!(first, Some(b"\x00\x00\x00\x00\x00\x07co".to_vec()));
    }

    #[test]
    fn public_windows_are_left_out_and_others_are_not() {
        let public = vec![b"0123456789".to_vec()];
        let names: Vec<_> = Needle::windows("code", b"01234x", &public, 4)
            .into_iter()
            .map(|needle| needle.bytes)
            .collect();
        assert_eq!(names, [b"234x".to_vec()]);
    }
}
