// SPDX-License-Identifier: Apache-2.0
//! Records to store.

use alloy_primitives::{Address, B256, Bytes, U256};
use subrosa_types::{
    ContractId,
    abi::{Entry, SignedResults},
    batch::CompactSignature,
    frame::{BlobKind, ExecutedEntry, LoggedEntry, ResultRef, SlotProof, StateBlob, StorageProof},
    result::Status,
    slot::Place,
};

use crate::{Block, Cursor, EntryRecord, FulfillmentRecord, Identity, Intent, IntentKind, Receipt};

/// The chain and the contracts that samples are of.
pub fn identity() -> Identity {
    Identity {
        chain_id: 31337,
        oracle: Address::repeat_byte(1),
        registry: Address::repeat_byte(2),
        config_hash: B256::repeat_byte(3),
    }
}

/// One of a few contracts.
pub fn contract(index: u8) -> ContractId {
    B256::repeat_byte(0xc0 + index)
}

/// The block of a number, on a chain where that says all.
pub fn cursor(number: u64) -> Cursor {
    Cursor {
        number,
        hash: B256::from(U256::from(number)),
        parent_hash: B256::from(U256::from(number.saturating_sub(1))),
    }
}

/// Entry `seq` as a block appended it.
pub fn entry(contract: ContractId, seq: u64, block: u64) -> EntryRecord {
    EntryRecord {
        logged: LoggedEntry {
            entry: Entry {
                contractId: contract,
                previousDigest: B256::repeat_byte(seq as u8),
                context: B256::repeat_byte(4),
                inputHash: B256::repeat_byte(5),
                execution: U256::from(block),
                settlement: U256::from(6),
                payment: U256::from(7) << 48 | U256::from(seq),
                refundTo: Address::ZERO,
            },
            input: vec![seq as u8; 40].into(),
        },
        block_number: block,
        block_hash: cursor(block).hash,
        tx_hash: B256::repeat_byte(seq as u8),
    }
}

/// The result of an entry that [`entry`] made.
pub fn executed(contract: ContractId, seq: u64, block: u64, kind: BlobKind) -> ExecutedEntry {
    let identity = identity();
    let logged = entry(contract, seq, block).logged.entry;
    ExecutedEntry {
        seq,
        status: Status::Succeeded,
        fuel_bucket: 20,
        previous_commitment: commitment(seq),
        commitment: commitment(seq + 1),
        result_hash: B256::repeat_byte(9),
        output: Bytes::from_static(b"output"),
        sealed_output: Bytes::new(),
        sealed_logs_hash: B256::ZERO,
        blob: StateBlob {
            kind,
            part: 0,
            parts: 1,
            seq,
            digest: logged.digest(identity.chain_id, identity.oracle),
            previous_commitment: commitment(seq),
            code_commitment: B256::repeat_byte(8),
            group: 1,
            epoch: 1,
            sealed: vec![seq as u8; 500].into(),
        },
    }
}

/// A proof of a slot.
pub fn slot_proof() -> SlotProof {
    SlotProof {
        place: Place::Own,
        storage: StorageProof::default(),
    }
}

/// The head's commitment before entry `seq`.
pub fn commitment(seq: u64) -> B256 {
    B256::from(U256::from(seq) << 48)
}

/// That a block has the result of entry `seq`.
pub fn fulfillment(seq: u64, block: u64) -> FulfillmentRecord {
    FulfillmentRecord {
        block_number: block,
        block_hash: cursor(block).hash,
        tx_hash: B256::repeat_byte(7),
        commitment: commitment(seq + 1),
        receipt: Some(Receipt {
            signed: SignedResults {
                resultHashes: vec![B256::repeat_byte(9)],
                payee: Address::repeat_byte(6),
            },
            signatures: vec![(
                CompactSignature {
                    r: B256::repeat_byte(1),
                    vs: B256::repeat_byte(2),
                },
                Address::repeat_byte(5),
            )],
        }),
    }
}

/// A block with entry `seq` of each contract.
pub fn block(number: u64, entries: &[(ContractId, u64)]) -> Block {
    Block {
        cursor: cursor(number),
        entries: entries
            .iter()
            .map(|(contract, seq)| entry(*contract, *seq, number))
            .collect(),
        fulfillments: Vec::new(),
    }
}

/// A fulfillment that was tried this many times.
pub fn intent(attempts: usize) -> Intent {
    Intent {
        kind: IntentKind::Fulfill,
        items: vec![ResultRef {
            contract: contract(0),
            seq: 3,
        }],
        attempts: (0..attempts)
            .map(|attempt| vec![attempt as u8; 100].into())
            .collect(),
    }
}
