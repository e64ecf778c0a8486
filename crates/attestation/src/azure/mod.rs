// SPDX-License-Identifier: Apache-2.0
//! Azure confidential VMs: a TPM quote, signed with a key that a hardware report vouches for.
//!
//! On Azure a guest does not talk to its TEE. A paravisor (OpenHCL) at the highest privilege level
//! does, which also plays the guest's TPM. When the VM starts, the paravisor draws the TPM's
//! attestation key and has the hardware sign a report about it. So trust goes
//!
//! ```text
//! hardware vendor ─▶ SEV-SNP report or TD quote ─▶ runtime claims ─▶ attestation key ─▶ TPM quote
//! ```
//!
//! The launch digest says which paravisor runs, the PCRs say what it then started, the quote's
//! `extraData` is what that asked to be signed. The report of the hardware is as old as the VM's
//! start; freshness comes from `extraData` alone.
//!
//! **The launch digest carries everything.** Any SEV-SNP guest, on Azure or not, can have a report
//! made about runtime claims that it wrote itself, with a key and PCRs of its own invention. Only
//! an expected launch digest says that a paravisor was there that does not. The measurement begins
//! with it for that reason; PCRs without it mean nothing.
//!
//! **TDX.** The TDs that Azure has run so far leave SEPT_VE_DISABLE unset, which is what Intel's
//! rules want set, and evidence from them is rejected by `tdx.attributes` even though every
//! signature is good. Without that bit the host can inject exceptions where a TD does not expect
//! any. Azure's paravisor may well be immune; nothing in the evidence says so.
//!
//! **What nothing vouches for**, and no claim is made of: the header version of the HCL report and
//! how many zeros follow it; the fields of a TDREPORT that the TD quote does not repeat (its type
//! and MAC, the hashes, TEE_TCB_INFO); values of PCRs that are not quoted.
//!
//! Source: Azure confidential VM guest attestation design (learn.microsoft.com); openvmm
//! (OpenHCL); TPM 2.0 Library.

mod hcl;
mod json;
mod runtime;
mod td;

use alloc::format;

