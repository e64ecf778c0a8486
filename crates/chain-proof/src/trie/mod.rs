// SPDX-License-Identifier: Apache-2.0
//! Walks the nodes of a Merkle-Patricia proof.
//!
//! The reference is the Yellow Paper, appendix D, for tries whose keys are 32-byte hashes. The
//! walk is our own rather than `alloy_trie`'s `verify_proof`, for two reasons. That function wants
//! the value it is to confirm, which the host does not send. And its paths are limited to 64
//! nibbles by an assertion: where the root itself is the host's choice, crafted extensions would
//! abort the enclave. The tests hold the two against each other.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Header};
use alloy_trie::EMPTY_ROOT_HASH;

use crate::{
    bounds::{MAX_NODE_BYTES, MAX_NODES},
    error::TrieError,
};

/// The value under `key` in the trie with this root, or `None` if the nodes prove that there is
/// none. All nodes must be used, in order.
///
/// # Errors
///
/// [`TrieError`] if they prove neither.
pub(crate) fn value_at(root: B256, key: B256, nodes: &[Bytes]) -> Result<Option<&[u8]>, TrieError> {
    if nodes.len() > MAX_NODES {
        return Err(TrieError::TooManyNodes(nodes.len()));
    }
    if root == EMPTY_ROOT_HASH && nodes.is_empty() {
        return Ok(None);
    }

    let mut path = Path { key, walked: 0 };
    let mut expected = root;
    for (depth, node) in nodes.iter().enumerate() {
        if node.len() > MAX_NODE_BYTES {
            return Err(TrieError::NodeTooLarge {
                depth,
                bytes: node.len(),
            });
        }
        if keccak256(node) != expected {
            return Err(TrieError::NodeHash { depth });
        }
        if depth > 0 && node.len() < SHORTEST_HASHED {
            return Err(TrieError::ShortNode { depth });
        }
        let step = if depth == 0 && node.as_ref() == [EMPTY_STRING_CODE] {
            Step::End(None)
        } else {
            step(node, &mut path).ok_or(TrieError::MalformedNode { depth })?
        };
        match step {
            Step::Child(hash) => expected = hash,
            Step::End(value) if depth + 1 == nodes.len() => return Ok(value),
            Step::End(_) => {
                return Err(TrieError::TrailingNodes {
                    used: depth + 1,
                    given: nodes.len(),
                });
            }
        }
    }
    Err(TrieError::Truncated(nodes.len()))
}

/// Encodings shorter than this are kept inside their parent, others are referenced by hash.
const SHORTEST_HASHED: usize = 32;

/// Nibbles of a key.
const NIBBLES: usize = 64;

/// The key and how many of its nibbles lie behind.
struct Path {
    key: B256,
    walked: usize,
}

impl Path {
    fn nibble(&self, index: usize) -> Option<u8> {
        nibble(self.key.as_slice(), index)
    }

    /// The next nibble, which is walked.
    fn advance(&mut self) -> Option<usize> {
        let nibble = self.nibble(self.walked)?;
        self.walked += 1;
        Some(usize::from(nibble))
    }

    /// Walks `segment` if the key goes on with it; whether it does. `None` if the segment is
    /// longer than the rest of any key.
    fn advance_along(&mut self, segment: &Segment<'_>) -> Option<bool> {
        let end = self.walked + segment.nibbles();
        if end > NIBBLES {
            return None;
        }
        let same = (self.walked..end)
            .zip(0..)
            .all(|(at, index)| self.nibble(at) == segment.nibble(index));
        if same {
            self.walked = end;
        }
        Some(same)
    }
}

/// Where a node leads.
enum Step<'a> {
    /// To the node with this hash.
    Child(B256),
    /// To the end: a value, or the certainty that there is none.
    End(Option<&'a [u8]>),
}

/// Follows the path through one node and the nodes inside it. `None` if one is malformed.
fn step<'a>(node: &'a [u8], path: &mut Path) -> Option<Step<'a>> {
    let mut node = Node::decode(node)?;
    loop {
        let child = match node {
            Node::Leaf { segment, value } => {
                let reached = path.advance_along(&segment)?;
                // All keys have the same length, so no leaf ends earlier.
                if reached && path.walked != NIBBLES {
                    return None;
                }
                return Some(Step::End(reached.then_some(value)));
            }
            Node::Extension { segment, child } => {
                if !path.advance_along(&segment)? {
                    return Some(Step::End(None));
                }
                child
            }
            Node::Branch { children } => {
                let index = path.advance()?;
                match *children.get(index)? {
                    [EMPTY_STRING_CODE] => return Some(Step::End(None)),
                    child => Child::decode(child)?,
                }
            }
        };
        node = match child {
            Child::Hashed(hash) => return Some(Step::Child(hash)),
            // Strictly shorter than the node around it, so this ends.
            Child::Inline(rlp) => Node::decode(rlp)?,
        };
    }
}

