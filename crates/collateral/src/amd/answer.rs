// SPDX-License-Identifier: Apache-2.0
//! What the key distribution service answers.

use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

use super::certificates::{extension, is_called, issuer_name};
use super::chip::{AmdKey, AmdProduct, Vcek};
use crate::anchors::Anchors;
use crate::edition::{Answer, Content, Edition};
use crate::signed::{self, Refusal, certificate_by, other};

/// ASK or ASVK, then ARK, PEM.
pub(crate) fn chain(
    product: AmdProduct,
    key: AmdKey,
    answer: &Answer,
    anchors: &Anchors,
    now: u64,
) -> Result<Edition, Refusal> {
    let chain = signed::pem_chain(&answer.body)?;
    anchors.chain(&chain)?;
    let issuer = chain.first().ok_or(Refusal::Root)?;
    let expected = issuer_name(product, key);
    if !is_called(issuer, &expected) {
        let subject = issuer.tbs_certificate().subject();
        return Err(other("the chain", subject, expected));
    }
    let der = chain
        .iter()
        .map(Encode::to_der)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::Malformed("a chain of certificates"))?;
    edition(&chain, der, now)
}

/// The certificate of a chip, DER.
pub(crate) fn vcek(
    expected: &Vcek,
    der: &[u8],
    chain: Option<&Content>,
    now: u64,
) -> Result<Edition, Refusal> {
    let vcek =
        Certificate::from_der(der).map_err(|_| Refusal::Malformed("a certificate in DER"))?;
    let issuer = match chain {
        Some(Content::Certificates(chain)) => chain.first(),
        _ => None,
    };
    let issuer = issuer
        .and_then(|issuer| Certificate::from_der(issuer).ok())
        .ok_or(Refusal::Root)?;
    certificate_by(&vcek, &issuer)?;
    let chip = extension(&vcek, HARDWARE_ID).unwrap_or_default();
    if chip != &*expected.chip && octets(chip) != Some(&*expected.chip) {
        return Err(other("the chip", "another", "the one asked for"));
    }
    let firmware = &expected.firmware;
    for (name, id, level) in [
        ("blSPL", BOOTLOADER, Some(firmware.bootloader)),
        ("teeSPL", TEE, Some(firmware.tee)),
        ("snpSPL", SNP, Some(firmware.snp)),
        ("ucodeSPL", MICROCODE, Some(firmware.microcode)),
        ("fmcSPL", FMC, firmware.fmc),
    ] {
        let Some(level) = level else { continue };
        match extension(&vcek, id).and_then(|bytes| u8::from_der(bytes).ok()) {
            Some(found) if found == level => {}
            Some(found) => return Err(other(name, found, level)),
            None => return Err(other(name, "absent", level)),
        }
    }
    edition(std::slice::from_ref(&vcek), vec![der.to_vec()], now)
}

/// Certificates that hang together, as an edition.
fn edition(certificates: &[Certificate], der: Vec<Vec<u8>>, now: u64) -> Result<Edition, Refusal> {
    let (from, until) = signed::common_validity(certificates);
    signed::in_force(from, until, now)?;
    Ok(Edition {
        content: Arc::new(Content::Certificates(der)),
        issued: from,
        expires: until,
    })
}

/// The content of a short OCTET STRING.
fn octets(value: &[u8]) -> Option<&[u8]> {
    match value {
        [0x04, length, content @ ..] if usize::from(*length) == content.len() => Some(content),
        _ => None,
    }
}

/// Extensions of VCEK and VLEK certificates (publication 57230, 3.1).
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const BOOTLOADER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
const MICROCODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");
