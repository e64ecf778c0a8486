// SPDX-License-Identifier: Apache-2.0
//! Prepaid accounts, which pay for what one consumer asks.

use alloy::{
    contract::CallBuilder,
    providers::{DynProvider, Provider},
};
use alloy_primitives::{Address, Bytes, U256};
use serde::Serialize;
use subrosa_chain::bindings::SubrosaPrepaid;

use crate::{
    Account, ChainError, ClientError, Connection,
    chain::{contract, transport},
};

/// How a prepaid account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepaid {
    /// Its address: deposits are plain transfers to it.
    pub account: Address,
    /// Who draws on it, for good.
    pub consumer: Address,
    /// Who sets limits and takes back what is left.
    pub owner: Address,
    /// Whom it is offered to.
    pub candidate: Option<Address>,
    /// Wei at most in one draw.
    pub per_request: U256,
    /// Wei at most in one day, from midnight to midnight UTC.
    pub per_day: U256,
    /// Wei that can be drawn today, still, if the account has them.
    pub left_today: U256,
    /// Wei it has.
    pub balance: U256,
    /// Wei that wait for it at the oracle, until they are collected.
    pub waiting: U256,
}

/// What may be drawn, wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrepaidLimits {
    /// At once.
    pub per_request: u128,
    /// In one day.
    pub per_day: u128,
}

type Instance = SubrosaPrepaid::SubrosaPrepaidInstance<DynProvider>;

impl Connection {
    /// Deploys a prepaid account for a consumer, with `deposit` wei in it.
    ///
    /// # Errors
    ///
    /// [`ChainError`].
    pub async fn deploy_prepaid(
        &self,
        consumer: Address,
        owner: Address,
        limits: PrepaidLimits,
        deposit: U256,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let step = "deploying a prepaid account";
        let call = SubrosaPrepaid::deploy_builder(
            self.chain.signing(account),
            self.deployment.measured.oracle,
            consumer,
            owner,
            limits.per_request,
            limits.per_day,
        );
        let receipt = self.chain.send(step, call.value(deposit)).await?;
        let address = receipt.contract_address;
        let address = address.ok_or_else(|| {
            let found = format!("transaction {} made no contract", receipt.transaction_hash);
            ChainError::Inconsistent(found)
        })?;
        self.prepaid(address).await
    }

    /// How a prepaid account stands.
    ///
    /// # Errors
    ///
    /// [`ChainError::NotPrepaid`] and [`ChainError::OtherOracle`] if it is none of this deployment's.
    pub async fn prepaid(&self, account: Address) -> Result<Prepaid, ClientError> {
        let instance = self.checked(account, self.chain.provider().clone()).await?;
        let step = "reading a prepaid account";
        let consumer = instance.consumer().call().await.map_err(contract(step))?;
        let owner = instance.owner().call().await.map_err(contract(step))?;
        let candidate = instance.candidate().call().await.map_err(contract(step))?;
        let limits = instance.limits().call().await.map_err(contract(step))?;
        let balance = self.chain.provider().get_balance(account).await;
        Ok(Prepaid {
            account,
            consumer,
            owner,
            candidate: (!candidate.is_zero()).then_some(candidate),
            per_request: U256::from(limits.perRequest),
            per_day: U256::from(limits.perDay),
            left_today: limits.leftToday,
            balance: balance.map_err(transport(step))?,
            waiting: self.chain.waiting(account).await?,
        })
    }

    /// Deposits wei in a prepaid account. Anyone may.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; nothing is sent to what is no prepaid account.
    pub async fn deposit_prepaid(
        &self,
        prepaid: Address,
        wei: U256,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let provider = self.chain.signing(account);
        self.checked(prepaid, provider.clone()).await?;
        let transfer = CallBuilder::new_raw(provider, Bytes::new());
        let transfer = transfer.to(prepaid).value(wei);
        self.chain.send("depositing", transfer).await?;
        self.prepaid(prepaid).await
    }

    /// Sets what may be drawn. Only for the account's owner.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; [`ChainError`] if the account refuses.
    pub async fn set_prepaid_limits(
        &self,
        prepaid: Address,
        limits: PrepaidLimits,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let instance = self.checked(prepaid, self.chain.signing(account)).await?;
        let call = instance.setLimits(limits.per_request, limits.per_day);
        self.chain.send("setting limits", call).await?;
        self.prepaid(prepaid).await
    }

    /// Takes wei back from a prepaid account; all it has if `wei` is `None`. Only for its owner.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; [`ChainError`] if the account refuses.
    pub async fn withdraw_prepaid(
        &self,
        prepaid: Address,
        recipient: Address,
        wei: Option<U256>,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let instance = self.checked(prepaid, self.chain.signing(account)).await?;
        let wei = match wei {
            Some(wei) => wei,
            None => self.prepaid(prepaid).await?.balance,
        };
        let call = instance.withdraw(recipient, wei);
        self.chain.send("withdrawing", call).await?;
        self.prepaid(prepaid).await
    }

    /// Takes in what the oracle keeps for a prepaid account. Anyone may.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; [`ChainError`] if nothing waits.
    pub async fn collect_prepaid(
        &self,
        prepaid: Address,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let instance = self.checked(prepaid, self.chain.signing(account)).await?;
        self.chain.send("collecting", instance.collect()).await?;
        self.prepaid(prepaid).await
    }

    /// Offers a prepaid account to another owner; zero withdraws the offer. Only for its owner.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; [`ChainError`] if the account refuses.
    pub async fn transfer_prepaid(
        &self,
        prepaid: Address,
        candidate: Address,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let instance = self.checked(prepaid, self.chain.signing(account)).await?;
        let call = instance.transferOwnership(candidate);
        self.chain.send("offering a prepaid account", call).await?;
        self.prepaid(prepaid).await
    }

    /// Takes a prepaid account that was offered to `account`.
    ///
    /// # Errors
    ///
    /// As [`Self::prepaid`]; [`ChainError`] if the account refuses.
    pub async fn accept_prepaid(
        &self,
        prepaid: Address,
        account: &Account,
    ) -> Result<Prepaid, ClientError> {
        let instance = self.checked(prepaid, self.chain.signing(account)).await?;
        let call = instance.acceptOwnership();
        self.chain.send("taking a prepaid account", call).await?;
        self.prepaid(prepaid).await
    }

    /// The account, if it is one and asks the deployment's oracle.
    async fn checked(
        &self,
        account: Address,
        provider: DynProvider,
    ) -> Result<Instance, ChainError> {
        let step = "reading a prepaid account";
        let code = self.chain.provider().get_code_at(account).await;
        if code.map_err(transport(step))?.is_empty() {
            return Err(ChainError::NotPrepaid(account));
        }
        let instance = SubrosaPrepaid::new(account, provider);
        let expected = self.deployment.measured.oracle;
        match instance.oracle().call().await {
            Ok(found) if found == expected => Ok(instance),
            Ok(found) => Err(ChainError::OtherOracle {
                account,
                expected,
                found,
            }),
            Err(error) if is_about_the_account(&error) => Err(ChainError::NotPrepaid(account)),
            Err(error) => Err(contract(step)(error)),
        }
    }
}

/// Whether what is there has no such function, rather than the endpoint no answer.
fn is_about_the_account(error: &alloy::contract::Error) -> bool {
    error.as_revert_data().is_some() || !matches!(error, alloy::contract::Error::TransportError(_))
}
