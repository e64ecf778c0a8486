// SPDX-License-Identifier: Apache-2.0
//! Certificates of the keys that sign reports: VCEK and VLEK.
//!
//! Source: Versioned Chip Endorsement Key Certificate and KDS Interface Specification (AMD 57230),
//! chapter 3; Versioned Loaded Endorsement Key Certificate Definition (AMD 58369), chapter 3.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use subrosa_evidence::Product;
use webpki::aws_lc_rs::ECDSA_P384_SHA384;
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, Ia5String, ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::name::Name;

use crate::Firmware;

/// What AMD's certificate says about a key that signs reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vek {
    pub(super) holder: Holder,
    pub(super) product: Product,
    /// The security version numbers that the key is derived for.
    pub(super) firmware: Firmware,
    /// The key: an uncompressed point of P-384.
    point: Vec<u8>,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// VCEK: a chip's, with its hardware id: 64 bytes, from Turin on 8.
    Chip(Vec<u8>),
    /// VLEK: a cloud provider's, loaded into its chips, with the provider's id.
    Provider(String),
}

/// The kinds of key a report can be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Vcek,
    Vlek,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vcek => "VCEK",
            Self::Vlek => "VLEK",
        })
    }
}

impl Vek {
    /// Reads a certificate that has been verified.
    ///
    /// # Errors
    ///
    /// In which way it is neither a VCEK's nor a VLEK's.
    pub(super) fn read(certificate: &Certificate) -> Result<Self, String> {
        let kind = kind(certificate).ok_or_else(|| {
            let subject = certificate.tbs_certificate().subject();
            format!("the subject {subject}")
        })?;
        let version: u8 = value(certificate, STRUCT_VERSION)?;
        if version > 1 {
            return Err(format!("structVersion {version}"));
        }
        let name: Ia5String = value(certificate, PRODUCT_NAME)?;
        let product = product(name.as_str())
            .ok_or_else(|| format!("productName {}", name.as_str().escape_default()))?;
        for reserved in RESERVED_SPL {
            if extension(certificate, reserved)?.is_some_and(|value| value != ZERO) {
                return Err(format!("{reserved} other than zero"));
            }
        }
        let fmc = match (product, extension(certificate, FMC_SPL)?) {
            (Product::Turin, _) => value(certificate, FMC_SPL)?,
            (_, None) => 0,
            _ => return Err(format!("fmcSPL on {product}")),
        };
        let firmware = Firmware {
            fmc,
            bootloader: value(certificate, BOOTLOADER_SPL)?,
            tee: value(certificate, TEE_SPL)?,
            snp: value(certificate, SNP_SPL)?,
            microcode: value(certificate, MICROCODE_SPL)?,
        };
        let hardware = extension(certificate, HARDWARE_ID)?;
        let provider = extension(certificate, PROVIDER_ID)?;
        let holder = match (kind, hardware, provider) {
            (Kind::Vcek, Some(id), None) => Holder::Chip(hardware_id(id, product)?),
            (Kind::Vlek, None, Some(_)) => {
                let id: Ia5String = value(certificate, PROVIDER_ID)?;
                Holder::Provider(id.as_str().to_owned())
            }
            (_, hardware, provider) => {
                return Err(format!(
                    "a {kind} certificate with{} hwID and with{} csp_id",
                    if hardware.is_some() { "" } else { "out" },
                    if provider.is_some() { "" } else { "out" },
                ));
            }
        };
        Ok(Self {
            holder,
            product,
            firmware,
            point: point(certificate)?,
        })
    }

    /// The kind of key.
    pub(super) fn kind(&self) -> Kind {
        match self.holder {
            Holder::Chip(_) => Kind::Vcek,
            Holder::Provider(_) => Kind::Vlek,
        }
    }

    /// Whether the key signed `message`: ECDSA with P-384 and SHA-384, R ‖ S.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; 96]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &self.point)
            .verify(message, signature)
            .is_ok()
    }
}

/// Whether `certificate` bears any of AMD's extensions, as only those of report-signing keys do.
pub(super) fn is_vek(certificate: &Certificate) -> bool {
    certificate
        .tbs_certificate()
        .extensions()
        .is_some_and(|extensions| {
            extensions
                .iter()
                .any(|extension| extension.extn_id.arcs().take(AMD.len()).eq(AMD))
        })
}

/// What the subject says the key is.
pub(super) fn kind(certificate: &Certificate) -> Option<Kind> {
    match common_name(certificate.tbs_certificate().subject())?.as_str() {
        "SEV-VCEK" => Some(Kind::Vcek),
        "SEV-VLEK" => Some(Kind::Vlek),
        _ => None,
    }
}

/// The common name, if there is exactly one.
pub(super) fn common_name(name: &Name) -> Option<String> {
    let mut names = name.iter().filter(|attribute| attribute.oid == COMMON_NAME);
    let (name, None) = (names.next()?, names.next()) else {
        return None;
    };
    String::from_utf8(name.value.value().to_vec()).ok()
}

/// The product behind a productName, which may go on with a stepping: `Milan-B0`.
fn product(name: &str) -> Option<Product> {
    match name.split('-').next()? {
        "Milan" => Some(Product::Milan),
        "Genoa" => Some(Product::Genoa),
        "Turin" => Some(Product::Turin),
        _ => None,
    }
}

/// The specification calls it an octet string; the certificates in the field have the bare bytes.
fn hardware_id(value: &[u8], product: Product) -> Result<Vec<u8>, String> {
    let expected = if product == Product::Turin { 8 } else { 64 };
    if value.len() == expected {
        return Ok(value.to_vec());
    }
    match OctetString::from_der(value) {
        Ok(id) if id.as_bytes().len() == expected => Ok(id.as_bytes().to_vec()),
        _ => Err(format!("a hwID of {} bytes on {product}", value.len())),
    }
}

fn point(certificate: &Certificate) -> Result<Vec<u8>, String> {
    let key = certificate.tbs_certificate().subject_public_key_info();
    let algorithm = key.algorithm.to_der().map_err(text)?;
    let algorithm = AnyRef::from_der(&algorithm).map_err(text)?;
    if algorithm.value() != ECDSA_P384_SHA384.public_key_alg_id().as_ref() {
        return Err(format!("a key of {}", key.algorithm.oid));
    }
    Ok(key.subject_public_key.raw_bytes().to_vec())
}

fn value<'a, T>(certificate: &'a Certificate, id: ObjectIdentifier) -> Result<T, String>
where
    T: Decode<'a, Error = der::Error>,
{
    let value = extension(certificate, id)?.ok_or_else(|| format!("no extension {id}"))?;
    T::from_der(value).map_err(|error| format!("extension {id}: {error}"))
}

fn extension(certificate: &Certificate, id: ObjectIdentifier) -> Result<Option<&[u8]>, String> {
    let mut found = certificate
        .tbs_certificate()
        .extensions()
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == id);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(format!("extension {id} twice")),
        (found, _) => Ok(found.map(|extension| extension.extn_value.as_bytes())),
    }
}

fn text(error: der::Error) -> String {
    error.to_string()
}

/// 1.3.6.1.4.1.3704.1, the arc of AMD's extensions.
const AMD: [u32; 8] = [1, 3, 6, 1, 4, 1, 3704, 1];
const STRUCT_VERSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.1");
const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const BOOTLOADER_SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE_SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP_SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
const RESERVED_SPL: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.5"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.6"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.7"),
];
const MICROCODE_SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC_SPL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");
const PROVIDER_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.5");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// INTEGER 0.
const ZERO: &[u8] = &[2, 1, 0];
