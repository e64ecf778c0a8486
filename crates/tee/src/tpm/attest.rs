// SPDX-License-Identifier: Apache-2.0
//! The structure a TPM signs.

use sha2::{Digest, Sha256};

use super::wire::Reader;
use crate::TeeError;

/// A TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE (TPM 2.0 Library Part 2, section 10.12.12), as far as
/// a producer wants to see that the quote and the PCR values beside it are of one moment and his.
#[derive(Debug)]
pub(crate) struct Attest<'a> {
    pub(crate) extra_data: &'a [u8],
    /// TPML_PCR_SELECTION.
    selection: Vec<u8>,
    pcr_digest: &'a [u8],
}

impl<'a> Attest<'a> {
    pub(crate) fn parse(attest: &'a [u8]) -> Result<Self, TeeError> {
        Self::read(attest).ok_or(TeeError::Malformed {
            what: "TPMS_ATTEST",
            why: "not a quote over one bank",
        })
    }

    /// Whether the quote is over these PCR 0 to 23 of the SHA-256 bank.
    ///
    /// The digest is in the algorithm of the signature, which is SHA-256 for Azure's keys.
    pub(crate) fn is_over(&self, pcrs: &[u8]) -> bool {
        self.selection == super::selection([0xff; 3])
            && self.pcr_digest == Sha256::digest(pcrs).as_slice()
    }

    fn read(attest: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(attest);
        if (reader.u32()?, reader.u16()?) != (GENERATED_VALUE, ST_ATTEST_QUOTE) {
            return None;
        }
        let _qualified_signer = reader.sized()?;
        let extra_data = reader.sized()?;
        let _clock_and_firmware = reader.take(CLOCK_INFO_BYTES + 8)?;
        let selection = reader.take(4 + 2 + 1 + 3)?.to_vec();
        let pcr_digest = reader.sized()?;
        reader.rest().is_empty().then_some(Self {
            extra_data,
            selection,
            pcr_digest,
        })
    }
}

/// TPM_GENERATED_VALUE, `\xffTCG`.
const GENERATED_VALUE: u32 = 0xff54_4347;
const ST_ATTEST_QUOTE: u16 = 0x8018;
/// TPMS_CLOCK_INFO: clock, resetCount, restartCount, safe.
const CLOCK_INFO_BYTES: usize = 8 + 4 + 4 + 1;
