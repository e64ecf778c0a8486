// SPDX-License-Identifier: Apache-2.0
//! Code envelopes out of their parts. Pure.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_chain::mailbox::CodePart;

use super::parts::MAX_PARTS;

/// The envelopes whose parts are all there and make up what their hash says, the one begun last first: at
/// most `most`. Of a part that was published twice the later counts. `parts` are the newest first.
pub(super) fn assemble(parts: Vec<CodePart>, longest: usize, most: usize) -> Vec<Bytes> {
    let mut envelopes: Vec<((B256, u16), BTreeMap<u16, Bytes>)> = Vec::new();
    for part in parts {
        if part.count > MAX_PARTS || part.index >= part.count {
            continue;
        }
        let name = (part.envelope, part.count);
        let known = envelopes.iter().position(|(of, _)| *of == name);
        let index = match known {
            Some(index) => index,
            // Whoever begins more leaves older ones behind.
            None if envelopes.len() == MAX_BEGUN => continue,
            None => {
                envelopes.push((name, BTreeMap::new()));
                envelopes.len() - 1
            }
        };
        if let Some((_, chunks)) = envelopes.get_mut(index) {
            chunks.entry(part.index).or_insert(part.chunk);
        }
    }
    let whole = envelopes.into_iter().filter_map(|((hash, count), chunks)| {
        let length: usize = chunks.values().map(|chunk| chunk.len()).sum();
        if chunks.len() != usize::from(count) || length > longest {
            return None;
        }
        let envelope = chunks.into_values().fold(Vec::new(), |mut whole, chunk| {
            whole.extend_from_slice(&chunk);
            whole
        });
        (keccak256(&envelope) == hash).then(|| envelope.into())
    });
    whole.take(most).collect()
}

/// Envelopes of a contract that are told apart.
const MAX_BEGUN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(whole: &[&'static str]) -> Vec<Bytes> {
        let whole = whole.iter();
        whole
            .map(|text| Bytes::from_static(text.as_bytes()))
            .collect()
    }

    fn published(envelope: &[u8], size: usize) -> Vec<CodePart> {
        let count = envelope.chunks(size).count() as u16;
        let chunks = envelope.chunks(size).zip(0..);
        chunks
            .map(|(chunk, index)| CodePart {
                contract: B256::ZERO,
                envelope: keccak256(envelope),
                index,
                count,
                chunk: Bytes::copy_from_slice(chunk),
            })
            .collect()
    }

    #[test]
    fn whole_envelopes_come_out_whatever_else_there_is() {
        let mut parts = published(b"the first envelope", 5);
        parts.extend(published(b"never finished", 4).into_iter().skip(1));
        parts.extend(published(b"second", 6));
        parts.swap(0, 2);
        let whole = assemble(parts.clone(), 18, 9);
        assert_eq!(whole, bytes(&["the first envelope", "second"]));
        assert_eq!(assemble(parts.clone(), 17, 9), bytes(&["second"]));
        assert_eq!(assemble(parts, 18, 1).len(), 1);
    }

    #[test]
    fn the_later_of_two_parts_counts_and_the_hash_decides() {
        let mut parts = published(b"an envelope", 4);
        let mut wrong = parts[1].clone();
        wrong.chunk = Bytes::from_static(b"????");
        parts.push(wrong.clone());
        assert_eq!(assemble(parts.clone(), 99, 9), bytes(&["an envelope"]));
        parts.insert(0, wrong);
        assert!(assemble(parts, 99, 9).is_empty());
    }
}
