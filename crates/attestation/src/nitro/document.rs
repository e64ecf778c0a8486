// SPDX-License-Identifier: Apache-2.0
//! The attestation document: the payload that the Nitro hypervisor signs.
//!
//! The published format (AWS Nitro Enclaves NSM API, `docs/attestation_process.md`, sections 2.2
//! and 3.2.2) differs from what the hypervisor writes in two points, in which the hypervisor is
//! followed:
//!
//! - optional fields that were not asked for are `null`, where the text says that none may be;
//! - since 2025 the outer map has an indefinite length. Maps and the list of certificates may;
//!   byte and text strings may not.
//!
//! For `public_key` the text allows both 0 to 1024 and 1 to 1024 bytes; the wider range is read.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use minicbor::Decoder;
use minicbor::data::Type;

use crate::failure::Failure;
use crate::x509;

/// The fields of a document, in the sizes that the format allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document<'a> {
    /// What issued it: instance id, `-enc`, enclave id.
    pub(super) module_id: &'a str,
    /// When it was signed, milliseconds since the Unix epoch; not zero.
    pub(super) timestamp: u64,
    /// The locked registers: index (0 to 31) and 32, 48 or 64 bytes.
    pub(super) pcrs: BTreeMap<u8, &'a [u8]>,
    /// The certificate of the key that signed it, DER.
    pub(super) certificate: &'a [u8],
    /// What issued that certificate, DER: the root first, the issuer of `certificate` last.
    pub(super) cabundle: Vec<&'a [u8]>,
    /// A key the enclave presents, at most 1024 bytes.
    pub(super) public_key: Option<&'a [u8]>,
    /// What the enclave asked to be signed, at most 512 bytes.
    pub(super) user_data: Option<&'a [u8]>,
    /// What the enclave was challenged with, at most 512 bytes.
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> Document<'a> {
    /// Reads a document. Every field has its type and size, none is there twice, and there are no
    /// others.
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, Failure> {
        let mut decoder = Decoder::new(payload);
        let mut fields = Fields::default();
        let declared = decoder.map().map_err(malformed)?;
        each_entry(
            &mut decoder,
            declared,
            0..=MAX_FIELDS,
            "fields",
            |decoder| fields.read(decoder),
        )?;
        let rest = payload.len().saturating_sub(decoder.position());
        if rest != 0 {
            return Err(Failure::format(
                DOCUMENT,
                format_args!("{rest} bytes behind it"),
            ));
        }
        if fields.digest.is_none() {
            return Err(missing("digest"));
        }
        Ok(Self {
            module_id: fields.module_id.ok_or_else(|| missing("module_id"))?,
            timestamp: fields.timestamp.ok_or_else(|| missing("timestamp"))?,
            pcrs: fields.pcrs.ok_or_else(|| missing("pcrs"))?,
            certificate: fields.certificate.ok_or_else(|| missing("certificate"))?,
            cabundle: fields.cabundle.ok_or_else(|| missing("cabundle"))?,
            public_key: fields.public_key,
            user_data: fields.user_data,
            nonce: fields.nonce,
        })
    }
}

#[derive(Default)]
struct Fields<'a> {
    seen: BTreeSet<&'a str>,
    module_id: Option<&'a str>,
    digest: Option<&'a str>,
    timestamp: Option<u64>,
    pcrs: Option<BTreeMap<u8, &'a [u8]>>,
    certificate: Option<&'a [u8]>,
    cabundle: Option<Vec<&'a [u8]>>,
    public_key: Option<&'a [u8]>,
    user_data: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(&mut self, decoder: &mut Decoder<'a>) -> Result<(), Failure> {
        let name = decoder.str().map_err(malformed)?;
        if !self.seen.insert(name) {
            return Err(Failure::format(
                "every field once",
                format_args!("{name:?} twice"),
            ));
        }
        match name {
            "module_id" => {
                let id = decoder.str().map_err(malformed)?;
                within(name, id.len(), 1..=MAX_MODULE_ID_BYTES)?;
                self.module_id = Some(id);
            }
            "digest" => {
                let digest = decoder.str().map_err(malformed)?;
                if digest != DIGEST {
                    return Err(Failure::format(
                        format_args!("digest {DIGEST:?}"),
                        format_args!("{digest:?}"),
                    ));
                }
                self.digest = Some(digest);
            }
            "timestamp" => {
                let timestamp = decoder.u64().map_err(malformed)?;
                if timestamp == 0 {
                    return Err(Failure::format("a timestamp after 1970", timestamp));
                }
                self.timestamp = Some(timestamp);
            }
            "pcrs" => self.pcrs = Some(pcrs(decoder)?),
            "certificate" => self.certificate = Some(certificate(decoder)?),
            "cabundle" => self.cabundle = Some(cabundle(decoder)?),
            "public_key" => self.public_key = optional(decoder, name, MAX_PUBLIC_KEY_BYTES)?,
            "user_data" => self.user_data = optional(decoder, name, MAX_USER_DATA_BYTES)?,
            "nonce" => self.nonce = optional(decoder, name, MAX_USER_DATA_BYTES)?,
            _ => {
                return Err(Failure::format(
                    "no field but those of the format",
                    format_args!("{name:?}"),
                ));
            }
        }
        Ok(())
    }
}

