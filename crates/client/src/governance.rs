// SPDX-License-Identifier: Apache-2.0
//! What governance does to the registry: at once, or scheduled ahead where the account has to wait.

use alloy_primitives::{
    Address, B256, Bytes,
    aliases::{U40, U48},
};
use alloy_sol_types::SolCall;
use serde::Serialize;
use subrosa_chain::bindings::SubrosaRegistry;
use subrosa_types::{
    abi::EpochMember,
    config::Recovery,
    id::{TeeKind, epoch_set_hash},
};

use crate::{Account, ClientError, Connection};

/// What can be suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspect {
    /// A build, by its measurement id.
    Measurement(B256),
    /// A configuration, by its hash.
    Configuration(B256),
    /// A verifier's key, or a contract that verifies DCAP quotes.
    Voucher(Address),
    /// An enclave's signer.
    Signer(Address),
    /// A machine, by its id.
    Machine(B256),
    /// A hardware product, by its id.
    Product(TeeKind, B256),
    /// A kind of TEE.
    Family(TeeKind),
}

/// An epoch as it is to be scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochPlan {
    /// Who may hold its secret: one to eight, in any order.
    pub members: Vec<EpochMember>,
    /// What must become of the secret before anyone relies on it.
    pub recovery: Recovery,
    /// Who gets shares of it, if they are custodians; in any order.
    pub custodians: Vec<Address>,
    /// Whether one that acknowledges it must hold the secret of the epoch before as well.
    pub continues: bool,
    /// Unix seconds before which it is not opened.
    pub not_before: u64,
}

/// What an account of governance does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// Schedules the epoch after the current one.
    ScheduleEpoch {
        /// Of this key group.
        group: u32,
        /// The one after the current.
        epoch: u32,
        /// As this says.
        plan: EpochPlan,
    },
    /// Announces the end of a past epoch.
    RetireEpoch {
        /// Of this key group.
        group: u32,
        /// Which.
        epoch: u32,
        /// In so many seconds.
        notice: u64,
    },
    /// Suspends at once.
    Suspend(Suspect),
    /// Lifts a suspension.
    Lift(Suspect),
    /// Denies a machine, or does not any more.
    DenyMachine(B256, bool),
    /// Puts a machine on its family's list, or takes it off.
    AllowMachine(TeeKind, B256, bool),
    /// Restricts a family to the machines on its list, or does not any more.
    RestrictMachines(TeeKind, bool),
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Governed {
    /// It is done.
    #[serde(rename_all = "camelCase")]
    Done {
        /// By this transaction.
        transaction: B256,
    },
    /// The account has to wait: it was scheduled, and is to be asked for again then.
    #[serde(rename_all = "camelCase")]
    Scheduled {
        /// By this transaction.
        transaction: B256,
        /// Unix seconds.
        ready_at: u64,
    },
    /// It was scheduled before, and its time has not come.
    #[serde(rename_all = "camelCase")]
    Waiting {
        /// Unix seconds.
        ready_at: u64,
    },
}

impl Suspect {
    fn parts(self) -> (u8, u8, B256) {
        match self {
            Self::Measurement(id) => (0, 0, id),
            Self::Configuration(hash) => (1, 0, hash),
            Self::Voucher(account) => (2, 0, account.into_word()),
            Self::Signer(account) => (3, 0, account.into_word()),
            Self::Machine(id) => (4, 0, id),
            Self::Product(kind, id) => (5, kind as u8, id),
            Self::Family(kind) => (6, kind as u8, B256::ZERO),
        }
    }
}

