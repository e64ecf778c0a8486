// SPDX-License-Identifier: Apache-2.0
//! Signatures read back from calldata: what was signed, and by whom.
//!
//! A fulfilled entry's receipt is made from the transaction that fulfilled it, whoever sent it, so
//! nothing about it can be lost with a host.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Signature};
use subrosa_store::Receipt;
use subrosa_types::{
    ContractId,
    abi::{CosignedResults, SignedResults},
    batch::{Batch, CompactSignature},
    eip712,
};

/// What a packed batch's signatures are over, and who made them; `None` if it is none that the oracle
/// takes.
pub(crate) fn read(chain_id: u64, oracle: Address, packed: &[u8]) -> Option<Carried> {
    let batch = Batch::decode(packed).ok()?;
    let placed = batch.placed(chain_id, oracle)?;
    let signed = SignedResults {
        resultHashes: placed.iter().map(|item| item.result_hash).collect(),
        payee: batch.payee,
    };
    let cosigned = CosignedResults {
        resultHashes: signed.resultHashes.clone(),
    };
    let separator = eip712::oracle_domain(chain_id, oracle).hash_struct();
    let further = std::iter::repeat(cosigned.signing_hash(separator));
    let hashes = std::iter::once(signed.signing_hash(separator)).chain(further);
    let signatures = batch.signatures.iter().zip(hashes).map(|(made, hash)| {
        let signature = Signature::from_erc2098(&[made.r.0, made.vs.0].concat());
        let signer = signature.recover_address_from_prehash(&hash).ok()?;
        Some((*made, signer))
    });
    let signatures = signatures.collect::<Option<Vec<(CompactSignature, Address)>>>()?;
    let commitments = placed
        .iter()
        .map(|item| ((item.contract, item.seq), item.item.result.commitment));
    Some(Carried {
        commitments: commitments.collect(),
        receipt: Receipt { signatures, signed },
    })
}

/// What a transaction carried.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    /// The heads' commitments after its entries, of which events have the first bits.
    pub(crate) commitments: BTreeMap<(ContractId, u64), B256>,
    /// What its signatures are over.
    pub(crate) receipt: Receipt,
}

#[cfg(test)]
mod tests {
    use alloy::signers::{SignerSync, local::PrivateKeySigner};
    use alloy_primitives::U256;
    use subrosa_types::{
        batch::{Group, Item},
        result::{Head, ResultWord},
    };

    use super::*;

    const CHAIN: u64 = 31_337;
    const ORACLE: Address = Address::repeat_byte(9);

    fn commitment(seq: u64) -> B256 {
        let mut word = B256::repeat_byte(seq as u8 + 1);
        word.0[26..].fill(0);
        word
    }

    fn item(seq: u64, output: &[u8], sealed: &[u8]) -> Item {
        Item {
            execution_hash: B256::repeat_byte(seq as u8),
            settlement: U256::ZERO,
            landing: 5,
            callback: 0,
            charge: 0,
            result: ResultWord {
                commitment: commitment(seq + 1),
                status: 1,
                fuel_bucket: 17,
                has_logs: false,
                output_length: output.len() as u32,
            },
            data: [output, sealed].concat().into(),
        }
    }

    /// Two items of one contract, signed the way two enclaves sign them.
    fn signed() -> (Batch, [Address; 2]) {
        let unsigned = CompactSignature {
            r: B256::ZERO,
            vs: B256::ZERO,
        };
        let mut batch = Batch {
            payee: Address::repeat_byte(7),
            key_group: 1,
            key_epoch: 2,
            signatures: vec![unsigned; 2],
            groups: vec![Group {
                contract: B256::ZERO,
                start: Head {
                    seq: 4,
                    commitment: commitment(4),
                },
                previous_digest: B256::ZERO,
                items: vec![item(4, b"public", b"sealed"), item(5, b"", b"")],
            }],
        };
        let placed = batch.placed(CHAIN, ORACLE).unwrap();
        let hashes: Vec<_> = placed.iter().map(|item| item.result_hash).collect();
        let separator = eip712::oracle_domain(CHAIN, ORACLE).hash_struct();
        let first = SignedResults {
            resultHashes: hashes.clone(),
            payee: batch.payee,
        };
        let further = CosignedResults {
            resultHashes: hashes,
        };
        let messages = [
            first.signing_hash(separator),
            further.signing_hash(separator),
        ];
        let keys = [5, 6].map(|byte| PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)));
        let keys = keys.map(Result::unwrap);
        for ((signature, key), message) in batch.signatures.iter_mut().zip(&keys).zip(&messages) {
            let compact = key.sign_hash_sync(message).unwrap().as_erc2098();
            *signature = CompactSignature {
                r: B256::from_slice(&compact[..32]),
                vs: B256::from_slice(&compact[32..]),
            };
        }
        (batch, keys.map(|key| key.address()))
    }

    fn signers(batch: &Batch) -> Option<Vec<Address>> {
        let receipt = read(CHAIN, ORACLE, &batch.encode()?)?.receipt;
        Some(
            receipt
                .signatures
                .iter()
                .map(|(_, signer)| *signer)
                .collect(),
        )
    }

    #[test]
    fn the_signers_are_recovered_from_calldata_alone() {
        let (batch, expected) = signed();
        assert_eq!(signers(&batch).unwrap(), expected);
        let receipt = read(CHAIN, ORACLE, &batch.encode().unwrap())
            .unwrap()
            .receipt;
        assert_eq!(receipt.signed.resultHashes.len(), 2);
        assert_eq!(receipt.signed.payee, batch.payee);
    }

    #[test]
    fn any_change_of_what_was_signed_gives_other_signers() {
        let changes: [fn(&mut Batch); 6] = [
            |batch| batch.key_epoch += 1,
            |batch| batch.groups[0].start.seq += 1,
            |batch| batch.groups[0].items[0].data = b"publicSealed".to_vec().into(),
            |batch| batch.groups[0].items[0].landing += 1,
            |batch| batch.groups[0].items[1].result.status = 2,
            |batch| batch.groups[0].items.truncate(1),
        ];
        let (original, expected) = signed();
        for change in changes {
            let mut batch = original.clone();
            change(&mut batch);
            let found = signers(&batch);
            let differs = |found: Vec<Address>| found.iter().zip(&expected).all(|(a, b)| a != b);
            assert!(found.is_none_or(differs));
        }
        let mut stolen = original;
        stolen.payee = Address::repeat_byte(8);
        let found = signers(&stolen).unwrap();
        assert!(found[0] != expected[0] && found[1] == expected[1]);
    }

    #[test]
    fn what_is_no_batch_gives_no_receipt() {
        assert!(read(CHAIN, ORACLE, b"").is_none());
        let packed = signed().0.encode().unwrap();
        assert!(read(CHAIN, ORACLE, &packed[..packed.len() - 1]).is_none());
    }
}