fn pcrs<'a>(decoder: &mut Decoder<'a>) -> Result<BTreeMap<u8, &'a [u8]>, Failure> {
    let mut pcrs = BTreeMap::new();
    let declared = decoder.map().map_err(malformed)?;
    each_entry(decoder, declared, 1..=MAX_PCRS, "PCRs", |decoder| {
        let index = decoder.u8().map_err(malformed)?;
        let value = decoder.bytes().map_err(malformed)?;
        if usize::from(index) >= MAX_PCRS || !PCR_BYTES.contains(&value.len()) {
            return Err(Failure::format(
                "PCR 0 to 31 of 32, 48 or 64 bytes",
                format_args!("PCR {index} of {} bytes", value.len()),
            ));
        }
        if pcrs.insert(index, value).is_some() {
            return Err(Failure::format(
                "every PCR once",
                format_args!("PCR {index} twice"),
            ));
        }
        Ok(())
    })?;
    Ok(pcrs)
}

fn cabundle<'a>(decoder: &mut Decoder<'a>) -> Result<Vec<&'a [u8]>, Failure> {
    let mut certificates = Vec::new();
    let declared = decoder.array().map_err(malformed)?;
    each_entry(
        decoder,
        declared,
        1..=MAX_BUNDLE,
        "issuing certificates",
        |decoder| {
            certificates.push(certificate(decoder)?);
            Ok(())
        },
    )?;
    Ok(certificates)
}

fn certificate<'a>(decoder: &mut Decoder<'a>) -> Result<&'a [u8], Failure> {
    let certificate = decoder.bytes().map_err(malformed)?;
    within("certificate", certificate.len(), 1..=MAX_CERTIFICATE_BYTES)?;
    Ok(certificate)
}

fn optional<'a>(
    decoder: &mut Decoder<'a>,
    name: &str,
    limit: usize,
) -> Result<Option<&'a [u8]>, Failure> {
    if decoder.datatype().map_err(malformed)? == Type::Null {
        decoder.null().map_err(malformed)?;
        return Ok(None);
    }
    let value = decoder.bytes().map_err(malformed)?;
    within(name, value.len(), 0..=limit)?;
    Ok(Some(value))
}

/// Reads as many entries of a map or array as it declares or, if it declares nothing, as there are
/// before the break; never more than `limits` allow.
fn each_entry<'a>(
    decoder: &mut Decoder<'a>,
    declared: Option<u64>,
    limits: RangeInclusive<usize>,
    what: &str,
    mut read: impl FnMut(&mut Decoder<'a>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let refused = |found: &dyn core::fmt::Display| {
        Failure::format(
            format_args!("{} to {} {what}", limits.start(), limits.end()),
            found,
        )
    };
    let declared = match declared {
        Some(count) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            if !limits.contains(&count) {
                return Err(refused(&count));
            }
            Some(count)
        }
        None => None,
    };
    let mut count = 0;
    loop {
        if declared == Some(count) {
            return Ok(());
        }
        if declared.is_none() && decoder.datatype().map_err(malformed)? == Type::Break {
            if !limits.contains(&count) {
                return Err(refused(&count));
            }
            decoder.set_position(decoder.position().saturating_add(1));
            return Ok(());
        }
        if count == *limits.end() {
            return Err(refused(&"more"));
        }
        read(decoder)?;
        count += 1;
    }
}

fn within(name: &str, found: usize, limits: RangeInclusive<usize>) -> Result<(), Failure> {
    if limits.contains(&found) {
        return Ok(());
    }
    Err(Failure::format(
        format_args!("{name} of {} to {} bytes", limits.start(), limits.end()),
        format_args!("{found} bytes"),
    ))
}

fn missing(name: &str) -> Failure {
    Failure::format(DOCUMENT, format_args!("no {name}"))
}

fn malformed(error: minicbor::decode::Error) -> Failure {
    Failure::format(DOCUMENT, error)
}

const DOCUMENT: &str = "a Nitro attestation document";
const DIGEST: &str = "SHA384";
const MAX_FIELDS: usize = 9;
/// Ours: the format asks only that there be something. Real ones have about 40.
const MAX_MODULE_ID_BYTES: usize = 256;
const MAX_PCRS: usize = 32;
const PCR_BYTES: [usize; 3] = [32, 48, 64];
/// Ours: the format has no limit but that of the payload. Real ones have 4. The root, and as many
/// intermediates as a path is searched in.
const MAX_BUNDLE: usize = 1 + x509::MAX_INTERMEDIATES;
const MAX_CERTIFICATE_BYTES: usize = 1024;
const MAX_PUBLIC_KEY_BYTES: usize = 1024;
const MAX_USER_DATA_BYTES: usize = 512;
