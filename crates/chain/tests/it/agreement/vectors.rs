// SPDX-License-Identifier: Apache-2.0
//! Every SGX and TDX vector of `$SUBROSA_VECTORS`.

use subrosa_attestation::{Root, bundle_of_files};
use subrosa_evidence::INTEL_SGX_ROOT_ID;
use subrosa_vectors::Vector;

use super::{Case, permissive};

/// Every vector that has collateral at all; nothing if there are no vectors here.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let vectors = subrosa_vectors::all()?;
    Some(vectors.iter().filter_map(case).collect())
}

fn case(vector: &Vector) -> Option<Case> {
    if !["sgx", "tdx", "sgx-synthetic"].contains(&vector.tee.as_str()) {
        return None;
    }
    let id = &vector.id;
    let beside = vector.files(&["collateral_json"]);
    // What is no evidence at all reaches neither.
    let Ok(bundle) = bundle_of_files(&vector.file("quote"), &beside) else {
        println!("{id}: no bundle");
        return None;
    };
    let (mut policy, mut root_id) = (permissive(), INTEL_SGX_ROOT_ID);
    if let Some(root) = vector.optional("root_ca_der") {
        let root = Root::from_certificate(&root).unwrap();
        policy.roots.clear();
        root_id = root.id();
        policy.pin(root);
    }
    Some(Case {
        name: id.clone(),
        bundle,
        policy,
        root_id,
        now: vector.now().unwrap_or(1_750_000_000),
    })
}
