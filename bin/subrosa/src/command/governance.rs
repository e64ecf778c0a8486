// SPDX-License-Identifier: Apache-2.0
//! `subrosa governance`.

use alloy_primitives::{Address, B256};
use clap::{Args, Subcommand, ValueEnum};
use eyre::{Result, bail, eyre};
use subrosa_client::{Act, Connection, EpochPlan, Governed, Suspect};
use subrosa_types::{abi::EpochMember, config::Recovery, id::TeeKind};

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs},
    output::{self, Output},
};

/// Says whom the registry trusts, as an account of its governance.
///
/// Where the account's role has a delay, the first call schedules what is asked for, and the same call
/// after the delay does it.
#[derive(Debug, Args)]
pub(crate) struct GovernanceArgs {
    #[command(subcommand)]
    command: GovernanceCommand,
}

#[derive(Debug, Subcommand)]
enum GovernanceCommand {
    /// Schedule the key group's next epoch
    ScheduleEpoch(ScheduleArgs),
    /// Announce the end of a past epoch
    RetireEpoch(RetireArgs),
    /// Suspend something at once: nobody new is admitted on it, and nothing is signed
    Suspend(SuspectArgs),
    /// Lift a suspension
    Lift(SuspectArgs),
    /// Deny a machine, for signers admitted already too
    DenyMachine(DenyArgs),
    /// Put a machine on its family's list
    AllowMachine(AllowArgs),
    /// Restrict a family to the machines on its list
    RestrictMachines(RestrictArgs),
}

#[derive(Debug, Args)]
struct ScheduleArgs {
    /// Who may hold its secret, MEASUREMENT:CONFIGURATION; one to eight [default: the deployment's
    /// measurements under its configuration]
    #[arg(long, value_name = "IDS", value_parser = member)]
    member: Vec<EpochMember>,

    /// sealed, sealed-development, replicas:K or custodians:T [default: the deployment's]
    #[arg(long, value_name = "POLICY")]
    recovery: Option<String>,

    /// Who gets shares of the secret, if they are custodians
    #[arg(long, value_name = "ADDRESS")]
    custodian: Vec<Address>,

    /// The epoch before has contracts: one that acknowledges this one must hold both secrets
    #[arg(long)]
    continues: bool,

    /// Unix seconds before which it is not opened
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    not_before: u64,

