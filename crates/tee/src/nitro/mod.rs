// SPDX-License-Identifier: Apache-2.0
//! AWS Nitro Enclaves: the Nitro Secure Module behind `/dev/nsm`.
//!
//! Messages as in AWS' `aws-nitro-enclaves-nsm-api`: CBOR, at most 4 KiB there and 12 KiB back. That
//! crate itself hides what the kernel says, and brings a CBOR library that nobody maintains into
//! the measured binary.
//!
//! `user_data` is the report data; `nonce` and `public_key` stay empty. The measurement is
//! PCR0 ‖ PCR1 ‖ PCR2 (image, kernel with boot ramdisk, application), SHA-384 each. In an enclave
//! started in debug mode all three are zero, which verifiers refuse. The configuration has no
//! register; report data binds it. There is no sealing key: a key that survives the enclave comes
//! from AWS KMS, over the network, which is the recovery policy's business.
//!
//! Requests and responses do not mix: the driver serves one after the other.

use std::convert::Infallible;
use std::path::PathBuf;

use alloy_primitives::B256;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder, encode};
use subrosa_evidence::{AWS_NITRO_ROOT_ID, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::TeeError;
use crate::ioctl::Device;
use crate::producer::{Configuration, Producer};

/// A Nitro enclave.
pub(crate) struct Nitro {
    device: Box<dyn Device>,
    /// PCR0 ‖ PCR1 ‖ PCR2.
    measurement: Vec<u8>,
    configuration: Configuration,
}

impl Nitro {
    /// The Nitro Secure Module.
    pub(crate) const DEVICE: &'static str = "dev/nsm";

    pub(crate) fn open(device: Box<dyn Device>) -> Result<Self, TeeError> {
        let mut nitro = Self {
            device,
            measurement: Vec::with_capacity(3 * PCR_BYTES),
            configuration: Configuration::default(),
        };
        for index in 0..3 {
            let pcr = nitro.describe_pcr(index)?;
            nitro.measurement.extend(pcr.iter());
        }
        Ok(nitro)
    }

    fn describe_pcr(&self, index: u8) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let request = request(|to| {
            to.map(1)?
                .str("DescribePCR")?
                .map(1)?
                .str("index")?
                .u8(index)
        })?;
        let data = self.ask(&request, "DescribePCR", "data")?;
        if data.len() != PCR_BYTES {
            return Err(malformed("a PCR is not 48 bytes"));
        }
        Ok(data)
    }

    fn attestation(&self, report_data: &[u8; 64]) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let request = request(|to| {
            to.map(1)?.str("Attestation")?.map(3)?;
            to.str("user_data")?.bytes(report_data)?;
            to.str("nonce")?.null()?;
            to.str("public_key")?.null()
        })?;
        let document = self.ask(&request, "Attestation", "document")?;
        if document.is_empty() {
            return Err(malformed("an empty attestation document"));
        }
        Ok(document)
    }

    /// Up to 256 bytes from the module's generator.
    fn entropy(&self) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let request = request(|to| to.str("GetRandom"))?;
        let random = self.ask(&request, "GetRandom", "random")?;
        if random.is_empty() {
            return Err(malformed("no random bytes"));
        }
        Ok(random)
    }

    /// Sends `request`; the byte string `field` of the response called `operation`.
    fn ask(
        &self,
        request: &[u8],
        operation: &str,
        field: &str,
    ) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let response = self
            .device
            .exchange(request, RESPONSE_LIMIT)
            .map_err(|fault| TeeError::Kernel {
                action: "call",
                path: PathBuf::from("/").join(Self::DEVICE),
                source: fault.source,
            })?;
        let mut from = Decoder::new(&response);
        match variant(&mut from).ok_or_else(|| malformed("not one variant"))? {
            "Error" => {
                let code = from.str().map_err(|_| malformed("no error code"))?;
                Err(TeeError::Nsm(code.chars().take(64).collect()))
            }
            found if found == operation => {
                let value = byte_string(&mut from, field)
                    .ok_or_else(|| malformed("its field is missing"))?;
                Ok(Zeroizing::new(value.to_vec()))
            }
            _ => Err(malformed("of another operation")),
        }
    }
}

impl Producer for Nitro {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    fn root_id(&self) -> Option<B256> {
        Some(AWS_NITRO_ROOT_ID)
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.configuration.fix(config_hash)
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let document = self.attestation(report_data)?;
        let parts = [(EvidencePart::Quote, document.to_vec())];
        Ok(EvidenceBundle::from_parts(TeeKind::Nitro, parts)?)
    }

    fn sealing_key(&self, _: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        Ok(None)
    }

    /// The kernel's generator and the module's, one over the other: a kernel before Linux 6.8 does
    /// not stir the module's into its own, and at boot an enclave has little else.
    fn random(&self, bytes: &mut [u8]) -> Result<(), TeeError> {
        getrandom::fill(bytes).map_err(|_| TeeError::Random)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let entropy = self.entropy()?;
            let taken = entropy.len().min(rest.len());
            let (now, later) = rest.split_at_mut(taken);
            for (byte, other) in now.iter_mut().zip(entropy.iter()) {
                *byte ^= other;
            }
            rest = later;
        }
        Ok(())
    }
}

type Written<'e> = Result<&'e mut Encoder<Vec<u8>>, encode::Error<Infallible>>;

/// The message that `write` writes.
fn request(
    write: impl for<'e> FnOnce(&'e mut Encoder<Vec<u8>>) -> Written<'e>,
) -> Result<Vec<u8>, TeeError> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder).map_err(|_| TeeError::Malformed {
        what: "NSM request",
        why: "not to be encoded",
    })?;
    Ok(encoder.into_writer())
}

/// The name of an enumeration's variant, its contents next: a map of one pair.
fn variant<'b>(from: &mut Decoder<'b>) -> Option<&'b str> {
    (from.map().ok()? == Some(1)).then(|| from.str().ok())?
}

/// The byte string called `name` in a map of text to byte strings, text, integers, booleans and
/// null. Indefinite lengths are not spoken here, and nothing else is skipped.
fn byte_string<'b>(from: &mut Decoder<'b>, name: &str) -> Option<&'b [u8]> {
    let mut found = None;
    for _ in 0..from.map().ok()?? {
        let wanted = from.str().ok()? == name;
        match from.datatype().ok()? {
            Type::Bytes => {
                let bytes = from.bytes().ok()?;
                if wanted {
                    found = Some(bytes);
                }
            }
            _ if wanted => return None,
            Type::String
            | Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::Bool
            | Type::Null
            | Type::Undefined
            | Type::Simple
            | Type::F16
            | Type::F32
            | Type::F64 => from.skip().ok()?,
            _ => return None,
        }
    }
    found
}

fn malformed(why: &'static str) -> TeeError {
    TeeError::Malformed {
        what: "NSM response",
        why,
    }
}

/// SHA-384.
const PCR_BYTES: usize = 48;
/// `NSM_RESPONSE_MAX_SIZE`.
const RESPONSE_LIMIT: usize = 0x3000;

#[cfg(test)]
mod tests;
