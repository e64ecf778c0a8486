// SPDX-License-Identifier: Apache-2.0
//! Intel TDX: DCAP quotes, version 4 (TD report 1.0) and version 5.
//!
//! Signatures, certificates, revocation, TCB levels and the quoting enclave are judged by
//! `dcap-qvl`. This module chooses the root, withholds from the collateral the right to replace
//! the quote's own certificate chain, and gives every way to fail the name of a check.

use alloy_primitives::{B256, Bytes, FixedBytes, U256, keccak256};
use alloy_sol_types::SolValue;
use dcap_qvl::quote::{Quote, Report};
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3, QuotePolicy};
use subrosa_types::id::{TeeKind, measurement_id};

use crate::measurement::tdx_measurement;
use crate::roots::{Root, is_development, root_by_certificate};
use crate::{CheckId, Claims, EvidenceBundle, TcbStatus};

/// The checks that [`examine`] makes, in order.
pub(crate) const CHECKS: [CheckId; 7] = [
    CheckId::EvidenceFormat,
    CheckId::TdxCertificates,
    CheckId::TdxCollateral,
    CheckId::TdxQuotingEnclave,
    CheckId::TdxSignature,
    CheckId::TcbLevel,
    CheckId::TdxAttributes,
];

/// Why evidence is not genuine.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) check: CheckId,
    pub(crate) expected: String,
    pub(crate) found: String,
    /// Fresh collateral could change the verdict.
    pub(crate) stale: bool,
    /// The evidence names the development root.
    pub(crate) development: bool,
}

/// Verifies quote and collateral as of `now` under whichever pinned root the quote names, and
/// reads the claims. Whether that root, and the TCB's state, are accepted is for the policy.
pub(crate) fn examine(bundle: &EvidenceBundle, now: u64) -> Result<Claims, Failure> {
    let quote = Quote::parse(bundle.quote())
        .map_err(|error| format_failure("a DCAP quote", format!("{error:#}")))?;
    if !matches!(quote.header.version, 4 | 5) || quote.report.is_sgx() {
        return Err(format_failure(
            "a TDX quote of version 4 or 5",
            format!(
                "version {}, TEE type {}",
                quote.header.version, quote.header.tee_type
            ),
        ));
    }
    let mut collateral: QuoteCollateralV3 = serde_json::from_slice(bundle.collateral())
        .map_err(|error| format_failure("DCAP collateral in JSON", error.to_string()))?;
    // Otherwise collateral from a stranger would replace the chain that the quote carries.
    collateral.pck_certificate_chain = None;

    let root = root_of(&quote)?;
    QuoteVerifier::new(root.certificate.to_vec())
        // Judged by the policy, as a check of its own.
        .allow_debug(true)
        .verify_with_policy(
            bundle.quote(),
            collateral,
            now,
            &QuotePolicy::claims_only(now),
        )
        .map_err(|error| classify(&format!("{error:#}"), now))
        .and_then(|claims| {
            let signed = bundle
                .quote()
                .get(..quote.signed_length())
                .unwrap_or_default();
            read(root, &claims, signed)
        })
        .map_err(|failure| Failure {
            development: is_development(root.id),
            ..failure
        })
}

/// The pinned root that the quote's certificate chain claims to end in. Only a hint, which
/// verification then holds it to.
fn root_of(quote: &Quote) -> Result<&'static Root, Failure> {
    let chain = dcap_qvl::intel::extract_cert_chain(quote).map_err(|error| {
        format_failure("a PCK certificate chain in the quote", error.to_string())
    })?;
    let last = chain.last().ok_or_else(|| {
        format_failure(
            "a PCK certificate chain in the quote",
            "an empty chain".to_owned(),
        )
    })?;
    root_by_certificate(last).ok_or_else(|| Failure {
        check: CheckId::Root,
        expected: "a pinned root".to_owned(),
        found: format!(
            "an unknown root certificate ({} bytes, keccak256 {})",
            last.len(),
            keccak256(last)
        ),
        stale: false,
        development: false,
    })
}

