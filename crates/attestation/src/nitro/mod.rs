// SPDX-License-Identifier: Apache-2.0
//! AWS Nitro Enclaves: the attestation document of the Nitro hypervisor, part
//! [`EvidencePart::Quote`](subrosa_evidence::EvidencePart::Quote) of the bundle, exactly as the
//! NSM device hands it out. It carries its own certificates; nothing else is needed or looked at.
//!
//! Source: AWS Nitro Enclaves NSM API, `docs/attestation_process.md`; RFC 9052 (COSE).

mod certificates;
mod document;
mod envelope;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes, keccak256};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use subrosa_evidence::{CheckId, EvidenceBundle, Product, is_development};
use subrosa_types::id::TeeKind;

use self::certificates::Signer;
use self::document::Document;
use self::envelope::Envelope;
use crate::claims::measurement_hashes;
use crate::failure::Failure;
use crate::roots::{Root, Roots};
use crate::{Claims, Register};

/// The checks that [`examine`] makes, in order.
pub(crate) const CHECKS: [CheckId; 3] = [
    CheckId::NitroCertificates,
    CheckId::NitroSignature,
    CheckId::NitroPcrs,
];

/// Verifies the document as of `now` (Unix seconds) and reads its claims.
///
/// A document that an enclave in debug mode asked for is genuine too. Its PCR 0 to 2 are zero,
/// which comes out as [`Claims::debug`], for the policy to judge.
pub(crate) fn examine(
    bundle: &EvidenceBundle,
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let envelope = Envelope::parse(bundle.quote())?;
    let document = Document::parse(&envelope.payload)?;
    let root = certificates::root(&document, roots)?;
    certificates::verify(&document, root, now)
        .and_then(|signer| {
            signed_by(&envelope, &signer)?;
            read(&document, root, &signer, &envelope.signed)
        })
        .map_err(|failure| Failure {
            development: is_development(root.id()),
            ..failure
        })
}

fn signed_by(envelope: &Envelope, signer: &Signer) -> Result<(), Failure> {
    UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &signer.key)
        .verify(&envelope.signed, &envelope.signature)
        .map_err(|_| {
            Failure::rejected(
                CheckId::NitroSignature,
                "a signature by the key of the certificate",
                "another signature",
            )
        })
}

fn read(
    document: &Document<'_>,
    root: &Root,
    signer: &Signer,
    signed: &[u8],
) -> Result<Claims, Failure> {
    let issued = document.timestamp / 1000;
    if !(signer.not_before..=signer.not_after).contains(&issued) {
        return Err(Failure::rejected(
            CheckId::NitroCertificates,
            format_args!(
                "a document signed while its certificate was in force, {} to {}",
                signer.not_before, signer.not_after
            ),
            format_args!("signed at {issued}"),
        ));
    }
    let image = image_registers(document)?;
    let debug = image
        .iter()
        .any(|register| register.iter().all(|byte| *byte == 0));
    let measurement = image.concat();
    let kind = TeeKind::Nitro;
    let (measurement_hash, measurement_id) = measurement_hashes(root.id(), kind, &measurement);
    Ok(Claims {
        tee: kind,
        product: Product::Nitro,
        root_id: root.id(),
        measurement: measurement.into(),
        measurement_hash,
        measurement_id,
        config_register: None,
        report_data: Bytes::copy_from_slice(document.user_data.unwrap_or_default()),
        registers: registers(document),
        debug: u8::from(debug),
        migratable: false,
        vmpl: None,
        tcb_status: None,
        tcb_date: None,
        firmware: None,
        advisories: Vec::new(),
        tcb_evaluation: None,
        // An instance is no machine: it moves when it is stopped and started.
        machine_id: B256::ZERO,
        issued: Some(issued),
        // The vendor's description of the validation leaves revocation lists out, although some
        // issuers name one; a signer's certificate lives three hours instead.
        revocation_checked: true,
        collateral: signer.collateral.clone(),
        collateral_expires: signer.expires,
        evidence_hash: keccak256(signed),
    })
}

/// PCR 0, 1 and 2: the image, its kernel and boot ramdisk, its applications.
fn image_registers<'a>(document: &Document<'a>) -> Result<[&'a [u8]; 3], Failure> {
    let mut image: [&[u8]; 3] = [&[]; 3];
    for (index, register) in (0..).zip(&mut image) {
        let found = document.pcrs.get(&index).copied();
        *register = found
            .filter(|value| value.len() == PCR_BYTES)
            .ok_or_else(|| {
                Failure::rejected(
                    CheckId::NitroPcrs,
                    format_args!("PCR {index} of {PCR_BYTES} bytes"),
                    found.map_or("none".to_owned(), |value| format!("{} bytes", value.len())),
                )
            })?;
    }
    Ok(image)
}

fn registers(document: &Document<'_>) -> Vec<Register> {
    let mut registers: Vec<Register> = document
        .pcrs
        .iter()
        .map(|(index, value)| Register::new(format!("pcr{index}"), value))
        .collect();
    registers.push(Register::new("module_id", document.module_id.as_bytes()));
    let optional = [
        ("nonce", document.nonce),
        ("public_key", document.public_key),
    ];
    for (name, value) in optional {
        registers.extend(value.map(|value| Register::new(name, value)));
    }
    registers
}

/// SHA-384, the only digest of the format.
const PCR_BYTES: usize = 48;
