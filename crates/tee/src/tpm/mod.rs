// SPDX-License-Identifier: Apache-2.0
//! Six commands of TPM 2.0, in the bytes of the TPM 2.0 Library specification, Part 3.
//!
//! Authorizations are empty passwords (Part 1, "Password Authorizations"), as on every Azure
//! confidential VM whose owner has not set one.

mod attest;
mod response_code;
mod transport;
mod wire;

use std::path::Path;

use crate::TeeError;
use crate::files::Interface;
use crate::patience::Patience;

pub(crate) use attest::Attest;
pub use response_code::ResponseCode;
pub(crate) use transport::{Stream, Transport};
use wire::{Command, MAX_RESPONSE, Reader};

/// A TPM that answers one command after the other.
pub(crate) struct Tpm {
    transport: Box<dyn Transport>,
    patience: Patience,
}

/// A quote: what was signed (TPMS_ATTEST) and the signature (TPMT_SIGNATURE).
#[derive(Debug)]
pub(crate) struct Quote {
    pub(crate) attest: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Tpm {
    pub(crate) fn new(transport: Box<dyn Transport>, patience: Patience) -> Self {
        Self {
            transport,
            patience,
        }
    }

    /// TPM2_NV_ReadPublic: the data size of an NV index; `None` if it is not defined.
    pub(crate) fn nv_size(&mut self, index: u32) -> Result<Option<u16>, TeeError> {
        let command = Command::new("TPM2_NV_ReadPublic", NV_READ_PUBLIC).handle(index);
        let parameters = match self.run(command) {
            Err(TeeError::Tpm { code, .. }) if code.base() == ResponseCode::HANDLE => {
                return Ok(None);
            }
            other => other?,
        };
        let size = || {
            let mut public = Reader::new(Reader::new(&parameters).sized()?);
            let (_index, _name_algorithm, _attributes) =
                (public.u32()?, public.u16()?, public.u32()?);
            let _policy = public.sized()?;
            public.u16()
        };
        size().map(Some).ok_or(malformed("NV public area"))
    }

    /// TPM2_NV_DefineSpace: an ordinary index that the owner reads and writes.
    pub(crate) fn nv_define(&mut self, index: u32, size: u16) -> Result<(), TeeError> {
        let mut public = Vec::new();
        public.extend(index.to_be_bytes());
        public.extend(ALG_SHA256.to_be_bytes());
        public.extend(NV_OWNER_WRITE_AND_READ.to_be_bytes());
        public.extend(0u16.to_be_bytes());
        public.extend(size.to_be_bytes());
        let command = Command::new("TPM2_NV_DefineSpace", NV_DEFINE_SPACE)
            .handle(RH_OWNER)
            .password()
            .sized(&[])
            .sized(&public);
        self.run(command).map(|_| ())
    }

    /// TPM2_NV_Write at offset 0, in one command, so that the index never holds a part of `data`.
    pub(crate) fn nv_write(&mut self, index: u32, data: &[u8]) -> Result<(), TeeError> {
        let command = Command::new("TPM2_NV_Write", NV_WRITE)
            .handle(RH_OWNER)
            .handle(index)
            .password()
            .sized(data)
            .u16(0);
        self.run(command).map(|_| ())
    }

    /// TPM2_NV_Read of a whole index, from its beginning.
    pub(crate) fn nv_read(&mut self, index: u32, size: u16) -> Result<Vec<u8>, TeeError> {
        let mut data = Vec::with_capacity(usize::from(size));
        let mut offset = 0;
        while offset < size {
            let wanted = NV_CHUNK.min(size - offset);
            let command = Command::new("TPM2_NV_Read", NV_READ)
                .handle(RH_OWNER)
                .handle(index)
                .password()
                .u16(wanted)
                .u16(offset);
            let parameters = self.run(command)?;
            let chunk = Reader::new(&parameters)
                .sized()
                .filter(|chunk| chunk.len() == usize::from(wanted))
                .ok_or(malformed("NV data"))?;
            data.extend(chunk);
            offset += wanted;
        }
        Ok(data)
    }

    /// TPM2_Quote by `key` in its own scheme over PCR 0 to 23 of the SHA-256 bank.
    ///
    /// # Errors
    ///
    /// [`TeeError::QualifyingData`] where TPM2B_DATA does not hold 64 bytes: it holds a TPMT_HA,
    /// which is 66 bytes where the TPM implements SHA-512 and 50 where SHA-384 is the longest.
    pub(crate) fn quote(&mut self, key: u32, data: &[u8; 64]) -> Result<Quote, TeeError> {
        let command = Command::new("TPM2_Quote", QUOTE)
            .handle(key)
            .password()
            .sized(data)
            .u16(ALG_NULL)
            .raw(&selection([0xff; 3]));
        let parameters = match self.run(command) {
            Err(TeeError::Tpm { code, .. })
                if code.base() == ResponseCode::SIZE && code.parameter() == Some(1) =>
            {
                return Err(TeeError::QualifyingData);
            }
            other => other?,
        };
        let mut reader = Reader::new(&parameters);
        let attest = reader.sized().ok_or(malformed("quote"))?;
        Ok(Quote {
            attest: attest.to_vec(),
            signature: reader.rest().to_vec(),
        })
    }

    /// TPM2_PCR_Read until all 24 PCRs of the SHA-256 bank are there: 768 bytes.
    ///
    /// # Errors
    ///
    /// [`TeeError::Raced`] if one was extended in between.
    pub(crate) fn pcrs(&mut self) -> Result<Vec<u8>, TeeError> {
        let mut pcrs = vec![0; PCR_COUNT * PCR_BYTES];
        let mut wanted = [0xff; 3];
        let mut counter = None;
        while wanted != [0; 3] {
            let command = Command::new("TPM2_PCR_Read", PCR_READ).raw(&selection(wanted));
            let parameters = self.run(command)?;
            let mut reader = Reader::new(&parameters);
            let updates = reader.u32().ok_or(malformed("PCR values"))?;
            if *counter.get_or_insert(updates) != updates {
                return Err(TeeError::Raced {
                    what: "the TPM's PCRs",
                    attempts: 1,
                });
            }
            let given = take_pcrs(&mut reader, wanted, &mut pcrs).ok_or(malformed("PCR values"))?;
            for (wanted, given) in wanted.iter_mut().zip(given) {
                *wanted &= !given;
            }
        }
        Ok(pcrs)
    }

    /// Sends a command until it is not told to come back later; the response's parameters.
    fn run(&mut self, command: Command) -> Result<Vec<u8>, TeeError> {
        let bytes = command.to_bytes();
        let transport = self.transport.as_mut();
        self.patience.run(|| {
            let response = transport.transmit(&bytes).map_err(TPM.fault(
                "call",
                Path::new(DEVICE),
                MAX_RESPONSE,
            ))?;
            let parameters = command.parameters(&response)?;
            Ok(parameters.to_vec())
        })
    }
}

/// Copies the PCRs of one response to their places; which they were. `None` if it is malformed,
/// holds none, or holds some that were not asked for.
fn take_pcrs(reader: &mut Reader<'_>, wanted: [u8; 3], pcrs: &mut [u8]) -> Option<[u8; 3]> {
    let given = match (reader.u32()?, reader.u16()?, reader.u8()?) {
        (1, ALG_SHA256, 3) => [reader.u8()?, reader.u8()?, reader.u8()?],
        _ => return None,
    };
    let mut left = reader.u32()?;
    for (index, place) in pcrs.chunks_exact_mut(PCR_BYTES).enumerate() {
        let bit = 1 << (index % 8);
        let [given, wanted] = [given, wanted].map(|mask| mask.get(index / 8).copied());
        if given? & bit == 0 {
            continue;
        }
        let value = reader.sized()?;
        if wanted? & bit == 0 || value.len() != PCR_BYTES {
            return None;
        }
        place.copy_from_slice(value);
        left = left.checked_sub(1)?;
    }
    (left == 0 && given != [0; 3]).then_some(given)
}

/// TPML_PCR_SELECTION with one bank, SHA-256.
fn selection(mask: [u8; 3]) -> Vec<u8> {
    let mut selection = Vec::from(1u32.to_be_bytes());
    selection.extend(ALG_SHA256.to_be_bytes());
    selection.push(3);
    selection.extend(mask);
    selection
}

fn malformed(why: &'static str) -> TeeError {
    TeeError::Malformed {
        what: "TPM response",
        why,
    }
}

/// The TPM's character device that shares it between processes (Linux since 4.12).
pub(crate) const DEVICE: &str = "dev/tpmrm0";
pub(crate) const TPM: Interface = Interface {
    name: "the TPM",
    needs: "a TPM 2.0 and Linux 4.12, whose resource manager shares it",
};
/// PCRs of the bank.
pub(crate) const PCR_COUNT: usize = 24;
/// SHA-256.
pub(crate) const PCR_BYTES: usize = 32;

// TPM 2.0 Library Part 2: TPM_CC, TPM_RH, TPM_ALG_ID, TPMA_NV.
const NV_DEFINE_SPACE: u32 = 0x0000_012a;
const NV_WRITE: u32 = 0x0000_0137;
const NV_READ: u32 = 0x0000_014e;
const QUOTE: u32 = 0x0000_0158;
const NV_READ_PUBLIC: u32 = 0x0000_0169;
const PCR_READ: u32 = 0x0000_017e;
const RH_OWNER: u32 = 0x4000_0001;
const ALG_SHA256: u16 = 0x000b;
const ALG_NULL: u16 = 0x0010;
/// OWNERWRITE, bit 1; OWNERREAD, bit 17.
const NV_OWNER_WRITE_AND_READ: u32 = 1 << 1 | 1 << 17;
/// Within what every TPM gives in one response.
const NV_CHUNK: u16 = 512;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
