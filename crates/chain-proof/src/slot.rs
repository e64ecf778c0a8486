// SPDX-License-Identifier: Apache-2.0
//! Storage slots of one contract.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::TrieAccount;
use subrosa_types::frame::StorageProof;

use crate::{
    error::ProofError,
    header::{ProvenHeader, verify_header},
    trie,
    trust::HeaderTrust,
};

/// Verifies that `slot` of the contract at `account`, whose code hashes to `code_hash`, holds a
/// nonzero value at the proof's target block.
///
/// # Errors
///
/// [`ProofError`]: as [`verify_header`], then the account's nodes, encoding and code hash, then
/// the slot's nodes and encoding. [`ProofError::AbsentSlot`] if the proof shows that it is empty.
pub fn verify_slot(
    trust: &dyn HeaderTrust,
    proof: &StorageProof,
    account: Address,
    code_hash: B256,
    slot: B256,
) -> Result<ProvenSlot, ProofError> {
    let header = verify_header(trust, &proof.header)?.target();
    verify_slot_at(header, proof, account, code_hash, slot)
}

/// The same at a block that is proven already, in place of the one that the proof brings.
///
/// # Errors
///
/// [`ProofError`], as [`verify_slot`] after the header.
pub fn verify_slot_at(
    header: ProvenHeader,
    proof: &StorageProof,
    account: Address,
    code_hash: B256,
    slot: B256,
) -> Result<ProvenSlot, ProofError> {
    let leaf = trie::value_at(
        header.state_root(),
        keccak256(account),
        &proof.account_proof,
    )
    .map_err(ProofError::Account)?
    .ok_or(ProofError::AbsentAccount)?;
    let found = decode_account(leaf)?;
    if found.code_hash != code_hash {
        return Err(ProofError::CodeHash {
            expected: code_hash,
            found: found.code_hash,
        });
    }
    let leaf = trie::value_at(found.storage_root, keccak256(slot), &proof.slot_proof)
        .map_err(ProofError::Slot)?
        .ok_or(ProofError::AbsentSlot)?;
    Ok(ProvenSlot {
        value: decode_value(leaf)?,
        header,
    })
}

/// What a slot holds at a block, from [`verify_slot`].
///
/// No public constructor: holding one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenSlot {
    value: B256,
    header: ProvenHeader,
}

impl ProvenSlot {
    /// The value; never zero.
    pub fn value(&self) -> B256 {
        self.value
    }

    /// The block after which the slot holds it.
    pub fn header(&self) -> ProvenHeader {
        self.header
    }
}

/// The account's RLP (Yellow Paper, section 4.1): nonce, balance, storage root, code hash.
fn decode_account(leaf: &[u8]) -> Result<TrieAccount, ProofError> {
    let account = TrieAccount::decode(&mut &leaf[..]).map_err(|_| ProofError::MalformedAccount)?;
    if alloy_rlp::encode(account) == leaf {
        Ok(account)
    } else {
        Err(ProofError::MalformedAccount)
    }
}

/// A slot's RLP: its value as an integer without leading zeros; zero is never stored.
fn decode_value(leaf: &[u8]) -> Result<B256, ProofError> {
    let mut rest = leaf;
    match U256::decode(&mut rest) {
        Ok(value) if rest.is_empty() && !value.is_zero() => Ok(B256::from(value)),
        _ => Err(ProofError::MalformedValue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_encoding() {
        let long = [&[0xa0][..], &[0xff; 32]].concat();
        for (leaf, value) in [
            (&[0x01][..], Some(U256::from(1))),
            (&[0x7f], Some(U256::from(0x7f))),
            (&[0x81, 0x80], Some(U256::from(0x80))),
            (&long, Some(U256::MAX)),
            (&[], None),
            (&[0x80], None),
            (&[0x00], None),
            (&[0x81, 0x01], None),
            (&[0x82, 0x00, 0x80], None),
            (&[0x01, 0x01], None),
            (&[0xc0], None),
            (&[0xc1, 0x01], None),
            (&[0xb8, 0x01, 0x80], None),
            (&[&[0xa1][..], &[0xff; 33]].concat(), None),
            (&long[..32], None),
        ] {
            let expected = value.map(B256::from).ok_or(ProofError::MalformedValue);
            assert_eq!(decode_value(leaf), expected, "{leaf:?}");
        }
    }

    #[test]
    fn an_account_has_one_encoding() {
        let account = TrieAccount::new(
            1,
            U256::from(1) << 80,
            B256::repeat_byte(1),
            B256::repeat_byte(2),
        );
        let leaf = alloy_rlp::encode(account);
        assert_eq!(decode_account(&leaf), Ok(account));
        let mut extended = leaf.clone();
        extended.push(0x80);
        let mut fifth_field = extended.clone();
        fifth_field[1] += 1;
        let mut padded_nonce = leaf.clone();
        padded_nonce.splice(2..3, [0x81, 0x01]);
        padded_nonce[1] += 1;
        for malformed in [
            &leaf[..leaf.len() - 1],
            &extended,
            &fifth_field,
            &padded_nonce,
            &[],
        ] {
            assert_eq!(
                decode_account(malformed),
                Err(ProofError::MalformedAccount),
                "{malformed:?}"
            );
        }
    }
}
