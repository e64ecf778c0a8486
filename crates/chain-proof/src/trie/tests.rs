// SPDX-License-Identifier: Apache-2.0
use std::collections::BTreeMap;

use alloy_primitives::U256;
use alloy_trie::{
    HashBuilder, Nibbles,
    nodes::{ExtensionNode, LeafNode, RlpNode, TrieNode},
    proof::{ProofRetainer, verify_proof},
};
use proptest::prelude::*;

use super::*;

/// Root of a trie and the proof of `key` in it, as a node would answer. The builder also retains
/// inline nodes, which are no part of a proof: their parent contains them.
fn prove(entries: &BTreeMap<B256, Vec<u8>>, key: B256) -> (B256, Vec<Bytes>) {
    let path = Nibbles::unpack(key);
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::from_iter([path]));
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes();
    let nodes = nodes.matching_nodes_sorted(&path);
    let nodes = nodes.into_iter().enumerate();
    let hashed = nodes.filter(|(depth, (_, node))| *depth == 0 || node.len() >= SHORTEST_HASHED);
    (root, hashed.map(|(_, (_, node))| node).collect())
}

/// Keys that differ in their first and in their last nibbles, so that nodes of every kind occur,
/// hashed and inline.
fn mixed() -> BTreeMap<B256, Vec<u8>> {
    let mut entries = BTreeMap::new();
    for index in 0u64..64 {
        let key = keccak256(index.to_be_bytes());
        entries.insert(key, alloy_rlp::encode(U256::from(index + 1)));
        let mut sibling = key;
        sibling.0[31] ^= 0x11;
        entries.insert(sibling, vec![7]);
        sibling.0[31] ^= 0x01;
        entries.insert(sibling, vec![0xee; 33]);
    }
    entries
}

