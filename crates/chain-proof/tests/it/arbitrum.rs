// SPDX-License-Identifier: Apache-2.0
//! A genuine header of Arbitrum Sepolia and a storage proof under it: such a chain's headers have the fields of
//! Ethereum's with another meaning, and its proofs are alike. Read from the directory that `SUBROSA_HEADERS` names.

use std::path::PathBuf;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use serde_json::Value;
use subrosa_chain_proof::{HostAsserted, ProofError, verify_header, verify_slot};
use subrosa_types::frame::{HeaderFrame, StorageProof};

/// A question, and the proof that answers it.
#[derive(Clone)]
struct Genuine {
    proof: StorageProof,
    account: Address,
    code_hash: B256,
    slot: B256,
    value: B256,
    header: Value,
}

impl Genuine {
    /// `None` if the files are not here.
    fn read() -> Option<Self> {
        let Some(directory) = std::env::var_os("SUBROSA_HEADERS") else {
            assert_ne!(
                std::env::var("SUBROSA_REQUIRE_VECTORS").as_deref(),
                Ok("1"),
                "SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_HEADERS names no directory"
            );
            eprintln!("headers: NOT RUN (SUBROSA_HEADERS is not set)");
            return None;
        };
        let read = |name: &str| -> Value {
            let path = PathBuf::from(&directory).join("proofs").join(name);
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
        };
        let header = read("header-arbitrum-sepolia-117201326.json");
        let answer = read("arbitrum-sepolia-storage.json");
        let slot = &answer["storageProof"][0];
        Some(Self {
            proof: StorageProof {
                header: HeaderFrame {
                    trusted: text(&header["rlp"]).parse().unwrap(),
                    ..HeaderFrame::default()
                },
                account_proof: nodes(&answer["accountProof"]),
                slot_proof: nodes(&slot["proof"]),
            },
            account: text(&answer["address"]).parse().unwrap(),
            code_hash: text(&answer["codeHash"]).parse().unwrap(),
            slot: word(&slot["key"]),
            value: word(&slot["value"]),
            header,
        })
    }

    fn verify(&self) -> Result<B256, ProofError> {
        let proven = verify_slot(
            &HostAsserted,
            &self.proof,
            self.account,
            self.code_hash,
            self.slot,
        )?;
        Ok(proven.value())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Of a quantity or of 32 bytes.
fn word(value: &Value) -> B256 {
    B256::from(text(value).parse::<U256>().unwrap())
}

fn nodes(list: &Value) -> Vec<Bytes> {
    let nodes = list.as_array().unwrap().iter();
    nodes.map(|node| text(node).parse().unwrap()).collect()
}

#[test]
fn a_header_of_arbitrum_has_the_hash_and_the_number_that_its_chain_gives_it() {
    let Some(genuine) = Genuine::read() else {
        return;
    };
    let proven = verify_header(&HostAsserted, &genuine.proof.header).unwrap();
    let header = proven.target();
    assert_eq!(header.hash(), word(&genuine.header["hash"]));
    assert_eq!(header.state_root(), word(&genuine.header["state_root"]));
    // The chain's own number, which contracts there learn from ArbSys: `block.number` is Sepolia's, below 8 million.
    assert_eq!(header.number(), 117_201_326);
    assert_eq!(header.timestamp(), 1_737_666_884);
}

#[test]
fn a_slot_of_arbitrum_is_proven_under_its_header() {
    let Some(genuine) = Genuine::read() else {
        return;
    };
    assert_eq!(genuine.verify(), Ok(genuine.value));
}

#[test]
fn whatever_is_changed_of_a_proof_of_arbitrum_is_refused() {
    let Some(genuine) = Genuine::read() else {
        return;
    };
    let mut cases: Vec<(String, Genuine)> = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut Genuine)| {
        let mut changed = genuine.clone();
        change(&mut changed);
        cases.push((name, changed));
    };
    for bit in spread(genuine.proof.slot_proof[0].len() * 8) {
        add(format!("slot node bit {bit}"), &|case| {
            case.proof.slot_proof[0] = flipped(&case.proof.slot_proof[0], bit);
        });
    }
    let last = genuine.proof.account_proof.len() - 1;
    for node in 0..=last {
        for bit in spread(genuine.proof.account_proof[node].len() * 8) {
            add(format!("account node {node} bit {bit}"), &|case| {
                case.proof.account_proof[node] = flipped(&case.proof.account_proof[node], bit);
            });
        }
        add(format!("without account node {node}"), &|case| {
            case.proof.account_proof.remove(node);
        });
    }
    // Of the header every bit of the state root; others are for header trust, and change the hash.
    let root = genuine.header["state_root"].as_str().unwrap();
    let root = root.parse::<B256>().unwrap();
    let trusted = &genuine.proof.header.trusted;
    let at = trusted
        .windows(32)
        .position(|bytes| bytes == root.as_slice());
    for bit in 0..256 {
        let bit = at.unwrap() * 8 + bit;
        add(format!("header bit {bit}"), &|case| {
            case.proof.header.trusted = flipped(&case.proof.header.trusted, bit);
        });
    }
    add("no slot nodes".to_owned(), &|case| {
        case.proof.slot_proof.clear();
    });
    add("another slot".to_owned(), &|case| case.slot.0[31] ^= 1);
    add("another account".to_owned(), &|case| {
        case.account.0[19] ^= 1;
    });
    add("other code".to_owned(), &|case| case.code_hash.0[0] ^= 1);
    add("a header cut short".to_owned(), &|case| {
        let trusted = &case.proof.header.trusted;
        case.proof.header.trusted = trusted.slice(..trusted.len() - 1);
    });
    assert!(cases.len() > 500, "{}", cases.len());
    for (name, case) in cases {
        assert!(case.verify().is_err(), "{name}");
    }
}

#[test]
fn any_other_bit_of_a_header_of_arbitrum_makes_it_another_block_or_none() {
    let Some(genuine) = Genuine::read() else {
        return;
    };
    let header = &genuine.proof.header;
    let hash = keccak256(&header.trusted);
    for bit in 0..header.trusted.len() * 8 {
        let changed = HeaderFrame {
            trusted: flipped(&header.trusted, bit),
            ..header.clone()
        };
        if let Ok(proven) = verify_header(&HostAsserted, &changed) {
            assert_ne!(proven.target().hash(), hash, "bit {bit}");
        }
    }
}

/// Thirty of so many bits.
fn spread(bits: usize) -> impl Iterator<Item = usize> {
    (0..30).map(move |index| index * (bits - 1) / 29)
}

fn flipped(bytes: &Bytes, bit: usize) -> Bytes {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped.into()
}
