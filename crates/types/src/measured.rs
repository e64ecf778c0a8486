// SPDX-License-Identifier: Apache-2.0
//! The `[measured]` table of configuration files: an [`EnclaveConfig`] as people write it.
//!
//! A node's configuration and a client's deployment file hold the same table; both hash to the
//! same `configHash` or the client refuses.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};

use crate::{
    abi::EnclaveConfig,
    config::{CONFIG_VERSION, ConfigError, HeaderTrustKind, Recovery},
};

/// Everything that is hashed into evidence; changing any of it makes another enclave.
///
/// ```toml
/// [measured]
/// chain_id = 31337
/// registry = "0x…"
/// registry_code_hash = "0x…"
/// oracle = "0x…"
/// oracle_code_hash = "0x…"
/// header_trust = "host-asserted"
/// evidence_roots = ["0x…"]
/// policy_hash = "0x…"
/// key_group = 1
/// recovery = { kind = "sealed-development" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Chain the contracts live on.
    pub chain_id: u64,
    /// The registry.
    pub registry: Address,
    /// keccak256 of the registry's code.
    pub registry_code_hash: B256,
    /// The oracle.
    pub oracle: Address,
    /// keccak256 of the oracle's code.
    pub oracle_code_hash: B256,
    /// How the enclave comes to trust a header.
    pub header_trust: HeaderTrustKind,
    /// What that kind needs, ABI-encoded; empty for host-asserted.
    #[serde(default)]
    pub header_trust_parameters: Bytes,
    /// Ids of the evidence roots accepted from peers, strictly ascending.
    pub evidence_roots: Vec<B256>,
    /// keccak256 of the appraisal policy.
    pub policy_hash: B256,
    /// Key group whose epochs the enclave joins.
    pub key_group: u32,
    /// What becomes of an epoch's secret when enclaves restart.
    pub recovery: Recovery,
}

impl Measured {
    /// The configuration the enclave is started with.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if [`EnclaveConfig::decode`] would refuse it.
    pub fn enclave_config(&self) -> Result<EnclaveConfig, ConfigError> {
        let config = EnclaveConfig {
            version: CONFIG_VERSION,
            chainId: U256::from(self.chain_id),
            registry: self.registry,
            registryCodeHash: self.registry_code_hash,
            oracle: self.oracle,
            oracleCodeHash: self.oracle_code_hash,
            headerTrust: self.header_trust as u8,
            headerTrustParameters: self.header_trust_parameters.clone(),
            evidenceRoots: self.evidence_roots.clone(),
            policyHash: self.policy_hash,
            keyGroup: self.key_group,
            recovery: self.recovery.pack(),
        };
        EnclaveConfig::decode(&config.abi_encode())
    }
}

impl TryFrom<&EnclaveConfig> for Measured {
    type Error = ConfigError;

    fn try_from(config: &EnclaveConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            chain_id: u64::try_from(config.chainId).map_err(|_| ConfigError::Malformed)?,
            registry: config.registry,
            registry_code_hash: config.registryCodeHash,
            oracle: config.oracle,
            oracle_code_hash: config.oracleCodeHash,
            header_trust: config.header_trust()?,
            header_trust_parameters: config.headerTrustParameters.clone(),
            evidence_roots: config.evidenceRoots.clone(),
            policy_hash: config.policyHash,
            key_group: config.keyGroup,
            recovery: Recovery::unpack(config.recovery)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        Measured {
            chain_id: 31_337,
            registry: Address::repeat_byte(1),
            registry_code_hash: B256::repeat_byte(2),
            oracle: Address::repeat_byte(3),
            oracle_code_hash: B256::repeat_byte(4),
            header_trust: HeaderTrustKind::HostAsserted,
            header_trust_parameters: Bytes::new(),
            evidence_roots: vec![B256::repeat_byte(5), B256::repeat_byte(6)],
            policy_hash: B256::repeat_byte(7),
            key_group: 1,
            recovery: Recovery::Custodians {
                threshold: 2,
                shares: 3,
            },
        }
    }

    #[test]
    fn a_configuration_survives_the_table_and_back() {
        let config = measured().enclave_config().unwrap();
        assert_eq!(Measured::try_from(&config).unwrap(), measured());
    }

    #[test]
    fn descending_roots_are_refused() {
        let mut table = measured();
        table.evidence_roots.reverse();
        assert_eq!(table.enclave_config(), Err(ConfigError::RootsNotAscending));
    }
}
