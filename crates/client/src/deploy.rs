// SPDX-License-Identifier: Apache-2.0
//! Deploying a confidential contract.

use std::time::Instant;

use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U24, U48},
};
use backon::{ConstantBuilder, Retryable};
use serde::Serialize;
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_types::{
    ContractId,
    abi::DeployPlaintext,
    config::HeaderTrustKind,
    entry::{FinalityClass, LARGEST_CALLBACK_GAS, RUNTIME_GENERATION},
    id::code_commitment,
    result::Status,
    rpc::DeployRequest,
};

use crate::{
    Account, Attested, CallTarget, ClientError, Fulfilled, NodeError, Sealing, WaitOptions, random,
    request::DEADLINE_MARGIN,
};

/// Bytes of entry 0's input: the code commitment.
pub(crate) const COMMITMENT_BYTES: u64 = 32;

/// Engine number of the EVM.
pub const ENGINE_EVM: u8 = 1;

/// What is deployed. Only its commitment becomes public.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytecode {
    /// [`ENGINE_EVM`].
    pub engine: u8,
    /// Code: for the EVM, creation code.
    pub code: Bytes,
    /// ABI-encoded constructor arguments.
    pub init: Bytes,
}

impl Bytecode {
    /// What the chain knows of it, if `salt` is the commitment's.
    pub fn commitment(&self, salt: B256) -> B256 {
        code_commitment(salt, self.engine, &self.code, &self.init)
    }

    /// What the enclave is told of it.
    pub(crate) fn plaintext(&self, salt: B256) -> DeployPlaintext {
        DeployPlaintext {
            engine: self.engine,
            salt,
            code: self.code.clone(),
            init: self.init.clone(),
            padding: Bytes::new(),
        }
    }
}

impl std::fmt::Debug for Bytecode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Code and arguments are the secret.
        f.debug_struct("Bytecode")
            .field("engine", &self.engine)
            .field("code_bytes", &self.code.len())
            .field("init_bytes", &self.init.len())
            .finish()
    }
}

/// The public policy of a contract's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractPolicy {
    /// How final a block must be before an enclave executes what it holds; `None` takes the one
    /// that the deployment's header trust provides.
    pub finality: Option<FinalityClass>,
    /// Which price table and engine version executes its entries.
    pub runtime_generation: u16,
    /// Whether entries are executed in any order, on no state.
    pub stateless: bool,
    /// Whether only the owner and the callers it names may append requests.
    pub restricted: bool,
    /// Fuel of the constructor.
    pub fuel_limit: u64,
    /// The owner's charge for a request that is answered in time, gwei; rounded up to five digits.
    pub charge_gwei: u64,
    /// Gas is priced at the base fee times this, in sixteenths.
    pub base_fee_sixteenths: u8,
    /// But at least at this, wei; rounded up to four digits. `None` takes one and a half times what the
    /// network asks when the contract is deployed, so that whoever lands results is paid their tip too.
    pub gas_price_floor: Option<u64>,
    /// Whether anyone may abandon the contract once its epoch is retired, rather than advance it.
    pub abandoned_on_retirement: bool,
    /// How many enclaves must sign a result, on distinct machines; zero or one for one.
    pub signers: u8,
    /// How many kinds of TEE must be among them.
    pub kinds: u8,
    /// Seconds between announcing other code and running it; zero if the code never changes. Zero
    /// for a stateless contract.
    pub upgrade_delay: u32,
    /// Least time between a request and its deadline, seconds (24 bits).
    pub minimum_deadline: u32,
    /// Largest callback gas limit a request may name; at most [`LARGEST_CALLBACK_GAS`].
    pub maximum_callback_gas: u32,
    /// Wei to pay for the deployment, all of it; `None` pays what the oracle asks, with a margin for the base
    /// fee to rise.
    pub fee: Option<U256>,
    /// What the deployer asserts in entry 0.
    pub context: B256,
}

