// SPDX-License-Identifier: Apache-2.0
//! Every SGX and TDX vector of `$SUBROSA_VECTORS`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use subrosa_attestation::{Root, bundle_of_files};
use subrosa_evidence::INTEL_SGX_ROOT_ID;

use super::{Case, permissive};

/// Every vector that has collateral at all; nothing if there are no vectors here.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let Some(directory) = std::env::var_os("SUBROSA_VECTORS") else {
        assert_ne!(
            std::env::var("SUBROSA_REQUIRE_VECTORS").as_deref(),
            Ok("1"),
            "SUBROSA_REQUIRE_VECTORS=1, but SUBROSA_VECTORS names no directory"
        );
        println!("vectors: NOT RUN (SUBROSA_VECTORS is not set)");
        return None;
    };
    let directory = PathBuf::from(directory);
    let manifest = std::fs::read(directory.join("MANIFEST.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let vectors = manifest["vectors"].as_array().unwrap();
    let cases = vectors.iter().filter_map(|vector| case(&directory, vector));
    Some(cases.collect())
}

fn case(directory: &Path, vector: &Value) -> Option<Case> {
    let tee = vector["tee"].as_str().unwrap();
    if !["sgx", "tdx", "sgx-synthetic"].contains(&tee) {
        return None;
    }
    let id = vector["id"].as_str().unwrap();
    let read = |role: &str| {
        let files = vector["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["role"] == role)?;
        Some(std::fs::read(directory.join(file["path"].as_str().unwrap())).unwrap())
    };
    let beside: Vec<Vec<u8>> = read("collateral_json").into_iter().collect();
    // What is no evidence at all reaches neither.
    let Ok(bundle) = bundle_of_files(&read("quote").unwrap(), &beside) else {
        println!("{id}: no bundle");
        return None;
    };
    let (mut policy, mut root_id) = (permissive(), INTEL_SGX_ROOT_ID);
    if let Some(root) = read("root_ca_der") {
        let root = Root::from_certificate(&root).unwrap();
        policy.roots.clear();
        root_id = root.id();
        policy.pin(root);
    }
    Some(Case {
        name: id.to_owned(),
        bundle,
        policy,
        root_id,
        now: vector["now"]["unix"].as_u64().unwrap_or(1_750_000_000),
    })
}
