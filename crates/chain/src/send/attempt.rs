// SPDX-License-Identifier: Apache-2.0
//! One signed transaction, and what it offers to pay.

use alloy::{
    consensus::TxEnvelope,
    eips::{Decodable2718, eip1559::Eip1559Estimation},
    primitives::{Address, B256, Bytes},
};

use super::{call::Call, error::SendError};

/// A signed transaction that is about to be broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// Its encoding (EIP-2718), as it is broadcast.
    pub raw: Bytes,
    pub(super) fees: Fees,
    pub(super) call: Call,
    pub(super) gas: u64,
}

/// What a transaction offers per gas, in wei (EIP-1559).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fees {
    pub(super) max: u128,
    pub(super) tip: u128,
}

impl From<Eip1559Estimation> for Fees {
    fn from(estimate: Eip1559Estimation) -> Self {
        Self {
            max: estimate.max_fee_per_gas,
            tip: estimate.max_priority_fee_per_gas,
        }
    }
}

impl Fees {
    /// About what a gas costs at the moment: estimates have room for the base fee to double.
    pub(super) fn now(self) -> u128 {
        self.tip + self.max.saturating_sub(self.tip) / 2
    }

    /// The same, within a limit.
    pub(super) fn limited(self, limit: u128) -> Self {
        Self {
            max: self.max.min(limit),
            tip: self.tip.min(limit),
        }
    }

    /// Both at least an eighth higher, as nodes demand of a replacement, and not below `current`.
    /// `None` if that exceeds the limit.
    pub(super) fn raised(self, current: Option<Self>, limit: u128) -> Option<Self> {
        let higher = |fee: u128| fee.saturating_add(fee / 8).saturating_add(1);
        let current = current.unwrap_or(self);
        let tip = higher(self.tip).max(current.tip);
        let max = higher(self.max).max(current.max).max(tip);
        (max <= limit).then_some(Self { max, tip })
    }
}

impl Attempt {
    /// Reads a recorded attempt back.
    ///
    /// # Errors
    ///
    /// [`SendError::Unusable`] unless it is an EIP-1559 transaction of this chain, key and nonce.
    pub(super) fn decode(
        raw: &Bytes,
        chain_id: u64,
        sender: Address,
        nonce: u64,
    ) -> Result<Self, SendError> {
        let mut rest = raw.as_ref();
        let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|_| SendError::Unusable)?;
        let hash = *envelope.tx_hash();
        let TxEnvelope::Eip1559(signed) = envelope else {
            return Err(SendError::Unusable);
        };
        let from = signed
            .signature()
            .recover_address_from_prehash(&signed.signature_hash())
            .map_err(|_| SendError::Unusable)?;
        let tx = signed.tx();
        if !rest.is_empty() || from != sender || tx.chain_id != chain_id || tx.nonce != nonce {
            return Err(SendError::Unusable);
        }
        Ok(Self {
            nonce,
            hash,
            raw: raw.clone(),
            fees: Fees {
                max: tx.max_fee_per_gas,
                tip: tx.max_priority_fee_per_gas,
            },
            call: Call {
                to: tx.to.to().copied(),
                input: tx.input.clone(),
                value: tx.value,
                gas: Some(tx.gas_limit),
                max_fee_per_gas: None,
            },
            gas: tx.gas_limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raise_is_at_least_an_eighth_of_both() {
        for max in [1u128, 7, 8, 1_000_000_007, u64::MAX.into()] {
            for tip in [0, 1, max / 2, max] {
                let fees = Fees { max, tip };
                let raised = fees.raised(None, u128::MAX).unwrap();
                assert!(raised.max * 8 >= max * 9, "{fees:?} {raised:?}");
                assert!(raised.tip * 8 >= tip * 9, "{fees:?} {raised:?}");
                assert!(raised.max >= raised.tip);
                assert_eq!(fees.raised(None, raised.max - 1), None);
            }
        }
        let current = Fees { max: 900, tip: 5 };
        let raised = Fees { max: 100, tip: 10 }.raised(Some(current), 1000);
        assert_eq!(raised, Some(Fees { max: 900, tip: 12 }));
    }
}