use alloy_primitives::{Bytes, keccak256};
use subrosa_evidence::{CheckId, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use self::hcl::{Hardware, HclReport};
use self::runtime::RuntimeClaims;
use crate::claims::measurement_hashes;
use crate::failure::Failure;
use crate::roots::Roots;
use crate::tpm::{Quote, TpmError};
use crate::{Claims, Register, dcap, snp, tpm, x509};

pub use json::{AzureJsonError, MAX_AZURE_JSON_BYTES, azure_bundle};

/// The checks that [`examine`] makes before those of the hardware's own evidence, in order.
pub(crate) const CHECKS: [CheckId; 4] = [
    CheckId::AzureReport,
    CheckId::AzureAk,
    CheckId::TpmSignature,
    CheckId::TpmPcrs,
];

/// The PCRs that the measurement consists of, beside the launch digest: boot loader (4), secure
/// boot policy (7), what GRUB (8, 9) and systemd (11, 12, 13) measure of kernel, initial RAM disk
/// and their configuration (UAPI group, Linux TPM PCR Registry).
pub(crate) const MEASURED_PCRS: [u8; 7] = [4, 7, 8, 9, 11, 12, 13];

/// Verifies the evidence as of `now` (Unix seconds) and reads its claims.
pub(crate) fn examine(
    bundle: &EvidenceBundle,
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let report = HclReport::parse(part(bundle, EvidencePart::HclReport)?)?;
    if report.hardware.kind() != bundle.kind() {
        return Err(Failure::format(
            format_args!("an HCL report of {}", bundle.kind()),
            format_args!("one of {}", report.hardware.kind()),
        ));
    }
    report.bind()?;
    if let Hardware::Tdx(td_report) = report.hardware {
        td::same(td_report, part(bundle, EvidencePart::TdQuote)?)?;
    }
    let runtime = RuntimeClaims::parse(report.claims)?;
    let attest = part(bundle, EvidencePart::Quote)?;
    let signature = part(bundle, EvidencePart::TpmSignature)?;
    let quote = tpm::verify_quote(attest, signature, &runtime.attestation_key).map_err(failure)?;
    let pcrs = quote
        .quoted_pcrs(part(bundle, EvidencePart::TpmPcrs)?, &MEASURED_PCRS)
        .map_err(failure)?;
    let hardware = match report.hardware {
        Hardware::Snp(report) => examine_snp(bundle, report, roots, now)?,
        Hardware::Tdx(_) => dcap::examine_quote(
            TeeKind::AzureTdx,
            part(bundle, EvidencePart::TdQuote)?,
            part(bundle, EvidencePart::Collateral)?,
            roots,
            now,
        )?,
    };
    Ok(read(hardware, attest, &quote, &pcrs, &runtime))
}

fn examine_snp(
    bundle: &EvidenceBundle,
    report: &[u8],
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let part = |part| bundle.part(part).unwrap_or_default();
    let certificates = x509::certificates(part(EvidencePart::Certificates))
        .map_err(|fault| Failure::format("X.509 certificates, PEM or DER", fault))?;
    let lists = x509::revocation_lists(part(EvidencePart::RevocationLists))
        .map_err(|fault| Failure::format("revocation lists, PEM or DER", fault))?;
    let claims = snp::examine_report(TeeKind::AzureSnp, report, &certificates, &lists, roots, now)?;
    paravisor(&claims)?;
    Ok(claims)
}

/// Only level 0 is the paravisor's. A report from any other is one that a guest had made, about
/// runtime claims that it wrote itself.
fn paravisor(claims: &Claims) -> Result<(), Failure> {
    match claims.vmpl {
        Some(0) => Ok(()),
        Some(level) => Err(Failure::rejected(
            CheckId::Vmpl,
            "a report asked for at level 0, the paravisor's",
            format_args!("one asked for at level {level}"),
        )),
        None => Err(Failure::rejected(
            CheckId::Vmpl,
            "a report that states its level",
            "none",
        )),
    }
}

/// What the hardware says, of the guest that its TPM speaks for.
fn read(
    hardware: Claims,
    attest: &[u8],
    quote: &Quote,
    pcrs: &[(u8, &[u8; tpm::PCR_BYTES])],
    runtime: &RuntimeClaims<'_>,
) -> Claims {
    let launch = hardware.measurement.get(..LAUNCH_DIGEST_BYTES);
    let mut measurement = launch.unwrap_or_default().to_vec();
    for (number, value) in pcrs {
        if MEASURED_PCRS.contains(number) {
            measurement.extend(*value);
        }
    }
    let (measurement_hash, measurement_id) =
        measurement_hashes(hardware.root_id, hardware.tee, &measurement);
    let mut registers = hardware.registers;
    registers.extend(
        pcrs.iter()
            .map(|(number, value)| Register::new(format!("pcr{number}"), *value)),
    );
    let version = quote.firmware_version().to_be_bytes();
    registers.push(Register::new("tpm_firmware_version", &version));
    if let Some(configuration) = runtime.vm_configuration {
        registers.push(Register::new("vm-configuration", configuration));
    }
    if let Some(user_data) = &runtime.user_data {
        registers.push(Register::new("user-data", user_data));
    }
    let signed = [attest, hardware.evidence_hash.as_slice()].concat();
    Claims {
        measurement: measurement.into(),
        measurement_hash,
        measurement_id,
        config_register: None,
        report_data: Bytes::copy_from_slice(quote.extra_data()),
        registers,
        vmpl: None,
        issued: None,
        evidence_hash: keccak256(signed),
        ..hardware
    }
}

fn part(bundle: &EvidenceBundle, part: EvidencePart) -> Result<&[u8], Failure> {
    bundle
        .part(part)
        .ok_or_else(|| Failure::format(format_args!("part {part:?}"), "none"))
}

fn failure(error: TpmError) -> Failure {
    match error {
        TpmError::Malformed { structure, fault } => Failure::format(structure, fault),
        TpmError::Key(fault) => {
            Failure::rejected(CheckId::AzureAk, "a supported attestation key", fault)
        }
        TpmError::Signature => Failure::rejected(
            CheckId::TpmSignature,
            "a quote signed with the attestation key of the runtime claims",
            "one that is not",
        ),
        TpmError::Pcrs(fault) => Failure::rejected(
            CheckId::TpmPcrs,
            format_args!("the quoted values of PCRs, {MEASURED_PCRS:?} among them"),
            fault,
        ),
    }
}

/// MEASUREMENT of SEV-SNP, MRTD of TDX: the hardware's own measurement begins with it.
const LAUNCH_DIGEST_BYTES: usize = 48;
