// SPDX-License-Identifier: Apache-2.0
//! EIP-712 domains of the two contracts and the hashes signed under them.

use alloc::borrow::Cow;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct};

/// The oracle's domain: ("Subrosa", "1", chainId, oracle).
pub fn oracle_domain(chain_id: u64, oracle: Address) -> Eip712Domain {
    domain("Subrosa", chain_id, oracle)
}

/// The registry's domain: ("Subrosa Registry", "1", chainId, registry).
pub fn registry_domain(chain_id: u64, registry: Address) -> Eip712Domain {
    domain("Subrosa Registry", chain_id, registry)
}

/// The digest that is signed for `message` under `domain` (EIP-712, "encode").
pub fn signing_hash<T: SolStruct>(message: &T, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

fn domain(name: &'static str, chain_id: u64, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(
        Some(Cow::Borrowed(name)),
        Some(Cow::Borrowed("1")),
        Some(U256::from(chain_id)),
        Some(verifying_contract),
        None,
    )
}