/// A decoded node.
enum Node<'a> {
    /// One child per nibble; no value, for no key is a prefix of another.
    Branch { children: [&'a [u8]; 16] },
    /// A segment shared by all keys below.
    Extension {
        segment: Segment<'a>,
        child: Child<'a>,
    },
    /// The rest of one key, and its value.
    Leaf {
        segment: Segment<'a>,
        value: &'a [u8],
    },
}

impl<'a> Node<'a> {
    fn decode(rlp: &'a [u8]) -> Option<Self> {
        let mut payload = exactly(rlp, true)?;
        let mut items = [&[][..]; 17];
        let mut count = 0;
        while !payload.is_empty() {
            let (item, rest) = split_item(payload)?;
            *items.get_mut(count)? = item;
            count += 1;
            payload = rest;
        }
        match (count, items) {
            (17, [children @ .., [EMPTY_STRING_CODE]]) => Some(Self::Branch { children }),
            (2, [segment, item, ..]) => {
                let (segment, is_leaf) = Segment::decode(exactly(segment, false)?)?;
                if is_leaf {
                    let value = exactly(item, false)?;
                    return (!value.is_empty()).then_some(Self::Leaf { segment, value });
                }
                let child = Child::decode(item)?;
                (segment.nibbles() > 0).then_some(Self::Extension { segment, child })
            }
            _ => None,
        }
    }
}

/// How a node refers to another.
enum Child<'a> {
    Hashed(B256),
    Inline(&'a [u8]),
}

impl<'a> Child<'a> {
    fn decode(item: &'a [u8]) -> Option<Self> {
        match item.first()? {
            0xc0.. if item.len() < SHORTEST_HASHED => Some(Self::Inline(item)),
            0xa0 => B256::try_from(exactly(item, false)?).ok().map(Self::Hashed),
            _ => None,
        }
    }
}

/// A run of nibbles in hex-prefix encoding (Yellow Paper, appendix C), flag nibble removed.
struct Segment<'a> {
    odd: Option<u8>,
    bytes: &'a [u8],
}

impl<'a> Segment<'a> {
    /// The segment, and whether the node is a leaf.
    fn decode(encoded: &'a [u8]) -> Option<(Self, bool)> {
        let (first, bytes) = encoded.split_first()?;
        let odd = match (first >> 4 & 1, first & 15) {
            (1, nibble) => Some(nibble),
            (_, 0) => None,
            _ => return None,
        };
        match first >> 5 {
            flag @ (0 | 1) => Some((Self { odd, bytes }, flag == 1)),
            _ => None,
        }
    }

    fn nibbles(&self) -> usize {
        usize::from(self.odd.is_some()) + 2 * self.bytes.len()
    }

    fn nibble(&self, index: usize) -> Option<u8> {
        let index = match (self.odd, index) {
            (Some(nibble), 0) => return Some(nibble),
            (Some(_), _) => index - 1,
            (None, _) => index,
        };
        nibble(self.bytes, index)
    }
}

/// Nibble `index` of `bytes`, the high one of each byte first.
fn nibble(bytes: &[u8], index: usize) -> Option<u8> {
    let byte = bytes.get(index / 2)?;
    Some(if index.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

/// The payload of `rlp` if it is one item of this type and nothing else.
fn exactly(rlp: &[u8], list: bool) -> Option<&[u8]> {
    let mut rest = rlp;
    let header = Header::decode(&mut rest).ok()?;
    (header.list == list && header.payload_length == rest.len()).then_some(rest)
}

/// The first item of `rlp`, header included, and what follows it.
fn split_item(rlp: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = rlp;
    let header = Header::decode(&mut rest).ok()?;
    let rest = rest.get(header.payload_length..)?;
    rlp.split_at_checked(rlp.len() - rest.len())
}

#[cfg(test)]
mod tests;
