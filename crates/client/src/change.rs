// SPDX-License-Identifier: Apache-2.0
//! What a contract's owner can change: its code, its key epoch, its runtime.

use alloy_primitives::{B256, aliases::U48};
use serde::Serialize;
use subrosa_types::{ContractId, price::Asked, result::Status, rpc::DeployRequest};

use crate::{
    Account, Attested, Bytecode, CallTarget, ClientError, Connection, Fulfilled, Sealing, Ticket,
    UpgradeTerms, WaitOptions, random, request::DEADLINE_MARGIN,
};

/// An upgraded contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgraded {
    /// The contract that was upgraded.
    pub contract: ContractId,
    /// What the chain knows of the code that runs now.
    pub code_commitment: B256,
    /// Transaction that appended the upgrade.
    pub appended: B256,
    /// The result of its entry.
    pub fulfilled: Fulfilled,
}

/// Draws the salt of a code commitment. Whoever knows it, the code and the arguments can check the
/// commitment, so it is secret if the code is guessable.
///
/// # Errors
///
/// [`ClientError::Randomness`].
pub fn code_salt() -> Result<B256, ClientError> {
    Ok(B256::from(*random::bytes()?))
}

impl Connection {
    /// Whether and when a contract's code can change. To be read before its code is relied on.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError).
    pub async fn upgrade_terms(&self, contract: ContractId) -> Result<UpgradeTerms, ClientError> {
        // An unknown contract has no terms either.
        self.chain.log(contract).await?;
        Ok(self.chain.upgrade_terms(contract).await?)
    }

    /// Announces other code for a contract by its commitment; zero withdraws what is announced.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotUpgradable`], and [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn announce_upgrade(
        &self,
        contract: ContractId,
        code_commitment: B256,
        account: &Account,
    ) -> Result<UpgradeTerms, ClientError> {
        if self.upgrade_terms(contract).await?.delay == 0 {
            return Err(ClientError::NotUpgradable(contract));
        }
        let oracle = self.chain.oracle_as(account);
        let transaction = oracle.announceUpgrade(contract, code_commitment);
        self.chain
            .send("announcing an upgrade", transaction)
            .await?;
        self.upgrade_terms(contract).await
    }

    /// Appends an entry that moves a contract to a later runtime generation. Pending entries that
    /// no enclave can execute in their own are executed in it.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses.
    pub async fn change_runtime(
        &self,
        contract: ContractId,
        generation: u16,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let fee = self
            .quote(
                contract,
                &Asked {
                    input: CHANGE_BYTES,
                    ..Asked::default()
                },
            )
            .await?;
        let oracle = self.chain.oracle_as(account);
        let transaction = oracle.changeRuntime(contract, generation).value(fee);
        let step = "changing the runtime";
        let receipt = self.chain.send(step, transaction).await?;
        self.ticket(step, contract, &receipt).await
    }

    /// The current key epoch of a contract's group, which [`Connection::advance_epoch`] moves it to.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the chain gives no answer.
    pub async fn current_epoch(&self, contract: ContractId) -> Result<u32, ClientError> {
        let group = self.chain.log(contract).await?.key_group;
        Ok(self.chain.current_epoch(group).await?)
    }

    /// Appends an entry that moves a contract to its key group's current epoch, which must be
    /// `epoch`: the one whose keys the owner has examined.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses, as it does if another epoch is
    /// current by then.
    pub async fn advance_epoch(
        &self,
        contract: ContractId,
        epoch: u32,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let fee = self
            .quote(
                contract,
                &Asked {
                    input: CHANGE_BYTES,
                    ..Asked::default()
                },
            )
            .await?;
        let oracle = self.chain.oracle_as(account);
        let transaction = oracle.advanceEpoch(contract, epoch).value(fee);
        let step = "advancing the epoch";
        let receipt = self.chain.send(step, transaction).await?;
        self.ticket(step, contract, &receipt).await
    }

    /// Appends the announced upgrade.
    async fn append_upgrade(
        &self,
        contract: ContractId,
        commitment: B256,
        fuel_limit: u64,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let terms = self.upgrade_terms(contract).await?;
        let announced = terms.announced.map(|announced| announced.code_commitment);
        if announced != Some(commitment) {
            return Err(ClientError::NotAnnounced {
                contract,
                code_commitment: commitment,
            });
        }
        let log = self.chain.log(contract).await?;
        let margin = u64::from(log.minimum_deadline).saturating_add(DEADLINE_MARGIN);
        let deadline = U48::saturating_from(self.clock.now().saturating_add(margin));
        let asked = Asked {
            input: CHANGE_BYTES,
            fuel: fuel_limit,
            ..Asked::default()
        };
        let fee = self.quote(contract, &asked).await?;
        let oracle = self.chain.oracle_as(account);
        let transaction = oracle.upgrade(contract, fuel_limit, deadline).value(fee);
        let receipt = self.chain.send("upgrading", transaction).await?;
        self.ticket("upgrading", contract, &receipt).await
    }
}