impl ContractPolicy {
    /// What the owner may change later.
    fn changeable(&self) -> SubrosaOracle::Policy {
        SubrosaOracle::Policy {
            chargeGwei: self.charge_gwei,
            baseFeeSixteenths: self.base_fee_sixteenths,
            gasPriceFloor: self.gas_price_floor.unwrap_or_default(),
            minimumDeadline: U24::saturating_from(self.minimum_deadline),
            maximumCallbackGas: U24::saturating_from(self.maximum_callback_gas),
            restricted: self.restricted,
            paused: false,
        }
    }
}

impl Default for ContractPolicy {
    /// The newest runtime, stateful, open to everybody, code that never changes, free of charge, gas at one
    /// and a half times the base fee, deadlines from one minute, callbacks up to a million gas.
    fn default() -> Self {
        Self {
            finality: None,
            runtime_generation: RUNTIME_GENERATION,
            stateless: false,
            restricted: false,
            fuel_limit: 30_000_000,
            charge_gwei: 0,
            base_fee_sixteenths: 24,
            gas_price_floor: None,
            abandoned_on_retirement: false,
            signers: 0,
            kinds: 0,
            upgrade_delay: 0,
            minimum_deadline: 60,
            maximum_callback_gas: 1_000_000,
            fee: None,
            context: B256::ZERO,
        }
    }
}

/// A deployed contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// Its id.
    pub contract: ContractId,
    /// Its address inside its virtual machine.
    pub guest_address: Address,
    /// What the chain knows of its code.
    pub code_commitment: B256,
    /// The salt of the commitment: whoever knows it, the code and the arguments can check the
    /// commitment. Secret if the code is guessable.
    pub salt: B256,
    /// Transaction that registered it.
    pub registered: B256,
    /// The result of entry 0.
    pub fulfilled: Fulfilled,
}

impl Attested {
    /// Registers a contract, hands in its code envelope, and waits until the oracle has
    /// accepted the result of its constructor.
    ///
    /// # Errors
    ///
    /// [`ClientError::CallbackGasTooHigh`] before anything is sent;
    /// [`ClientError::Unsuccessful`] if the constructor failed, with the id under which it is
    /// registered; [`ClientError::NotFulfilled`], after which the deployment may still succeed.
    pub async fn deploy(
        &self,
        bytecode: &Bytecode,
        policy: &ContractPolicy,
        account: &Account,
        wait: WaitOptions,
    ) -> Result<Deployed, ClientError> {
        let way = Way::Node;
        self.deploy_by(way, bytecode, policy, account, wait).await
    }

    /// As [`deploy`](Self::deploy), but publishes the code envelope at the deployment's mailbox instead of
    /// handing it in to a node, which is not needed.
    ///
    /// # Errors
    ///
    /// As [`deploy`](Self::deploy); [`MailboxError`](crate::MailboxError).
    pub async fn deploy_through_chain(
        &self,
        bytecode: &Bytecode,
        policy: &ContractPolicy,
        account: &Account,
        wait: WaitOptions,
    ) -> Result<Deployed, ClientError> {
        let way = Way::Chain;
        self.deploy_by(way, bytecode, policy, account, wait).await
    }

