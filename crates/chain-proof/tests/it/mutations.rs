// SPDX-License-Identifier: Apache-2.0
// long: one table of mutations and what refuses each.
//! Mutations of every part of a live proof, each refused for the right reason.

use alloy::{
    consensus::{Header, constants::EMPTY_ROOT_HASH},
    primitives::{Address, B256, Bytes, keccak256},
    rlp::{Decodable, encode},
};
use subrosa_chain_proof::{
    HostAsserted, MAX_ANCESTORS, MAX_HEADER_BYTES, MAX_NODE_BYTES, MAX_NODES, ProofError,
    TrieError, verify_slot,
};
use subrosa_types::frame::StorageProof;

use crate::live::{Scene, scene};

/// How a mutation must be refused.
type Verdict = fn(&ProofError) -> bool;

/// A mutated question: the proof and what it is asked to show.
struct Case {
    name: String,
    proof: StorageProof,
    account: Address,
    code_hash: B256,
    slot: B256,
    refused: Verdict,
}

/// Collects mutations of one part of a genuine proof.
struct Cases<'a> {
    scene: &'a Scene,
    cases: Vec<Case>,
}

impl<'a> Cases<'a> {
    fn new(scene: &'a Scene) -> Self {
        Self {
            scene,
            cases: Vec::new(),
        }
    }

    fn add(&mut self, name: impl ToString, refused: Verdict, mutate: impl FnOnce(&mut Case)) {
        let mut case = Case {
            name: name.to_string(),
            proof: self.scene.proof.clone(),
            account: self.scene.account,
            code_hash: self.scene.code_hash,
            slot: self.scene.slot,
            refused,
        };
        mutate(&mut case);
        self.cases.push(case);
    }

    /// Runs them; every part must have at least twenty.
    fn check(self) {
        assert!(self.cases.len() >= 20, "{} mutations", self.cases.len());
        for case in self.cases {
            let verdict = verify_slot(
                &HostAsserted,
                &case.proof,
                case.account,
                case.code_hash,
                case.slot,
            );
            match verdict {
                Ok(_) => panic!("{}: accepted", case.name),
                Err(error) => assert!((case.refused)(&error), "{}: {error:?}", case.name),
            }
        }
    }
}

/// Twenty spread bits of `bytes`, each flipped in a copy.
fn flips(bytes: &Bytes) -> Vec<(usize, Bytes)> {
    let bits = bytes.len() * 8;
    (0..20)
        .map(|index| {
            let bit = index * (bits - 1) / 19;
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            (bit, flipped.into())
        })
        .collect()
}

fn cut(bytes: &Bytes) -> Bytes {
    bytes.slice(..bytes.len() - 1)
}

fn lengthened(bytes: &Bytes) -> Bytes {
    [bytes.as_ref(), &[0]].concat().into()
}

