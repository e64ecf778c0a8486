// SPDX-License-Identifier: Apache-2.0
//! Azure confidential VMs: a vTPM, and under it SEV-SNP or TDX.
//!
//! The guest does not get at the hardware report itself. A paravisor that the hardware measures
//! runs a vTPM and puts a hardware report, wrapped as an HCL report, into NV index 0x01400001; the
//! report binds the vTPM's attestation key (persistent handle 0x81000003), and that key signs TPM
//! quotes. So the report data goes where a TPM takes such things: into the quote's `extraData`.
//!
//! It is also written to NV index 0x01400002 first, because the paravisor copies what is there into
//! the claims of the next hardware report (`user-data`). As OpenHCL does it, the report is renewed
//! when its first bytes are read and two seconds have passed since the last renewal; older
//! paravisors make one report at boot and leave it at that. A hardware report without our data is
//! therefore good evidence as well, since the quote carries the data: it is waited for, a bounded
//! time, and then taken as it is.
//!
//! The measurement is the hardware's launch measurement (48 bytes: SEV-SNP MEASUREMENT or MRTD, both
//! of the paravisor) ‖ PCR 4, 7, 8, 9, 11, 12 and 13 (32 bytes each: boot loader, secure boot
//! policy, kernel command line and files under GRUB, unified kernel image with its parameters and
//! extensions under systemd-stub), 272 bytes, as they are when the enclave starts.
//!
//! Over TDX a verifier also wants the DCAP quote. Azure's metadata service makes it of the TD report
//! in the HCL report, over HTTP, which an enclave does not speak: the host adds
//! `EvidencePart::TdQuote`. It is bound to the HCL report by the TD report's contents.
//!
//! There is no sealing key: what the vTPM could seal, the paravisor's provider can read.

use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::B256;
use subrosa_evidence::{EvidenceBundle, EvidencePart, INTEL_SGX_ROOT_ID, Product};
use subrosa_types::id::TeeKind;
use zeroize::Zeroizing;

use crate::layout::{HclHardware, HclReport};
use crate::patience::Patience;
use crate::producer::{Configuration, Producer};
use crate::tpm::{Attest, PCR_BYTES, Quote, Tpm};
use crate::{TeeError, processor};

/// A confidential VM on Azure.
pub(crate) struct AzureVtpm {
    tpm: Mutex<Tpm>,
    /// For another's interference.
    patience: Patience,
    /// For a renewal of the hardware report.
    renewal: Patience,
    hardware: HclHardware,
    root_id: Option<B256>,
    measurement: Vec<u8>,
    configuration: Configuration,
}

impl AzureVtpm {
    /// The chassis asset tag that all virtual machines on Azure have.
    pub(crate) const CHASSIS: &'static str = "7783-7084-3265-9085-8269-3286-77";

    pub(crate) fn open(
        mut tpm: Tpm,
        patience: Patience,
        renewal: Patience,
    ) -> Result<Self, TeeError> {
        let bytes = patience.run(|| hcl_report(&mut tpm))?;
        let report = HclReport::parse(&bytes)?;
        let pcrs = patience.run(|| tpm.pcrs())?;
        let root_id = match report.hardware {
            HclHardware::Tdx => Some(INTEL_SGX_ROOT_ID),
            HclHardware::Snp => report
                .processor
                .or_else(processor::running)
                .and_then(|(family, model)| Product::of_amd(family, model))
                .map(Product::root_id),
        };
        let mut measurement = report.measurement.to_vec();
        for index in MEASURED_PCRS {
            let pcr = pcrs.chunks_exact(PCR_BYTES).nth(index);
            measurement.extend(pcr.unwrap_or_default());
        }
        Ok(Self {
            hardware: report.hardware,
            root_id,
            measurement,
            tpm: Mutex::new(tpm),
            patience,
            renewal,
            configuration: Configuration::default(),
        })
    }

    /// The HCL report: with `report_data` among its claims if the paravisor renews it in time.
    fn renewed_hcl_report(
        &self,
        tpm: &mut Tpm,
        report_data: &[u8; 64],
    ) -> Result<Vec<u8>, TeeError> {
        let wanted = hex::encode(report_data);
        let mut last = None;
        let renewed = self.renewal.run(|| {
            let report = self.patience.run(|| hcl_report(tpm))?;
            let is_renewed = user_data(HclReport::parse(&report)?.claims)
                .is_some_and(|found| found.eq_ignore_ascii_case(&wanted));
            last = Some(report);
            if is_renewed {
                Ok(())
            } else {
                Err(TeeError::Busy {
                    what: "the paravisor",
                    attempts: 1,
                })
            }
        });
        match (renewed, last) {
            (Ok(()) | Err(TeeError::Busy { .. }), Some(report)) => Ok(report),
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(TeeError::Malformed {
                what: "HCL report",
                why: "missing",
            }),
        }
    }
}

