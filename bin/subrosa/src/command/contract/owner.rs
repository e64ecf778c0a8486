// SPDX-License-Identifier: Apache-2.0
//! `subrosa contract policy`, `set-policy`, `pause`, `set-caller`, `set-threshold`, `transfer-ownership` and their
//! like.

use alloy_primitives::{Address, B256};
use clap::Args;
use eyre::{Result, ensure};
use serde::Serialize;
use subrosa_client::{OwnerTerms, PolicyChange};
use subrosa_types::entry::LARGEST_CALLBACK_GAS;

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs},
    output::{self, Output},
};

/// Shows who owns a contract, and on which terms it takes requests, as the chain has them. Needs no attestation and
/// no key.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Contract id
    contract: B256,

    /// Say whether this account may ask while the contract is restricted, too
    #[arg(long, value_name = "ADDRESS")]
    caller: Option<Address>,

    #[command(flatten)]
    deployment: DeploymentArgs,
}

/// Changes a contract's policy; what is not named stays as it is. Later requests pay by it, and may name the largest
/// charge they agree to. Only for the owner.
#[derive(Debug, Args)]
pub(crate) struct SetPolicyArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Policy")]
struct ChangeArgs {
    /// Your charge for a request that is answered in time, gwei; kept to five digits, rounded up
    #[arg(long, value_name = "GWEI", value_parser = clap::value_parser!(u64).range(..1 << 48))]
    charge: Option<u64>,

    /// Price gas for whoever lands results at the base fee times this, in sixteenths
    #[arg(long, value_name = "SIXTEENTHS")]
    base_fee_sixteenths: Option<u8>,

    /// But at least at this, wei; kept to four digits, rounded up
    #[arg(long, value_name = "WEI")]
    gas_price_floor: Option<u64>,

    /// Least seconds between a request and its deadline
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..1 << 24))]
    minimum_deadline: Option<u32>,

    /// Largest callback gas limit a request may name, at most 10,000,000; 0 forbids callbacks
    #[arg(long, value_name = "GAS",
        value_parser = clap::value_parser!(u32).range(..=i64::from(LARGEST_CALLBACK_GAS)))]
    maximum_callback_gas: Option<u32>,

    /// Let only the owner, and the callers named with `set-caller`, append requests
    #[arg(long, value_name = "YES")]
    restricted: Option<bool>,
}

/// Of a contract, with a key to sign with.
#[derive(Debug, Args)]
pub(crate) struct OwnerArgs {
    /// Contract id
    contract: B256,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Lets an account append requests to a restricted contract, or no longer. Only for the owner, who always may.
#[derive(Debug, Args)]
pub(crate) struct SetCallerArgs {
    /// Contract id
    contract: B256,

    /// The account
    caller: Address,

    /// Let it append requests no longer
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Asks for more enclaves' signatures, which counts at once, or for fewer, which counts once the contract's upgrade
/// delay is over; of a contract whose code never changes neither can be asked for. Nodes do not collect each other's
/// signatures yet: with more than one, nothing lands. Only for the owner.
#[derive(Debug, Args)]
pub(crate) struct SetThresholdArgs {
    /// Contract id
    contract: B256,

    /// How many enclaves must sign a result, on distinct machines
    #[arg(value_parser = clap::value_parser!(u8).range(..=16))]
    signers: u8,

    /// How many kinds of TEE must be among them
    #[arg(long, value_name = "COUNT", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(..=16))]
    kinds: u8,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Offers a contract to another account, which becomes the owner once it accepts. Only for the owner.
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Contract id
    contract: B256,

    /// The account
    #[arg(required_unless_present = "undo", conflicts_with = "undo")]
    candidate: Option<Address>,

    /// Withdraw the offer
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl ShowArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let connection = self.deployment.open().await?;
        let mut shown = Shown {
            terms: connection.owner_terms(self.contract).await?,
            caller: None,
        };
        if let Some(account) = self.caller {
            let allowed = connection.is_caller(self.contract, account).await?;
            shown.caller = Some(Caller { account, allowed });
        }
        output.result(&shown, Shown::text)
    }
}

impl SetPolicyArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let change = self.change.change();
        ensure!(
            change != PolicyChange::default(),
            "nothing to change: name what of the policy is to change, see --help"
        );
        let connection = self.deployment.open().await?;
        let terms = connection
            .set_policy(self.contract, &change, &account)
            .await?;
        show(terms, output)
    }
}

