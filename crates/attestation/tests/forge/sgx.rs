// SPDX-License-Identifier: Apache-2.0
//! SGX evidence under the development root: the software TEE's, whose keys anybody can derive, made
//! over into a quote of version 3 and collateral for SGX.
//!
//! Source: Intel SGX DCAP Quoting Library API, appendix A.4 (quote of version 3); Intel PCS API v4
//! (TCB info, QE identity).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subrosa_attestation::EvidenceBundle;
use subrosa_tee::forge::Forge;
use subrosa_types::id::{EvidencePart, TeeKind};

/// A production enclave with `report_data`, judged as [`Forge`]'s evidence is.
pub(crate) fn bundle(report_data: &[u8; 64]) -> EvidenceBundle {
    let evidence = Forge::new().ppid([0x99; 16]).evidence();
    let quote = quote(evidence.quote(), report_data);
    let collateral = collateral(evidence.part(EvidencePart::Collateral).unwrap());
    EvidenceBundle::new(TeeKind::Sgx, quote, collateral).unwrap()
}

fn quote(td_quote: &[u8], report_data: &[u8; 64]) -> Vec<u8> {
    // Header, TD report, length; signature and key; type and length of the certification data.
    let certification = &td_quote[HEADER + 584 + 4 + 128 + 6..];
    let (qe_report, rest) = certification.split_at(REPORT);
    // Authentication data, and the PCK certificate chain, with their types and lengths.
    let chain = &rest[64..];

    let mut quote = td_quote[..HEADER].to_vec();
    quote[0..2].copy_from_slice(&3u16.to_le_bytes());
    quote[4..8].fill(0);
    let mut report = [0; REPORT];
    report[..16].copy_from_slice(&qe_report[..16]);
    // INIT and MODE64BIT; x87 and SSE.
    report[48] = 0x05;
    report[56] = 0x03;
    report[64..96].fill(0xe5);
    report[128..160].fill(0x51);
    report[320..].copy_from_slice(report_data);
    quote.extend(report);
    let signature = sign("attestation", &quote);

    let mut qe_report = qe_report.to_vec();
    qe_report[256..258].copy_from_slice(&QE_PRODUCT.to_le_bytes());
    let qe_signature = sign("pck", &qe_report);
    let key = &td_quote[HEADER + 584 + 4 + 64..][..64];
    let data = [&signature, key, &qe_report, &qe_signature, chain].concat();
    quote.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    quote.extend(data);
    quote
}

fn collateral(td_collateral: &[u8]) -> Vec<u8> {
    let mut collateral: Value = serde_json::from_slice(td_collateral).unwrap();
    let change = |text: &Value, change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        change(&mut value);
        let text = value.to_string();
        let signature = hex::encode(sign("tcb-signer", text.as_bytes()));
        (json!(text), json!(signature))
    };
    let (tcb_info, signature) = change(&collateral["tcb_info"], |tcb_info| {
        tcb_info["id"] = json!("SGX");
        let fields = tcb_info.as_object_mut().unwrap();
        fields.remove("tdxModule");
        fields.remove("tdxModuleIdentities");
        for level in tcb_info["tcbLevels"].as_array_mut().unwrap() {
            let components = level["tcb"].as_object_mut().unwrap();
            components.remove("tdxtcbcomponents");
        }
    });
    collateral["tcb_info"] = tcb_info;
    collateral["tcb_info_signature"] = signature;
    let (identity, signature) = change(&collateral["qe_identity"], |identity| {
        identity["id"] = json!("QE");
        identity["isvprodid"] = json!(QE_PRODUCT);
    });
    collateral["qe_identity"] = identity;
    collateral["qe_identity_signature"] = signature;
    collateral.to_string().into_bytes()
}

/// r ‖ s under the development key of that name, whose private key is derived from the name.
fn sign(name: &str, message: &[u8]) -> [u8; 64] {
    let key = (0u8..)
        .find_map(|counter| {
            let scalar = Sha256::new()
                .chain_update(b"subrosa.v1.development-key.")
                .chain_update(name)
                .chain_update([counter])
                .finalize();
            SigningKey::from_slice(scalar.as_slice()).ok()
        })
        .unwrap();
    let signature: Signature = key.sign(message);
    signature.to_bytes().into()
}

const HEADER: usize = 48;
const REPORT: usize = 384;
/// ISVPRODID of Intel's quoting enclave for SGX.
const QE_PRODUCT: u16 = 1;