fn read(root: &Root, claims: &QuoteClaims, signed: &[u8]) -> Result<Claims, Failure> {
    let report = match &claims.report {
        Report::TD10(report) => report,
        Report::TD15(report) => &report.base,
        Report::TD15Ex(report) => &report.base.base,
        Report::SgxEnclave(_) => {
            return Err(format_failure("a TD report", "an SGX report".to_owned()));
        }
    };
    let measurement = tdx_measurement(
        &report.mr_td,
        [&report.rt_mr0, &report.rt_mr1, &report.rt_mr2],
    );
    let measurement_hash = keccak256(measurement);
    let [debug, ..] = report.td_attributes;
    Ok(Claims {
        tee: TeeKind::Tdx,
        root_id: root.id,
        measurement: Bytes::copy_from_slice(&measurement),
        measurement_hash,
        measurement_id: measurement_id(root.id, TeeKind::Tdx, measurement_hash),
        config_register: FixedBytes(report.rt_mr3),
        report_data: FixedBytes(report.report_data),
        debug,
        tcb_status: tcb_status(claims.tcb.status)?,
        advisories: claims.tcb.advisory_ids.clone(),
        tcb_evaluation: claims.tcb.eval_data_number,
        machine_id: machine_id(root.id, TeeKind::Tdx, &claims.platform.pck.ppid),
        collateral_expires: claims.earliest_expiration_date,
        evidence_hash: keccak256(signed),
    })
}

/// keccak256(abi.encode(keccak256("subrosa.v1.machine"), rootId, teeKind, keccak256(identity))).
fn machine_id(root_id: B256, tee: TeeKind, identity: &[u8]) -> B256 {
    let words = (
        keccak256("subrosa.v1.machine"),
        root_id,
        U256::from(tee as u8),
        keccak256(identity),
    );
    keccak256(words.abi_encode())
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
            return Err(Failure {
                check: CheckId::TcbLevel,
                expected: "a TCB level that is not revoked".to_owned(),
                found: "Revoked".to_owned(),
                stale: false,
                development: false,
            });
        }
    })
}

fn format_failure(expected: &str, found: String) -> Failure {
    Failure {
        check: CheckId::EvidenceFormat,
        expected: expected.to_owned(),
        found,
        stale: false,
        development: false,
    }
}

/// Names the check behind an error of `dcap-qvl`, which has messages and no types. The version is
/// pinned and tests hold every name to a forged fault; a message nobody knows is a bad signature.
fn classify(message: &str, now: u64) -> Failure {
    let (check, expected) = MESSAGES
        .iter()
        .find(|(fragment, ..)| message.contains(fragment))
        .map_or(
            (CheckId::TdxSignature, "a valid quote"),
            |(_, check, expected)| (*check, *expected),
        );
    let stale = STALE.iter().any(|fragment| message.contains(fragment));
    Failure {
        check,
        expected: if stale {
            format!("{expected}, in force at {now}")
        } else {
            expected.to_owned()
        },
        found: message.to_owned(),
        stale,
        development: false,
    }
}

