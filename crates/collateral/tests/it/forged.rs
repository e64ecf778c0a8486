// SPDX-License-Identifier: Apache-2.0
//! A vendor that publishes what belongs to forged evidence.

use serde_json::Value;
use subrosa_attestation::{Policy, Root};
use subrosa_collateral::testing::Vendor;
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::id::TeeKind;

/// 2026-06-01T00:00:00Z, when what is forged is in force.
pub(crate) const NOW: u64 = 1_780_272_000;

/// Evidence of a hierarchy that is no vendor's.
pub(crate) fn forge() -> Forge {
    Forge::new().fault(Fault::ForeignRoot)
}

/// Its collateral.
pub(crate) fn collateral(forge: &Forge) -> Value {
    let evidence = forge.evidence();
    let collateral = evidence.part(EvidencePart::Collateral).unwrap();
    serde_json::from_slice(collateral).unwrap()
}

/// A vendor that publishes it.
pub(crate) async fn vendor(forge: &Forge) -> Vendor {
    let vendor = Vendor::start().await;
    vendor.publish_intel("tdx", &collateral(forge));
    vendor
}

/// A policy that accepts the root above it.
pub(crate) fn policy(forge: &Forge) -> Policy {
    let collateral = collateral(forge);
    let chain = collateral["tcb_info_issuer_chain"].as_str().unwrap();
    let pem = &chain[chain.rfind("-----BEGIN").unwrap()..];
    let mut policy = Policy::strict();
    policy.pin(Root::from_certificate(pem.as_bytes()).unwrap());
    policy
}

/// The evidence without its collateral.
pub(crate) fn bare(forge: &Forge) -> EvidenceBundle {
    let quote = forge.evidence().quote().to_vec();
    EvidenceBundle::from_parts(TeeKind::Tdx, [(EvidencePart::Quote, quote)]).unwrap()
}