#[tokio::test]
async fn mutations_of_the_trusted_header() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    let trusted = &scene.proof.header.trusted;
    // Another well-formed header is for header trust to refuse; host-asserted trust cannot, so
    // it is refused where it no longer leads to the ancestors.
    let header = <Header as Decodable>::decode(&mut &trusted[..]).unwrap();
    for byte in 0..32 {
        let mut header = header.clone();
        header.parent_hash.0[byte] ^= 1 << (byte % 8);
        cases.add(
            format!("parent hash byte {byte}"),
            |error| matches!(error, ProofError::ParentHash { depth: 1, .. }),
            |case| case.proof.header.trusted = encode(header).into(),
        );
    }
    for number in [0, header.number - 1, header.number + 1, u64::MAX] {
        let mut header = header.clone();
        header.number = number;
        cases.add(
            format!("number {number}"),
            |error| matches!(error, ProofError::ParentNumber { depth: 1, .. }),
            |case| case.proof.header.trusted = encode(header).into(),
        );
    }
    let malformed: Verdict = |error| matches!(error, ProofError::MalformedHeader { depth: 0 });
    cases.add("empty", malformed, |case| {
        case.proof.header.trusted = Bytes::new()
    });
    cases.add("truncated", malformed, |case| {
        case.proof.header.trusted = cut(trusted)
    });
    cases.add("trailing byte", malformed, |case| {
        case.proof.header.trusted = lengthened(trusted);
    });
    cases.add("a trie node", malformed, |case| {
        case.proof.header.trusted = case.proof.account_proof[0].clone();
    });
    cases.add("two headers", malformed, |case| {
        case.proof.header.trusted = [trusted.as_ref(), trusted.as_ref()].concat().into();
    });
    cases.add("a string", malformed, |case| {
        case.proof.header.trusted = encode(trusted.as_ref()).into();
    });
    cases.add(
        "oversized",
        |error| matches!(error, ProofError::HeaderTooLarge { depth: 0, .. }),
        |case| case.proof.header.trusted = vec![0; MAX_HEADER_BYTES + 1].into(),
    );
    cases.add(
        "a witness",
        |error| matches!(error, ProofError::Untrusted { .. }),
        |case| case.proof.header.witness = Bytes::from_static(&[0]),
    );
    cases.add(
        "an unrelated header",
        |error| matches!(error, ProofError::ParentHash { depth: 1, .. }),
        |case| case.proof.header.trusted = scene.later.header.trusted.clone(),
    );
    cases.check();
}

#[tokio::test]
async fn mutations_of_the_state_root() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    let header = <Header as Decodable>::decode(&mut &scene.later.header.trusted[..]).unwrap();
    let root: Verdict =
        |error| matches!(error, ProofError::Account(TrieError::NodeHash { depth: 0 }));
    for byte in 0..32 {
        let mut header = header.clone();
        header.state_root.0[byte] ^= 1 << (byte % 8);
        let rlp = Bytes::from(encode(&header));
        cases.add(format!("byte {byte}"), root, |case| {
            case.proof = scene.later.clone();
            case.proof.header.trusted = rlp;
        });
    }
    let mut empty = header.clone();
    empty.state_root = EMPTY_ROOT_HASH;
    let rlp = Bytes::from(encode(&empty));
    cases.add(
        "of the empty trie, with no nodes",
        |error| matches!(error, ProofError::AbsentAccount),
        |case| {
            case.proof.header = subrosa_types::frame::HeaderFrame {
                trusted: rlp,
                ..Default::default()
            };
            case.proof.account_proof.clear();
        },
    );
    cases.check();
}

