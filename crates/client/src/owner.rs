// SPDX-License-Identifier: Apache-2.0
//! What a contract's owner says about requests: prices, who may ask, how many must sign, who owns it next.

use alloy_primitives::{Address, B256, U256, aliases::U24};
use serde::Serialize;
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_types::{
    ContractId, decimal::Decimal, entry::LARGEST_CALLBACK_GAS, log::LogWord, slot,
    threshold::Threshold,
};

use crate::{Account, ClientError, Connection, chain::contract};

/// A contract's policy, as its owner can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The owner's charge for a request that is answered in time, gwei; rounded up to five digits.
    pub charge_gwei: u64,
    /// Gas is priced at the base fee times this, in sixteenths.
    pub base_fee_sixteenths: u8,
    /// But at least at this, wei; rounded up to four digits.
    pub gas_price_floor: u64,
    /// Least time between a request and its deadline, seconds (24 bits).
    pub minimum_deadline: u32,
    /// Largest callback gas limit a request may name; at most [`LARGEST_CALLBACK_GAS`].
    pub maximum_callback_gas: u32,
    /// Whether only the owner and the callers it names may append requests.
    pub restricted: bool,
    /// Whether no requests are taken.
    pub paused: bool,
}

/// What of a policy is changed; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// See [`Policy::charge_gwei`].
    pub charge_gwei: Option<u64>,
    /// See [`Policy::base_fee_sixteenths`].
    pub base_fee_sixteenths: Option<u8>,
    /// See [`Policy::gas_price_floor`].
    pub gas_price_floor: Option<u64>,
    /// See [`Policy::minimum_deadline`].
    pub minimum_deadline: Option<u32>,
    /// See [`Policy::maximum_callback_gas`].
    pub maximum_callback_gas: Option<u32>,
    /// See [`Policy::restricted`].
    pub restricted: Option<bool>,
    /// See [`Policy::paused`].
    pub paused: Option<bool>,
}

/// Who owns a contract, and on which terms it takes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerTerms {
    /// The contract.
    pub contract: ContractId,
    /// Its owner.
    pub owner: Address,
    /// Whom it is offered to.
    pub candidate: Option<Address>,
    /// Its policy.
    pub policy: Policy,
    /// How many must sign.
    pub threshold: Threshold,
}

impl Policy {
    fn of(log: &LogWord) -> Self {
        Self {
            charge_gwei: saturated(log.charge_gwei()),
            base_fee_sixteenths: log.base_fee_sixteenths,
            gas_price_floor: saturated(Decimal::unpack(log.gas_price_floor.into())),
            minimum_deadline: log.minimum_deadline,
            maximum_callback_gas: log.maximum_callback_gas,
            restricted: log.restricted,
            paused: log.paused,
        }
    }

    fn changed(self, change: &PolicyChange) -> Self {
        Self {
            charge_gwei: change.charge_gwei.unwrap_or(self.charge_gwei),
            base_fee_sixteenths: change
                .base_fee_sixteenths
                .unwrap_or(self.base_fee_sixteenths),
            gas_price_floor: change.gas_price_floor.unwrap_or(self.gas_price_floor),
            minimum_deadline: change.minimum_deadline.unwrap_or(self.minimum_deadline),
            maximum_callback_gas: change
                .maximum_callback_gas
                .unwrap_or(self.maximum_callback_gas),
            restricted: change.restricted.unwrap_or(self.restricted),
            paused: change.paused.unwrap_or(self.paused),
        }
    }
}

impl From<Policy> for SubrosaOracle::Policy {
    fn from(policy: Policy) -> Self {
        Self {
            chargeGwei: policy.charge_gwei,
            baseFeeSixteenths: policy.base_fee_sixteenths,
            gasPriceFloor: policy.gas_price_floor,
            minimumDeadline: U24::saturating_from(policy.minimum_deadline),
            maximumCallbackGas: U24::saturating_from(policy.maximum_callback_gas),
            restricted: policy.restricted,
            paused: policy.paused,
        }
    }
}

