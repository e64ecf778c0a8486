// SPDX-License-Identifier: Apache-2.0
//! Identifiers and commitments.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;

use crate::{Domain, abi::EpochMember};

/// Identifier of a confidential contract: H\["contract-id"\](chainId, oracle, deployer, nonce).
pub type ContractId = B256;

/// The identifier the oracle gives to `deployer`'s registration number `nonce` (from 0).
pub fn contract_id(chain_id: u64, oracle: Address, deployer: Address, nonce: u64) -> ContractId {
    Domain::ContractId.hash(&(U256::from(chain_id), oracle, deployer, U256::from(nonce)))
}

/// H\["code"\](salt, engine, keccak256(code), keccak256(init)).
pub fn code_commitment(salt: B256, engine: u8, code: &[u8], init: &[u8]) -> B256 {
    Domain::Code.hash(&(salt, U256::from(engine), keccak256(code), keccak256(init)))
}

/// The address a confidential contract has inside its virtual machine: the low 160 bits of its id.
pub fn guest_address(contract: ContractId) -> Address {
    Address::from_word(contract)
}

/// H\["measurement"\](rootId, teeKind, measurementHash).
pub fn measurement_id(root_id: B256, tee: TeeKind, measurement_hash: B256) -> B256 {
    Domain::Measurement.hash(&(root_id, U256::from(tee as u8), measurement_hash))
}

/// H\["product"\](teeKind, keccak256(name)): a kind of hardware that the registry can deny. The name is
/// the FMSPC (6 bytes) for Intel; `Milan`, `Genoa` or `Turin` for SEV-SNP, as AMD's key distribution
/// service spells them; empty for Nitro.
pub fn product_id(tee: TeeKind, name: &[u8]) -> B256 {
    Domain::Product.hash(&(U256::from(tee as u8), keccak256(name)))
}

/// H\["epoch-set"\](keccak256 of the members' ABI encoding, sorted ascending, without duplicates).
pub fn epoch_set_hash(members: &[EpochMember]) -> B256 {
    let mut sorted = members.to_vec();
    sorted.sort_unstable_by_key(|member| (member.measurementId, member.configHash));
    sorted.dedup();
    Domain::EpochSet.hash(&keccak256(sorted.abi_encode()))
}

/// H\["start"\](keccak256(checkpoint)): what names the checkpoint that an enclave's header trust
/// started from. Evidence and admissions bind it beside the configuration, which stays the same
/// from one checkpoint to the next.
pub fn start_hash(checkpoint: &[u8]) -> B256 {
    Domain::Start.hash(&keccak256(checkpoint))
}

/// H\["epoch-key"\](keccak256(X-Wing public key), X25519 public key).
pub fn epoch_public_key_hash(xwing: &[u8], x25519: &[u8; 32]) -> B256 {
    Domain::EpochKey.hash(&(keccak256(xwing), B256::from(*x25519)))
}

/// The kind of trusted execution environment, as numbered in admissions and measurement ids.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[non_exhaustive]
pub enum TeeKind {
    /// Intel TDX.
    Tdx = 1,
    /// Intel SGX.
    Sgx = 2,
    /// AMD SEV-SNP.
    Snp = 3,
    /// AWS Nitro Enclaves.
    Nitro = 4,
    /// Azure confidential VM: vTPM over SEV-SNP.
    AzureSnp = 5,
    /// Azure confidential VM: vTPM over TDX.
    AzureTdx = 6,
}

impl TeeKind {
    /// Every kind, ascending by number.
    pub const ALL: [Self; 6] = [
        Self::Tdx,
        Self::Sgx,
        Self::Snp,
        Self::Nitro,
        Self::AzureSnp,
        Self::AzureTdx,
    ];

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Its name in policies, verdicts and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tdx => "tdx",
            Self::Sgx => "sgx",
            Self::Snp => "snp",
            Self::Nitro => "nitro",
            Self::AzureSnp => "azure-snp",
            Self::AzureTdx => "azure-tdx",
        }
    }
}

impl core::fmt::Display for TeeKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
