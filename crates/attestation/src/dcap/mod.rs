// SPDX-License-Identifier: Apache-2.0
//! Intel DCAP: SGX quotes of version 3, TDX quotes of version 4 (TD report 1.0) and version 5 (TD
//! report 1.0, 1.5 and 1.5 extended).
//!
//! Signatures, certificates, revocation, TCB levels and the quoting enclave are judged by
//! `dcap-qvl`. This module chooses the root, withholds from the collateral the right to replace
//! the quote's own certificate chain, reads the claims, and gives every way to fail the name of a
//! check.
//!
//! Source: Intel SGX DCAP Quoting Library API, appendix A (quote formats); Intel PCS API v4
//! (collateral).

mod collateral;
mod messages;
mod provider;
mod registers;

use alloc::format;
use alloc::vec::Vec;

use alloy_primitives::{Bytes, FixedBytes, keccak256};
use dcap_qvl::quote::{Quote, Report};
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3, QuotePolicy};
use subrosa_evidence::{CheckId, EvidenceBundle, Product, TcbStatus, is_development};
use subrosa_types::id::TeeKind;

use self::provider::AwsLc;
use crate::claims::measurement_hashes;
use crate::failure::Failure;
use crate::measurement::tdx_measurement;
use crate::roots::{Root, Roots};
use crate::{Claims, machine_id};

/// The checks that [`examine`] makes, in order; a TD is also held to [`CheckId::TdxAttributes`].
pub(crate) const CHECKS: [CheckId; 6] = [
    CheckId::DcapCertificates,
    CheckId::DcapRevocation,
    CheckId::DcapCollateral,
    CheckId::DcapQuotingEnclave,
    CheckId::DcapSignature,
    CheckId::TcbLevel,
];

/// Verifies the bundle's quote as of `now` and reads its claims.
pub(crate) fn examine(
    bundle: &EvidenceBundle,
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    examine_quote(
        bundle.kind(),
        bundle.quote(),
        bundle.collateral(),
        roots,
        now,
    )
}

/// Verifies `quote` and `collateral` as of `now` under whichever known root the quote names, and
/// reads the claims. Whether that root, and the TCB's state, are accepted is for the policy.
pub(crate) fn examine_quote(
    kind: TeeKind,
    quote: &[u8],
    collateral: &[u8],
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let parsed = Quote::parse(quote)
        .map_err(|error| Failure::format("a DCAP quote", format!("{error:#}")))?;
    let (version, sgx) = (parsed.header.version, parsed.report.is_sgx());
    let supported = match kind {
        TeeKind::Sgx => sgx && version == 3,
        _ => !sgx && matches!(version, 4 | 5),
    };
    if !supported {
        return Err(Failure::format(
            if kind == TeeKind::Sgx {
                "an SGX quote of version 3"
            } else {
                "a TDX quote of version 4 or 5"
            },
            format_args!("version {version}, TEE type {:#x}", parsed.header.tee_type),
        ));
    }
    let mut collateral: QuoteCollateralV3 = serde_json::from_slice(collateral)
        .map_err(|error| Failure::format("DCAP collateral in JSON", error))?;
    let root = root_of(&parsed, &mut collateral, roots)?;
    // The library leaves the dates of a trust anchor to its caller.
    if !root.validity().contains(&now) {
        return Err(Failure {
            development: is_development(root.id()),
            ..Failure::stale(
                CheckId::DcapCertificates,
                format_args!("a root in force at {now}"),
                format_args!("{} in force during {:?}", root.name(), root.validity()),
            )
        });
    }
    QuoteVerifier::<AwsLc>::new_with_config(root.certificate().to_vec())
        // Judged by the policy, as a check of its own.
        .allow_debug(true)
        .verify_with_policy(quote, &collateral, now, &QuotePolicy::claims_only(now))
        .map_err(|error| messages::classify(&format!("{error:#}"), now))
        .and_then(|claims| {
            let signed = quote.get(..parsed.signed_length()).unwrap_or_default();
            read(kind, root, &claims, &collateral, signed)
        })
        .map_err(|failure| Failure {
            development: is_development(root.id()),
            ..failure
        })
}

/// The known root that the PCK certificate chain claims to end in. Only a hint, which
/// verification then holds it to.
///
/// The chain is the quote's own. Collateral may supply one only to a quote that carries none, or
/// nothing but the PCK certificate, which must then be the supplied chain's leaf: otherwise
/// collateral from a stranger would replace what the quote says.
fn root_of<'a>(
    quote: &Quote,
    collateral: &mut QuoteCollateralV3,
    roots: Roots<'a>,
) -> Result<&'a Root, Failure> {
    const CHAIN: &str = "a PCK certificate chain in the quote, or in the collateral if the quote \
                         has none";
    let chain = if quote.inner_cert_type() == PCK_CHAIN {
        collateral.pck_certificate_chain = None;
        dcap_qvl::intel::extract_cert_chain(quote).map_err(|error| Failure::format(CHAIN, error))?
    } else {
        let supplied = collateral.pck_certificate_chain.as_deref().ok_or_else(|| {
            let found = format!("certification data of type {}", quote.inner_cert_type());
            Failure::format(CHAIN, found)
        })?;
        let supplied = collateral::pem_chain(supplied)?;
        if quote.inner_cert_type() == PCK_LEAF
            && supplied.first().map(Vec::as_slice) != Some(quote.inner_cert_data())
        {
            return Err(Failure::rejected(
                CheckId::DcapCertificates,
                "a chain for the PCK certificate in the quote",
                "a chain for another certificate",
            ));
        }
        supplied
    };
    let last = chain
        .last()
        .ok_or_else(|| Failure::format(CHAIN, "an empty chain"))?;
    roots.by_certificate(last).ok_or_else(|| {
        Failure::rejected(
            CheckId::Root,
            "a pinned root",
            format_args!(
                "an unknown root certificate ({} bytes, keccak256 {})",
                last.len(),
                keccak256(last)
            ),
        )
    })
}

