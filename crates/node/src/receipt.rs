// SPDX-License-Identifier: Apache-2.0
//! Signatures read back from calldata: what was signed, and by whom.
//!
//! A fulfilled entry's receipt is made from the transaction that fulfilled it, whoever sent it, so
//! nothing about it can be lost with a host.

use alloy_primitives::{Address, B256, Signature, keccak256};
use subrosa_store::Receipt;
use subrosa_types::{
    ContractId,
    abi::{Fulfillment, FulfillmentGroup, FulfillmentItem, Outcome, SignedResults},
    eip712,
    result::{Head, result_hash, unpack_result},
};

/// The chain and the oracle that signatures are bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
}

/// What a fulfillment's signature is over, and who made it. `digest_of` gives the digests of log
/// entries; `None` if it lacks one, or if the calldata is not what an enclave signed.
pub(crate) fn read(
    place: Place,
    fulfillment: &Fulfillment,
    digest_of: impl Fn(ContractId, u64) -> Option<B256>,
) -> Option<Receipt> {
    let mut result_hashes = Vec::new();
    for group in &fulfillment.groups {
        extend(&mut result_hashes, group, &digest_of)?;
    }
    let signed = SignedResults {
        resultHashes: result_hashes,
        anchorNumber: fulfillment.anchorNumber,
        anchorHash: fulfillment.anchorHash,
        configHash: fulfillment.configHash,
        measurementId: fulfillment.measurementId,
        keyGroup: fulfillment.keyGroup,
        keyEpoch: fulfillment.keyEpoch,
    };
    let domain = eip712::oracle_domain(place.chain_id, place.oracle);
    let compact = [fulfillment.r.0, fulfillment.vs.0].concat();
    let signature = Signature::from_erc2098(&compact);
    let signer = signature
        .recover_address_from_prehash(&eip712::signing_hash(&signed, &domain))
        .ok()?;
    Some(Receipt {
        signed,
        r: fulfillment.r,
        vs: fulfillment.vs,
        signer,
    })
}

/// The entries whose digests [`read`] asks for.
pub(crate) fn entries(fulfillment: &Fulfillment) -> impl Iterator<Item = (ContractId, u64)> {
    fulfillment.groups.iter().flat_map(|group| {
        let start = Head::unpack(group.start).seq;
        let seqs = (start..).take(group.items.len());
        seqs.map(|seq| (group.contractId, seq))
    })
}

fn extend(
    hashes: &mut Vec<B256>,
    group: &FulfillmentGroup,
    digest_of: &impl Fn(ContractId, u64) -> Option<B256>,
) -> Option<()> {
    let mut before = Head::unpack(group.start);
    for item in &group.items {
        let digest = digest_of(group.contractId, before.seq)?;
        let (commitment, ..) = unpack_result(item.result);
        let outcome = outcome(item)?.hash();
        hashes.push(result_hash(digest, outcome, before.commitment, commitment));
        before = Head {
            seq: before.seq.checked_add(1)?,
            commitment,
        };
    }
    Some(())
}

/// The outcome that an item states.
fn outcome(item: &FulfillmentItem) -> Option<Outcome> {
    let (_, status, fuel_bucket, length) = unpack_result(item.result);
    let (output, sealed) = item.data.split_at_checked(length as usize)?;
    Some(Outcome {
        status,
        outputHash: keccak256(output),
        sealedOutputHash: keccak256(sealed),
        fuelBucket: fuel_bucket,
    })
}

#[cfg(test)]
mod tests {
    use alloy::signers::{SignerSync, local::PrivateKeySigner};
    use alloy_primitives::{Bytes, U256};
    use subrosa_types::result::pack_result;

    use super::*;

    const PLACE: Place = Place {
        chain_id: 31_337,
        oracle: Address::repeat_byte(9),
    };

    fn commitment(seq: u64) -> B256 {
        let mut word = B256::repeat_byte(seq as u8 + 1);
        word.0[26..].fill(0);
        word
    }

    fn digest(_: ContractId, seq: u64) -> Option<B256> {
        Some(B256::repeat_byte(0x80 + seq as u8))
    }

