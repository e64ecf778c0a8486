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
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_tee::forge::Forge;
use subrosa_types::id::TeeKind;

/// A production enclave with `report_data`, judged as [`Forge`]'s evidence is.
pub(crate) fn bundle(report_data: &[u8; 64]) -> EvidenceBundle {
    made_over(&Forge::new().ppid([0x99; 16]), report_data)
}

/// The same of what `forge` makes; what it spoiled in the TD's report or after signing is mended.
pub(crate) fn made_over(forge: &Forge, report_data: &[u8; 64]) -> EvidenceBundle {
    let evidence = forge.evidence();
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
    // As text, so that members stay in Intel's order.
    for (text, signature, change) in [
        (
            "tcb_info",
            "tcb_info_signature",
            sgx_tcb_info as fn(&str) -> String,
        ),
        ("qe_identity", "qe_identity_signature", sgx_qe_identity),
    ] {
        let changed = change(collateral[text].as_str().unwrap());
        collateral[signature] = json!(hex::encode(sign("tcb-signer", changed.as_bytes())));
        collateral[text] = json!(changed);
    }
    collateral.to_string().into_bytes()
}

fn sgx_tcb_info(text: &str) -> String {
    let text = text.replacen("\"id\":\"TDX\"", "\"id\":\"SGX\"", 1);
    let (head, rest) = text.split_once("\"tdxModule\":").unwrap();
    // Module identities have levels, too.
    let levels = rest
        .find("\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\"")
        .unwrap();
    let mut text = format!("{head}{}", &rest[levels..]);
    while let Some(start) = text.find(",\"tdxtcbcomponents\":[") {
        let length = text[start..].find(']').unwrap();
        text.replace_range(start..=start + length, "");
    }
    text
}

fn sgx_qe_identity(text: &str) -> String {
    text.replacen("\"id\":\"TD_QE\"", "\"id\":\"QE\"", 1)
        .replacen("\"isvprodid\":2", &format!("\"isvprodid\":{QE_PRODUCT}"), 1)
}

/// r ‖ s under the development key of that name, whose private key is derived from the name.
pub(crate) fn sign(name: &str, message: &[u8]) -> [u8; 64] {
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
