// SPDX-License-Identifier: Apache-2.0
//! `subrosa governance`.

mod epochs;
mod sending;
mod suspicion;
mod trust;

use clap::{Args, Subcommand};
use eyre::Result;
use subrosa_client::Act;

use self::sending::govern;
use crate::output::Output;

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
    ScheduleEpoch(epochs::ScheduleArgs),
    /// Announce the end of a past epoch
    RetireEpoch(epochs::RetireArgs),
    /// Suspend something at once: nobody new is admitted on it, and nothing is signed
    Suspend(suspicion::SuspectArgs),
    /// Lift a suspension
    Lift(suspicion::SuspectArgs),
    /// Deny a machine, for signers admitted already too
    DenyMachine(suspicion::DenyArgs),
    /// Put a machine on its family's list
    AllowMachine(suspicion::AllowArgs),
    /// Restrict a family to the machines on its list
    RestrictMachines(suspicion::RestrictArgs),
    /// Deny a hardware product, for signers admitted already too
    DenyProduct(suspicion::ProductArgs),
    /// Allow a hardware product that was denied
    AllowProduct(suspicion::ProductArgs),
    /// Trust a build, once the registry's activation delay is over
    AddMeasurement(trust::AddMeasurementArgs),
    /// Stop trusting a build, at once and for good
    RevokeMeasurement(trust::RevokeMeasurementArgs),
    /// Admit signers with a configuration, once the registry's activation delay is over
    AddConfig(trust::AddConfigArgs),
    /// Stop trusting a configuration, at once and for good
    RemoveConfig(trust::RemoveConfigArgs),
    /// Trust a verifier's key, or retire it
    SetVerifier(trust::SetVerifierArgs),
    /// Revoke a verifier's key for good: leases it vouched for are void
    RevokeVerifier(trust::AccountArgs),
    /// Say how many verifiers must vouch for a signer
    SetVerifierThreshold(trust::ThresholdArgs),
    /// Say which TCB a family of TEEs needs, and whether it is stopped
    SetFamily(trust::SetFamilyArgs),
    /// Name the contract that verifies DCAP quotes, and which TCB statuses are accepted
    SetDcap(trust::SetDcapArgs),
    /// Revoke a contract that verifies DCAP quotes for good: leases it vouched for are void
    RevokeDcap(trust::AccountArgs),
    /// Revoke an enclave's signer, at once and for good
    RevokeSigner(trust::AccountArgs),
    /// Let contracts be in a runtime generation, once the registry's activation delay is over
    AddRuntime(trust::AddRuntimeArgs),
    /// Withdraw a runtime generation, at once and for good
    WithdrawRuntime(trust::WithdrawRuntimeArgs),
}

impl GovernanceArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        use GovernanceCommand as Command;
        let (act, common) = match self.command {
            // What is scheduled depends on the chain.
            Command::ScheduleEpoch(args) => return args.run(output).await,
            Command::RetireEpoch(args) => (args.act()?, args.common),
            Command::Suspend(args) => (Act::Suspend(args.suspect()?), args.common),
            Command::Lift(args) => (Act::Lift(args.suspect()?), args.common),
            Command::DenyMachine(args) => (args.act(), args.common),
            Command::AllowMachine(args) => (args.act(), args.common),
            Command::RestrictMachines(args) => (args.act(), args.common),
            Command::DenyProduct(args) => (args.deny(), args.common),
            Command::AllowProduct(args) => (args.allow(), args.common),
            Command::AddMeasurement(args) => (args.act(), args.common),
            Command::RevokeMeasurement(args) => (args.act(), args.common),
            Command::AddConfig(args) => (args.act()?, args.common),
            Command::RemoveConfig(args) => (args.act(), args.common),
            Command::SetVerifier(args) => (args.act(), args.common),
            Command::RevokeVerifier(args) => (args.revoke_verifier(), args.common),
            Command::SetVerifierThreshold(args) => (args.act(), args.common),
            Command::SetFamily(args) => (args.act(), args.common),
            Command::SetDcap(args) => (args.act(), args.common),
            Command::RevokeDcap(args) => (args.revoke_dcap(), args.common),
            Command::RevokeSigner(args) => (args.revoke_signer(), args.common),
            Command::AddRuntime(args) => (args.act(), args.common),
            Command::WithdrawRuntime(args) => (args.act(), args.common),
        };
        common.key.required()?;
        let connection = common.deployment.open().await?;
        govern(&connection, &act, &common.key, output).await
    }
}