impl Connection {
    /// Who owns a contract, and on which terms it takes requests.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError).
    pub async fn owner_terms(&self, contract: ContractId) -> Result<OwnerTerms, ClientError> {
        let log = self.chain.log(contract).await?;
        let step = "reading a contract's owner";
        let owner = self.chain.oracle().ownerOf(contract).call().await;
        let owner = owner.map_err(self::contract(step))?;
        let candidate = self.word(slot::candidate(contract)).await?;
        let candidate = Address::from_word(candidate);
        let newest = self.chain.block_number().await?;
        let now = self.chain.timestamp(newest).await?.unwrap_or_default();
        let threshold = self.word(slot::threshold(contract)).await?;
        Ok(OwnerTerms {
            contract,
            owner,
            candidate: (!candidate.is_zero()).then_some(candidate),
            policy: Policy::of(&log),
            threshold: Threshold::of(threshold, now),
        })
    }

    /// Whether an account may append requests to a contract that is restricted: the owner may, and whom it named.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError).
    pub async fn is_caller(
        &self,
        contract: ContractId,
        account: Address,
    ) -> Result<bool, ClientError> {
        let named = self.word(slot::caller(contract, account)).await?;
        Ok(!named.is_zero() || self.owner_terms(contract).await?.owner == account)
    }

    /// Changes some of a contract's policy. Only for its owner.
    ///
    /// # Errors
    ///
    /// [`ClientError::CallbackGasTooHigh`]; [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn set_policy(
        &self,
        contract: ContractId,
        change: &PolicyChange,
        account: &Account,
    ) -> Result<OwnerTerms, ClientError> {
        let policy = Policy::of(&self.chain.log(contract).await?).changed(change);
        if policy.maximum_callback_gas > LARGEST_CALLBACK_GAS {
            return Err(ClientError::CallbackGasTooHigh {
                found: policy.maximum_callback_gas,
                most: LARGEST_CALLBACK_GAS,
            });
        }
        let oracle = self.chain.oracle_as(account);
        let call = oracle.setPolicy(contract, policy.into());
        self.chain.send("changing a policy", call).await?;
        self.owner_terms(contract).await
    }

    /// Lets an account append requests to a restricted contract, or no longer. Only for its owner.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn set_caller(
        &self,
        contract: ContractId,
        caller: Address,
        allowed: bool,
        account: &Account,
    ) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.setCaller(contract, caller, allowed);
        self.chain.send("naming a caller", call).await.map(drop)
    }

    /// Offers a contract to another account; zero withdraws the offer. Only for its owner.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn transfer_ownership(
        &self,
        contract: ContractId,
        candidate: Address,
        account: &Account,
    ) -> Result<OwnerTerms, ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.transferOwnership(contract, candidate);
        self.chain.send("offering a contract", call).await?;
        self.owner_terms(contract).await
    }

    /// Takes a contract that was offered to `account`.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn accept_ownership(
        &self,
        contract: ContractId,
        account: &Account,
    ) -> Result<OwnerTerms, ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.acceptOwnership(contract);
        self.chain.send("taking a contract", call).await?;
        self.owner_terms(contract).await
    }

    /// Asks for more signers, at once, or for fewer, once the contract's upgrade delay is over. Only for its owner.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn set_threshold(
        &self,
        contract: ContractId,
        signers: u8,
        kinds: u8,
        account: &Account,
    ) -> Result<OwnerTerms, ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.setThreshold(contract, signers, kinds);
        self.chain.send("changing a threshold", call).await?;
        self.owner_terms(contract).await
    }

    /// Gives up a contract that was registered to be abandoned once its key epoch is retired, as it must be.
    /// Anyone may.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn abandon(
        &self,
        contract: ContractId,
        account: &Account,
    ) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.abandon(contract);
        self.chain
            .send("abandoning a contract", call)
            .await
            .map(drop)
    }

    async fn word(&self, slot: B256) -> Result<B256, ClientError> {
        let word = self.chain.oracle().extsload(slot).call().await;
        Ok(word.map_err(self::contract("reading the oracle's storage"))?)
    }
}

fn saturated(value: U256) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        let policy = Policy {
            charge_gwei: 5,
            base_fee_sixteenths: 24,
            gas_price_floor: 7,
            minimum_deadline: 60,
            maximum_callback_gas: 9,
            restricted: true,
            paused: false,
        };
        assert_eq!(policy.changed(&PolicyChange::default()), policy);
        let paused = PolicyChange {
            paused: Some(true),
            ..PolicyChange::default()
        };
        assert_eq!(
            policy.changed(&paused),
            Policy {
                paused: true,
                ..policy
            }
        );
    }
}
