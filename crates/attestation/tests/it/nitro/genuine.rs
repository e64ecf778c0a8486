// SPDX-License-Identifier: Apache-2.0
//! Genuine attestation documents, from the directory that `SUBROSA_VECTORS` names.

use alloy_primitives::hex;
use serde::Deserialize;
use subrosa_attestation::{Claims, Policy, Root, VerifyError, verify_genuine};
use subrosa_evidence::{AWS_NITRO_ROOT_ID, CheckId, EvidenceBundle};
use subrosa_vectors::Vector;

use super::{bundle, flip};

#[derive(Deserialize)]
struct Measurements {
    module_id: String,
    timestamp_ms: u64,
    pcrs: std::collections::BTreeMap<u8, String>,
    user_data: String,
    nonce: String,
    public_key: String,
}

fn vectors() -> Option<Vec<Vector>> {
    let nitro = subrosa_vectors::of("nitro")?;
    assert!(nitro.len() >= 6, "only {} Nitro vectors", nitro.len());
    Some(nitro)
}

fn load(vector: &Vector) -> (EvidenceBundle, Root, u64) {
    let root = Root::from_certificate(&vector.file("root_pem")).unwrap();
    (
        bundle(vector.file("cose_sign1")),
        root,
        vector.now().unwrap(),
    )
}

fn says_what_the_manifest_says(claims: &Claims, vector: &Vector) {
    let stated = Measurements::deserialize(vector.measurements()).unwrap();
    let decode = |text: &str| hex::decode(text).unwrap();
    let register = |name: &str| claims.register(name).map(|value| value.to_vec());
    let id = &vector.id;
    for (index, value) in &stated.pcrs {
        let found = register(&format!("pcr{index}"));
        assert_eq!(found, Some(decode(value)), "{id}: PCR {index}");
    }
    let measurement: Vec<u8> = (0..3)
        .flat_map(|index| decode(&stated.pcrs[&index]))
        .collect();
    assert_eq!(claims.measurement, measurement, "{id}");
    assert_eq!(claims.report_data[..], decode(&stated.user_data), "{id}");
    assert_eq!(
        register("nonce").unwrap_or_default(),
        decode(&stated.nonce),
        "{id}"
    );
    assert_eq!(
        register("public_key").unwrap_or_default(),
        decode(&stated.public_key),
        "{id}"
    );
    assert_eq!(
        register("module_id").unwrap(),
        stated.module_id.as_bytes(),
        "{id}"
    );
    assert_eq!(claims.issued, Some(stated.timestamp_ms / 1000), "{id}");
    assert!(claims.machine_id.is_zero(), "{id}");
    assert_eq!(claims.collateral.len(), 4, "{id}");
    assert_eq!(claims.debug, 0, "{id}");
}

#[test]
fn genuine_documents_verify_as_the_manifest_says() {
    let Some(vectors) = vectors() else {
        return;
    };
    let (mut positives, mut negatives) = (0, 0);
    for vector in &vectors {
        let (bundle, root, now) = load(vector);
        assert_eq!(root.id(), AWS_NITRO_ROOT_ID, "{}", vector.id);
        let result = verify_genuine(&bundle, &Policy::strict(), now);
        if vector.polarity() == "negative" {
            println!("{}: {}", vector.id, result.unwrap_err());
            negatives += 1;
        } else {
            let claims = result.unwrap_or_else(|error| panic!("{}: {error}", vector.id));
            assert_eq!(claims.root_id, AWS_NITRO_ROOT_ID, "{}", vector.id);
            says_what_the_manifest_says(&claims, vector);
            positives += 1;
        }
    }
    println!("vectors: {positives} positive, {negatives} negative");
}

#[test]
fn genuine_negatives_fail_for_the_reason_they_were_made_for() {
    let Some(vectors) = vectors() else {
        return;
    };
    let reasons = [
        ("neg_nitro_debug", CheckId::Debug, false),
        ("neg_nitro_expired", CheckId::NitroCertificates, true),
        // The flipped byte is in a name in a certificate of the bundle, which is looked
        // at before the signature over all of it.
        ("neg_nitro_payload_flip", CheckId::NitroCertificates, false),
    ];
    for (id, check, stale) in reasons {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let (bundle, _, now) = load(vector);
        let error = verify_genuine(&bundle, &Policy::strict(), now).unwrap_err();
        assert_eq!(error.check(), check, "{id}: {error}");
        assert_eq!(matches!(error, VerifyError::Stale { .. }), stale, "{id}");
    }
}

#[test]
fn a_flipped_bit_of_a_genuine_document_is_refused() {
    let Some(vectors) = vectors() else {
        return;
    };
    for vector in vectors
        .iter()
        .filter(|vector| vector.polarity() == "positive")
    {
        let (bundle, _, now) = load(vector);
        let (refused, same) = flip(bundle.quote(), &Policy::strict(), now, 64);
        let flipped: usize = refused.values().sum();
        assert_eq!(flipped, bundle.quote().len().div_ceil(8), "{}", vector.id);
        assert_eq!(same, Vec::<usize>::new(), "{}", vector.id);
    }
}