impl Act {
    /// The call of the registry that does it.
    pub fn calldata(&self) -> Bytes {
        let encoded = match self.clone() {
            Self::ScheduleEpoch { group, epoch, plan } => SubrosaRegistry::scheduleEpochCall {
                schedule: plan.schedule(group, epoch),
            }
            .abi_encode(),
            Self::RetireEpoch {
                group,
                epoch,
                notice,
            } => SubrosaRegistry::retireEpochCall {
                keyGroup: group,
                keyEpoch: epoch,
                notice: U40::saturating_from(notice),
            }
            .abi_encode(),
            Self::Suspend(suspect) => {
                let (subject, kind, id) = suspect.parts();
                SubrosaRegistry::suspendCall {
                    subject,
                    teeKind: kind,
                    id,
                }
                .abi_encode()
            }
            Self::Lift(suspect) => {
                let (subject, kind, id) = suspect.parts();
                SubrosaRegistry::liftCall {
                    subject,
                    teeKind: kind,
                    id,
                }
                .abi_encode()
            }
            Self::DenyMachine(machine, denied) => SubrosaRegistry::denyMachineCall {
                machineId: machine,
                denied,
            }
            .abi_encode(),
            Self::AllowMachine(kind, machine, allowed) => SubrosaRegistry::allowMachineCall {
                teeKind: kind as u8,
                machineId: machine,
                allowed,
            }
            .abi_encode(),
            Self::RestrictMachines(kind, restrict) => SubrosaRegistry::restrictMachinesCall {
                teeKind: kind as u8,
                restrict,
            }
            .abi_encode(),
        };
        encoded.into()
    }
}

impl EpochPlan {
    /// H\["epoch-set"\] of its members.
    pub fn set_hash(&self) -> B256 {
        epoch_set_hash(&self.members)
    }

    fn schedule(mut self, group: u32, epoch: u32) -> SubrosaRegistry::EpochSchedule {
        self.members
            .sort_unstable_by_key(|member| (member.measurementId, member.configHash));
        self.members.dedup();
        self.custodians.sort_unstable();
        SubrosaRegistry::EpochSchedule {
            keyGroup: group,
            keyEpoch: epoch,
            members: self.members.into_iter().map(Into::into).collect(),
            recovery: self.recovery.pack(),
            custodians: self.custodians,
            continues: self.continues,
            notBefore: U40::saturating_from(self.not_before),
        }
    }
}

impl Connection {
    /// The epoch of a key group that can be scheduled: the one after the current.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the chain gives no answer.
    pub async fn next_epoch(&self, group: u32) -> Result<u32, ClientError> {
        let current = self.chain.current_epoch(group).await?;
        Ok(current.saturating_add(1))
    }

    /// Does something as an account of the registry's governance. Where the account's role has a
    /// delay, the first call schedules it, and one after the delay does it.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the authority or the registry refuses.
    pub async fn govern(&self, act: &Act, account: &Account) -> Result<Governed, ClientError> {
        let data = act.calldata();
        let step = "governing the registry";
        let delay = self.chain.governing_delay(account.address(), &data).await?;
        if delay == 0 {
            // Who may not is told so by the authority.
            let call = self.chain.registry_call(account, data);
            let receipt = self.chain.send(step, call).await?;
            return Ok(Governed::Done {
                transaction: receipt.transaction_hash,
            });
        }
        let (registry, manager) = self.chain.authority_as(account).await?;
        let ready_at = self
            .chain
            .scheduled(account.address(), registry, &data)
            .await?;
        if ready_at == 0 {
            let call = manager.schedule(registry, data.clone(), U48::ZERO);
            let receipt = self.chain.send("scheduling an act", call).await?;
            let ready_at = self
                .chain
                .scheduled(account.address(), registry, &data)
                .await?;
            return Ok(Governed::Scheduled {
                transaction: receipt.transaction_hash,
                ready_at,
            });
        }
        let newest = self.chain.block_number().await?;
        let now = self.chain.timestamp(newest).await?;
        if now.is_some_and(|now| now < ready_at) {
            return Ok(Governed::Waiting { ready_at });
        }
        let call = manager.execute(registry, data);
        let receipt = self.chain.send(step, call).await?;
        Ok(Governed::Done {
            transaction: receipt.transaction_hash,
        })
    }
}
