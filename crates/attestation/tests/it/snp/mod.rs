// SPDX-License-Identifier: Apache-2.0
//! SEV-SNP: genuine reports of AMD's hardware, and a platform of our own that misbehaves in every
//! way there is a name for.

mod genuine;
mod negatives;
mod sound;

use std::sync::LazyLock;

use crate::forge::snp::{Evidence, Pki};
use subrosa_attestation::{Claims, Policy, Verified, VerifyError, verify_genuine};
use subrosa_evidence::Product;

static MILAN: LazyLock<Pki> = LazyLock::new(|| Pki::new(Product::Milan));
static GENOA: LazyLock<Pki> = LazyLock::new(|| Pki::new(Product::Genoa));
static TURIN: LazyLock<Pki> = LazyLock::new(|| Pki::new(Product::Turin));
/// Of the names that GENOA has, and pinned by nobody.
static STRANGER: LazyLock<Pki> = LazyLock::new(|| Pki::new(Product::Genoa));

/// The strict policy, our own roots, and Milan.
fn policy() -> Policy {
    let mut policy = Policy::strict();
    policy.denied_products.clear();
    for pki in [&MILAN, &GENOA, &TURIN] {
        policy.pin(pki.root());
    }
    policy
}

fn verify(evidence: &Evidence) -> Result<Verified<Claims>, VerifyError> {
    verify_genuine(&evidence.bundle(), &policy(), evidence.now)
}