#[tokio::test]
async fn mutations_of_the_ancestors() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    let ancestors = &scene.proof.header.ancestors;
    for (index, ancestor) in ancestors.iter().enumerate() {
        for (bit, flipped) in flips(ancestor) {
            cases.add(
                format!("ancestor {index} bit {bit}"),
                |error| {
                    matches!(
                        error,
                        ProofError::ParentHash { .. } | ProofError::MalformedHeader { .. }
                    )
                },
                |case| case.proof.header.ancestors[index] = flipped,
            );
        }
    }
    let unlinked: Verdict = |error| matches!(error, ProofError::ParentHash { .. });
    cases.add("swapped", unlinked, |case| {
        case.proof.header.ancestors.swap(0, 1)
    });
    cases.add("reversed", unlinked, |case| {
        case.proof.header.ancestors.reverse()
    });
    cases.add("duplicated", unlinked, |case| {
        case.proof.header.ancestors.insert(1, ancestors[0].clone());
    });
    cases.add("first left out", unlinked, |case| {
        case.proof.header.ancestors.remove(0);
    });
    cases.add("middle left out", unlinked, |case| {
        case.proof.header.ancestors.remove(1);
    });
    cases.add("the trusted header again", unlinked, |case| {
        case.proof
            .header
            .ancestors
            .push(case.proof.header.trusted.clone());
    });
    cases.add("a descendant", unlinked, |case| {
        case.proof.header.ancestors[0] = scene.later.header.trusted.clone();
    });
    // The state before the contract existed, or before anything changed in it.
    cases.add(
        "none",
        |error| matches!(error, ProofError::Account(TrieError::NodeHash { depth: 0 })),
        |case| case.proof.header.ancestors.clear(),
    );
    cases.add(
        "empty",
        |error| matches!(error, ProofError::MalformedHeader { depth: 3 }),
        |case| case.proof.header.ancestors[2] = Bytes::new(),
    );
    cases.add(
        "truncated",
        |error| matches!(error, ProofError::MalformedHeader { depth: 2 }),
        |case| case.proof.header.ancestors[1] = cut(&ancestors[1]),
    );
    cases.add(
        "trailing byte",
        |error| matches!(error, ProofError::MalformedHeader { depth: 2 }),
        |case| case.proof.header.ancestors[1] = lengthened(&ancestors[1]),
    );
    cases.add(
        "oversized",
        |error| matches!(error, ProofError::HeaderTooLarge { depth: 2, .. }),
        |case| case.proof.header.ancestors[1] = vec![0; MAX_HEADER_BYTES + 1].into(),
    );
    cases.add(
        "too many",
        |error| matches!(error, ProofError::TooManyAncestors(_)),
        |case| case.proof.header.ancestors = vec![ancestors[0].clone(); MAX_ANCESTORS + 1],
    );
    cases.check();
}

#[tokio::test]
async fn mutations_of_the_account_nodes() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    mutate_nodes(
        &mut cases,
        &scene.proof.account_proof,
        &scene.other_account,
        |proof| &mut proof.account_proof,
        |error| match error {
            ProofError::Account(error) => Some(*error),
            _ => None,
        },
    );
    let length = scene.proof.account_proof.len();
    for depth in 0..length {
        cases.add(
            format!("slot node as account node {depth}"),
            |error| matches!(error, ProofError::Account(TrieError::NodeHash { .. })),
            |case| case.proof.account_proof[depth] = case.proof.slot_proof[0].clone(),
        );
    }
    cases.check();
}

#[tokio::test]
async fn mutations_of_the_slot_nodes() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    mutate_nodes(
        &mut cases,
        &scene.proof.slot_proof,
        &scene.other_slot,
        |proof| &mut proof.slot_proof,
        |error| match error {
            ProofError::Slot(error) => Some(*error),
            _ => None,
        },
    );
    cases.add(
        "the account's nodes",
        |error| matches!(error, ProofError::Slot(TrieError::NodeHash { depth: 0 })),
        |case| case.proof.slot_proof = case.proof.account_proof.clone(),
    );
    cases.check();
}

