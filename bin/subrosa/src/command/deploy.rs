// SPDX-License-Identifier: Apache-2.0
//! `subrosa deploy`.

use alloy_primitives::U256;
use clap::Args;
use eyre::Result;
use subrosa_client::{ContractPolicy, Deployed};
use subrosa_types::entry::LARGEST_CALLBACK_GAS;

use crate::{
    args::{
        code::CodeArgs, deployment::AttestationArgs, key::KeyArgs, through_chain::ThroughChainArgs,
        wait::WaitArgs,
    },
    output::{self, Output},
};

/// Registers a contract, encrypts its code to the attested enclave, and waits for its constructor.
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    code: CodeArgs,

    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    attestation: AttestationArgs,
    #[command(flatten)]
    through_chain: ThroughChainArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// The contract's public policy.
#[derive(Debug, Args)]
#[command(next_help_heading = "Policy")]
struct PolicyArgs {
    /// Execute entries in any order, on no state
    #[arg(long)]
    stateless: bool,

    /// Let only the owner, and the callers it names later, append requests
    #[arg(long)]
    restricted: bool,

    /// Seconds between announcing other code and running it, for users to leave in; 0 means that the
    /// code never changes. Fixed for good
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        conflicts_with = "stateless"
    )]
    upgrade_delay: u32,

    /// Fuel of the constructor
    #[arg(long, value_name = "FUEL", default_value_t = ContractPolicy::default().fuel_limit)]
    fuel: u64,

    /// Your charge for a request that is answered in time, gwei; kept to five digits, rounded up
    #[arg(long, value_name = "GWEI", default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(..1 << 48))]
    charge: u64,

    /// Price gas for whoever lands results at the base fee times this, in sixteenths
    #[arg(long, value_name = "SIXTEENTHS", default_value_t = 24)]
    base_fee_sixteenths: u8,

    /// But at least at this, wei; kept to four digits, rounded up (default: one and a half times what the network
    /// asks now)
    #[arg(long, value_name = "WEI")]
    gas_price_floor: Option<u64>,

    /// Let anyone abandon the contract once its key epoch is retired, rather than advance it
    #[arg(long)]
    abandoned_on_retirement: bool,

    /// How many enclaves must sign a result, on distinct machines. Nodes do not collect each other's signatures yet: with
    /// more than one, nothing lands
    #[arg(long, value_name = "COUNT", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(..=16))]
    signers: u8,

    /// How many kinds of TEE must be among them
    #[arg(long, value_name = "COUNT", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(..=16))]
    kinds: u8,

    /// Least seconds between a request and its deadline
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(..1 << 24))]
    minimum_deadline: u32,

    /// Largest callback gas limit a request may name, at most 10,000,000; 0 forbids callbacks
    #[arg(long, value_name = "GAS", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u32).range(..=i64::from(LARGEST_CALLBACK_GAS)))]
    maximum_callback_gas: u32,

    /// Wei to pay for the deployment [default: what the oracle asks, with a margin]
    #[arg(long, value_name = "WEI")]
    fee: Option<U256>,
}

impl DeployArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        // Everything local comes first: nothing is asked of the network for a typing error.
        let account = self.key.required()?;
        let bytecode = self.code.read()?;
        let own = account.clone();
        let attested = self
            .through_chain
            .attest(&self.attestation, || Ok(own), &self.wait, output)
            .await?;
        output.progress(format_args!(
            "deploying {} bytes of code and {} of arguments, both encrypted",
            bytecode.code.len(),
            bytecode.init.len()
        ));
        let policy = self.policy.policy();
        let wait = self.wait.options();
        let deployed = if self.through_chain.through_chain {
            attested
                .deploy_through_chain(&bytecode, &policy, &account, wait)
                .await?
        } else {
            attested.deploy(&bytecode, &policy, &account, wait).await?
        };
        output.result(&deployed, text)
    }
}

impl PolicyArgs {
    fn policy(&self) -> ContractPolicy {
        ContractPolicy {
            stateless: self.stateless,
            restricted: self.restricted,
            fuel_limit: self.fuel,
            charge_gwei: self.charge,
            base_fee_sixteenths: self.base_fee_sixteenths,
            gas_price_floor: self.gas_price_floor,
            abandoned_on_retirement: self.abandoned_on_retirement,
            signers: self.signers,
            kinds: self.kinds,
            upgrade_delay: self.upgrade_delay,
            minimum_deadline: self.minimum_deadline,
            maximum_callback_gas: self.maximum_callback_gas,
            fee: self.fee,
            ..ContractPolicy::default()
        }
    }
}

fn text(deployed: &Deployed) -> String {
    output::pairs(&[
        ("contract", deployed.contract.to_string()),
        ("guest address", deployed.guest_address.to_string()),
        ("code commitment", deployed.code_commitment.to_string()),
        ("salt", deployed.salt.to_string()),
        ("registered in", deployed.registered.to_string()),
        ("fulfilled in", deployed.fulfilled.transaction.to_string()),
    ])
}
