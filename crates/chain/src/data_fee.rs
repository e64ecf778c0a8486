// SPDX-License-Identifier: Apache-2.0
//! What chains that keep their data on another chain ask for it, besides gas.

use alloy::{
    primitives::{Address, Bytes, U256, address, keccak256},
    providers::{DynProvider, Provider},
    sol,
};

use crate::ChainError;

sol! {
    /// Of Arbitrum chains: <https://docs.arbitrum.io/build-decentralized-apps/precompiles/reference>, ArbGasInfo.
    #[sol(rpc)]
    interface ArbGasInfo {
        function getL1BaseFeeEstimate() external view returns (uint256);
    }

    /// Of OP stack chains: <https://specs.optimism.io/protocol/predeploys.html>, GasPriceOracle.
    #[sol(rpc)]
    interface GasPriceOracle {
        function getL1Fee(bytes memory data) external view returns (uint256);
    }
}

/// How a chain asks for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFees {
    /// Not at all: gas is all there is.
    None,
    /// As Arbitrum chains do; their oracle (`SubrosaOracleArbitrum`) asks requests for it too.
    Arbitrum,
    /// As OP stack chains do.
    Optimism,
}

impl DataFees {
    /// What a chain has the contracts for.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if it gives no answer.
    pub async fn of(provider: &DynProvider) -> Result<Self, ChainError> {
        if !provider.get_code_at(OPTIMISM).await?.is_empty() {
            return Ok(Self::Optimism);
        }
        if !provider.get_code_at(ARBITRUM).await?.is_empty() {
            return Ok(Self::Arbitrum);
        }
        Ok(Self::None)
    }

    /// What a byte of a transaction's data costs now, wei, rounded up.
    ///
    /// # Errors
    ///
    /// [`ChainError`] if the chain gives no answer.
    pub async fn per_byte(self, provider: &DynProvider) -> Result<U256, ChainError> {
        match self {
            Self::None => Ok(U256::ZERO),
            Self::Arbitrum => {
                let contract = ArbGasInfo::new(ARBITRUM, provider.clone());
                let estimate = contract.getL1BaseFeeEstimate().call().await?;
                Ok(estimate.saturating_mul(U256::from(GAS_PER_BYTE)))
            }
            Self::Optimism => {
                let contract = GasPriceOracle::new(OPTIMISM, provider.clone());
                let fee = contract.getL1Fee(incompressible(SAMPLE)).call().await?;
                Ok(fee.div_ceil(U256::from(SAMPLE)))
            }
        }
    }
}

/// Bytes as results are made of, which no compression shortens.
fn incompressible(length: usize) -> Bytes {
    let words = (0..length as u64).step_by(32);
    let mut bytes: Vec<u8> = words
        .flat_map(|word| keccak256(word.to_be_bytes()).0)
        .collect();
    bytes.truncate(length);
    bytes.into()
}

const ARBITRUM: Address = address!("000000000000000000000000000000000000006C");
const OPTIMISM: Address = address!("420000000000000000000000000000000000000F");
/// Gas of a byte on the parent chain (EIP-2028), as the precompile's estimate is for.
const GAS_PER_BYTE: u64 = 16;
/// Bytes to ask the price of: large against what is added to every transaction.
const SAMPLE: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_as_long_as_it_says_and_repeats_nothing() {
        let sample = incompressible(SAMPLE);
        assert_eq!(sample.len(), SAMPLE);
        assert_ne!(sample[..32], sample[32..64]);
        assert_eq!(incompressible(33).len(), 33);
    }
}