/// Flips, cuts, moves and replaces nodes. `part` finds them in a proof, `trie` the trie's error in
/// the verdict.
fn mutate_nodes(
    cases: &mut Cases<'_>,
    nodes: &[Bytes],
    unrelated: &[Bytes],
    part: fn(&mut StorageProof) -> &mut Vec<Bytes>,
    trie: fn(&ProofError) -> Option<TrieError>,
) {
    let count = nodes.len();
    let mut add = |name: String, expected: TrieError, mutate: &dyn Fn(&mut Vec<Bytes>)| {
        let mut proof = cases.scene.proof.clone();
        mutate(part(&mut proof));
        let scene = cases.scene;
        let verdict = verify_slot(
            &HostAsserted,
            &proof,
            scene.account,
            scene.code_hash,
            scene.slot,
        );
        assert_eq!(
            verdict.as_ref().err().and_then(trie),
            Some(expected),
            "{name}"
        );
        cases.add(name, |_| true, |case| case.proof = proof);
    };
    for depth in 0..count {
        let hash = TrieError::NodeHash { depth };
        for (bit, flipped) in flips(&nodes[depth]) {
            add(format!("node {depth} bit {bit}"), hash, &|nodes| {
                nodes[depth] = flipped.clone();
            });
        }
        add(format!("node {depth} cut"), hash, &|all| {
            all[depth] = cut(&nodes[depth])
        });
        add(format!("node {depth} lengthened"), hash, &|all| {
            all[depth] = lengthened(&nodes[depth]);
        });
        add(format!("node {depth} empty"), hash, &|all| {
            all[depth] = Bytes::new()
        });
        add(format!("node {depth} the empty trie"), hash, &|all| {
            all[depth] = Bytes::from_static(&[0x80]);
        });
        add(format!("node {depth} its own hash"), hash, &|all| {
            all[depth] = encode(keccak256(&nodes[depth])).into();
        });
        add(
            format!("node {depth} oversized"),
            TrieError::NodeTooLarge {
                depth,
                bytes: MAX_NODE_BYTES + 1,
            },
            &|all| all[depth] = vec![0; MAX_NODE_BYTES + 1].into(),
        );
        add(
            format!("cut before {depth}"),
            TrieError::Truncated(depth),
            &|all| {
                all.truncate(depth);
            },
        );
    }
    for (depth, node) in nodes.iter().enumerate().take(count - 1) {
        let next = TrieError::NodeHash { depth: depth + 1 };
        add(format!("node {depth} twice"), next, &|all| {
            all.insert(depth, node.clone());
        });
        add(
            format!("node {depth} left out"),
            TrieError::NodeHash { depth },
            &|all| {
                all.remove(depth);
            },
        );
        add(
            format!("node {depth} swapped"),
            TrieError::NodeHash { depth },
            &|all| {
                all.swap(depth, depth + 1);
            },
        );
    }
    let trailing = TrieError::TrailingNodes {
        used: count,
        given: count + 1,
    };
    add("leaf twice".into(), trailing, &|all| {
        all.push(nodes[count - 1].clone())
    });
    add("trailing root".into(), trailing, &|all| {
        all.push(nodes[0].clone())
    });
    add("trailing nothing".into(), trailing, &|all| {
        all.push(Bytes::new())
    });
    add(
        "too many".into(),
        TrieError::TooManyNodes(MAX_NODES + 1),
        &|all| {
            all.resize(MAX_NODES + 1, Bytes::new());
        },
    );
    let shared = nodes
        .iter()
        .zip(unrelated)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    assert!(
        0 < shared && shared < count,
        "the other proof has the same root"
    );
    add(
        "leaf of another key".into(),
        TrieError::NodeHash { depth: count - 1 },
        &|all| all[count - 1] = unrelated[unrelated.len() - 1].clone(),
    );
}

#[tokio::test]
async fn mutations_of_the_key() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    let elsewhere: Verdict = |error| {
        matches!(
            error,
            ProofError::AbsentSlot
                | ProofError::Slot(TrieError::Truncated(_) | TrieError::TrailingNodes { .. })
                | ProofError::Slot(TrieError::NodeHash { .. })
        )
    };
    for bit in 0..256 {
        cases.add(format!("slot bit {bit}"), elsewhere, |case| {
            case.slot.0[bit / 8] ^= 1 << (bit % 8);
        });
    }
    cases.add("hashed slot", elsewhere, |case| {
        case.slot = keccak256(case.slot)
    });
    cases.add("an empty slot", elsewhere, |case| {
        case.slot = scene.absent.1
    });
    let stranger: Verdict =
        |error| matches!(error, ProofError::AbsentAccount | ProofError::Account(_));
    for bit in 0..160 {
        cases.add(format!("account bit {bit}"), stranger, |case| {
            case.account.0[bit / 8] ^= 1 << (bit % 8);
        });
    }
    cases.add("nobody", stranger, |case| case.account = scene.nobody.1);
    cases.add(
        "an account that proves to be absent",
        |error| matches!(error, ProofError::AbsentAccount),
        |case| {
            case.account = scene.nobody.1;
            case.proof.account_proof = scene.nobody.0.clone();
        },
    );
    cases.add(
        "a slot that proves to be empty",
        |error| matches!(error, ProofError::AbsentSlot),
        |case| {
            case.slot = scene.absent.1;
            case.proof.slot_proof = scene.absent.0.clone();
        },
    );
    cases.check();
}