/// Fragment, check, expectation. The first match decides, so the specific comes first.
const MESSAGES: &[(&str, CheckId, &str)] = &[
    ("qe_report in quote", CheckId::TdxQuotingEnclave, QE),
    ("QE report", CheckId::TdxQuotingEnclave, QE),
    ("Invalid QE auth data", CheckId::TdxQuotingEnclave, QE),
    ("QE MRSIGNER", CheckId::TdxQuotingEnclave, QE),
    ("QE ISVPRODID", CheckId::TdxQuotingEnclave, QE),
    ("QE MISCSELECT", CheckId::TdxQuotingEnclave, QE),
    ("QE ATTRIBUTES", CheckId::TdxQuotingEnclave, QE),
    ("QE ISVSVN", CheckId::TdxQuotingEnclave, QE),
    (
        "No TCB levels found in QE Identity",
        CheckId::TdxQuotingEnclave,
        QE,
    ),
    (
        "ISV enclave report signature",
        CheckId::TdxSignature,
        "a valid quote signature",
    ),
    ("Fmspc mismatch", CheckId::TcbLevel, LEVEL),
    ("TCB FMSPC", CheckId::TcbLevel, LEVEL),
    ("No matching TCB level", CheckId::TcbLevel, LEVEL),
    ("TCB info in the collateral", CheckId::TcbLevel, LEVEL),
    ("TDX module", CheckId::TcbLevel, LEVEL),
    ("tdxModule", CheckId::TcbLevel, LEVEL),
    ("TEE_TCB_SVN2", CheckId::TcbLevel, LEVEL),
    ("component count mismatch", CheckId::TcbLevel, LEVEL),
    ("Unrecognized TCB status", CheckId::TcbLevel, LEVEL),
    ("TCB status is invalid", CheckId::TcbLevel, LEVEL),
    ("TD attributes", CheckId::TdxAttributes, ATTRIBUTES),
    ("TD migration", CheckId::TdxAttributes, ATTRIBUTES),
    ("SERVTD_EXT", CheckId::TdxAttributes, ATTRIBUTES),
    ("SEPT_VE_DISABLE", CheckId::TdxAttributes, ATTRIBUTES),
    ("MR service TD", CheckId::TdxAttributes, ATTRIBUTES),
    ("certificate chain", CheckId::TdxCertificates, CHAINS),
    ("leaf certificate", CheckId::TdxCertificates, CHAINS),
    (
        "intermediate certificates",
        CheckId::TdxCertificates,
        CHAINS,
    ),
    ("PCK certificate", CheckId::TdxCertificates, CHAINS),
    (
        "Certificate chain is too short",
        CheckId::TdxCertificates,
        CHAINS,
    ),
    (
        "issued directly by the root CA",
        CheckId::TdxCertificates,
        CHAINS,
    ),
    ("root CA CRL", CheckId::TdxCertificates, CHAINS),
    ("PCK CRL", CheckId::TdxCertificates, CHAINS),
    ("Crl", CheckId::TdxCertificates, CHAINS),
    ("CertRevoked", CheckId::TdxCertificates, CHAINS),
    ("Intel extension", CheckId::TdxCertificates, CHAINS),
    ("Failed to parse certs", CheckId::TdxCertificates, CHAINS),
    ("TCBInfo", CheckId::TdxCollateral, COLLATERAL),
    ("TCB Info", CheckId::TdxCollateral, COLLATERAL),
    ("TcbInfo", CheckId::TdxCollateral, COLLATERAL),
    ("tcb_info", CheckId::TdxCollateral, COLLATERAL),
    ("QE Identity", CheckId::TdxCollateral, COLLATERAL),
    ("QeIdentity", CheckId::TdxCollateral, COLLATERAL),
    ("qe_identity", CheckId::TdxCollateral, COLLATERAL),
    (
        "Failed to decode quote",
        CheckId::EvidenceFormat,
        "a DCAP quote",
    ),
    (
        "Unsupported",
        CheckId::EvidenceFormat,
        "a supported DCAP quote",
    ),
    (
        "Unknown QE vendor",
        CheckId::EvidenceFormat,
        "a quote of Intel's quoting enclave",
    ),
    (
        "must have version",
        CheckId::EvidenceFormat,
        "a TDX quote of version 4 or 5",
    ),
];

const STALE: &[&str] = &[
    "TCBInfo expired",
    "QE Identity expired",
    "CrlExpired",
    "CertExpired",
    "in the future",
    "CertNotValidYet",
];

const QE: &str = "Intel's quoting enclave vouching for the attestation key";
const LEVEL: &str = "a TCB level of this platform that is not revoked";
const ATTRIBUTES: &str = "no migration, no service TD, no reserved bit, SEPT_VE_DISABLE";
const CHAINS: &str = "certificate chains and revocation lists under the root";
const COLLATERAL: &str = "signed TCB info and QE identity";
