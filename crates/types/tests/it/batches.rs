// SPDX-License-Identifier: Apache-2.0
//! Packed batches, and what their signatures are over.

use alloy_primitives::{Address, Bytes, hex};
use serde_json::{Value, json};
use subrosa_types::{
    abi::{CosignedResults, SignedResults},
    batch::{Batch, CompactSignature, Group, Item},
    eip712::{oracle_domain, signing_hash},
    entry::{GWEI, mask_digest},
    result::{Head, ResultWord},
};

use crate::{
    draw::Draw,
    vectors::cases,
    words::{decimal, word},
};

/// One to four signatures, groups and items in them. `packed` is what `fulfill` takes, `resultHashes` those
/// of its items in order, `signed` and `cosigned` what the first signature and the others are over.
pub(crate) fn batches() -> Value {
    let mut draw = Draw::new("batch");
    cases(|index| {
        let (chain_id, oracle) = (draw.bits(63), draw.address());
        let batch = Batch {
            payee: if index == 0 {
                Address::ZERO
            } else {
                draw.address()
            },
            key_group: draw.bits(32) as u32,
            key_epoch: draw.bits(32) as u32,
            signatures: (0..=index)
                .map(|_| CompactSignature {
                    r: draw.word(),
                    vs: draw.word(),
                })
                .collect(),
            groups: (0..=index).map(|count| group(&mut draw, count)).collect(),
        };
        let packed = batch.encode().unwrap();
        assert_eq!(Batch::decode(&packed).as_ref(), Ok(&batch));
        let placed = batch.placed(chain_id, oracle).unwrap();
        let hashes: Vec<_> = placed.iter().map(|placed| placed.result_hash).collect();
        let digests: Vec<_> = placed.iter().map(|placed| placed.digest).collect();
        let first = SignedResults {
            resultHashes: hashes.clone(),
            payee: batch.payee,
        };
        let further = CosignedResults {
            resultHashes: hashes.clone(),
        };
        let domain = oracle_domain(chain_id, oracle);
        let signatures: Vec<_> = batch
            .signatures
            .iter()
            .map(|signature| json!({ "r": signature.r, "vs": signature.vs }))
            .collect();
        json!({
            "chainId": decimal(chain_id), "oracle": oracle, "payee": batch.payee,
            "keyGroup": decimal(batch.key_group), "keyEpoch": decimal(batch.key_epoch),
            "signatures": signatures,
            "groups": batch.groups.iter().map(group_json).collect::<Vec<_>>(),
            "packed": hex::encode_prefixed(packed), "digests": digests, "resultHashes": hashes,
            "signed": signing_hash(&first, &domain), "cosigned": signing_hash(&further, &domain),
        })
    })
}

fn group(draw: &mut Draw, count: usize) -> Group {
    Group {
        contract: draw.word(),
        start: Head {
            seq: draw.bits(40),
            commitment: draw.commitment(),
        },
        previous_digest: mask_digest(draw.word()),
        items: (0..=count).map(|index| item(draw, index)).collect(),
    }
}

fn item(draw: &mut Draw, index: usize) -> Item {
    let (output, sealed) = (draw.bytes(40 * index), draw.bytes(33 * (index % 2)));
    let has_logs = index % 3 == 2;
    let logs = if has_logs {
        draw.bytes(32)
    } else {
        Bytes::new()
    };
    Item {
        execution_hash: draw.word(),
        settlement: draw.uint(),
        landing: draw.bits(48),
        callback: draw.bits(48),
        charge: draw.bits(48) % GWEI,
        result: ResultWord {
            commitment: draw.commitment(),
            status: 1 + (index % 3) as u8,
            fuel_bucket: draw.between(0, 64) as u8,
            has_logs,
            output_length: output.len() as u32,
        },
        data: [output, sealed, logs].concat().into(),
    }
}

fn group_json(group: &Group) -> Value {
    let items: Vec<_> = group.items.iter().map(item_json).collect();
    json!({
        "contractId": group.contract, "start": word(group.start.pack()),
        "previousDigest": group.previous_digest, "items": items,
    })
}

fn item_json(item: &Item) -> Value {
    json!({
        "executionHash": item.execution_hash, "settlement": word(item.settlement),
        "landing": decimal(item.landing), "callback": decimal(item.callback),
        "charge": decimal(item.charge), "result": word(item.result.pack()), "data": item.data,
    })
}
