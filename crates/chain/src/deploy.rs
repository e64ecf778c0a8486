// SPDX-License-Identifier: Apache-2.0
//! Puts the contracts on a chain.

use std::time::Duration;

use alloy::{
    primitives::{Address, B256, Bytes, aliases::U40},
    providers::Provider,
    sol_types::SolConstructor,
};

use subrosa_types::price::Prices;

use crate::{
    ChainError, Sender,
    bindings::{AccessManager, SubrosaOracle, SubrosaRegistry},
    code_hash,
    send::{Call, SendError, unrecorded},
};

/// What the contracts are constructed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentParameters {
    /// First administrator of the access manager, and so of the registry.
    pub admin: Address,
    /// Seconds (40 bits) between adding a measurement or a configuration and its activation.
    pub activation_delay: u64,
    /// Longest lease of a signer, seconds (40 bits).
    pub maximum_lease: u64,
    /// For how long an epoch's opening cannot be replaced, seconds (40 bits).
    pub opening_timeout: u64,
    /// For how long what was lifted cannot be suspended again, seconds (40 bits).
    pub suspension_cooldown: u64,
    /// How much gas is what, for good.
    pub prices: Prices,
}

/// Where the contracts are, and what a configuration pins of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deployment {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// OpenZeppelin's `AccessManager`.
    pub access_manager: Address,
    /// `SubrosaRegistry`.
    pub registry: Address,
    /// keccak256 of the registry's code.
    pub registry_code_hash: B256,
    /// `SubrosaOracle`.
    pub oracle: Address,
    /// keccak256 of the oracle's code.
    pub oracle_code_hash: B256,
    /// Block of the oracle's deployment: its log begins here.
    pub block: u64,
}

/// Deploys access manager, registry and oracle, one after another, with the sender's key.
///
/// # Errors
///
/// [`SendError`] if a transaction cannot be sent, reverts or is not mined in two minutes; what was
/// deployed before stays on the chain, unused.
pub async fn deploy(
    sender: &Sender,
    parameters: DeploymentParameters,
) -> Result<Deployment, SendError> {
    let (access_manager, _) = create(
        sender,
        &AccessManager::BYTECODE,
        AccessManager::constructorCall {
            initialAdmin: parameters.admin,
        },
    )
    .await?;
    let (registry, _) = create(
        sender,
        &SubrosaRegistry::BYTECODE,
        SubrosaRegistry::constructorCall {
            authority_: access_manager,
            activationDelay_: U40::saturating_from(parameters.activation_delay),
            maximumLease_: U40::saturating_from(parameters.maximum_lease),
            openingTimeout_: U40::saturating_from(parameters.opening_timeout),
            suspensionCooldown_: U40::saturating_from(parameters.suspension_cooldown),
        },
    )
    .await?;
    let (oracle, block) = create(
        sender,
        &SubrosaOracle::BYTECODE,
        SubrosaOracle::constructorCall {
            registry_: registry,
            prices_: parameters.prices.into(),
        },
    )
    .await?;
    let provider = sender.provider();
    Ok(Deployment {
        chain_id: sender.chain_id(),
        access_manager,
        registry,
        registry_code_hash: code_hash(provider, registry).await?,
        oracle,
        oracle_code_hash: code_hash(provider, oracle).await?,
        block,
    })
}

/// Longest wait for one of the three transactions.
const DEPLOYMENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Creates one contract; its address and block.
async fn create(
    sender: &Sender,
    bytecode: &Bytes,
    constructor: impl SolConstructor,
) -> Result<(Address, u64), SendError> {
    let input = [bytecode.as_ref(), &constructor.abi_encode()].concat();
    let mut pending = sender
        .send(Call::create(input.into()), unrecorded())
        .await?;
    let receipt = pending.receipt(DEPLOYMENT_TIMEOUT).await?;
    match (
        receipt.status(),
        receipt.contract_address,
        receipt.block_number,
    ) {
        (true, Some(address), Some(block)) => Ok((address, block)),
        _ => Err(SendError::Reverted(format!(
            "transaction {}",
            receipt.transaction_hash
        ))),
    }
}

impl Deployment {
    /// Checks that the chain behind `provider` has these contracts.
    ///
    /// # Errors
    ///
    /// [`ChainError::Inconsistent`] naming what differs, [`ChainError::NoContract`],
    /// [`ChainError::Rpc`].
    pub async fn check(&self, provider: &impl Provider) -> Result<(), ChainError> {
        if provider.get_chain_id().await? != self.chain_id {
            return Err(ChainError::Inconsistent("the node is on another chain"));
        }
        if code_hash(provider, self.registry).await? != self.registry_code_hash {
            return Err(ChainError::Inconsistent("the registry has other code"));
        }
        if code_hash(provider, self.oracle).await? != self.oracle_code_hash {
            return Err(ChainError::Inconsistent("the oracle has other code"));
        }
        let registry = SubrosaOracle::new(self.oracle, provider)
            .registry()
            .call()
            .await?;
        if registry != self.registry {
            return Err(ChainError::Inconsistent("the oracle has another registry"));
        }
        Ok(())
    }
}
