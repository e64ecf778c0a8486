// SPDX-License-Identifier: Apache-2.0
//! What is trusted: builds, configurations, verifiers, families of TEEs, runtime generations.

use alloy_primitives::{Address, B256};
use clap::Args;
use eyre::Result;
use subrosa_client::Act;
use subrosa_types::id::TeeKind;

use super::sending::{Common, tee_kind};

#[derive(Debug, Args)]
pub(super) struct AddMeasurementArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Hash of what the TEE reports of the build, as `subrosa measurement` and verdicts show it
    hash: B256,

    /// Root of its evidence
    #[arg(long, value_name = "ID")]
    root: B256,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct RevokeMeasurementArgs {
    /// Measurement id
    measurement: B256,

    /// The one to use instead
    #[arg(long, value_name = "ID")]
    successor: Option<B256>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct AddConfigArgs {
    /// Hash of the configuration [default: the deployment's]
    config: Option<B256>,

    /// Key group it serves [default: the deployment's]
    #[arg(long)]
    group: Option<u32>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct RemoveConfigArgs {
    /// Hash of the configuration
    config: B256,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct SetVerifierArgs {
    /// Address of the verifier's key for admissions
    verifier: Address,

    /// Retire it: it vouches for nobody from then on, and leases run on
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    /// Its address
    account: Address,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ThresholdArgs {
    /// How many verifiers must vouch for a signer
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    threshold: u16,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct SetFamilyArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// The least TCB evaluation number its signers need
    #[arg(long, value_name = "NUMBER")]
    minimum_evaluation: u32,

    /// Stop the family: none of its signers signs
    #[arg(long)]
    stopped: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct SetDcapArgs {
    /// The contract that verifies DCAP quotes; the zero address for none
    dcap: Address,

    /// A TCB status that is accepted, by its number; once for each
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(..16))]
    accept: Vec<u8>,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct AddRuntimeArgs {
    /// The generation
    generation: u16,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct WithdrawRuntimeArgs {
    /// The generation
    generation: u16,

    /// A later one for the contracts in it; 0 if it was not active yet
    #[arg(long, value_name = "GENERATION")]
    successor: u16,

    #[command(flatten)]
    pub(super) common: Common,
}

impl AddMeasurementArgs {
    pub(super) fn act(&self) -> Act {
        Act::AddMeasurement {
            root: self.root,
            kind: self.tee,
            hash: self.hash,
        }
    }
}

impl RevokeMeasurementArgs {
    pub(super) fn act(&self) -> Act {
        Act::RevokeMeasurement {
            measurement: self.measurement,
            successor: self.successor.unwrap_or_default(),
        }
    }
}

impl AddConfigArgs {
    pub(super) fn act(&self) -> Result<Act> {
        let measured = self.common.deployment.load()?.measured;
        let config = match self.config {
            Some(config) => config,
            None => measured.enclave_config()?.hash(),
        };
        Ok(Act::AddConfig {
            config,
            group: self.group.unwrap_or(measured.key_group),
        })
    }
}

impl RemoveConfigArgs {
    pub(super) fn act(&self) -> Act {
        Act::RemoveConfig(self.config)
    }
}

impl SetVerifierArgs {
    pub(super) fn act(&self) -> Act {
        Act::SetVerifier(self.verifier, !self.undo)
    }
}

impl AccountArgs {
    pub(super) fn revoke_verifier(&self) -> Act {
        Act::RevokeVerifier(self.account)
    }

    pub(super) fn revoke_dcap(&self) -> Act {
        Act::RevokeDcap(self.account)
    }

    pub(super) fn revoke_signer(&self) -> Act {
        Act::RevokeSigner(self.account)
    }
}

impl ThresholdArgs {
    pub(super) fn act(&self) -> Act {
        Act::SetVerifierThreshold(self.threshold)
    }
}

impl SetFamilyArgs {
    pub(super) fn act(&self) -> Act {
        Act::SetFamily {
            kind: self.tee,
            minimum_evaluation: self.minimum_evaluation,
            stopped: self.stopped,
        }
    }
}

impl SetDcapArgs {
    pub(super) fn act(&self) -> Act {
        let accepted = self.accept.iter().map(|status| 1 << status);
        Act::SetDcap {
            dcap: self.dcap,
            accepted_statuses: accepted.fold(0, |statuses: u16, status: u16| statuses | status),
        }
    }
}

impl AddRuntimeArgs {
    pub(super) fn act(&self) -> Act {
        Act::AddRuntime(self.generation)
    }
}

impl WithdrawRuntimeArgs {
    pub(super) fn act(&self) -> Act {
        Act::WithdrawRuntime {
            generation: self.generation,
            successor: self.successor,
        }
    }
}
