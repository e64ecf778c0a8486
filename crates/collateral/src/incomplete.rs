// SPDX-License-Identifier: Apache-2.0
//! What only the sender of evidence could add to it.

/// Why evidence cannot be completed. Whoever sent it must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Incomplete {
    /// The quote names its PCK certificate instead of carrying it.
    #[error(
        "the quote carries no PCK certificate chain (certification data of type {0}, expected 5): \
         put the chain into the evidence's collateral"
    )]
    PckCertificate(u16),
    /// A report that does not say what it comes from.
    #[error(
        "an attestation report of version {0} does not say which product made it: put the VCEK or \
         VLEK certificate into the evidence"
    )]
    Product(u32),
    /// A product that this build does not know.
    #[error("processors of family {0:#x}, model {1:#x} are unknown")]
    Processor(u8, u8),
    /// The report is signed with a key that AMD gives out to its owner alone.
    #[error("the report is signed with a VLEK: put its certificate into the evidence")]
    Vlek,
    /// The report hides its chip.
    #[error("the report hides its chip id: put the VCEK certificate into the evidence")]
    Chip,
}
