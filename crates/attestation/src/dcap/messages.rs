// SPDX-License-Identifier: Apache-2.0
//! The check behind each error of `dcap-qvl`.

use subrosa_evidence::CheckId;

use crate::failure::Failure;

/// Names the check behind an error of `dcap-qvl`, which has messages and no types. The version is
/// pinned and tests hold every name to a forged fault; a message nobody knows is a bad signature.
///
/// What does not parse is quoted in the message, by whoever wrote it: only the words before it count.
pub(super) fn classify(message: &str, now: u64) -> Failure {
    let unparsed = UNPARSED.iter().any(|start| message.starts_with(start));
    let words = if unparsed {
        message.split(':').next().unwrap_or_default()
    } else {
        message
    };
    let (check, expected) = MESSAGES
        .iter()
        .find(|(fragment, ..)| words.contains(fragment))
        .map_or(
            (CheckId::DcapSignature, "a valid quote"),
            |(_, check, expected)| (*check, *expected),
        );
    let stale = STALE.iter().any(|fragment| words.contains(fragment));
    if stale {
        Failure::stale(
            check,
            format_args!("{expected}, in force at {now}"),
            message,
        )
    } else {
        Failure::rejected(check, expected, message)
    }
}

/// Fragment, check, expectation. The first match decides, so the specific comes first.
const MESSAGES: &[(&str, CheckId, &str)] = &[
    ("qe_report in quote", CheckId::DcapQuotingEnclave, QE),
    ("QE report", CheckId::DcapQuotingEnclave, QE),
    ("Invalid QE auth data", CheckId::DcapQuotingEnclave, QE),
    ("QE MRSIGNER", CheckId::DcapQuotingEnclave, QE),
    ("QE ISVPRODID", CheckId::DcapQuotingEnclave, QE),
    ("QE MISCSELECT", CheckId::DcapQuotingEnclave, QE),
    ("QE ATTRIBUTES", CheckId::DcapQuotingEnclave, QE),
    ("QE ISVSVN", CheckId::DcapQuotingEnclave, QE),
    (
        "No TCB levels found in QE Identity",
        CheckId::DcapQuotingEnclave,
        QE,
    ),
    (
        "ISV enclave report signature",
        CheckId::DcapSignature,
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
    ("TD migration", CheckId::Migration, "no migration"),
    ("SERVTD_EXT", CheckId::TdxAttributes, ATTRIBUTES),
    ("SEPT_VE_DISABLE", CheckId::TdxAttributes, ATTRIBUTES),
    ("MR service TD", CheckId::TdxAttributes, ATTRIBUTES),
    ("root CA CRL", CheckId::DcapRevocation, LISTS),
    ("PCK CRL", CheckId::DcapRevocation, LISTS),
    ("Crl", CheckId::DcapRevocation, LISTS),
    ("CertRevoked", CheckId::DcapRevocation, LISTS),
    ("UnknownRevocationStatus", CheckId::DcapRevocation, LISTS),
    ("certificate chain", CheckId::DcapCertificates, CHAINS),
    ("leaf certificate", CheckId::DcapCertificates, CHAINS),
    (
        "intermediate certificates",
        CheckId::DcapCertificates,
        CHAINS,
    ),
    ("PCK certificate", CheckId::DcapCertificates, CHAINS),
    (
        "Certificate chain is too short",
        CheckId::DcapCertificates,
        CHAINS,
    ),
    (
        "issued directly by the root CA",
        CheckId::DcapCertificates,
        CHAINS,
    ),
    ("Intel extension", CheckId::DcapCertificates, CHAINS),
    ("Failed to parse certs", CheckId::DcapCertificates, CHAINS),
    ("TCBInfo", CheckId::DcapCollateral, COLLATERAL),
    ("TCB Info", CheckId::DcapCollateral, COLLATERAL),
    ("TcbInfo", CheckId::DcapCollateral, COLLATERAL),
    ("tcb_info", CheckId::DcapCollateral, COLLATERAL),
    ("QE Identity", CheckId::DcapCollateral, COLLATERAL),
    ("QeIdentity", CheckId::DcapCollateral, COLLATERAL),
    ("qe_identity", CheckId::DcapCollateral, COLLATERAL),
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
        "an SGX quote of version 3 or a TDX quote of version 4 or 5",
    ),
];

/// How messages about input that does not parse begin.
const UNPARSED: &[&str] = &["Failed to decode", "Failed to parse"];

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
const ATTRIBUTES: &str = "no service TD, no reserved bit, SEPT_VE_DISABLE";
const CHAINS: &str = "certificate chains under the root";
const LISTS: &str = "revocation lists under the root that list none of the certificates";
const COLLATERAL: &str = "signed TCB info and QE identity";
