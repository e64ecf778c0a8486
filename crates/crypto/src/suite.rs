// SPDX-License-Identifier: Apache-2.0
//! The two HPKE cipher suites.

/// An HPKE cipher suite (RFC 9180, section 7). Both use HKDF-SHA256 (0x0001) and AES-256-GCM
/// (0x0002) in base mode; they differ in the KEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Suite {
    /// X-Wing, KEM 0x647A: X25519 and ML-KEM-768 (draft-connolly-cfrg-xwing-kem). The default:
    /// what is written on a chain is stored forever, quantum computers or not.
    XWing = 1,
    /// DHKEM(X25519, HKDF-SHA256), KEM 0x0020. For callers who count bytes.
    X25519 = 2,
}

impl Suite {
    /// Size of an encapsulated key in bytes.
    pub const fn encapsulated_len(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }

    /// Size of a public key in bytes.
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::X25519 => 32,
        }
    }
}

impl TryFrom<u8> for Suite {
    type Error = u8;

    /// Reads a suite byte; the error is the unknown byte.
    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            1 => Ok(Self::XWing),
            2 => Ok(Self::X25519),
            other => Err(other),
        }
    }
}
