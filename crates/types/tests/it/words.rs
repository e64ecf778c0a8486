// SPDX-License-Identifier: Apache-2.0
//! Packed words and storage slots.

use alloy_primitives::{B256, U256};
use serde_json::{Value, json};
use subrosa_types::{
    entry::{EntryKind, Execution, FinalityClass, Payment, Settlement},
    log::LogWord,
    result::{Head, HeadWord, ResultWord, Waiting},
    slot::{self, Place},
    terms::Terms,
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
            output_limit: draw.bits(32) as u32,
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
            "outputLimit": decimal(execution.output_limit),
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
        let payment = Payment {
            landing: draw.bits(48),
            callback: draw.bits(48),
            charge: draw.bits(48),
            key_group: draw.bits(32) as u32,
            key_epoch: draw.bits(32) as u32,
            seq: draw.bits(48),
        };
        assert_eq!(Payment::unpack(payment.pack()), payment);
        json!({
            "landing": decimal(payment.landing), "callback": decimal(payment.callback),
            "charge": decimal(payment.charge),
            "keyGroup": decimal(payment.key_group), "keyEpoch": decimal(payment.key_epoch),
            "seq": decimal(payment.seq), "word": word(payment.pack()),
        })
    })
}

pub(crate) fn results() -> Value {
    let mut draw = Draw::new("result word");
    cases(|index| {
        let result = ResultWord {
            commitment: draw.commitment(),
            status: 1 + (index % 3) as u8,
            fuel_bucket: draw.between(0, 64) as u8,
            has_logs: index % 2 == 1,
            output_length: draw.bits(31) as u32,
        };
        assert_eq!(ResultWord::unpack(result.pack()), result);
        json!({
            "newCommitment": result.commitment, "status": decimal(result.status),
            "fuelBucket": decimal(result.fuel_bucket), "hasLogs": result.has_logs,
            "outputLength": decimal(result.output_length), "word": word(result.pack()),
        })
    })
}

pub(crate) fn heads() -> Value {
    let mut draw = Draw::new("head");
    cases(|index| {
        let stateless = (index == 3).then(|| Waiting {
            epoch: draw.bits(32) as u32,
            pending: draw.bits(40),
        });
        let counted = stateless.unwrap_or_default();
        let at = Head {
            seq: draw.bits(40),
            commitment: draw.commitment(),
        };
        let head = HeadWord {
            head: if stateless.is_some() {
                Head::default()
            } else {
                at
            },
            marked: index % 2 == 1,
            threshold: index / 2 == 1,
            signers: index as u8 * 5,
            stateless,
        };
        assert_eq!(HeadWord::unpack(head.pack()), head);
        json!({
            "seq": decimal(head.head.seq), "commitment": head.head.commitment,
            "marked": head.marked, "threshold": head.threshold, "stateless": stateless.is_some(),
            "signers": decimal(head.signers),
            "keyEpoch": decimal(counted.epoch), "pending": decimal(counted.pending),
            "word": word(head.pack()), "start": word(head.head.pack()),
        })
    })
}

/// `charge` and `gasPriceFloor` are packed decimals; `gasPrice` is what gas is asked at while the base fee is
/// `baseFee`.
pub(crate) fn logs() -> Value {
    let mut draw = Draw::new("log");
    cases(|index| {
        let log = LogWord {
            next_seq: draw.bits(40),
            key_group: draw.bits(32) as u32,
            key_epoch: draw.bits(32) as u32,
            code_version: draw.bits(16) as u16,
            runtime_generation: draw.bits(16) as u16,
            finality_class: draw.bits(8) as u8,
            stateless: index == 0,
            restricted: index == 1,
            paused: index == 1,
            last_apart: index > 1,
            world: index == 2,
            abandoned_on_retirement: index == 2,
            abandoned: index == 3,
            further_signers: [0, 1, 15, 6][index % 4],
            maximum_callback_gas: draw.bits(24) as u32,
            minimum_deadline: draw.bits(24) as u32,
            base_fee_sixteenths: draw.bits(8) as u8,
            gas_price_floor: (draw.bits(11) << 5 | draw.between(0, 16)) as u16,
            charge: (draw.bits(15) << 5 | draw.between(0, 16)) as u32,
        };
        assert_eq!(LogWord::unpack(log.pack()), log);
        let base_fee = draw.bits(40);
        json!({
            "nextSeq": decimal(log.next_seq), "keyGroup": decimal(log.key_group),
            "furtherSigners": decimal(log.further_signers),
            "keyEpoch": decimal(log.key_epoch), "codeVersion": decimal(log.code_version),
            "runtimeGeneration": decimal(log.runtime_generation),
            "finalityClass": decimal(log.finality_class), "stateless": log.stateless,
            "restricted": log.restricted, "paused": log.paused, "lastApart": log.last_apart,
            "world": log.world, "abandonedOnRetirement": log.abandoned_on_retirement,
            "abandoned": log.abandoned,
            "maximumCallbackGas": decimal(log.maximum_callback_gas),
            "minimumDeadline": decimal(log.minimum_deadline),
            "baseFeeSixteenths": decimal(log.base_fee_sixteenths),
            "gasPriceFloor": decimal(log.gas_price_floor), "charge": decimal(log.charge),
            "chargeGwei": decimal(log.charge_gwei()), "baseFee": decimal(base_fee),
            "gasPrice": decimal(log.gas_price(base_fee.into())), "word": word(log.pack()),
        })
    })
}

/// `codeVersion` is null for any.
pub(crate) fn terms() -> Value {
    let mut draw = Draw::new("terms");
    cases(|index| {
        let version = draw.bits(15) as u16;
        let terms = Terms {
            execution_flags: (index % 2) as u8,
            settlement_flags: (index / 2) as u8,
            fuel_limit: draw.bits(64),
            callback_gas_limit: draw.bits(32) as u32,
            deadline: draw.bits(48),
            output_limit: draw.bits(24) as u32,
            key_epoch: draw.bits(32) as u32,
            code_version: (index != 0).then_some(version),
            maximum_charge_gwei: draw.bits(15) * 10,
        };
        assert_eq!(Terms::unpack(terms.pack()), terms);
        json!({
            "executionFlags": decimal(terms.execution_flags),
            "settlementFlags": decimal(terms.settlement_flags),
            "fuelLimit": decimal(terms.fuel_limit),
            "callbackGasLimit": decimal(terms.callback_gas_limit),
            "deadline": decimal(terms.deadline), "outputLimit": decimal(terms.output_limit),
            "keyEpoch": decimal(terms.key_epoch),
            "codeVersion": terms.code_version.map(decimal),
            "maximumChargeGwei": decimal(terms.maximum_charge_gwei),
            "word": word(terms.pack()),
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
            "entry": slot::entry(contract, Place::Ring.position(seq)),
            "ownEntry": slot::entry(contract, Place::Own.position(seq)), "head": slot::head(contract),
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
