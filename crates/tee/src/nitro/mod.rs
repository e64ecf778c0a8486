// SPDX-License-Identifier: Apache-2.0
//! AWS Nitro Enclaves: the Nitro Secure Module behind `/dev/nsm`.
//!
//! Messages as in AWS' `aws-nitro-enclaves-nsm-api`: CBOR, at most 4 KiB there and 12 KiB back. Our
//! own few lines of CBOR in place of that crate, which hides what the kernel says and which brings
//! a CBOR library that nobody maintains into the measured binary.
//!
//! `user_data` is the report data; `nonce` and `public_key` stay empty. The measurement is
//! PCR0 ‖ PCR1 ‖ PCR2 (image, kernel with boot ramdisk, application), SHA-384 each. In an enclave
//! started in debug mode all three are zero, which verifiers refuse. The configuration has no
//! register; report data binds it. There is no sealing key: a key that survives the enclave comes
//! from AWS KMS, over the network, which is the recovery policy's business.
//!
//! Requests and responses do not mix: the driver serves one after the other.

mod cbor;

use std::path::PathBuf;

use subrosa_types::id::{EvidencePart, TeeKind};
use zeroize::Zeroizing;

use crate::ioctl::Device;
use crate::producer::{Configuration, Producer};
use crate::{Evidence, TeeError, roots};
use cbor::{Reader, Writer};

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
        let mut request = Writer::default();
        request.map(1).text("DescribePCR").map(1);
        request.text("index").unsigned(index);
        let data = self.ask(request, "DescribePCR", "data")?;
        if data.len() != PCR_BYTES {
            return Err(malformed("a PCR is not 48 bytes"));
        }
        Ok(data)
    }

    fn attestation(&self, report_data: &[u8; 64]) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let mut request = Writer::default();
        request.map(1).text("Attestation").map(3);
        request.text("user_data").bytes(report_data);
        request.text("nonce").null();
        request.text("public_key").null();
        let document = self.ask(request, "Attestation", "document")?;
        if document.is_empty() {
            return Err(malformed("an empty attestation document"));
        }
        Ok(document)
    }

    /// Up to 256 bytes from the module's generator.
    fn entropy(&self) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let mut request = Writer::default();
        request.text("GetRandom");
        let random = self.ask(request, "GetRandom", "random")?;
        if random.is_empty() {
            return Err(malformed("no random bytes"));
        }
        Ok(random)
    }

    /// Sends `request`; the byte string `field` of the response called `operation`.
    fn ask(
        &self,
        request: Writer,
        operation: &str,
        field: &str,
    ) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        let response = self
            .device
            .exchange(&request.into_bytes(), RESPONSE_LIMIT)
            .map_err(|fault| TeeError::Kernel {
                action: "call",
                path: PathBuf::from("/").join(Self::DEVICE),
                source: fault.source,
            })?;
        let mut reader = Reader::new(&response);
        match reader
            .tagged()
            .ok_or_else(|| malformed("not one variant"))?
        {
            "Error" => {
                let code = reader.text().ok_or_else(|| malformed("no error code"))?;
                Err(TeeError::Nsm(code.chars().take(64).collect()))
            }
            found if found == operation => {
                let value = reader
                    .field(field)
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

    fn root_id(&self) -> Option<[u8; 32]> {
        Some(roots::NITRO)
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.configuration.fix(config_hash)
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<Evidence, TeeError> {
        let document = self.attestation(report_data)?;
        Ok(Evidence {
            kind: TeeKind::Nitro,
            parts: vec![(EvidencePart::Quote, document.to_vec())],
        })
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
