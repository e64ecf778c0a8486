// SPDX-License-Identifier: Apache-2.0
//! The contracts' errors by their names.

use std::fmt::Debug;

use alloy::sol_types::SolInterface;

use crate::bindings::{
    AccessManager::AccessManagerErrors, SubrosaDcap::SubrosaDcapErrors,
    SubrosaMailbox::SubrosaMailboxErrors, SubrosaOracle::SubrosaOracleErrors,
    SubrosaPrepaid::SubrosaPrepaidErrors, SubrosaRegistry::SubrosaRegistryErrors,
};

/// Name and arguments of the error that the data of a revert encodes: `Name { argument: … }`. `None` if
/// it is none of the oracle's, the registry's, the verification of quotes' or the mailbox's, of which the first
/// pass on what the next of them reverts with, and none of a prepaid account's or the authority's.
pub fn revert_reason(data: &[u8]) -> Option<String> {
    if let Ok(reason) = SubrosaOracleErrors::abi_decode(data) {
        return Some(named(&reason));
    }
    if let Ok(reason) = SubrosaRegistryErrors::abi_decode(data) {
        return Some(named(&reason));
    }
    if let Ok(reason) = SubrosaDcapErrors::abi_decode(data) {
        return Some(named(&reason));
    }
    if let Ok(reason) = SubrosaMailboxErrors::abi_decode(data) {
        return Some(named(&reason));
    }
    if let Ok(reason) = SubrosaPrepaidErrors::abi_decode(data) {
        return Some(named(&reason));
    }
    let reason = AccessManagerErrors::abi_decode(data).ok()?;
    Some(named(&reason))
}

/// `Name { argument: … }` of a decoded error, which debug output writes as `Name(Name { … })`.
fn named(reason: &impl Debug) -> String {
    let text = format!("{reason:?}");
    match text.split_once('(') {
        Some((name, rest)) if rest.starts_with(name) => {
            rest.strip_suffix(')').unwrap_or(rest).to_owned()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        primitives::{Address, B256},
        sol_types::SolError,
    };

    use super::*;
    use crate::bindings::{
        AccessManager, SubrosaDcap, SubrosaMailbox, SubrosaOracle, SubrosaPrepaid, SubrosaRegistry,
    };

    #[test]
    fn errors_of_each_contract_have_one_name() {
        let oracle = SubrosaOracle::ContractPaused {
            contractId: B256::ZERO,
        };
        let registry = SubrosaRegistry::SignerUnknown {
            signer: Address::ZERO,
        };
        let dcap = SubrosaDcap::CertificateRevoked {
            serial: Default::default(),
        };
        let mailbox = SubrosaMailbox::NotAsked { id: B256::ZERO };
        let prepaid = SubrosaPrepaid::OverDayLimit {
            amount: Default::default(),
            left: Default::default(),
        };
        let authority = AccessManager::AccessManagerNotReady {
            operationId: B256::ZERO,
        };
        for (data, expected) in [
            (oracle.abi_encode(), "ContractPaused { contractId: 0x00"),
            (registry.abi_encode(), "SignerUnknown { signer: 0x00"),
            (dcap.abi_encode(), "CertificateRevoked { serial: 0 }"),
            (mailbox.abi_encode(), "NotAsked { id: 0x00"),
            (prepaid.abi_encode(), "OverDayLimit { amount: 0, left: 0 }"),
            (
                authority.abi_encode(),
                "AccessManagerNotReady { operationId: 0x00",
            ),
        ] {
            let reason = revert_reason(&data).unwrap();
            assert!(reason.starts_with(expected), "{reason}");
        }
        assert_eq!(revert_reason(b""), None);
        assert_eq!(revert_reason(b"none of them"), None);
    }
}
