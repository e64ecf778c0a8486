// SPDX-License-Identifier: Apache-2.0
//! What a target is, and what each is made with.

use crate::corpus::committed;

/// Something that parses what strangers hand over.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Stable: a name on command lines and of a directory of `corpus/`.
    pub name: &'static str,
    /// Looks at bytes and says whether they were valid; panics if a promise is broken.
    pub run: fn(&[u8]) -> bool,
    /// Words of the format.
    pub dictionary: &'static [&'static [u8]],
    /// How many bytes at the start of an input choose what the rest is.
    pub header: usize,
    /// Most that one input may have allocated at a time, bytes; what AWS-LC allocates in C is not
    /// counted. `peakBytes` in `docs/results/fuzz.json` is what was seen.
    pub memory: u64,
    pub(super) seeds: fn() -> &'static [Vec<u8>],
}

impl Target {
    /// What inputs are made from: sound evidence, and the committed inputs. Made on the first call.
    pub fn seeds(&self) -> &'static [Vec<u8>] {
        (self.seeds)()
    }
}

pub(super) const MIB: u64 = 1024 * 1024;

/// `made`, and the committed inputs of the target.
pub(super) fn stock(target: &str, made: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let committed = committed(target).into_iter().map(|(_, bytes)| bytes);
    made.into_iter().chain(committed).collect()
}
