// SPDX-License-Identifier: Apache-2.0
//! The JSON that attestation agents hand around.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use subrosa_attestation::{AzureJsonError, MAX_AZURE_JSON_BYTES, azure_bundle};
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use super::vm::{TdVm, snp_bundle};

/// The TPM quote of a bundle: arrays, or hexadecimal. TPMT_SIGNATURE has 6 bytes before the number.
fn tpm_quote(bundle: &EvidenceBundle, text: bool) -> Value {
    let bytes = |bytes: &[u8]| {
        if text {
            json!(hex::encode(bytes))
        } else {
            json!(bytes)
        }
    };
    let pcrs = bundle.part(EvidencePart::TpmPcrs).unwrap().chunks(32);
    json!({
        "message": bytes(bundle.quote()),
        "signature": bytes(&bundle.part(EvidencePart::TpmSignature).unwrap()[6..]),
        "pcrs": pcrs.map(bytes).collect::<Vec<Value>>(),
    })
}

fn part(bundle: &EvidenceBundle, part: EvidencePart) -> &[u8] {
    bundle.part(part).unwrap()
}

/// `bundle` with those parts alone that the JSON carries.
fn carried(bundle: &EvidenceBundle) -> EvidenceBundle {
    let parts = bundle.parts().filter(|(part, _)| {
        !matches!(
            part,
            EvidencePart::Collateral | EvidencePart::RevocationLists
        )
    });
    let parts = parts.map(|(part, bytes)| (part, bytes.to_vec()));
    EvidenceBundle::from_parts(bundle.kind(), parts).unwrap()
}

fn td_json(bundle: &EvidenceBundle) -> Value {
    json!({
        "version": 1,
        "tpm_quote": tpm_quote(bundle, true),
        "hcl_report": URL_SAFE.encode(part(bundle, EvidencePart::HclReport)),
        "td_quote": URL_SAFE_NO_PAD.encode(part(bundle, EvidencePart::TdQuote)),
    })
}

#[test]
fn every_form_is_the_bundle_it_was_made_of() {
    let td = TdVm::new().bundle();
    let first = json!({
        "tpm_quote": tpm_quote(&td, false),
        "hcl_report": part(&td, EvidencePart::HclReport),
        "td_quote": part(&td, EvidencePart::TdQuote),
    });
    for form in [td_json(&td), first] {
        let read = azure_bundle(form.to_string().as_bytes()).unwrap();
        assert_eq!(read, carried(&td));
    }

    let (der, pem) = (
        vec![0; 3],
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let snp = carried(&snp_bundle(|_| {}));
    let snp = snp
        .with_part(EvidencePart::Certificates, der.clone())
        .unwrap();
    assert_eq!(snp.kind(), TeeKind::AzureSnp);
    let first = json!({
        "quote": tpm_quote(&snp, false),
        "report": part(&snp, EvidencePart::HclReport),
        "vcek": pem,
    });
    let second = json!({
        "version": 2,
        "tpm_quote": tpm_quote(&snp, true),
        "hcl_report": URL_SAFE.encode(part(&snp, EvidencePart::HclReport)),
        "vcek": URL_SAFE.encode(&der),
    });
    for form in [first, second] {
        assert_eq!(azure_bundle(form.to_string().as_bytes()).unwrap(), snp);
    }
}

#[test]
fn what_is_not_of_a_known_form_is_refused_by_name() {
    let bundle = TdVm::new().bundle();
    let spoil = |spoil: &dyn Fn(&mut Value)| {
        let mut json = td_json(&bundle);
        spoil(&mut json);
        azure_bundle(json.to_string().as_bytes()).unwrap_err()
    };
    let without = |field: &'static str| {
        spoil(&move |json| {
            json.as_object_mut().unwrap().remove(field);
        })
    };
    for field in ["tpm_quote", "hcl_report", "td_quote"] {
        assert!(matches!(without(field), AzureJsonError::Missing(missing) if missing == field));
    }
    let version = spoil(&|json| json["version"] = json!(3));
    assert!(matches!(version, AzureJsonError::Version(3)));
    let report = spoil(&|json| json["hcl_report"] = json!("AAAA"));
    assert!(matches!(report, AzureJsonError::Report(_)), "{report}");
    let encoding = spoil(&|json| json["td_quote"] = json!("§"));
    assert!(matches!(
        encoding,
        AzureJsonError::Encoding {
            field: "td_quote",
            ..
        }
    ));
    let encoding = spoil(&|json| json["tpm_quote"]["message"] = json!("xy"));
    assert!(matches!(
        encoding,
        AzureJsonError::Encoding {
            field: "message",
            ..
        }
    ));
    let short = spoil(&|json| {
        json["tpm_quote"]["pcrs"].as_array_mut().unwrap().pop();
    });
    assert!(matches!(short, AzureJsonError::Pcrs));
    let short = spoil(&|json| json["tpm_quote"]["pcrs"][5] = json!("00"));
    assert!(matches!(short, AzureJsonError::Pcrs));
    let large = spoil(&|json| json["tpm_quote"]["message"] = json!("00".repeat(40_000)));
    assert!(matches!(large, AzureJsonError::Bundle(_)), "{large}");
    let signature = spoil(&|json| json["tpm_quote"]["signature"] = json!("00".repeat(3_000)));
    assert!(
        matches!(signature, AzureJsonError::Bundle(_)),
        "{signature}"
    );
    assert!(matches!(azure_bundle(b"{"), Err(AzureJsonError::Json(_))));
    let large = vec![b' '; MAX_AZURE_JSON_BYTES + 1];
    assert!(matches!(
        azure_bundle(&large),
        Err(AzureJsonError::TooLarge(_))
    ));
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(text in ".{0,200}", hcl in proptest::collection::vec(any::<u8>(), 0..1400)) {
        prop_assert!(azure_bundle(text.as_bytes()).is_err());
        let quote = json!({"message": [], "signature": [], "pcrs": vec!["00".repeat(32); 24]});
        let json = json!({"quote": quote, "report": hcl});
        prop_assert!(azure_bundle(json.to_string().as_bytes()).is_err());
    }
}
