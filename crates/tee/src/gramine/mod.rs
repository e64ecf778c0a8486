// SPDX-License-Identifier: Apache-2.0
//! Intel SGX under Gramine: `/dev/attestation`.
//!
//! Gramine, Documentation/attestation.rst. `user_report_data` is written, then `quote` read: two
//! operations on state that the whole process shares and that Gramine does not lock. One lock is
//! held here across both. Code outside this crate could still write in between, so a quote is ours
//! only if its REPORTDATA is: reading `user_report_data` back would prove less (and Gramine answers
//! such a read with nothing).
//!
//! Gramine's manifest decides what else exists: `sgx.remote_attestation = "dcap"` is needed. The
//! manifest is part of MRENCLAVE, so that the file system, arguments and environment of the enclave
//! are measured; the configuration is bound by report data and sealing key.
//!
//! The sealing key comes from `keys/_sgx_mrenclave` (EGETKEY with policy MRENCLAVE), never from
//! `_sgx_mrsigner`, which every enclave of the same signer gets, whatever it runs. It must not be
//! the key of an encrypted mount in the manifest as well.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use subrosa_evidence::{EvidenceBundle, EvidencePart, INTEL_SGX_ROOT_ID};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::TeeError;
use crate::files::{Files, Interface};
use crate::layout::{SgxQuote, array};
use crate::patience::Patience;
use crate::producer::{Configuration, Producer};
use crate::sealing::sealing_key;

/// An SGX enclave under Gramine.
pub(crate) struct Gramine {
    files: Arc<dyn Files>,
    patience: Patience,
    /// Held from the write of report data to the read of the quote.
    report_data: Mutex<()>,
    /// MRENCLAVE.
    measurement: [u8; 32],
    configuration: Configuration,
}

impl Gramine {
    /// What tells that this is Gramine on SGX.
    pub(crate) const MARK: &'static str = "dev/attestation/attestation_type";

    pub(crate) fn open(files: Arc<dyn Files>, patience: Patience) -> Result<Self, TeeError> {
        let scheme = GRAMINE.read(files.as_ref(), Path::new(Self::MARK), 64)?;
        if scheme.trim_ascii() != b"dcap" {
            return Err(TeeError::WrongPlatform {
                expected: "dcap",
                found: String::from_utf8_lossy(&scheme).into_owned(),
            });
        }
        let target_info =
            GRAMINE.read(files.as_ref(), &path("my_target_info"), TARGET_INFO_BYTES)?;
        // TARGETINFO (Intel SDM volume 3D): MEASUREMENT, which is MRENCLAVE, comes first.
        let measurement = *array(&target_info, 0).ok_or(TeeError::Malformed {
            what: "SGX target info",
            why: "too short",
        })?;
        Ok(Self {
            files,
            patience,
            report_data: Mutex::new(()),
            measurement,
            configuration: Configuration::default(),
        })
    }

    fn quote_once(&self, report_data: &[u8; 64]) -> Result<Vec<u8>, TeeError> {
        let files = self.files.as_ref();
        GRAMINE.write(files, &path("user_report_data"), report_data)?;
        let quote = GRAMINE.read(files, &path("quote"), QUOTE_LIMIT)?.to_vec();
        let seen = SgxQuote::parse(&quote)?;
        if seen.report_data != report_data {
            return Err(TeeError::Raced {
                what: "/dev/attestation/user_report_data",
                attempts: 1,
            });
        }
        if *seen.mrenclave != self.measurement {
            return Err(TeeError::Malformed {
                what: "SGX quote",
                why: "of another enclave",
            });
        }
        Ok(quote)
    }
}

impl Producer for Gramine {
    fn kind(&self) -> TeeKind {
        TeeKind::Sgx
    }

    fn root_id(&self) -> Option<B256> {
        Some(INTEL_SGX_ROOT_ID)
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.configuration.fix(config_hash)
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let _only_one = self
            .report_data
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let quote = self.patience.run(|| self.quote_once(report_data))?;
        let parts = [(EvidencePart::Quote, quote)];
        Ok(EvidenceBundle::from_parts(TeeKind::Sgx, parts)?)
    }

    fn sealing_key(&self, context: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        let config_hash = self.configuration.hash()?;
        let key = GRAMINE.read(self.files.as_ref(), &path("keys/_sgx_mrenclave"), 16)?;
        if key.len() != 16 {
            return Err(TeeError::Malformed {
                what: "key _sgx_mrenclave",
                why: "not 16 bytes",
            });
        }
        Ok(sealing_key(b"sgx-mrenclave", &key, config_hash, context))
    }
}

fn path(name: &str) -> PathBuf {
    Path::new("dev/attestation").join(name)
}

const GRAMINE: Interface = Interface {
    name: "/dev/attestation",
    needs: "Gramine 1.5 on SGX with sgx.remote_attestation = \"dcap\" in the manifest",
};
const TARGET_INFO_BYTES: usize = 512;
/// Gramine's own limit is `SGX_QUOTE_MAX_SIZE`, 8 KiB.
const QUOTE_LIMIT: usize = 16 * 1024;

#[cfg(test)]
mod tests;
