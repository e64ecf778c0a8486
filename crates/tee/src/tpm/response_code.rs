// SPDX-License-Identifier: Apache-2.0
//! What a TPM says when it does not say success.

use std::fmt;

/// A TPM response code (TPM 2.0 Library Part 2, section 6.6, TPM_RC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseCode(pub u32);

impl ResponseCode {
    /// TPM_RC_SUCCESS.
    pub(crate) const SUCCESS: Self = Self(0);
    /// TPM_RC_SIZE, a parameter of the wrong size.
    pub(crate) const SIZE: Self = Self(0x095);
    /// TPM_RC_HANDLE, a handle that is not there.
    pub(crate) const HANDLE: Self = Self(0x08b);

    /// The code without what it says about which parameter, handle or session is at fault.
    pub fn base(self) -> Self {
        if self.has_position() {
            Self(self.0 & !POSITION)
        } else {
            self
        }
    }

    /// Which parameter is at fault, from 1.
    pub fn parameter(self) -> Option<u32> {
        (self.has_position() && self.0 & IS_PARAMETER != 0).then_some((self.0 >> 8) & 0xf)
    }

    /// Whether the same command may succeed later: the TPM tests itself, yielded, is busy, or
    /// spares its flash memory.
    pub(crate) fn asks_to_retry(self) -> bool {
        matches!(self.0, YIELDED | TESTING | NV_RATE | RETRY)
    }

    /// Format-one codes, those with bit 7, say where the fault is in bits 6 and 8 to 11.
    fn has_position(self) -> bool {
        self.0 & FORMAT_ONE != 0
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.base().0 {
            0x08b => "TPM_RC_HANDLE",
            0x08e => "TPM_RC_AUTH_FAIL",
            0x095 => "TPM_RC_SIZE",
            0x084 => "TPM_RC_VALUE",
            0x092 => "TPM_RC_SCHEME",
            0x0a2 => "TPM_RC_BAD_AUTH",
            0x101 => "TPM_RC_FAILURE",
            0x143 => "TPM_RC_COMMAND_CODE",
            0x146 => "TPM_RC_NV_RANGE",
            0x148 => "TPM_RC_NV_LOCKED",
            0x149 => "TPM_RC_NV_AUTHORIZATION",
            0x14a => "TPM_RC_NV_UNINITIALIZED",
            0x14b => "TPM_RC_NV_SPACE",
            0x14c => "TPM_RC_NV_DEFINED",
            YIELDED => "TPM_RC_YIELDED",
            TESTING => "TPM_RC_TESTING",
            0x910..=0x916 => "TPM_RC_REFERENCE",
            NV_RATE => "TPM_RC_NV_RATE",
            0x921 => "TPM_RC_LOCKOUT",
            RETRY => "TPM_RC_RETRY",
            0x923 => "TPM_RC_NV_UNAVAILABLE",
            _ => return write!(f, "response code {:#x}", self.0),
        };
        write!(f, "{name} ({:#x})", self.0)
    }
}

const FORMAT_ONE: u32 = 1 << 7;
const IS_PARAMETER: u32 = 1 << 6;
const POSITION: u32 = 0xf40;
const YIELDED: u32 = 0x908;
const TESTING: u32 = 0x90a;
const NV_RATE: u32 = 0x920;
const RETRY: u32 = 0x922;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_with_a_position_keeps_its_name() {
        let size_of_first_parameter = ResponseCode(0x1d5);
        assert_eq!(size_of_first_parameter.base(), ResponseCode::SIZE);
        assert_eq!(size_of_first_parameter.parameter(), Some(1));
        let second_handle = ResponseCode(0x28b);
        assert_eq!(second_handle.base(), ResponseCode::HANDLE);
        assert_eq!(second_handle.parameter(), None);
        assert_eq!(size_of_first_parameter.to_string(), "TPM_RC_SIZE (0x1d5)");
        assert_eq!(ResponseCode(0x922).base(), ResponseCode(0x922));
        assert_eq!(ResponseCode(0x155).to_string(), "response code 0x155");
    }
}