    fn item(seq: u64, output: &'static [u8], sealed: &'static [u8]) -> FulfillmentItem {
        FulfillmentItem {
            executionHash: B256::ZERO,
            settlement: U256::ZERO,
            payment: U256::ZERO,
            result: pack_result(commitment(seq + 1), 1, 17, output.len() as u32),
            data: Bytes::from([output, sealed].concat()),
        }
    }

    /// Two items of one contract, signed the way an enclave signs them.
    fn signed() -> (Fulfillment, Address) {
        let outcome = |output: &[u8], sealed: &[u8]| Outcome {
            status: 1,
            outputHash: keccak256(output),
            sealedOutputHash: keccak256(sealed),
            fuelBucket: 17,
        };
        let hash = |seq: u64, outcome: Outcome| {
            let digest = digest(B256::ZERO, seq).unwrap();
            result_hash(digest, outcome.hash(), commitment(seq), commitment(seq + 1))
        };
        let message = SignedResults {
            resultHashes: vec![
                hash(4, outcome(b"public", b"sealed")),
                hash(5, outcome(b"", b"")),
            ],
            anchorNumber: 7,
            anchorHash: B256::repeat_byte(1),
            configHash: B256::repeat_byte(2),
            measurementId: B256::repeat_byte(3),
            keyGroup: 1,
            keyEpoch: 2,
        };
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(5)).unwrap();
        let domain = eip712::oracle_domain(PLACE.chain_id, PLACE.oracle);
        let signature = key
            .sign_hash_sync(&eip712::signing_hash(&message, &domain))
            .unwrap();
        let compact = signature.as_erc2098();
        let start = Head {
            seq: 4,
            commitment: commitment(4),
        };
        let fulfillment = Fulfillment {
            groups: vec![FulfillmentGroup {
                contractId: B256::ZERO,
                start: start.pack(),
                previousDigest: B256::ZERO,
                items: vec![item(4, b"public", b"sealed"), item(5, b"", b"")],
            }],
            anchorNumber: message.anchorNumber,
            anchorHash: message.anchorHash,
            configHash: message.configHash,
            measurementId: message.measurementId,
            keyGroup: message.keyGroup,
            keyEpoch: message.keyEpoch,
            r: B256::from_slice(&compact[..32]),
            vs: B256::from_slice(&compact[32..]),
        };
        (fulfillment, key.address())
    }

    #[test]
    fn the_signer_is_recovered_from_calldata_alone() {
        let (fulfillment, signer) = signed();
        let receipt = read(PLACE, &fulfillment, digest).unwrap();
        assert_eq!(receipt.signer, signer);
        assert_eq!(receipt.signed.resultHashes.len(), 2);
    }

    #[test]
    fn any_change_of_what_was_signed_gives_another_signer() {
        let changes: [fn(&mut Fulfillment); 6] = [
            |f| f.anchorNumber += 1,
            |f| f.keyEpoch += 1,
            |f| f.groups[0].start += U256::from(1),
            |f| f.groups[0].items[0].data = Bytes::from_static(b"publicSealed"),
            |f| f.groups[0].items[1].result ^= U256::from(1) << 40,
            |f| f.groups[0].items.truncate(1),
        ];
        let (original, signer) = signed();
        for change in changes {
            let mut fulfillment = original.clone();
            change(&mut fulfillment);
            let receipt = read(PLACE, &fulfillment, digest);
            assert!(receipt.is_none_or(|receipt| receipt.signer != signer));
        }
    }

    #[test]
    fn an_unknown_entry_or_an_impossible_length_gives_no_receipt() {
        let (mut fulfillment, _) = signed();
        assert!(
            read(PLACE, &fulfillment, |_, seq| digest(B256::ZERO, seq)
                .filter(|_| seq != 5))
            .is_none()
        );
        fulfillment.groups[0].items[0].result = pack_result(commitment(5), 1, 17, 1_000);
        assert!(read(PLACE, &fulfillment, digest).is_none());
    }
}
