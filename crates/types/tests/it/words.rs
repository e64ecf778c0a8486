// SPDX-License-Identifier: Apache-2.0
//! Packed words and storage slots.

use alloy_primitives::{B256, U256};
use serde_json::{Value, json};
use subrosa_types::{
    entry::{EntryKind, Execution, FinalityClass, Payment, Settlement},
    result::{Head, pack_result, unpack_result},
    slot,
};

use crate::{
    draw::Draw,
    hashes::recovery,
    vectors::{CASES, cases},
};

/// An integer as the vectors write it.
pub(crate) fn decimal(number: impl std::fmt::Display) -> String {
    number.to_string()
}

/// A packed word as the vectors write it.
pub(crate) fn word(word: U256) -> B256 {
    B256::from(word)
}

pub(crate) fn executions() -> Value {
    let mut draw = Draw::new("execution");
    cases(|index| {
        let execution = Execution {
            kind: EntryKind::try_from(index as u8).unwrap(),
            flags: draw.bits(16) as u16,
            fuel_limit: draw.bits(64),
            code_version: draw.bits(16) as u16,
            runtime_generation: draw.bits(16) as u16,
            finality_class: FinalityClass::try_from(1 + index as u8).unwrap(),
            block_number: draw.bits(48),
            block_timestamp: draw.bits(48),
        };
        assert_eq!(Execution::unpack(execution.pack()), Ok(execution));
        json!({
            "kind": decimal(execution.kind as u8), "flags": decimal(execution.flags),
            "fuelLimit": decimal(execution.fuel_limit),
            "codeVersion": decimal(execution.code_version),
            "runtimeGeneration": decimal(execution.runtime_generation),
            "finalityClass": decimal(execution.finality_class as u8),
            "blockNumber": decimal(execution.block_number),
            "blockTimestamp": decimal(execution.block_timestamp),
            "word": word(execution.pack()),
        })
    })
}

pub(crate) fn settlements() -> Value {
    let mut draw = Draw::new("settlement");
    cases(|_| {
        let settlement = Settlement {
            requester: draw.address(),
            callback_gas_limit: draw.bits(32) as u32,
            flags: draw.bits(16) as u16,
            deadline: draw.bits(48),
        };
        assert_eq!(Settlement::unpack(settlement.pack()), settlement);
        json!({
            "requester": settlement.requester,
            "callbackGasLimit": decimal(settlement.callback_gas_limit),
            "flags": decimal(settlement.flags), "deadline": decimal(settlement.deadline),
            "word": word(settlement.pack()),
        })
    })
}

pub(crate) fn payments() -> Value {
    let mut draw = Draw::new("payment");
    cases(|_| {
        let wei = |draw: &mut Draw| u128::from(draw.bits(64)) << 32 | u128::from(draw.bits(32));
        let payment = Payment {
            fee: wei(&mut draw),
            execution_charge: wei(&mut draw),
            key_group: draw.bits(32) as u32,
            key_epoch: draw.bits(32) as u32,
        };
        assert_eq!(Payment::unpack(payment.pack()), payment);
        json!({
            "fee": decimal(payment.fee), "executionCharge": decimal(payment.execution_charge),
            "keyGroup": decimal(payment.key_group), "keyEpoch": decimal(payment.key_epoch),
            "word": word(payment.pack()),
        })
    })
}

pub(crate) fn results() -> Value {
    let mut draw = Draw::new("result word");
    cases(|index| {
        let (commitment, status) = (draw.commitment(), 1 + (index % 3) as u8);
        let (bucket, length) = (draw.between(0, 64) as u8, draw.bits(32) as u32);
        let packed = pack_result(commitment, status, bucket, length);
        assert_eq!(unpack_result(packed), (commitment, status, bucket, length));
        json!({
            "newCommitment": commitment, "status": decimal(status),
            "fuelBucket": decimal(bucket), "outputLength": decimal(length),
            "word": word(packed),
        })
    })
}

pub(crate) fn heads() -> Value {
    let mut draw = Draw::new("head");
    cases(|_| {
        let head = Head {
            seq: draw.bits(48),
            commitment: draw.commitment(),
        };
        assert_eq!(Head::unpack(head.pack()), head);
        json!({
            "seq": decimal(head.seq), "commitment": head.commitment, "word": word(head.pack()),
        })
    })
}

pub(crate) fn recoveries() -> Value {
    let mut draw = Draw::new("recovery");
    cases(|index| {
        let recovery = recovery(&mut draw, index);
        // Kind, threshold, shares, as SubrosaTypes.sol numbers them.
        let [kind, threshold, shares] = match recovery {
            subrosa_types::config::Recovery::Replicas { k } => [1, k, 0],
            subrosa_types::config::Recovery::Sealed => [2, 0, 0],
            subrosa_types::config::Recovery::Custodians { threshold, shares } => {
                [3, threshold, shares]
            }
            _ => [4, 0, 0],
        };
        json!({
            "kind": decimal(kind), "threshold": decimal(threshold), "shares": decimal(shares),
            "word": word(recovery.pack()),
        })
    })
}

pub(crate) fn slots() -> Value {
    let mut draw = Draw::new("slot");
    let case = |contract, seq, group, epoch| {
        json!({
            "contractId": contract, "seq": decimal(seq),
            "keyGroup": decimal(group), "keyEpoch": decimal(epoch),
            "entry": slot::entry(contract, seq), "head": slot::head(contract),
            "log": slot::log(contract), "epoch": slot::epoch(group, epoch),
        })
    };
    // The first is the epoch that the contracts' tests open.
    let first = case(draw.word(), 0, 7, 1);
    let others = (1..CASES).map(|_| {
        let (contract, seq) = (draw.word(), draw.bits(48));
        case(contract, seq, draw.bits(32) as u32, draw.bits(32) as u32)
    });
    std::iter::once(first).chain(others).collect()
}