impl ChangeArgs {
    fn change(&self) -> PolicyChange {
        PolicyChange {
            charge_gwei: self.charge,
            base_fee_sixteenths: self.base_fee_sixteenths,
            gas_price_floor: self.gas_price_floor,
            minimum_deadline: self.minimum_deadline,
            maximum_callback_gas: self.maximum_callback_gas,
            restricted: self.restricted,
            paused: None,
        }
    }
}

impl OwnerArgs {
    /// Has the contract take no requests, or take them again.
    pub(super) async fn pause(self, paused: bool, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let change = PolicyChange {
            paused: Some(paused),
            ..PolicyChange::default()
        };
        let connection = self.deployment.open().await?;
        let terms = connection
            .set_policy(self.contract, &change, &account)
            .await?;
        show(terms, output)
    }

    pub(super) async fn accept(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let terms = connection.accept_ownership(self.contract, &account).await?;
        show(terms, output)
    }

    pub(super) async fn abandon(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        connection.abandon(self.contract, &account).await?;
        let abandoned = Abandoned {
            contract: self.contract,
            abandoned: true,
        };
        output.result(&abandoned, |abandoned| {
            output::pairs(&[("abandoned", abandoned.contract.to_string())])
        })
    }
}

impl SetCallerArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        connection
            .set_caller(self.contract, self.caller, !self.undo, &account)
            .await?;
        let shown = Shown {
            terms: connection.owner_terms(self.contract).await?,
            caller: Some(Caller {
                account: self.caller,
                allowed: connection.is_caller(self.contract, self.caller).await?,
            }),
        };
        output.result(&shown, Shown::text)
    }
}

impl SetThresholdArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let connection = self.deployment.open().await?;
        let terms = connection
            .set_threshold(self.contract, self.signers, self.kinds, &account)
            .await?;
        show(terms, output)
    }
}

impl TransferArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
        let account = self.key.required()?;
        let candidate = self.candidate.unwrap_or_default();
        let connection = self.deployment.open().await?;
        let terms = connection
            .transfer_ownership(self.contract, candidate, &account)
            .await?;
        show(terms, output)
    }
}

/// What the chain says.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    terms: OwnerTerms,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller>,
}

#[derive(Debug, Serialize)]
struct Caller {
    account: Address,
    allowed: bool,
}

#[derive(Debug, Serialize)]
struct Abandoned {
    contract: B256,
    abandoned: bool,
}

fn show(terms: OwnerTerms, output: &Output) -> Result<()> {
    let shown = Shown {
        terms,
        caller: None,
    };
    output.result(&shown, Shown::text)
}

impl Shown {
    fn text(&self) -> String {
        let OwnerTerms {
            contract,
            owner,
            candidate,
            policy,
            threshold,
        } = &self.terms;
        let takes = match (policy.paused, policy.restricted) {
            (true, _) => "none: paused",
            (false, true) => "of the owner and the callers it named",
            (false, false) => "of everybody",
        };
        let mut pairs = vec![
            ("contract", contract.to_string()),
            ("owner", owner.to_string()),
        ];
        if let Some(candidate) = candidate {
            pairs.push(("offered to", candidate.to_string()));
        }
        pairs.extend([
            ("requests", takes.to_owned()),
            ("charge", format!("{} gwei", policy.charge_gwei)),
            (
                "gas priced at",
                format!(
                    "{}/16 of the base fee, at least {} wei",
                    policy.base_fee_sixteenths, policy.gas_price_floor
                ),
            ),
            (
                "minimum deadline",
                format!("{} seconds", policy.minimum_deadline),
            ),
            (
                "maximum callback gas",
                policy.maximum_callback_gas.to_string(),
            ),
            ("signers", in_words(threshold.signers, threshold.kinds)),
        ]);
        if let Some(next) = threshold.next {
            pairs.push((
                "announced",
                format!(
                    "{} from {} on",
                    in_words(next.signers, next.kinds),
                    next.from
                ),
            ));
        }
        if let Some(Caller { account, allowed }) = &self.caller {
            let may = if *allowed { "may ask" } else { "may not ask" };
            pairs.push(("caller", format!("{account} {may}")));
        }
        output::pairs(&pairs)
    }
}

fn in_words(signers: u8, kinds: u8) -> String {
    format!("{} of {} kinds of TEE", signers.max(1), kinds.max(1))
}
