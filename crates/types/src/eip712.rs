// SPDX-License-Identifier: Apache-2.0
//! EIP-712 domains of the two contracts and the hashes signed under them.

use alloc::borrow::Cow;

use alloy_primitives::{Address, B256, Keccak256, U256, b256};
use alloy_sol_types::{Eip712Domain, SolStruct};

use crate::abi::{CosignedResults, SignedResults};

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
        b256!("744b467c23234fe036ea51797d625afc8b01c3b434804cf87a3bf4881e30bddb");

    /// [`signing_hash`] with the domain's separator known, for what is signed often.
    pub fn signing_hash(&self, separator: B256) -> B256 {
        signing_hash_of(Self::TYPE_HASH, &self.eip712_encode_data(), separator)
    }
}

impl CosignedResults {
    /// keccak256 of the struct's type, as EIP-712 encodes it.
    pub const TYPE_HASH: B256 =
        b256!("109ca7b4ee2ac5b8b7200becf949a549453a135104f497ff06c6ff6961bc228b");

    /// [`signing_hash`] with the domain's separator known, for what is signed often.
    pub fn signing_hash(&self, separator: B256) -> B256 {
        signing_hash_of(Self::TYPE_HASH, &self.eip712_encode_data(), separator)
    }
}

fn signing_hash_of(type_hash: B256, data: &[u8], separator: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(type_hash);
    hasher.update(data);
    let message = hasher.finalize();
    let mut hasher = Keccak256::new();
    hasher.update([0x19, 0x01]);
    hasher.update(separator);
    hasher.update(message);
    hasher.finalize()
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
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn what_is_computed_once_is_what_eip_712_says() {
        let domain = oracle_domain(31_337, Address::repeat_byte(3));
        for count in 0..4 {
            let hashes: Vec<_> = (0..count).map(B256::repeat_byte).collect();
            let first = SignedResults {
                resultHashes: hashes.clone(),
                payee: Address::repeat_byte(5),
            };
            let hash = first.signing_hash(domain.hash_struct());
            assert_eq!(hash, signing_hash(&first, &domain));
            let further = CosignedResults {
                resultHashes: hashes,
            };
            let hash = further.signing_hash(domain.hash_struct());
            assert_eq!(hash, signing_hash(&further, &domain));
        }
    }

    #[test]
    fn type_hashes_are_those_of_the_types() {
        assert_eq!(
            SignedResults::TYPE_HASH,
            keccak256("SignedResults(bytes32[] resultHashes,address payee)")
        );
        assert_eq!(
            CosignedResults::TYPE_HASH,
            keccak256("CosignedResults(bytes32[] resultHashes)")
        );
    }
}