fn read(
    kind: TeeKind,
    root: &Root,
    claims: &QuoteClaims,
    collateral: &QuoteCollateralV3,
    signed: &[u8],
) -> Result<Claims, Failure> {
    let (measurement, debug, report_data, config_register) = match &claims.report {
        Report::SgxEnclave(report) => {
            let [flags, ..] = report.attributes;
            (
                report.mr_enclave.to_vec(),
                flags & SGX_DEBUG,
                report.report_data,
                None,
            )
        }
        Report::TD10(report) => of_td(report),
        Report::TD15(report) => of_td(&report.base),
        Report::TD15Ex(report) => of_td(&report.base.base),
    };
    let (measurement_hash, measurement_id) = measurement_hashes(root.id(), kind, &measurement);
    Ok(Claims {
        tee: kind,
        product: if kind == TeeKind::Sgx {
            Product::IntelSgx
        } else {
            Product::IntelTdx
        },
        root_id: root.id(),
        measurement: measurement.into(),
        measurement_hash,
        measurement_id,
        config_register: config_register.map(FixedBytes),
        report_data: Bytes::copy_from_slice(&report_data),
        registers: registers::of(claims),
        debug,
        // Verification refuses a TD that can be migrated.
        migratable: false,
        vmpl: None,
        tcb_status: Some(tcb_status(claims.tcb.status)?),
        tcb_date: Some(tcb_date(claims)?),
        firmware: None,
        advisories: claims.tcb.advisory_ids.clone(),
        tcb_evaluation: Some(claims.tcb.eval_data_number),
        machine_id: machine_id(root.id(), &claims.platform.pck.ppid),
        issued: None,
        revocation_checked: true,
        collateral: collateral::described(collateral)?,
        collateral_expires: claims.earliest_expiration_date,
        evidence_hash: keccak256(signed),
    })
}

type Read = (Vec<u8>, u8, [u8; 64], Option<[u8; 48]>);

fn of_td(report: &dcap_qvl::quote::TDReport10) -> Read {
    let [debug, ..] = report.td_attributes;
    let registers = [&report.rt_mr0, &report.rt_mr1, &report.rt_mr2];
    (
        tdx_measurement(&report.mr_td, registers).to_vec(),
        debug,
        report.report_data,
        Some(report.rt_mr3),
    )
}

/// The date of the older of the levels that made the status.
fn tcb_date(claims: &QuoteClaims) -> Result<u64, Failure> {
    let platform = claims.platform.tcb_date_tag;
    if claims.qe.tcb_level.tcb_status == dcap_qvl::TcbStatus::UpToDate {
        return Ok(platform);
    }
    collateral::seconds(&claims.qe.tcb_level.tcb_date).map(|date| date.min(platform))
}

fn tcb_status(status: dcap_qvl::TcbStatus) -> Result<TcbStatus, Failure> {
    use dcap_qvl::TcbStatus as Intel;
    Ok(match status {
        Intel::UpToDate => TcbStatus::UpToDate,
        Intel::SWHardeningNeeded => TcbStatus::SwHardeningNeeded,
        Intel::ConfigurationNeeded => TcbStatus::ConfigurationNeeded,
        Intel::ConfigurationAndSWHardeningNeeded => TcbStatus::ConfigurationAndSwHardeningNeeded,
        Intel::OutOfDate => TcbStatus::OutOfDate,
        Intel::OutOfDateConfigurationNeeded => TcbStatus::OutOfDateConfigurationNeeded,
        Intel::TDRelaunchAdvised => TcbStatus::TdRelaunchAdvised,
        Intel::TDRelaunchAdvisedConfigurationNeeded => {
            TcbStatus::TdRelaunchAdvisedConfigurationNeeded
        }
        // The verifier refuses it before this; nothing here may depend on that.
        Intel::Revoked => {
            return Err(Failure::rejected(
                CheckId::TcbLevel,
                "a TCB level that is not revoked",
                "Revoked",
            ));
        }
    })
}

/// Certification data: the PCK certificate chain, PEM.
const PCK_CHAIN: u16 = 5;
/// Certification data: the PCK certificate alone.
const PCK_LEAF: u16 = 4;
/// `ATTRIBUTES.DEBUG` of an SGX enclave.
const SGX_DEBUG: u8 = 0x02;