impl Producer for AzureVtpm {
    fn kind(&self) -> TeeKind {
        match self.hardware {
            HclHardware::Snp => TeeKind::AzureSnp,
            HclHardware::Tdx => TeeKind::AzureTdx,
        }
    }

    fn root_id(&self) -> Option<B256> {
        self.root_id
    }

    fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    fn extend_config(&mut self, config_hash: &[u8; 32]) -> Result<(), TeeError> {
        self.configuration.fix(config_hash)
    }

    fn quote(&self, report_data: &[u8; 64]) -> Result<EvidenceBundle, TeeError> {
        let mut tpm = self.tpm.lock().unwrap_or_else(PoisonError::into_inner);
        write_user_data(&mut tpm, report_data)?;
        let hcl_report = self.renewed_hcl_report(&mut tpm, report_data)?;
        let (quote, pcrs) = self.patience.run(|| quote_once(&mut tpm, report_data))?;
        let parts = [
            (EvidencePart::Quote, quote.attest),
            (EvidencePart::TpmSignature, quote.signature),
            (EvidencePart::TpmPcrs, pcrs),
            (EvidencePart::HclReport, hcl_report),
        ];
        Ok(EvidenceBundle::from_parts(self.kind(), parts)?)
    }

    fn sealing_key(&self, _: &[u8]) -> Result<Option<Zeroizing<[u8; 32]>>, TeeError> {
        Ok(None)
    }
}

/// A quote and the PCR values it is over. [`TeeError::Raced`] if they changed in between.
fn quote_once(tpm: &mut Tpm, report_data: &[u8; 64]) -> Result<(Quote, Vec<u8>), TeeError> {
    let quote = tpm.quote(ATTESTATION_KEY, report_data)?;
    let attest = Attest::parse(&quote.attest)?;
    if attest.extra_data != report_data {
        return Err(TeeError::Malformed {
            what: "TPMS_ATTEST",
            why: "extraData is not what was asked for",
        });
    }
    let pcrs = tpm.pcrs()?;
    if !attest.is_over(&pcrs) {
        return Err(TeeError::Raced {
            what: "the TPM's PCRs",
            attempts: 1,
        });
    }
    Ok((quote, pcrs))
}

/// The HCL report in one piece. [`TeeError::Raced`] if it was renewed between two reads.
fn hcl_report(tpm: &mut Tpm) -> Result<Vec<u8>, TeeError> {
    let size = tpm.nv_size(HCL_REPORT)?.ok_or_else(|| TeeError::Kernel {
        action: "read",
        path: "TPM NV index 0x01400001".into(),
        source: ErrorKind::NotFound.into(),
    })?;
    if usize::from(size) > HCL_REPORT_LIMIT {
        return Err(TeeError::TooLong {
            path: "TPM NV index 0x01400001".into(),
            limit: HCL_REPORT_LIMIT,
        });
    }
    let report = tpm.nv_read(HCL_REPORT, size)?;
    if !HclReport::parse(&report)?.binds_claims {
        return Err(TeeError::Raced {
            what: "the HCL report",
            attempts: 1,
        });
    }
    Ok(report)
}

/// Leaves `report_data` where the paravisor looks for it.
fn write_user_data(tpm: &mut Tpm, report_data: &[u8; 64]) -> Result<(), TeeError> {
    match tpm.nv_size(USER_DATA)? {
        Some(USER_DATA_BYTES) => {}
        None => tpm.nv_define(USER_DATA, USER_DATA_BYTES)?,
        // Somebody else's use of the index; not ours to undefine.
        Some(_) => {
            return Err(TeeError::Malformed {
                what: "TPM NV index 0x01400002",
                why: "not 64 bytes",
            });
        }
    }
    tpm.nv_write(USER_DATA, report_data)
}

fn user_data(claims: &[u8]) -> Option<String> {
    let claims: serde_json::Value = serde_json::from_slice(claims).ok()?;
    claims.get("user-data")?.as_str().map(str::to_owned)
}

/// NV index with the HCL report.
const HCL_REPORT: u32 = 0x0140_0001;
/// Azure's is 2,600 bytes long.
const HCL_REPORT_LIMIT: usize = 16 * 1024;
/// NV index for the user data of the next one.
const USER_DATA: u32 = 0x0140_0002;
const USER_DATA_BYTES: u16 = 64;
/// Persistent handle of the key that the HCL report binds as `HCLAkPub`.
const ATTESTATION_KEY: u32 = 0x8100_0003;
const MEASURED_PCRS: [usize; 7] = [4, 7, 8, 9, 11, 12, 13];

#[cfg(test)]
mod tests;
