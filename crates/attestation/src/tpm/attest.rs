// SPDX-License-Identifier: Apache-2.0
//! TPMS_ATTEST (Part 2, 10.12.12), as TPM2_Quote makes it.
//!
//! ```text
//! magic            u32   0xff544347 (TPM_GENERATED_VALUE): the TPM made it, not its user
//! type             u16   0x8018 (TPM_ST_ATTEST_QUOTE)
//! qualifiedSigner  TPM2B at most 66 bytes
//! extraData        TPM2B at most 66 bytes
//! clockInfo        clock u64, resetCount u32, restartCount u32, safe u8 (0 or 1)
//! firmwareVersion  u64
//! pcrSelect        count u32; of each: hash u16, sizeofSelect u8, pcrSelect
//! pcrDigest        TPM2B at most 64 bytes
//! ```

use alloc::vec::Vec;

use super::TpmError;
use super::reader::Reader;

/// Largest TPMS_ATTEST that is looked at, bytes. The largest quote with one bank has 249.
pub const MAX_ATTEST_BYTES: usize = 1024;

/// What a TPM signed: the digest of chosen PCRs, and the challenge it was asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub(super) qualified_signer: Vec<u8>,
    pub(super) extra_data: Vec<u8>,
    pub(super) reset_count: u32,
    pub(super) restart_count: u32,
    pub(super) firmware_version: u64,
    pub(super) selections: Vec<Selection>,
    pub(super) pcr_digest: Vec<u8>,
}

/// PCRs of one bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// TPM_ALG_ID of the bank's hash.
    pub hash: u16,
    /// Bit n is PCR n; 24 bits.
    pub pcrs: u32,
}

impl Quote {
    /// The qualified name of the key that signed, at most 66 bytes.
    pub fn qualified_signer(&self) -> &[u8] {
        &self.qualified_signer
    }

    /// What the caller of TPM2_Quote gave to be signed, at most 66 bytes.
    pub fn extra_data(&self) -> &[u8] {
        &self.extra_data
    }

    /// How often the TPM was reset. Obfuscated unless the key is in the endorsement or platform
    /// hierarchy.
    pub fn reset_count(&self) -> u32 {
        self.reset_count
    }

    /// How often it was restarted since. Obfuscated likewise.
    pub fn restart_count(&self) -> u32 {
        self.restart_count
    }

    /// The TPM's own version number. Obfuscated likewise.
    pub fn firmware_version(&self) -> u64 {
        self.firmware_version
    }

    /// The PCRs whose digest is quoted.
    pub fn selections(&self) -> &[Selection] {
        &self.selections
    }

    /// The digest of their values, with the hash of the signature.
    pub fn pcr_digest(&self) -> &[u8] {
        &self.pcr_digest
    }
}

/// Reads a quote, of which nothing has been verified.
pub(super) fn parse(bytes: &[u8]) -> Result<Quote, TpmError> {
    let mut reader = Reader::new("TPMS_ATTEST", bytes);
    if bytes.len() > MAX_ATTEST_BYTES {
        return Err(reader.fault(format_args!("{} bytes", bytes.len())));
    }
    let magic = reader.u32()?;
    if magic != GENERATED {
        return Err(reader.fault(format_args!("magic {magic:#010x}")));
    }
    let tag = reader.u16()?;
    if tag != ATTEST_QUOTE {
        return Err(reader.fault(format_args!(
            "type {tag:#06x}, a quote is {ATTEST_QUOTE:#06x}"
        )));
    }
    let qualified_signer = reader.sized(MAX_NAME)?.to_vec();
    let extra_data = reader.sized(MAX_DATA)?.to_vec();
    let _clock = reader.u64()?;
    let reset_count = reader.u32()?;
    let restart_count = reader.u32()?;
    // TPMI_YES_NO: whether the clock may have run backwards, of which nothing here depends.
    let safe = reader.u8()?;
    if safe > 1 {
        return Err(reader.fault(format_args!("clockInfo.safe is {safe}")));
    }
    let firmware_version = reader.u64()?;
    let selections = selections(&mut reader)?;
    let pcr_digest = reader.sized(MAX_DIGEST)?.to_vec();
    reader.finish()?;
    Ok(Quote {
        qualified_signer,
        extra_data,
        reset_count,
        restart_count,
        firmware_version,
        selections,
        pcr_digest,
    })
}

/// TPML_PCR_SELECTION (10.9.7).
fn selections(reader: &mut Reader<'_>) -> Result<Vec<Selection>, TpmError> {
    let count = reader.u32()?;
    if count > MAX_BANKS {
        return Err(reader.fault(format_args!("{count} PCR banks")));
    }
    let mut selections = Vec::new();
    for _ in 0..count {
        let hash = reader.u16()?;
        let size = reader.u8()?;
        if size != SELECT_BYTES {
            return Err(reader.fault(format_args!("a PCR selection of {size} bytes, not 3")));
        }
        let [low, middle, high] = reader.array()?;
        selections.push(Selection {
            hash,
            pcrs: u32::from_le_bytes([low, middle, high, 0]),
        });
    }
    Ok(selections)
}

/// TPM_GENERATED_VALUE (6.2).
const GENERATED: u32 = 0xff54_4347;
/// TPM_ST_ATTEST_QUOTE (6.9).
const ATTEST_QUOTE: u16 = 0x8018;
/// TPM2B_NAME of a key: the algorithm of its name and the largest digest (10.5.3).
const MAX_NAME: usize = 66;
/// TPM2B_DATA is as large as TPMT_HA (10.4.3).
const MAX_DATA: usize = 66;
/// SHA-512.
const MAX_DIGEST: usize = 64;
/// HASH_COUNT of the reference implementation.
const MAX_BANKS: u32 = 16;
/// 24 PCRs: the least that TPMs for PCs have, and the most that any has
/// (PC Client Platform TPM Profile, PCR_SELECT_MIN).
const SELECT_BYTES: u8 = 3;
