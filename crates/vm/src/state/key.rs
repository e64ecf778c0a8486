// SPDX-License-Identifier: Apache-2.0
//! Keys of a contract's state, and what may stand under them.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, keccak256};

use super::{
    account::AccountRecord,
    codec::{CodecError, InvalidValue, Reader},
    holder::Holder,
};

/// Key of one entry of a contract's state. The order of keys is that of their encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateKey {
    /// One storage slot; its value is a word other than zero. A slot holding zero has no entry.
    Storage {
        /// The account whose storage it is in.
        account: Address,
        /// The slot's number.
        slot: B256,
    },
    /// An account; its value is an [`AccountRecord`].
    Account(Address),
    /// Code by its keccak256; its value is the code, never empty.
    Code(B256),
    /// An envelope that was opened; its value is up to 32 bytes of the enclave's choice.
    Seen {
        /// When the envelope expires, Unix seconds.
        expiry: u64,
        /// Whose envelope it is: the same identifier in another's hands is another envelope.
        holder: Holder,
        /// The envelope's identifier.
        id: [u8; 16],
    },
    /// A session that a call opened; its value is up to 64 bytes of the enclave's choice.
    Session {
        /// Position of the entry that opened it.
        seq: u64,
        /// Whose session it is.
        holder: Holder,
    },
    /// All envelopes and sessions. In write sets alone, where it takes them away: however many there
    /// are, that is one change.
    Kept,
}

impl StateKey {
    /// Appends the encoding: a tag byte (0 storage, 1 account, 2 code, 3 seen, 4 session, 5 kept) and the
    /// fields.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Kept => out.push(TAG_KEPT),
            Self::Storage { account, slot } => {
                out.push(TAG_STORAGE);
                out.extend_from_slice(account.as_slice());
                out.extend_from_slice(slot.as_slice());
            }
            Self::Account(account) => {
                out.push(TAG_ACCOUNT);
                out.extend_from_slice(account.as_slice());
            }
            Self::Code(hash) => {
                out.push(TAG_CODE);
                out.extend_from_slice(hash.as_slice());
            }
            Self::Seen { expiry, holder, id } => {
                out.push(TAG_SEEN);
                out.extend_from_slice(&expiry.to_be_bytes());
                put_holder(out, holder);
                out.extend_from_slice(id);
            }
            Self::Session { seq, holder } => {
                out.push(TAG_SESSION);
                out.extend_from_slice(&seq.to_be_bytes());
                put_holder(out, holder);
            }
        }
    }

    /// Bytes of the encoding.
    pub fn encoded_size(&self) -> usize {
        match self {
            Self::Kept => 1,
            Self::Storage { .. } => 53,
            Self::Account(_) => 21,
            Self::Code(_) => 33,
            Self::Seen { .. } => 65,
            Self::Session { .. } => 49,
        }
    }

    /// Whether `value` may stand under this key.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if it is not of the form that the key's variant documents.
    pub fn accepts(&self, value: &[u8]) -> Result<(), InvalidValue> {
        let ok = match self {
            Self::Storage { .. } => value.len() == 32 && value.iter().any(|byte| *byte != 0),
            Self::Account(_) => AccountRecord::decode(value).is_some(),
            Self::Code(hash) => !value.is_empty() && keccak256(value) == *hash,
            Self::Kept => false,
            Self::Seen { .. } => value.len() <= 32,
            Self::Session { .. } => value.len() <= 64,
        };
        if ok { Ok(()) } else { Err(InvalidValue) }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match reader.byte()? {
            TAG_STORAGE => Self::Storage {
                account: Address::from(reader.array()?),
                slot: B256::from(reader.array()?),
            },
            TAG_ACCOUNT => Self::Account(Address::from(reader.array()?)),
            TAG_CODE => Self::Code(B256::from(reader.array()?)),
            TAG_SEEN => Self::Seen {
                expiry: u64::from_be_bytes(reader.array()?),
                holder: read_holder(reader)?,
                id: reader.array()?,
            },
            TAG_SESSION => Self::Session {
                seq: u64::from_be_bytes(reader.array()?),
                holder: read_holder(reader)?,
            },
            TAG_KEPT => Self::Kept,
            tag => return Err(CodecError::UnknownTag(tag)),
        })
    }
}

/// Requester and user.
fn put_holder(out: &mut Vec<u8>, holder: &Holder) {
    out.extend_from_slice(holder.requester.as_slice());
    out.extend_from_slice(holder.user.as_slice());
}

fn read_holder(reader: &mut Reader<'_>) -> Result<Holder, CodecError> {
    Ok(Holder {
        requester: Address::from(reader.array()?),
        user: Address::from(reader.array()?),
    })
}

const TAG_STORAGE: u8 = 0;
const TAG_ACCOUNT: u8 = 1;
const TAG_CODE: u8 = 2;
const TAG_SEEN: u8 = 3;
const TAG_SESSION: u8 = 4;
const TAG_KEPT: u8 = 5;
