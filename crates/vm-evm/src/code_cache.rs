// SPDX-License-Identifier: Apache-2.0
//! Analyzed code, kept between calls.

use core::fmt;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use alloy_primitives::{B256, Bytes};
use revm::bytecode::Bytecode;

/// Analyses of code by the code's hash: finding jump destinations takes longer than most calls.
/// Since the key is the content's hash, what is found never depends on who put it there.
#[derive(Default)]
pub(crate) struct CodeCache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_hash: HashMap<B256, Entry>,
    /// Counts look-ups; an entry's last one says how recently it was used.
    clock: u64,
}

struct Entry {
    bytecode: Bytecode,
    last_used: u64,
}

impl CodeCache {
    /// The analysis of `code`, whose keccak256 is `hash`.
    pub(crate) fn analyzed(&self, hash: B256, code: &[u8]) -> Bytecode {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        if let Some(entry) = entries.by_hash.get_mut(&hash) {
            entry.last_used = now;
            return entry.bytecode.clone();
        }
        if entries.by_hash.len() >= CAPACITY {
            let oldest = entries
                .by_hash
                .iter()
                .min_by_key(|(_, entry)| entry.last_used);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                entries.by_hash.remove(&oldest);
            }
        }
        let bytecode = Bytecode::new_legacy(Bytes::copy_from_slice(code));
        let entry = Entry {
            bytecode: bytecode.clone(),
            last_used: now,
        };
        entries.by_hash.insert(hash, entry);
        bytecode
    }
}

/// Shows how full it is; never the code.
impl fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "CodeCache({} of {CAPACITY})", entries.by_hash.len())
    }
}

/// Most entries; at 24 KiB of code and 3 KiB of analysis each, 7 MiB.
const CAPACITY: usize = 256;

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn the_cache_stays_within_its_capacity_and_keeps_what_is_used() {
        let cache = CodeCache::default();
        let code = |n: usize| n.to_be_bytes().to_vec();
        let hot = code(usize::MAX);
        for n in 0..2 * CAPACITY {
            let found = cache.analyzed(keccak256(&hot), &hot);
            assert_eq!(found.original_byte_slice(), hot);
            let found = cache.analyzed(keccak256(code(n)), &code(n));
            assert_eq!(found.original_byte_slice(), code(n));
        }
        let entries = cache.0.lock().unwrap();
        assert_eq!(entries.by_hash.len(), CAPACITY);
        assert!(entries.by_hash.contains_key(&keccak256(&hot)));
        assert!(!entries.by_hash.contains_key(&keccak256(code(0))));
    }
}
