// SPDX-License-Identifier: Apache-2.0
//! What a relying party requires.

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;

use crate::{Binding, DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, TcbStatus};

/// Which hardware, in which state, is trusted at all. Debugged or profiled enclaves never are:
/// there is nothing to set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Accepted roots. The development root in this list has no effect.
    pub roots: BTreeSet<B256>,
    /// Whether software evidence under the development root is accepted. It protects nothing.
    pub allow_development: bool,
    /// Accepted TCB statuses. A revoked level is never accepted.
    pub tcb_statuses: BTreeSet<TcbStatus>,
    /// Smallest accepted TCB evaluation number.
    pub minimum_tcb_evaluation: u32,
    /// Ids of the accepted machines; `None` accepts any.
    pub machines: Option<BTreeSet<B256>>,
}

impl Policy {
    /// Intel's production root, TCB status `UpToDate`, any machine.
    pub fn strict() -> Self {
        Self {
            roots: BTreeSet::from([INTEL_SGX_ROOT_ID]),
            allow_development: false,
            tcb_statuses: BTreeSet::from([TcbStatus::UpToDate]),
            minimum_tcb_evaluation: 0,
            machines: None,
        }
    }

    /// [`Self::strict`], and software evidence: for development only.
    pub fn development() -> Self {
        Self {
            allow_development: true,
            ..Self::strict()
        }
    }

    /// Whether evidence under `root_id` is accepted.
    pub fn accepts_root(&self, root_id: B256) -> bool {
        if root_id == DEVELOPMENT_ROOT_ID {
            self.allow_development
        } else {
            self.roots.contains(&root_id)
        }
    }

    /// keccak256(abi.encode(keccak256("subrosa.v1.policy"), allowDevelopment, statuses,
    /// minimumTcbEvaluation, keccak256(roots), restrictsMachines, keccak256(machines))), where
    /// `statuses` has bit n set for status number n and the lists are ascending.
    pub fn hash(&self) -> B256 {
        let statuses = self.tcb_statuses.iter().fold(U256::ZERO, |bits, status| {
            bits | (U256::ONE << (*status as usize))
        });
        let machines: Vec<u8> = self.machines.iter().flatten().flat_map(|id| id.0).collect();
        let roots: Vec<u8> = self.roots.iter().flat_map(|id| id.0).collect();
        keccak256(
            (
                keccak256("subrosa.v1.policy"),
                self.allow_development,
                statuses,
                U256::from(self.minimum_tcb_evaluation),
                keccak256(roots),
                self.machines.is_some(),
                keccak256(machines),
            )
                .abi_encode(),
        )
    }
}

/// Which measurements are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measurements {
    /// Any of these measurement ids; none if empty.
    AnyOf(BTreeSet<B256>),
    /// The caller judges it elsewhere, as a verifier does that leaves it to the registry and to
    /// clients. Never an acceptance: [`verify`](crate::verify) refuses it.
    JudgedElsewhere,
}

/// Everything that a relying party has in mind when it asks for evidence.
///
/// The same expectations are held against raw evidence ([`verify`](crate::verify)) and against
/// attestation results ([`ear::verify`](crate::ear::verify)), with the same named checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    /// Which hardware is trusted.
    pub policy: Policy,
    /// What may run on it.
    pub measurements: Measurements,
    /// The keys that the node presents and the configuration it must have.
    pub binding: Binding,
    /// The challenge that was sent, [`CHALLENGE_BYTES`](crate::CHALLENGE_BYTES) long.
    pub challenge: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_hash_follows_every_field() {
        let base = Policy::strict();
        let id = B256::repeat_byte(1);
        let variants = [
            Policy {
                allow_development: true,
                ..base.clone()
            },
            Policy {
                roots: BTreeSet::new(),
                ..base.clone()
            },
            Policy {
                tcb_statuses: BTreeSet::from([TcbStatus::OutOfDate]),
                ..base.clone()
            },
            Policy {
                minimum_tcb_evaluation: 1,
                ..base.clone()
            },
            Policy {
                machines: Some(BTreeSet::new()),
                ..base.clone()
            },
            Policy {
                machines: Some(BTreeSet::from([id])),
                ..base.clone()
            },
            base,
        ];
        let hashes: BTreeSet<B256> = variants.iter().map(Policy::hash).collect();
        assert_eq!(hashes.len(), variants.len());
    }

    #[test]
    fn listing_the_development_root_does_not_accept_it() {
        let mut policy = Policy::strict();
        policy.roots.insert(DEVELOPMENT_ROOT_ID);
        assert!(!policy.accepts_root(DEVELOPMENT_ROOT_ID));
        assert!(Policy::development().accepts_root(DEVELOPMENT_ROOT_ID));
    }
}
