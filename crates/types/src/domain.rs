// SPDX-License-Identifier: Apache-2.0
//! Domain separation of every hash.

use alloy_primitives::{B256, Keccak256, b256};
use alloy_sol_types::SolValue;

/// A domain: the first word of every hash preimage, `keccak256("subrosa.v1.<name>")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// `contract-id`: identifiers of confidential contracts.
    ContractId,
    /// `code`: code commitments.
    Code,
    /// `entry`: digests of log entries.
    Entry,
    /// `outcome`: what execution yields.
    Outcome,
    /// `result`: what is signed per entry.
    Result,
    /// `epoch`: epoch records in the registry.
    Epoch,
    /// `epoch-key`: an epoch's public keys.
    EpochKey,
    /// `measurement`: identifiers of enclave measurements.
    Measurement,
    /// `measurement-set`: the measurements that may hold an epoch's secret.
    EpochSet,
    /// `product`: kinds of hardware that the registry can deny.
    Product,
    /// `config`: enclave configurations.
    Config,
    /// `start`: checkpoints that header trust starts from.
    Start,
    /// `report-data`: the binding of evidence to an enclave's keys.
    ReportData,
    /// `client-challenge`: what clients have evidence answer.
    ClientChallenge,
    /// `registration-challenge`: what evidence answers that registers a signer.
    RegistrationChallenge,
}

impl Domain {
    /// Every domain, in declaration order.
    pub const ALL: [Self; 15] = [
        Self::ContractId,
        Self::Code,
        Self::Entry,
        Self::Outcome,
        Self::Result,
        Self::Epoch,
        Self::EpochKey,
        Self::Measurement,
        Self::EpochSet,
        Self::Product,
        Self::Config,
        Self::Start,
        Self::ReportData,
        Self::ClientChallenge,
        Self::RegistrationChallenge,
    ];

    /// The name after `subrosa.v1.`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContractId => "contract-id",
            Self::Code => "code",
            Self::Entry => "entry",
            Self::Outcome => "outcome",
            Self::Result => "result",
            Self::Epoch => "epoch",
            Self::EpochKey => "epoch-key",
            Self::Measurement => "measurement",
            Self::EpochSet => "epoch-set",
            Self::Product => "product",
            Self::Config => "config",
            Self::Start => "start",
            Self::ReportData => "report-data",
            Self::ClientChallenge => "client-challenge",
            Self::RegistrationChallenge => "registration-challenge",
        }
    }

    /// The 32-byte tag.
    pub const fn tag(self) -> B256 {
        match self {
            Self::ContractId => {
                b256!("edb874136c7dd7b951e78feedf9452d5c28b241828bc0a514bf4eb4c9911282d")
            }
            Self::Code => {
                b256!("016945855eb4f7fdedc02a8fde5857e471be1f8ecbfc865b4cdd1b73f0e36962")
            }
            Self::Entry => {
                b256!("a2d935bee8a5f716b87ac05037cb4ec0d5d2d3915bb6d1a279c6acd0c9815d42")
            }
            Self::Outcome => {
                b256!("bfdbbf46f1093e22fe22c43543dd4cb8e6db1d72bb3348a354bca4a91412daf5")
            }
            Self::Result => {
                b256!("bc080d12420d691abf45b0df2dab926d4a5bc80ecb7e373e80d9cbb0ce84bac2")
            }
            Self::Epoch => {
                b256!("ed6169b555a8e2d854b83e0c32b70c3a0ecdac1eff669e42fbdd17c6fb1f5b48")
            }
            Self::EpochKey => {
                b256!("e3292bff4540cf937b80282fc86b29e2c869994abd66673627141eef4ca48ef6")
            }
            Self::Measurement => {
                b256!("95d3d1422499eedecaed3d9e763d7b8d3d2c97a59eec870684ebad5685d55375")
            }
            Self::EpochSet => {
                b256!("2d412bc0651d0f05c5aa8948001b49a23fe55047731e6ffd2b3d4367ac4c8096")
            }
            Self::Product => {
                b256!("9890a8fd0e530b6de1ca8fea3fa9cec9bb811c747fdefc9cbb8eb985c4eeef8c")
            }
            Self::Config => {
                b256!("81a45adfa867612e8bd03ca0df08638545c48ce8ba736ee740d73b49852692de")
            }
            Self::Start => {
                b256!("1155a2c25a47f2da0c0fc352f48e08a64e2968a6b477f7f8feb7209ae96dba43")
            }
            Self::ReportData => {
                b256!("413ac0e234fe8da6768639dde0418939f8251a22a482971bdf3769a25946ff46")
            }
            Self::ClientChallenge => {
                b256!("a83aa9d363c8d28faba04d43a35020d715e1063a5f6fba99ffacbbd5a7fc2907")
            }
            Self::RegistrationChallenge => {
                b256!("3d1971e0f14ff6f03579c6bf97f756765e824f71557905264c0b103c6b9997b5")
            }
        }
    }

    /// keccak256 of the tag followed by `words`, which must be an encoding of static words only.
    pub(crate) fn hash<T: SolValue>(self, words: &T) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(self.tag());
        hasher.update(words.abi_encode());
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn each_tag_is_the_hash_of_its_name() {
        for domain in Domain::ALL {
            let name = format!("subrosa.v1.{}", domain.name());
            assert_eq!(domain.tag(), keccak256(&name), "{name}");
        }
    }
}