    /// Key group [default: the deployment's]
    #[arg(long)]
    group: Option<u32>,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct RetireArgs {
    /// The epoch
    epoch: u32,

    /// Seconds of notice, at least the registry's activation delay
    #[arg(long, value_name = "SECONDS")]
    notice: u64,

    /// Key group [default: the deployment's]
    #[arg(long)]
    group: Option<u32>,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct SuspectArgs {
    /// What it is
    #[arg(value_enum)]
    what: Subject,

    /// Its id: of a build, configuration, machine or product 32 bytes, of a voucher or signer an
    /// address; of a family none
    id: Option<String>,

    /// TEE kind of a product or family: tdx, sgx, snp, …
    #[arg(long, value_name = "KIND", value_parser = tee_kind)]
    tee: Option<TeeKind>,

    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Subject {
    /// A build, by its measurement id
    Measurement,
    /// A configuration, by its hash
    Configuration,
    /// A verifier's key, or a contract that verifies DCAP quotes
    Voucher,
    /// An enclave's signer
    Signer,
    /// A machine
    Machine,
    /// A hardware product
    Product,
    /// A kind of TEE
    Family,
}

#[derive(Debug, Args)]
struct DenyArgs {
    /// Machine id, as verdicts and `SignerAdmitted` show it
    machine: B256,

    /// Do not deny it any more
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct AllowArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Machine id, as verdicts and `SignerAdmitted` show it
    machine: B256,

    /// Take it off the list
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct RestrictArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Do not restrict it any more
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    deployment: DeploymentArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl GovernanceArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        match self.command {
            GovernanceCommand::ScheduleEpoch(args) => args.run(output).await,
            GovernanceCommand::RetireEpoch(args) => {
                let group = match args.group {
                    Some(group) => group,
                    None => args.common.deployment.load()?.measured.key_group,
                };
                let act = Act::RetireEpoch {
                    group,
                    epoch: args.epoch,
                    notice: args.notice,
                };
                args.common.govern(&act, output).await
            }
            GovernanceCommand::Suspend(args) => {
                let act = Act::Suspend(args.suspect()?);
                args.common.govern(&act, output).await
            }
            GovernanceCommand::Lift(args) => {
                let act = Act::Lift(args.suspect()?);
                args.common.govern(&act, output).await
            }
            GovernanceCommand::DenyMachine(args) => {
                let act = Act::DenyMachine(args.machine, !args.undo);
                args.common.govern(&act, output).await
            }
            GovernanceCommand::AllowMachine(args) => {
                let act = Act::AllowMachine(args.tee, args.machine, !args.undo);
                args.common.govern(&act, output).await
            }
            GovernanceCommand::RestrictMachines(args) => {
                let act = Act::RestrictMachines(args.tee, !args.undo);
                args.common.govern(&act, output).await
            }
        }
    }
}

impl ScheduleArgs {
    async fn run(self, output: &Output) -> Result<()> {
        let connection = self.common.deployment.open().await?;
        let deployment = connection.deployment();
        let measured = &deployment.measured;
        let members = if self.member.is_empty() {
            let config_hash = measured.enclave_config()?.hash();
            let measurements = deployment.measurements.iter();
            measurements
                .map(|id| EpochMember {
                    measurementId: *id,
                    configHash: config_hash,
                })
                .collect()
        } else {
            self.member
        };
        let recovery = match &self.recovery {
            Some(policy) => recovery(policy, self.custodian.len())?,
            None => measured.recovery,
        };
        let group = self.group.unwrap_or(measured.key_group);
        let epoch = connection.next_epoch(group).await?;
        let plan = EpochPlan {
            members,
            recovery,
            custodians: self.custodian,
            continues: self.continues,
            not_before: self.not_before,
        };
        output.progress(format_args!(
            "scheduling epoch {epoch} of key group {group} for the set {}",
            plan.set_hash()
        ));
        let act = Act::ScheduleEpoch { group, epoch, plan };
        govern(&connection, &act, &self.common.key, output).await
    }
}

impl SuspectArgs {
    fn suspect(&self) -> Result<Suspect> {
        let id = || -> Result<B256> { Ok(self.named()?.parse()?) };
        let account = || -> Result<Address> { Ok(self.named()?.parse()?) };
        let tee = || self.tee.ok_or_else(|| eyre!("which TEE kind: pass --tee"));
        Ok(match self.what {
            Subject::Measurement => Suspect::Measurement(id()?),
            Subject::Configuration => Suspect::Configuration(id()?),
            Subject::Voucher => Suspect::Voucher(account()?),
            Subject::Signer => Suspect::Signer(account()?),
            Subject::Machine => Suspect::Machine(id()?),
            Subject::Product => Suspect::Product(tee()?, id()?),
            Subject::Family if self.id.is_some() => bail!("a family has no id: pass --tee alone"),
            Subject::Family => Suspect::Family(tee()?),
        })
    }

    fn named(&self) -> Result<&str> {
        let id = self.id.as_deref();
        id.ok_or_else(|| eyre!("which one: pass its id"))
    }
}

impl Common {
    async fn govern(&self, act: &Act, output: &Output) -> Result<()> {
        let connection = self.deployment.open().await?;
        govern(&connection, act, &self.key, output).await
    }
}

async fn govern(connection: &Connection, act: &Act, key: &KeyArgs, output: &Output) -> Result<()> {
    let account = key.required()?;
    let governed = connection.govern(act, &account).await?;
    output.result(&governed, |governed| match governed {
        Governed::Done { transaction } => output::pairs(&[
            ("outcome", "done".to_owned()),
            ("transaction", transaction.to_string()),
        ]),
        Governed::Scheduled {
            transaction,
            ready_at,
        } => output::pairs(&[
            ("outcome", "scheduled: ask again then".to_owned()),
            ("ready at", ready_at.to_string()),
            ("transaction", transaction.to_string()),
        ]),
        Governed::Waiting { ready_at } => output::pairs(&[
            ("outcome", "scheduled before: ask again then".to_owned()),
            ("ready at", ready_at.to_string()),
        ]),
    })
}

fn member(text: &str) -> Result<EpochMember, String> {
    let (measurement, config) = text
        .split_once(':')
        .ok_or("not MEASUREMENT:CONFIGURATION")?;
    let word = |text: &str| text.parse::<B256>().map_err(|error| error.to_string());
    Ok(EpochMember {
        measurementId: word(measurement)?,
        configHash: word(config)?,
    })
}

fn tee_kind(text: &str) -> Result<TeeKind, String> {
    let known = TeeKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| {
        let names: Vec<_> = TeeKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

/// Of custodians, all that are named get a share.
fn recovery(policy: &str, custodians: usize) -> Result<Recovery> {
    Ok(match policy.split_once(':') {
        None if policy == "sealed" => Recovery::Sealed,
        None if policy == "sealed-development" => Recovery::SealedDevelopment,
        Some(("replicas", k)) => Recovery::Replicas { k: k.parse()? },
        Some(("custodians", threshold)) => Recovery::Custodians {
            threshold: threshold.parse()?,
            shares: custodians.try_into()?,
        },
        _ => bail!(
            "recovery policy {policy} is none of sealed, sealed-development, replicas:K, custodians:T"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_policies_are_read_as_they_are_written() {
        assert_eq!(recovery("sealed", 0).unwrap(), Recovery::Sealed);
        assert_eq!(
            recovery("replicas:3", 0).unwrap(),
            Recovery::Replicas { k: 3 }
        );
        let custodians = Recovery::Custodians {
            threshold: 2,
            shares: 3,
        };
        assert_eq!(recovery("custodians:2", 3).unwrap(), custodians);
        for wrong in [
            "",
            "sealed:1",
            "replicas",
            "replicas:x",
            "custodians:2/3",
            "none",
        ] {
            assert!(recovery(wrong, 3).is_err(), "{wrong}");
        }
    }

    #[test]
    fn members_are_two_ids() {
        let (id, config) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let read = member(&format!("{id}:{config}")).unwrap();
        assert_eq!((read.measurementId, read.configHash), (id, config));
        assert!(member(&id.to_string()).is_err());
        assert!(member(&format!("{id}:x")).is_err());
    }
}
