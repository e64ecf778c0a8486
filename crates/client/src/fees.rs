// SPDX-License-Identifier: Apache-2.0
//! What requests cost, and what becomes of their fees.

use alloy_primitives::{Address, U256};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_types::{
    ContractId,
    abi::Entry,
    decimal::Decimal,
    entry::Settlement,
    log::LogWord,
    outstanding::Outstanding,
    price::{Asked, LANDING_BYTES, Parts},
};

use crate::{
    Account, ChainError, ClientError, Connection, ContractPolicy, chain::contract,
    deploy::COMMITMENT_BYTES,
};

impl Connection {
    /// What a request costs, wei, with a margin for the base fee to rise for two blocks before it is mined.
    /// What it turns out to be too much goes to whoever lands the result.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn quote(&self, contract: ContractId, asked: &Asked) -> Result<U256, ClientError> {
        let log = self.chain.log(contract).await?;
        Ok(self.parts(&log, asked).await?.wei())
    }

    /// What entry 0 of a contract costs, wei, with the same margin.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn quote_registration(&self, policy: &ContractPolicy) -> Result<U256, ClientError> {
        let log = LogWord {
            base_fee_sixteenths: policy.base_fee_sixteenths,
            gas_price_floor: Decimal::FLOOR.pack(self.gas_price_floor(policy).await?) as u16,
            charge: Decimal::CHARGE.pack(policy.charge_gwei) as u32,
            further_signers: policy.signers.saturating_sub(1),
            ..LogWord::default()
        };
        let asked = Asked {
            input: COMMITMENT_BYTES,
            fuel: policy.fuel_limit,
            ..Asked::default()
        };
        Ok(self.parts(&log, &asked).await?.wei())
    }

    /// The floor that a policy names, or that the network's price of gas makes.
    pub(crate) async fn gas_price_floor(&self, policy: &ContractPolicy) -> Result<u64, ChainError> {
        match policy.gas_price_floor {
            Some(floor) => Ok(floor),
            None => {
                let floor = self.chain.gas_price().await?.saturating_mul(3) / 2;
                Ok(u64::try_from(floor).unwrap_or(u64::MAX))
            }
        }
    }

    async fn parts(&self, log: &LogWord, asked: &Asked) -> Result<Parts, ChainError> {
        let base_fee = self.chain.base_fee().await?;
        let risen = base_fee.saturating_mul(81) / 64 + 1;
        // With the same margin: where data has a price it moves as the other chain's base fee does.
        let bytes = U256::from(LANDING_BYTES.saturating_add(asked.output));
        let data_fee = self.chain.data_price().await?.saturating_mul(bytes);
        let asked = Asked {
            data_fee: asked
                .data_fee
                .max(data_fee * U256::from(81) / U256::from(64)),
            ..*asked
        };
        Ok(self.chain.prices().await?.parts(log, risen, &asked))
    }

    /// Tops up the landing part of a pending entry, by so many wei (whole gwei).
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the oracle refuses.
    pub async fn add_fee(
        &self,
        contract: ContractId,
        seq: u64,
        wei: U256,
        account: &Account,
    ) -> Result<(), ClientError> {
        let entry = self.entry(contract, seq).await?;
        let oracle = self.chain.oracle_as(account);
        let call = oracle.addFee(entry.into()).value(wei);
        self.chain.send("adding to a fee", call).await.map(drop)
    }

    /// Forgoes the callback of a pending entry, whose part is returned. Only for the account that asked.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the oracle refuses.
    pub async fn cancel(&self, entry: &Entry, account: &Account) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.cancel(entry.clone().into());
        self.chain.send("cancelling", call).await.map(drop)
    }

    /// Has returned what can be of an entry's fee: callback part and charge of one that is overdue, or what
    /// is held of one that was executed late or whose callback failed.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the oracle refuses: it is too early, or nothing is left.
    pub async fn refund(&self, entry: &Entry, account: &Account) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        match self.outstanding(entry).await? {
            Some(outstanding) => {
                let call = oracle.refundExecuted(entry.clone().into(), outstanding.into());
                self.chain.send("taking a fee back", call).await.map(drop)
            }
            None => {
                let call = oracle.refund(entry.clone().into());
                self.chain.send("taking a fee back", call).await.map(drop)
            }
        }
    }

    /// Has the whole fee returned of an entry that is unexecuted 30 days after its deadline.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the oracle refuses.
    pub async fn reclaim(&self, entry: &Entry, account: &Account) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.reclaim(entry.clone().into());
        self.chain.send("reclaiming a fee", call).await.map(drop)
    }

    /// Makes a callback that failed or came due late, with all the gas there is. `output` is the public one.
    ///
    /// # Errors
    ///
    /// [`ChainError::UnknownEntry`] if nothing is left to be done about the entry; [`ChainError`] if the
    /// oracle refuses or the callback fails again.
    pub async fn retry_callback(
        &self,
        entry: &Entry,
        output: &[u8],
        account: &Account,
    ) -> Result<(), ClientError> {
        let outstanding = self.outstanding(entry).await?;
        let outstanding = outstanding.ok_or(ChainError::UnknownEntry {
            contract: entry.contractId,
            seq: entry.seq(),
        })?;
        let oracle = self.chain.oracle_as(account);
        let output = output.to_vec().into();
        let gas = u64::from(Settlement::unpack(entry.settlement).callback_gas_limit);
        let call = oracle.retryCallback(entry.clone().into(), outstanding.into(), output);
        // An estimate finds the least gas with which it does not revert, which is not all that a callback
        // may need.
        let call = call.gas(gas + gas / 16 + RETRY_GAS).from(account.address());
        let step = "making a callback";
        // With its gas given nothing is estimated, and what reverts would be mined and paid for.
        call.call().await.map_err(contract(step))?;
        self.chain.send(step, call).await.map(drop)
    }

    /// What is left to be done about an executed entry, as the newest event says; `None` if nothing ever was.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn outstanding(&self, entry: &Entry) -> Result<Option<Outstanding>, ClientError> {
        let newest = self.chain.block_number().await?;
        let events: Vec<(SubrosaOracle::EntryOutstanding, _)> =
            self.chain.events(entry.contractId, 0, newest).await?;
        let seq = U256::from(entry.seq());
        let found = events.into_iter().rev().find(|(event, _)| event.seq == seq);
        Ok(found.map(|(event, _)| event.outstanding.into()))
    }

    /// What waits at the oracle for an account, wei.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn waiting(&self, account: Address) -> Result<U256, ClientError> {
        Ok(self.chain.waiting(account).await?)
    }

    /// Sends what waits for `account` at the oracle to `recipient`.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if nothing waits, or the recipient does not take it.
    pub async fn withdraw(&self, recipient: Address, account: &Account) -> Result<(), ClientError> {
        let oracle = self.chain.oracle_as(account);
        let call = oracle.withdraw(recipient);
        self.chain.send("withdrawing", call).await.map(drop)
    }
}

/// Gas of a retry besides the callback's.
const RETRY_GAS: u64 = 250_000;