/// An upgrade to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The contract.
    pub contract: ContractId,
    /// The new code. Its constructor runs on what the contract stores.
    pub bytecode: Bytecode,
    /// Salt of the commitment that was announced.
    pub salt: B256,
    /// Fuel of the constructor.
    pub fuel_limit: u64,
    /// Position of the upgrade, if it is on the log already and waits for its code.
    pub appended: Option<u64>,
}

impl Attested {
    /// Appends an announced upgrade, hands in its code envelope, and waits until the oracle has
    /// accepted the result of its constructor.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotAnnounced`] for other code than was announced;
    /// [`ClientError::Unsuccessful`] if the constructor failed, after which the old code runs on;
    /// [`ClientError::NotFulfilled`], after which the upgrade may still be executed.
    pub async fn upgrade(
        &self,
        upgrade: &Upgrade,
        account: &Account,
        wait: WaitOptions,
    ) -> Result<Upgraded, ClientError> {
        self.recheck().await?;
        self.fresh()?;
        let (connection, contract) = (self.connection(), upgrade.contract);
        self.check_contract(contract).await?;
        let code_commitment = upgrade.bytecode.commitment(upgrade.salt);
        let ticket = match upgrade.appended {
            Some(seq) => connection.find(contract, seq).await?,
            None => {
                connection
                    .append_upgrade(contract, code_commitment, upgrade.fuel_limit, account)
                    .await?
            }
        };
        tracing::info!(%contract, seq = ticket.seq, "upgrade appended");

        self.hand_in_upgrade(upgrade, Some(ticket.seq), account, Sealing::default(), wait)
            .await?;

        let fulfilled = connection.wait(&ticket, wait).await?;
        if fulfilled.status != Status::Succeeded {
            return Err(ClientError::Unsuccessful {
                contract,
                seq: fulfilled.seq,
                status: fulfilled.status,
            });
        }
        Ok(Upgraded {
            contract,
            code_commitment,
            appended: ticket.transaction,
            fulfilled,
        })
    }

    /// Hands in the code envelope of an upgrade, sealed for its owner: to the entry at `seq`, or
    /// ahead of the log if it is only announced. It must then still be in the attested epoch
    /// and within `sealing.lifetime` when it is appended.
    ///
    /// # Errors
    ///
    /// [`NodeError::Refused`](crate::NodeError::Refused) if the enclave refuses it, or it is not
    /// announced.
    pub async fn hand_in_upgrade(
        &self,
        upgrade: &Upgrade,
        seq: Option<u64>,
        owner: &Account,
        sealing: Sealing,
        wait: WaitOptions,
    ) -> Result<(), ClientError> {
        let target = CallTarget {
            contract: upgrade.contract,
            requester: owner.address(),
            context: B256::ZERO,
        };
        let plaintext = upgrade.bytecode.plaintext(upgrade.salt);
        let request = DeployRequest {
            contract: upgrade.contract,
            code_envelope: self.seal(&target, plaintext, sealing)?.envelope,
            seq,
            code_commitment: Some(upgrade.bytecode.commitment(upgrade.salt)),
        };
        self.hand_in(&request, wait).await
    }
}

/// The longest input of an entry that changes what later ones mean.
const CHANGE_BYTES: u64 = 96;
