// SPDX-License-Identifier: Apache-2.0
//! EIP-712 domains of the two contracts and the hashes signed under them.

use alloc::borrow::Cow;

use alloy_primitives::{Address, B256, Keccak256, U256, b256};
use alloy_sol_types::{Eip712Domain, SolStruct};

use crate::abi::SignedResults;

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

impl SignedResults {
    /// keccak256 of the struct's type, as EIP-712 encodes it.
    pub const TYPE_HASH: B256 =
        b256!("95196df62e8c901f6b15b53bc42199566f3346911c81fe34e2b3ff071ee70277");

    /// [`signing_hash`] with the domain's separator known, for what is signed often.
    pub fn signing_hash(&self, separator: B256) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(Self::TYPE_HASH);
        hasher.update(self.eip712_encode_data());
        let message = hasher.finalize();
        let mut hasher = Keccak256::new();
        hasher.update([0x19, 0x01]);
        hasher.update(separator);
        hasher.update(message);
        hasher.finalize()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_once_is_what_eip_712_says() {
        let domain = oracle_domain(31_337, Address::repeat_byte(3));
        for count in 0..4 {
            let results = SignedResults {
                resultHashes: (0..count).map(B256::repeat_byte).collect(),
                anchorNumber: 5,
                anchorHash: B256::repeat_byte(6),
                configHash: B256::repeat_byte(7),
                measurementId: B256::repeat_byte(8),
                keyGroup: 9,
                keyEpoch: 10,
            };
            let hash = results.signing_hash(domain.hash_struct());
            assert_eq!(hash, signing_hash(&results, &domain));
        }
    }
}