fn key_of(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

fn encoded(node: TrieNode) -> Bytes {
    alloy_rlp::encode(node).into()
}

fn extension(nibbles: &[u8], child: RlpNode) -> Bytes {
    encoded(TrieNode::Extension(ExtensionNode::new(
        Nibbles::from_nibbles(nibbles),
        child,
    )))
}

#[test]
fn every_entry_of_a_trie_with_inline_nodes_is_found() {
    let entries = mixed();
    let mut shortest = usize::MAX;
    for (key, value) in &entries {
        let (root, nodes) = prove(&entries, *key);
        assert_eq!(value_at(root, *key, &nodes), Ok(Some(value.as_slice())));
        shortest = shortest.min(nodes.len());
    }
    assert!(shortest > 2);
}

#[test]
fn inline_children_are_walked() {
    // Both leaves and the branch above them are inline in the root.
    let (first, second) = (B256::ZERO, B256::with_last_byte(1));
    let entries = BTreeMap::from([(first, vec![1]), (second, vec![2])]);
    for (key, value) in &entries {
        let (root, nodes) = prove(&entries, *key);
        assert_eq!(nodes.len(), 1);
        assert_eq!(value_at(root, *key, &nodes), Ok(Some(value.as_slice())));
        let absent = B256::with_last_byte(2);
        assert_eq!(value_at(root, absent, &nodes), Ok(None));
    }
}

#[test]
fn one_leaf_is_a_trie() {
    let key = key_of(1);
    let entries = BTreeMap::from([(key, vec![1])]);
    let (root, nodes) = prove(&entries, key);
    assert_eq!(value_at(root, key, &nodes), Ok(Some(&[1][..])));
    assert_eq!(value_at(root, key_of(2), &nodes), Ok(None));
}

#[test]
fn an_empty_trie_holds_nothing() {
    let key = key_of(1);
    assert_eq!(value_at(EMPTY_ROOT_HASH, key, &[]), Ok(None));
    let empty = Bytes::from_static(&[EMPTY_STRING_CODE]);
    assert_eq!(
        value_at(EMPTY_ROOT_HASH, key, std::slice::from_ref(&empty)),
        Ok(None)
    );
    assert_eq!(
        value_at(EMPTY_ROOT_HASH, key, &[empty.clone(), empty.clone()]),
        Err(TrieError::TrailingNodes { used: 1, given: 2 })
    );
    assert_eq!(
        value_at(B256::repeat_byte(1), key, &[]),
        Err(TrieError::Truncated(0))
    );
    assert_eq!(
        value_at(B256::repeat_byte(1), key, &[empty]),
        Err(TrieError::NodeHash { depth: 0 })
    );
}

#[test]
fn any_flipped_bit_is_rejected() {
    let entries = mixed();
    let key = key_of(5);
    let (root, nodes) = prove(&entries, key);
    for depth in 0..nodes.len() {
        for bit in 0..nodes[depth].len() * 8 {
            let mut flipped = nodes.clone();
            let mut node = flipped[depth].to_vec();
            node[bit / 8] ^= 1 << (bit % 8);
            flipped[depth] = node.into();
            assert_eq!(
                value_at(root, key, &flipped),
                Err(TrieError::NodeHash { depth }),
                "bit {bit}"
            );
        }
    }
}

#[test]
fn rearranged_nodes_are_rejected() {
    let entries = mixed();
    let key = key_of(5);
    let (root, nodes) = prove(&entries, key);
    let count = nodes.len();
    for depth in 0..count {
        assert_eq!(
            value_at(root, key, &nodes[..depth]),
            Err(TrieError::Truncated(depth))
        );
        let mut doubled = nodes.clone();
        doubled.insert(depth, nodes[depth].clone());
        let expected = if depth + 1 == count {
            TrieError::TrailingNodes {
                used: count,
                given: count + 1,
            }
        } else {
            TrieError::NodeHash { depth: depth + 1 }
        };
        assert_eq!(value_at(root, key, &doubled), Err(expected));
        let mut removed = nodes.clone();
        removed.remove(depth);
        let expected = if depth + 1 == count {
            TrieError::Truncated(depth)
        } else {
            TrieError::NodeHash { depth }
        };
        assert_eq!(value_at(root, key, &removed), Err(expected));
        let mut swapped = nodes.clone();
        let other = (depth + 1) % count;
        swapped.swap(depth, other);
        assert_eq!(
            value_at(root, key, &swapped),
            Err(TrieError::NodeHash {
                depth: depth.min(other)
            })
        );
        let mut cut = nodes.clone();
        cut[depth] = nodes[depth].slice(..nodes[depth].len() - 1);
        assert_eq!(
            value_at(root, key, &cut),
            Err(TrieError::NodeHash { depth })
        );
        let mut long = nodes.clone();
        long[depth] = [nodes[depth].as_ref(), &[0]].concat().into();
        assert_eq!(
            value_at(root, key, &long),
            Err(TrieError::NodeHash { depth })
        );
    }
}

#[test]
fn bounds_come_before_hashing() {
    let root = B256::ZERO;
    assert_eq!(
        value_at(root, root, &vec![Bytes::new(); MAX_NODES + 1]),
        Err(TrieError::TooManyNodes(MAX_NODES + 1))
    );
    assert_eq!(
        value_at(root, root, &[vec![0; MAX_NODE_BYTES + 1].into()]),
        Err(TrieError::NodeTooLarge {
            depth: 0,
            bytes: MAX_NODE_BYTES + 1
        })
    );
}

#[test]
fn a_short_node_belongs_inside_its_parent() {
    let leaf = encoded(TrieNode::Leaf(LeafNode::new(
        Nibbles::from_nibbles([0; 4]),
        vec![1],
    )));
    assert!(leaf.len() < SHORTEST_HASHED);
    let root = extension(&[0; 60], RlpNode::word_rlp(&keccak256(&leaf)));
    assert_eq!(
        value_at(keccak256(&root), B256::ZERO, &[root, leaf]),
        Err(TrieError::ShortNode { depth: 1 })
    );
}

#[test]
fn paths_beyond_the_key_are_malformed_and_harmless() {
    let key = B256::ZERO;
    let leaf = encoded(TrieNode::Leaf(LeafNode::new(
        Nibbles::from_nibbles([0; 64]),
        vec![1],
    )));
    let hash = RlpNode::word_rlp(&keccak256(&leaf));
    for nibbles in [1, 2, 63, 64] {
        let root = extension(&vec![0; nibbles], hash.clone());
        assert_eq!(
            value_at(keccak256(&root), key, &[root, leaf.clone()]),
            Err(TrieError::MalformedNode { depth: 1 }),
            "{nibbles} nibbles before a leaf of 64"
        );
    }
    let short = encoded(TrieNode::Leaf(LeafNode::new(
        Nibbles::from_nibbles([0; 10]),
        vec![1; 40],
    )));
    let root = extension(&[0; 53], RlpNode::word_rlp(&keccak256(&short)));
    assert_eq!(
        value_at(keccak256(&root), key, &[root, short]),
        Err(TrieError::MalformedNode { depth: 1 }),
        "63 nibbles in all"
    );
}

#[test]
fn malformed_nodes_are_named_even_under_their_own_hash() {
    let key = B256::ZERO;
    let branch = |value: &[u8]| {
        let mut rlp = vec![0xc0 + 16 + value.len() as u8];
        rlp.extend([EMPTY_STRING_CODE; 16]);
        rlp.extend(value);
        rlp
    };
    let leaf = |path: &[u8], value: &[u8]| {
        let mut payload = Vec::new();
        alloy_rlp::Encodable::encode(&path, &mut payload);
        payload.extend(value);
        let mut rlp = Vec::new();
        let header = Header {
            list: true,
            payload_length: payload.len(),
        };
        header.encode(&mut rlp);
        rlp.extend(payload);
        rlp
    };
    let full = |flag: u8| [&[flag][..], &[0; 32]].concat();
    assert_eq!(
        value_at(
            keccak256(leaf(&full(0x20), &[1])),
            key,
            &[leaf(&full(0x20), &[1]).into()]
        ),
        Ok(Some(&[1][..])),
        "the cases below differ from this one"
    );
    let trailing = [leaf(&full(0x20), &[1]), vec![0]].concat();
    for (name, node) in [
        ("nothing", vec![]),
        ("a string", vec![0x83, 1, 2, 3]),
        ("an empty list", vec![0xc0]),
        ("three items", vec![0xc3, 1, 2, 3]),
        (
            "eighteen items",
            [&[0xd2][..], &[EMPTY_STRING_CODE; 18]].concat(),
        ),
        ("a branch with a value", branch(&[1])),
        ("a branch with an odd child", {
            let mut node = branch(&[EMPTY_STRING_CODE]);
            node[1] = 0x05;
            node
        }),
        ("flag 2 set with a padding nibble", leaf(&full(0x21), &[1])),
        ("flag 4", leaf(&full(0x40), &[1])),
        ("flag 8", leaf(&full(0xa0), &[1])),
        ("an empty path", leaf(&[], &[1])),
        ("an empty value", leaf(&full(0x20), &[EMPTY_STRING_CODE])),
        ("a list as value", leaf(&full(0x20), &[0xc1, 0x01])),
        (
            "a path of 65 nibbles",
            leaf(&[&[0x30][..], &[0; 32]].concat(), &[1]),
        ),
        (
            "an extension of no nibbles",
            leaf(&[0x00], &[&[0xa0][..], &[9; 32]].concat()),
        ),
        (
            "an extension to a short string",
            leaf(&[0x10], &[0x82, 0x80, 0x80]),
        ),
        (
            "an extension to nothing",
            leaf(&[0x10], &[EMPTY_STRING_CODE]),
        ),
        ("a long length of a short list", vec![0xf8, 2, 1, 1]),
        ("a leaf and a byte", trailing),
    ] {
        assert_eq!(
            value_at(keccak256(&node), key, &[node.into()]),
            Err(TrieError::MalformedNode { depth: 0 }),
            "{name}"
        );
    }
}

/// Keys of a few shapes: unrelated, equal up to a late nibble.
fn keys() -> impl Strategy<Value = Vec<B256>> {
    let key = (any::<u8>(), 0usize..32, any::<u8>()).prop_map(|(stem, at, byte)| {
        let mut key = keccak256([stem % 4]);
        key.0[at] ^= byte;
        key
    });
    proptest::collection::vec(key, 1..24)
}

proptest! {
    #[test]
    fn agrees_with_alloy_on_real_tries(keys in keys(), lengths in any::<u64>(), absent in keys()) {
        let entries: BTreeMap<_, _> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| {
                let length = 1 + ((lengths >> (index % 8 * 8)) & 0x3f) as usize;
                (*key, vec![index as u8 + 1; length])
            })
            .collect();
        for key in keys.iter().chain(&absent) {
            let (root, nodes) = prove(&entries, *key);
            let value = entries.get(key);
            prop_assert_eq!(value_at(root, *key, &nodes), Ok(value.map(Vec::as_slice)));
            prop_assert!(verify_proof(root, Nibbles::unpack(key), value.cloned(), &nodes).is_ok());
        }
    }

    #[test]
    fn a_flipped_bit_of_any_node_is_rejected(keys in keys(), which in any::<prop::sample::Index>(), bit in any::<usize>()) {
        let entries: BTreeMap<_, _> = keys.iter().map(|key| (*key, key.to_vec())).collect();
        let key = *which.get(&keys);
        let (root, mut nodes) = prove(&entries, key);
        let depth = bit % nodes.len();
        let mut node = nodes[depth].to_vec();
        let bit = bit / nodes.len() % (node.len() * 8);
        node[bit / 8] ^= 1 << (bit % 8);
        nodes[depth] = node.into();
        prop_assert_eq!(value_at(root, key, &nodes), Err(TrieError::NodeHash { depth }));
    }

    #[test]
    fn host_chosen_nodes_never_panic(
        key in any::<[u8; 32]>(),
        node in proptest::collection::vec(any::<u8>(), 0..120),
        segments in proptest::collection::vec(1usize..=64, 0..6),
    ) {
        // Random bytes at the end of a chain of genuine extensions, all under a root that fits.
        let key = B256::from(key);
        let path = Nibbles::unpack(key).to_vec();
        let mut nodes = vec![Bytes::from(node)];
        let mut at = 0;
        for length in segments {
            let segment: Vec<u8> = (0..length).map(|index| path[(at + index) % 64]).collect();
            at += length;
            nodes.push(extension(&segment, RlpNode::word_rlp(&keccak256(&nodes[nodes.len() - 1]))));
        }
        nodes.reverse();
        let _ = value_at(keccak256(&nodes[0]), key, &nodes);
    }
}
