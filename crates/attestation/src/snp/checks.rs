// SPDX-License-Identifier: Apache-2.0
//! The report against its certificate and against its own definition.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;

use subrosa_evidence::{CheckId, Product};

use super::report::{Report, SIGNED_BYTES};
use super::tcb::TcbVersion;
use super::vek::{Holder, Kind, Vek};
use crate::Firmware;
use crate::failure::Failure;

/// The kind of key that the report says it is signed with, if it is signed.
pub(super) fn named_key(report: &Report) -> Option<Kind> {
    match report.key_info.signing_key() {
        0 => Some(Kind::Vcek),
        1 => Some(Kind::Vlek),
        _ => None,
    }
}

/// `snp.key`
pub(super) fn key(report: &Report, vek: &Vek) -> Result<(), Failure> {
    let expected = format!("a report signed with a {}", vek.kind());
    let reject = |found: &str| Err(Failure::rejected(CheckId::SnpKey, &expected, found));
    match (named_key(report), report.key_info.signing_key()) {
        (Some(named), _) if named != vek.kind() => reject(&format!("one signed with a {named}")),
        (Some(Kind::Vcek), _) if report.key_info.masks_chip_key() => {
            reject("SIGNING_KEY VCEK of a platform that masks it (MASK_CHIP_KEY)")
        }
        (Some(_), _) => Ok(()),
        (None, 7) => reject("SIGNING_KEY none: the report is not signed"),
        (None, reserved) => reject(&format!("SIGNING_KEY {reserved}")),
    }
}

/// `snp.signature`
pub(super) fn signature(report: &Report, bytes: &[u8], vek: &Vek) -> Result<(), Failure> {
    let reject = |found: &str| {
        Failure::rejected(
            CheckId::SnpSignature,
            format_args!("a signature of the {} over the report", vek.kind()),
            found,
        )
    };
    if report.signature_algorithm != ECDSA_P384_SHA384 {
        let found = format!("SIGNATURE_ALGO {}", report.signature_algorithm);
        return Err(reject(&found));
    }
    let signature = report
        .signature
        .fixed()
        .ok_or_else(|| reject("numbers that are no signature of P-384, or padding"))?;
    let signed = bytes
        .get(..SIGNED_BYTES)
        .ok_or_else(|| reject("a short report"))?;
    if vek.signed(signed, &signature) {
        Ok(())
    } else {
        Err(reject("another signature"))
    }
}

/// `snp.tcb`: returns the firmware.
pub(super) fn tcb(report: &Report, vek: &Vek) -> Result<Firmware, Failure> {
    let found = firmware(report.reported_tcb, vek.product, "REPORTED_TCB")?;
    if found == vek.firmware {
        Ok(found)
    } else {
        Err(Failure::rejected(
            CheckId::SnpTcb,
            format_args!("REPORTED_TCB as in the certificate: {}", vek.firmware),
            found,
        ))
    }
}

/// `snp.chip`
pub(super) fn chip(report: &Report, vek: &Vek) -> Result<(), Failure> {
    let Holder::Chip(id) = &vek.holder else {
        return Ok(());
    };
    let (known, rest) = report
        .chip_id
        .split_at_checked(id.len())
        .unwrap_or((&report.chip_id, &[]));
    if known == id && rest.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    Err(Failure::rejected(
        CheckId::SnpChip,
        "CHIP_ID as in the certificate",
        if report.chip_id == [0; 64] {
            "a masked CHIP_ID (MASK_CHIP_ID), which no VCEK can be held against"
        } else {
            "another CHIP_ID"
        },
    ))
}

/// `snp.policy`: returns the privilege level.
pub(super) fn policy(report: &Report, product: Product) -> Result<u8, Failure> {
    let reject =
        |expected: &str, found: String| Err(Failure::rejected(CheckId::SnpPolicy, expected, found));
    if let Some(offset) = report.reserved {
        return reject(
            "reserved bytes of zero",
            format!("another byte at {offset:#x}"),
        );
    }
    if !report.policy.is_defined() {
        return reject(
            "a guest policy with bit 17 and without bits above 25",
            format!("{:#x}", report.policy.0),
        );
    }
    if !report.key_info.is_defined() {
        return reject(
            "key information without reserved bits",
            format!("{:#x}", report.key_info.0),
        );
    }
    let author = report.author_key_digest != [0; 48];
    if author != report.key_info.author_key() {
        return reject(
            "AUTHOR_KEY_DIGEST if and only if AUTHOR_KEY_EN",
            format!(
                "AUTHOR_KEY_EN {} and {} digest",
                u8::from(report.key_info.author_key()),
                if author { "a" } else { "no" }
            ),
        );
    }
    if let Some(cpuid) = report.cpuid
        && Product::of_amd(cpuid.family, cpuid.model) != Some(product)
    {
        return reject(
            &format!("a processor of {product}"),
            format!("family {:#x} model {:#x}", cpuid.family, cpuid.model),
        );
    }
    let current = firmware(report.current_tcb, product, "CURRENT_TCB")?;
    firmware(report.launch_tcb, product, "LAUNCH_TCB")?;
    for (tcb, name) in [
        (report.committed_tcb, "COMMITTED_TCB"),
        (report.reported_tcb, "REPORTED_TCB"),
    ] {
        let lower = firmware(tcb, product, name)?;
        if !current.meets(&lower) {
            return reject(
                &format!("{name} up to CURRENT_TCB: {current}"),
                lower.to_string(),
            );
        }
    }
    match u8::try_from(report.vmpl) {
        Ok(level) if level <= HIGHEST_VMPL => Ok(level),
        _ => reject(
            "a report asked for at VMPL 0 to 3",
            if report.vmpl == HOST {
                "one that the host asked for".to_owned()
            } else {
                format!("VMPL {}", report.vmpl)
            },
        ),
    }
}

fn firmware(tcb: TcbVersion, product: Product, name: &str) -> Result<Firmware, Failure> {
    tcb.firmware(product).ok_or_else(|| {
        let check = if name == "REPORTED_TCB" {
            CheckId::SnpTcb
        } else {
            CheckId::SnpPolicy
        };
        Failure::rejected(
            check,
            format_args!("{name} in the layout of {product}"),
            format_args!("{:02x?}", tcb.0),
        )
    })
}

/// SIGNATURE_ALGO: ECDSA P-384 with SHA-384.
const ECDSA_P384_SHA384: u32 = 1;
const HIGHEST_VMPL: u8 = 3;
/// VMPL of a report that the host asked for (SNP_HV_REPORT_REQ).
const HOST: u32 = u32::MAX;
