// SPDX-License-Identifier: Apache-2.0
//! Why collateral or a quote has no form in which a chain could take it.

/// Why collateral or a quote has no form in which a chain could take it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DcapError {
    /// Longer than anything genuine.
    #[error("{what} has {found} bytes, at most {limit} are read")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Not the JSON of Intel's collateral.
    #[error("collateral is not the JSON object of Intel's collateral")]
    Json(#[source] serde_json::Error),
    /// A field that does not hold what it should.
    #[error("{field} is not {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Not a quote that the chain verifies.
    #[error("quote is not {0}")]
    Quote(&'static str),
    /// Not an evidence bundle.
    #[error("evidence is not a bundle")]
    Bundle(#[from] subrosa_evidence::BundleError),
    /// Not an evidence bundle with a DCAP quote.
    #[error("evidence is not {0}")]
    Evidence(&'static str),
}
