// SPDX-License-Identifier: Apache-2.0
//! Big-endian fields, one after the other.

use alloc::string::ToString;

use super::TpmError;

/// What is left of a structure.
pub(super) struct Reader<'a> {
    structure: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(structure: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            structure,
            rest: bytes,
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], TpmError> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.fault("it ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, TpmError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, TpmError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, TpmError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, TpmError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A TPM2B: a 16-bit length, and as many bytes, of which there are at most `limit`.
    pub(super) fn sized(&mut self, limit: usize) -> Result<&'a [u8], TpmError> {
        let length = usize::from(self.u16()?);
        if length > limit {
            return Err(self.fault(format_args!("a field of {length} bytes, at most {limit}")));
        }
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.fault("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn finish(self) -> Result<(), TpmError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.fault(format_args!("{} bytes follow it", self.rest.len())))
        }
    }

    pub(super) fn fault(&self, fault: impl ToString) -> TpmError {
        TpmError::malformed(self.structure, fault)
    }
}