    async fn deploy_by(
        &self,
        way: Way,
        bytecode: &Bytecode,
        policy: &ContractPolicy,
        account: &Account,
        wait: WaitOptions,
    ) -> Result<Deployed, ClientError> {
        if policy.maximum_callback_gas > LARGEST_CALLBACK_GAS {
            return Err(ClientError::CallbackGasTooHigh {
                found: policy.maximum_callback_gas,
                most: LARGEST_CALLBACK_GAS,
            });
        }
        self.recheck().await?;
        self.fresh()?;
        let connection = self.connection();
        if let Way::Chain = way {
            // Nothing is registered that cannot be published.
            connection.mailbox().await?;
        }
        let salt = B256::from(*random::bytes()?);
        let commitment = bytecode.commitment(salt);
        let policy = &ContractPolicy {
            gas_price_floor: Some(connection.gas_price_floor(policy).await?),
            ..*policy
        };
        let registration = self.registration(commitment, policy);

        let fee = match policy.fee {
            Some(fee) => fee,
            None => connection.quote_registration(policy).await?,
        };
        let oracle = connection.chain.oracle_as(account);
        let transaction = oracle.register(registration).value(fee);
        let receipt = connection.chain.send("registering", transaction).await?;
        let registered: SubrosaOracle::Registered =
            connection.chain.event("registering", &receipt)?;
        let contract = registered.contractId;
        let ticket = connection.ticket("registering", contract, &receipt).await?;
        tracing::info!(%contract, "registered");

        self.check_contract(contract).await?;
        let target = CallTarget {
            contract,
            requester: account.address(),
            context: policy.context,
        };
        let plaintext = bytecode.plaintext(salt);
        let code_envelope = self.seal(&target, plaintext, Sealing::default())?.envelope;
        match way {
            Way::Node => {
                let request = DeployRequest {
                    contract,
                    code_envelope,
                    seq: None,
                    code_commitment: None,
                };
                self.hand_in(&request, wait).await?;
            }
            Way::Chain => {
                connection
                    .publish_code(contract, &code_envelope, account)
                    .await?;
            }
        }

        let fulfilled = connection.wait(&ticket, wait).await?;
        if fulfilled.status != Status::Succeeded {
            return Err(ClientError::Unsuccessful {
                contract,
                seq: fulfilled.seq,
                status: fulfilled.status,
            });
        }
        Ok(Deployed {
            contract,
            guest_address: subrosa_types::id::guest_address(contract),
            code_commitment: commitment,
            salt,
            registered: ticket.transaction,
            fulfilled,
        })
    }

    /// Hands a code envelope to the node, again while the node says that it has not come so far.
    pub(crate) async fn hand_in(
        &self,
        request: &DeployRequest,
        wait: WaitOptions,
    ) -> Result<(), ClientError> {
        let started = Instant::now();
        let node = &self.connection().node;
        let pauses = ConstantBuilder::default()
            .with_delay(wait.interval)
            .without_max_times();
        (|| node.deploy(request))
            .retry(pauses)
            .when(|error| not_so_far(error) && started.elapsed() < wait.timeout)
            .await?;
        Ok(())
    }

    fn registration(
        &self,
        code_commitment: B256,
        policy: &ContractPolicy,
    ) -> SubrosaOracle::Registration {
        let connection = self.connection();
        let margin = u64::from(policy.minimum_deadline).saturating_add(DEADLINE_MARGIN);
        let deadline = connection.clock.now().saturating_add(margin);
        let finality = policy
            .finality
            .unwrap_or_else(|| finality_of(connection.deployment.measured.header_trust));
        SubrosaOracle::Registration {
            codeCommitment: code_commitment,
            context: policy.context,
            keyGroup: self.epoch_id().group,
            keyEpoch: self.epoch_id().epoch,
            finalityClass: finality as u8,
            runtimeGeneration: policy.runtime_generation,
            stateless: policy.stateless,
            world: false,
            profile: 0,
            abandonedOnRetirement: policy.abandoned_on_retirement,
            fuelLimit: policy.fuel_limit,
            upgradeDelay: policy.upgrade_delay,
            signers: policy.signers,
            kinds: policy.kinds,
            policy: policy.changeable(),
            deadline: U48::saturating_from(deadline),
        }
    }
}

/// How a code envelope comes to an enclave.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// By the node's JSON-RPC.
    Node,
    /// By the mailbox.
    Chain,
}

/// Whether a node may take the same code envelope later.
fn not_so_far(error: &NodeError) -> bool {
    matches!(error, NodeError::Refused { code, .. } if TRY_AGAIN.contains(code))
}

/// Codes of a node that has no enclave yet, or has not seen the registration or the upgrade yet; or was
/// asked too often.
const TRY_AGAIN: [i64; 4] = [-32_040, -32_041, -32_042, -32_052];

/// The strongest finality class that a kind of header trust provides.
fn finality_of(trust: HeaderTrustKind) -> FinalityClass {
    match trust {
        HeaderTrustKind::HeaderSigners => FinalityClass::Signers,
        HeaderTrustKind::Ethereum => FinalityClass::Finalized,
        HeaderTrustKind::Bft => FinalityClass::Bft,
        _ => FinalityClass::HostAsserted,
    }
}