#[tokio::test]
async fn mutations_of_the_code_hash() {
    let scene = scene().await;
    let mut cases = Cases::new(&scene);
    let refused: Verdict = |error| matches!(error, ProofError::CodeHash { .. });
    for bit in 0..256 {
        cases.add(format!("bit {bit}"), refused, |case| {
            case.code_hash.0[bit / 8] ^= 1 << (bit % 8);
        });
    }
    cases.add("zero", refused, |case| case.code_hash = B256::ZERO);
    cases.add("no code", refused, |case| case.code_hash = keccak256([]));
    cases.check();
}

#[tokio::test]
async fn another_proof_of_the_same_chain_does_not_fit() {
    let scene = scene().await;
    let mut mixed = scene.proof.clone();
    mixed.slot_proof = scene.other_slot.clone();
    let verdict = verify_slot(
        &HostAsserted,
        &mixed,
        scene.account,
        scene.code_hash,
        scene.slot,
    );
    assert!(
        matches!(verdict, Err(ProofError::AbsentSlot | ProofError::Slot(_))),
        "{verdict:?}"
    );
    let mut mixed = scene.proof.clone();
    mixed.account_proof = scene.other_account.clone();
    let verdict = verify_slot(
        &HostAsserted,
        &mixed,
        scene.account,
        scene.code_hash,
        scene.slot,
    );
    assert!(
        matches!(
            verdict,
            Err(ProofError::AbsentAccount | ProofError::Account(_))
        ),
        "{verdict:?}"
    );
    let mut mixed = scene.proof.clone();
    mixed.account_proof = scene.later.account_proof.clone();
    assert_eq!(
        verify_slot(
            &HostAsserted,
            &mixed,
            scene.account,
            scene.code_hash,
            scene.slot
        ),
        Err(ProofError::Account(TrieError::NodeHash { depth: 0 }))
    );
}

#[tokio::test]
async fn any_flipped_bit_of_a_node_is_rejected() {
    let scene = scene().await;
    let lengths: Vec<usize> = scene
        .proof
        .account_proof
        .iter()
        .map(|node| node.len())
        .collect();
    for (depth, length) in lengths.iter().enumerate() {
        for bit in 0..length * 8 {
            let mut proof = scene.proof.clone();
            let mut node = proof.account_proof[depth].to_vec();
            node[bit / 8] ^= 1 << (bit % 8);
            proof.account_proof[depth] = node.into();
            let verdict = verify_slot(
                &HostAsserted,
                &proof,
                scene.account,
                scene.code_hash,
                scene.slot,
            );
            assert_eq!(
                verdict,
                Err(ProofError::Account(TrieError::NodeHash { depth }))
            );
        }
    }
    let lengths: Vec<usize> = scene
        .proof
        .slot_proof
        .iter()
        .map(|node| node.len())
        .collect();
    for (depth, length) in lengths.iter().enumerate() {
        for bit in 0..length * 8 {
            let mut proof = scene.proof.clone();
            let mut node = proof.slot_proof[depth].to_vec();
            node[bit / 8] ^= 1 << (bit % 8);
            proof.slot_proof[depth] = node.into();
            let verdict = verify_slot(
                &HostAsserted,
                &proof,
                scene.account,
                scene.code_hash,
                scene.slot,
            );
            assert_eq!(
                verdict,
                Err(ProofError::Slot(TrieError::NodeHash { depth }))
            );
        }
    }
}
