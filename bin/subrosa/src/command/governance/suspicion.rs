// SPDX-License-Identifier: Apache-2.0
//! What is under suspicion: `subrosa governance suspend` and `lift`, and single machines and products.

use alloy_primitives::{Address, B256};
use clap::{Args, ValueEnum};
use eyre::{Result, bail, eyre};
use subrosa_client::{Act, Suspect};
use subrosa_types::id::TeeKind;

use super::sending::{Common, tee_kind};

#[derive(Debug, Args)]
pub(super) struct SuspectArgs {
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
    pub(super) common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Subject {
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
pub(super) struct DenyArgs {
    /// Machine id, as verdicts and `SignerAdmitted` show it
    machine: B256,

    /// Do not deny it any more
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct AllowArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Machine id, as verdicts and `SignerAdmitted` show it
    machine: B256,

    /// Take it off the list
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct RestrictArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Do not restrict it any more
    #[arg(long)]
    undo: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ProductArgs {
    /// TEE kind: tdx, sgx, snp, …
    #[arg(value_parser = tee_kind)]
    tee: TeeKind,

    /// Product id, as verdicts and `SignerAdmitted` show it
    product: B256,

    #[command(flatten)]
    pub(super) common: Common,
}

impl SuspectArgs {
    pub(super) fn suspect(&self) -> Result<Suspect> {
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

impl DenyArgs {
    pub(super) fn act(&self) -> Act {
        Act::DenyMachine(self.machine, !self.undo)
    }
}

impl AllowArgs {
    pub(super) fn act(&self) -> Act {
        Act::AllowMachine(self.tee, self.machine, !self.undo)
    }
}

impl RestrictArgs {
    pub(super) fn act(&self) -> Act {
        Act::RestrictMachines(self.tee, !self.undo)
    }
}

impl ProductArgs {
    pub(super) fn deny(&self) -> Act {
        Act::DenyProduct(self.tee, self.product)
    }

    pub(super) fn allow(&self) -> Act {
        Act::AllowProduct(self.tee, self.product)
    }
}
