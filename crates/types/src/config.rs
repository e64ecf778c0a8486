// SPDX-License-Identifier: Apache-2.0
//! What is fixed when an enclave starts, and its hash.

use alloy_primitives::{B256, U256, keccak256};
use alloy_sol_types::SolValue;

use crate::Domain;
pub use crate::abi::{EnclaveConfig, EpochOpening};

/// Version of [`EnclaveConfig`], of evidence bindings and of the host-enclave protocol's structs.
pub const CONFIG_VERSION: u16 = 1;

/// Largest encoded [`EnclaveConfig`] that is parsed, bytes.
pub const MAX_CONFIG_BYTES: usize = 16 * 1024;

/// How an enclave comes to trust a block header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[non_exhaustive]
pub enum HeaderTrustKind {
    /// The host's word; protects nothing from the host; development only.
    HostAsserted = 1,
    /// m-of-n signatures by independent watchers.
    HeaderSigners = 2,
    /// Ethereum's sync committee.
    Ethereum = 3,
    /// Signed headers of a BFT chain.
    Bft = 4,
}

/// What becomes of an epoch's secret when enclaves restart; public before anyone encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Recovery {
    /// Lives in the memory of `k` enclaves only.
    Replicas {
        /// How many.
        k: u8,
    },
    /// Sealed by a platform that has a sealing key.
    Sealed,
    /// Threshold-encrypted to custodians.
    Custodians {
        /// Shares needed.
        threshold: u8,
        /// Shares issued.
        shares: u8,
    },
    /// Sealed by the software TEE, whose key the host can read.
    SealedDevelopment,
}

impl Recovery {
    /// The packed word of [`EpochOpening`]: kind 8 ‖ threshold 8 ‖ shares 8 ‖ zero 232.
    pub fn pack(self) -> U256 {
        let [kind, threshold, shares] = match self {
            Self::Replicas { k } => [1, k, 0],
            Self::Sealed => [2, 0, 0],
            Self::Custodians { threshold, shares } => [3, threshold, shares],
            Self::SealedDevelopment => [4, 0, 0],
        };
        let mut bytes = [0; 32];
        bytes[..3].copy_from_slice(&[kind, threshold, shares]);
        U256::from_be_bytes(bytes)
    }

    /// Reads a packed word.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UnknownRecovery`] unless it is exactly what [`Self::pack`] produces.
    pub fn unpack(word: U256) -> Result<Self, ConfigError> {
        let bytes: [u8; 32] = word.to_be_bytes();
        let recovery = match bytes[..3] {
            [1, k, 0] if k > 0 => Self::Replicas { k },
            [2, 0, 0] => Self::Sealed,
            [3, threshold, shares] if 0 < threshold && threshold <= shares => {
                Self::Custodians { threshold, shares }
            }
            [4, 0, 0] => Self::SealedDevelopment,
            _ => return Err(ConfigError::UnknownRecovery),
        };
        if bytes[3..].iter().any(|byte| *byte != 0) {
            return Err(ConfigError::UnknownRecovery);
        }
        Ok(recovery)
    }
}

impl EnclaveConfig {
    /// keccak256(abi.encode(H-domain "config", this struct)).
    pub fn hash(&self) -> B256 {
        keccak256((Domain::Config.tag(), self.clone()).abi_encode_params())
    }

    /// Decodes and checks an encoded configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is too large, not the canonical encoding, of another version, or has
    /// a field outside its range.
    pub fn decode(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge(bytes.len()));
        }
        let config = Self::abi_decode_validate(bytes).map_err(|_| ConfigError::Malformed)?;
        if config.abi_encode() != bytes {
            return Err(ConfigError::Malformed);
        }
        if config.version != CONFIG_VERSION {
            return Err(ConfigError::Version(config.version));
        }
        if config.chainId > U256::from(u64::MAX) {
            return Err(ConfigError::Malformed);
        }
        if config
            .evidenceRoots
            .windows(2)
            .any(|pair| pair[0] >= pair[1])
        {
            return Err(ConfigError::RootsNotAscending);
        }
        config.header_trust()?;
        Recovery::unpack(config.recovery)?;
        Ok(config)
    }

    /// The header trust, typed.
    ///
    /// # Errors
    ///
    /// [`ConfigError::UnknownHeaderTrust`].
    pub fn header_trust(&self) -> Result<HeaderTrustKind, ConfigError> {
        Ok(match self.headerTrust {
            1 => HeaderTrustKind::HostAsserted,
            2 => HeaderTrustKind::HeaderSigners,
            3 => HeaderTrustKind::Ethereum,
            4 => HeaderTrustKind::Bft,
            other => return Err(ConfigError::UnknownHeaderTrust(other)),
        })
    }

    /// The chain id as an integer; [`Self::decode`] has checked that it fits.
    pub fn chain_id(&self) -> u64 {
        self.chainId.saturating_to()
    }
}

impl EpochOpening {
    /// What the registry stores: H\["epoch"\](all fields in order).
    pub fn record(&self) -> B256 {
        Domain::Epoch.hash(self)
    }
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Longer than [`MAX_CONFIG_BYTES`].
    #[error("configuration of {0} bytes is larger than {MAX_CONFIG_BYTES}")]
    TooLarge(usize),
    /// Not the canonical ABI encoding of an `EnclaveConfig`.
    #[error("configuration is not a canonical encoding")]
    Malformed,
    /// Of a version this build does not speak.
    #[error("configuration version {0}, expected {CONFIG_VERSION}")]
    Version(u16),
    /// Evidence roots must be ascending and unique.
    #[error("evidence roots are not strictly ascending")]
    RootsNotAscending,
    /// Not one of [`HeaderTrustKind`].
    #[error("unknown header trust {0}")]
    UnknownHeaderTrust(u8),
    /// Not one of [`Recovery`].
    #[error("unknown recovery policy")]
    UnknownRecovery,
}
