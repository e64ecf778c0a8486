// SPDX-License-Identifier: Apache-2.0
//! What an account of the registry's governance can do, as the call that does it.

use alloy_primitives::{Address, B256, Bytes, aliases::U40};
use alloy_sol_types::SolCall;
use subrosa_chain::bindings::SubrosaRegistry;
use subrosa_types::{
    abi::EpochMember,
    config::Recovery,
    id::{TeeKind, epoch_set_hash},
};

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
    /// Trusts a build, once the registry's activation delay is over.
    AddMeasurement {
        /// Root of its evidence.
        root: B256,
        /// Its TEE kind.
        kind: TeeKind,
        /// What the TEE reports, hashed.
        hash: B256,
    },
    /// Stops trusting a build, for good.
    RevokeMeasurement {
        /// Its id.
        measurement: B256,
        /// The one to use instead; zero for none.
        successor: B256,
    },
    /// Admits signers with a configuration, once the registry's activation delay is over.
    AddConfig {
        /// Its hash.
        config: B256,
        /// The key group it serves.
        group: u32,
    },
    /// Stops trusting a configuration, for good.
    RemoveConfig(B256),
    /// Trusts a verifier's key, or retires it.
    SetVerifier(Address, bool),
    /// Revokes a verifier's key, for good.
    RevokeVerifier(Address),
    /// Says how many verifiers must vouch for a signer.
    SetVerifierThreshold(u16),
    /// Says what is asked of a family of TEEs.
    SetFamily {
        /// Which.
        kind: TeeKind,
        /// The least TCB evaluation number.
        minimum_evaluation: u32,
        /// Whether it is stopped.
        stopped: bool,
    },
    /// Names the contract that verifies DCAP quotes.
    SetDcap {
        /// The contract; zero for none.
        dcap: Address,
        /// Which TCB statuses are accepted: bit n for status n.
        accepted_statuses: u16,
    },
    /// Revokes a contract that verifies DCAP quotes, for good.
    RevokeDcap(Address),
    /// Denies a hardware product.
    DenyProduct(TeeKind, B256),
    /// Allows a hardware product that was denied.
    AllowProduct(TeeKind, B256),
    /// Revokes a signer, for good.
    RevokeSigner(Address),
    /// Lets contracts be in a runtime generation, once the registry's activation delay is over.
    AddRuntime(u16),
    /// Withdraws a runtime generation, for good.
    WithdrawRuntime {
        /// Which.
        generation: u16,
        /// A later one for the contracts in it; zero if it was not active yet.
        successor: u16,
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
            Self::AddMeasurement { root, kind, hash } => SubrosaRegistry::addMeasurementCall {
                rootId: root,
                teeKind: kind as u8,
                measurementHash: hash,
            }
            .abi_encode(),
            Self::RevokeMeasurement {
                measurement,
                successor,
            } => SubrosaRegistry::revokeMeasurementCall {
                measurementId: measurement,
                successor,
            }
            .abi_encode(),
            Self::AddConfig { config, group } => SubrosaRegistry::addConfigCall {
                configHash: config,
                keyGroup: group,
            }
            .abi_encode(),
            Self::RemoveConfig(config) => {
                SubrosaRegistry::removeConfigCall { configHash: config }.abi_encode()
            }
            Self::SetVerifier(verifier, trusted) => {
                SubrosaRegistry::setVerifierCall { verifier, trusted }.abi_encode()
            }
            Self::RevokeVerifier(verifier) => {
                SubrosaRegistry::revokeVerifierCall { verifier }.abi_encode()
            }
            Self::SetVerifierThreshold(threshold) => {
                SubrosaRegistry::setVerifierThresholdCall { threshold }.abi_encode()
            }
            Self::SetFamily {
                kind,
                minimum_evaluation,
                stopped,
            } => SubrosaRegistry::setFamilyCall {
                teeKind: kind as u8,
                minimumTcbEvaluation: minimum_evaluation,
                stopped,
            }
            .abi_encode(),
            Self::SetDcap {
                dcap,
                accepted_statuses,
            } => SubrosaRegistry::setDcapCall {
                dcap,
                acceptedTcbStatuses: accepted_statuses,
            }
            .abi_encode(),
            Self::RevokeDcap(dcap) => SubrosaRegistry::revokeDcapCall { dcap }.abi_encode(),
            Self::DenyProduct(kind, product) => SubrosaRegistry::denyProductCall {
                teeKind: kind as u8,
                product,
            }
            .abi_encode(),
            Self::AllowProduct(kind, product) => SubrosaRegistry::allowProductCall {
                teeKind: kind as u8,
                product,
            }
            .abi_encode(),
            Self::RevokeSigner(signer) => SubrosaRegistry::revokeSignerCall { signer }.abi_encode(),
            Self::AddRuntime(generation) => {
                SubrosaRegistry::addRuntimeCall { generation }.abi_encode()
            }
            Self::WithdrawRuntime {
                generation,
                successor,
            } => SubrosaRegistry::withdrawRuntimeCall {
                generation,
                successor,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What of the registry is no act of governance: views aside, what signers and custodians do.
    const OTHERS: [&str; 6] = [
        "acknowledgeEpoch",
        "admit",
        "entrustEpoch",
        "openEpoch",
        "registerSignerDcap",
        "setAuthority",
    ];

    #[test]
    fn everything_that_governance_can_do_is_an_act() {
        let artifact = include_str!("../../../contracts/artifacts/SubrosaRegistry.json");
        let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
        let abi = artifact.get("abi").unwrap_or(&artifact).as_array().unwrap();
        let writes = abi.iter().filter(|item| {
            item["type"] == "function"
                && (item["stateMutability"] == "nonpayable" || item["stateMutability"] == "payable")
        });
        let names: BTreeSet<_> = writes.map(|item| item["name"].as_str().unwrap()).collect();
        let acts: BTreeSet<_> = every().iter().map(name).collect();
        let others = BTreeSet::from(OTHERS);
        assert_eq!(names, acts.union(&others).copied().collect());
    }

    fn name(act: &Act) -> &'static str {
        let selector: [u8; 4] = act.calldata()[..4].try_into().unwrap();
        SubrosaRegistry::SubrosaRegistryCalls::name_by_selector(selector).unwrap()
    }

    fn every() -> Vec<Act> {
        let (id, account, kind) = (B256::repeat_byte(1), Address::repeat_byte(2), TeeKind::Snp);
        let plan = EpochPlan {
            members: Vec::new(),
            recovery: Recovery::Sealed,
            custodians: Vec::new(),
            continues: false,
            not_before: 0,
        };
        vec![
            Act::ScheduleEpoch {
                group: 1,
                epoch: 2,
                plan,
            },
            Act::RetireEpoch {
                group: 1,
                epoch: 1,
                notice: 0,
            },
            Act::Suspend(Suspect::Family(kind)),
            Act::Lift(Suspect::Family(kind)),
            Act::DenyMachine(id, true),
            Act::AllowMachine(kind, id, true),
            Act::RestrictMachines(kind, true),
            Act::AddMeasurement {
                root: id,
                kind,
                hash: id,
            },
            Act::RevokeMeasurement {
                measurement: id,
                successor: id,
            },
            Act::AddConfig {
                config: id,
                group: 1,
            },
            Act::RemoveConfig(id),
            Act::SetVerifier(account, true),
            Act::RevokeVerifier(account),
            Act::SetVerifierThreshold(1),
            Act::SetFamily {
                kind,
                minimum_evaluation: 1,
                stopped: false,
            },
            Act::SetDcap {
                dcap: account,
                accepted_statuses: 2,
            },
            Act::RevokeDcap(account),
            Act::DenyProduct(kind, id),
            Act::AllowProduct(kind, id),
            Act::RevokeSigner(account),
            Act::AddRuntime(2),
            Act::WithdrawRuntime {
                generation: 1,
                successor: 2,
            },
        ]
    }
}
