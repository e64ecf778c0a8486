// SPDX-License-Identifier: Apache-2.0
//! `subrosa governance schedule-epoch` and `retire-epoch`.

use alloy_primitives::{Address, B256};
use clap::Args;
use eyre::{Result, bail};
use subrosa_client::{Act, EpochPlan};
use subrosa_types::{abi::EpochMember, config::Recovery};

use super::sending::{Common, govern};
use crate::output::Output;

#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
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
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct RetireArgs {
    /// The epoch
    epoch: u32,

    /// Seconds of notice, at least the registry's activation delay
    #[arg(long, value_name = "SECONDS")]
    notice: u64,

    /// Key group [default: the deployment's]
    #[arg(long)]
    group: Option<u32>,

    #[command(flatten)]
    pub(super) common: Common,
}

impl ScheduleArgs {
    pub(super) async fn run(self, output: &Output) -> Result<()> {
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

impl RetireArgs {
    pub(super) fn act(&self) -> Result<Act> {
        let group = match self.group {
            Some(group) => group,
            None => self.common.deployment.load()?.measured.key_group,
        };
        Ok(Act::RetireEpoch {
            group,
            epoch: self.epoch,
            notice: self.notice,
        })
    }
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
