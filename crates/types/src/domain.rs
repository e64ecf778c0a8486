// SPDX-License-Identifier: Apache-2.0
//! Domain separation of every hash.

use alloy_primitives::{B256, Keccak256};
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
    MeasurementSet,
    /// `product`: kinds of hardware that the registry can deny.
    Product,
    /// `config`: enclave configurations.
    Config,
    /// `start`: checkpoints that header trust starts from.
    Start,
    /// `report-data`: the binding of evidence to an enclave's keys.
    ReportData,
}

impl Domain {
    /// Every domain, in declaration order.
    pub const ALL: [Self; 13] = [
        Self::ContractId,
        Self::Code,
        Self::Entry,
        Self::Outcome,
        Self::Result,
        Self::Epoch,
        Self::EpochKey,
        Self::Measurement,
        Self::MeasurementSet,
        Self::Product,
        Self::Config,
        Self::Start,
        Self::ReportData,
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
            Self::MeasurementSet => "measurement-set",
            Self::Product => "product",
            Self::Config => "config",
            Self::Start => "start",
            Self::ReportData => "report-data",
        }
    }

    /// The 32-byte tag.
    pub fn tag(self) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(b"subrosa.v1.");
        hasher.update(self.name().as_bytes());
        hasher.finalize()
    }

    /// keccak256 of the tag followed by `words`, which must be an encoding of static words only.
    pub(crate) fn hash<T: SolValue>(self, words: &T) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(self.tag());
        hasher.update(words.abi_encode());
        hasher.finalize()
    }
}
