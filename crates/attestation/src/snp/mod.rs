// SPDX-License-Identifier: Apache-2.0
//! AMD SEV-SNP: attestation reports under a VCEK or a VLEK.
//!
//! ```text
//! ARK (pinned) ── ASK  ── VCEK (a chip at a TCB)     ── report
//!              └─ ASVK ── VLEK (a provider at a TCB) ── report
//! ```
//!
//! AMD publishes no judgement on TCB levels: whether firmware is recent enough is for the policy's
//! minimum. AMD's revocation lists, signed by the ARK, are about ASK and ASVK; VCEKs and VLEKs are
//! retired by raising the TCB.
//!
//! Source: SEV Secure Nested Paging Firmware ABI Specification (AMD 56860), revision 1.58; VCEK
//! Certificate and KDS Interface Specification (AMD 57230); VLEK Certificate Definition (AMD
//! 58369).

mod algorithms;
mod checks;
mod registers;
mod report;
mod table;
mod tcb;
mod vek;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes, keccak256};
use sha2::{Digest, Sha256};
use subrosa_evidence::{CheckId, Collateral, EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use self::report::{Report, SIGNED_BYTES};
use self::table::Table;
use self::vek::{Kind, Vek, common_name, is_vek};
use crate::claims::measurement_hashes;
use crate::failure::Failure;
use crate::roots::{AMD_INTERMEDIATES, Roots};
use crate::x509::{self, Item, Path, PathFault};
use crate::{Claims, machine_id};

/// The checks that [`examine`] makes, in order.
pub(crate) const CHECKS: [CheckId; 7] = [
    CheckId::SnpCertificates,
    CheckId::SnpRevocation,
    CheckId::SnpKey,
    CheckId::SnpSignature,
    CheckId::SnpTcb,
    CheckId::SnpChip,
    CheckId::SnpPolicy,
];

/// Verifies the bundle's report as of `now` (Unix seconds) and reads its claims. Certificates and
/// revocation lists come from their own parts, from the host's certificate table, or both.
pub(crate) fn examine(
    bundle: &EvidenceBundle,
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let part = |part| bundle.part(part).unwrap_or_default();
    let mut certificates = x509::certificates(part(EvidencePart::Certificates))
        .map_err(|fault| Failure::format("X.509 certificates, PEM or DER", fault))?;
    let mut lists = x509::revocation_lists(part(EvidencePart::RevocationLists))
        .map_err(|fault| Failure::format("revocation lists, PEM or DER", fault))?;
    if let Some(table) = bundle.part(EvidencePart::CertificateTable) {
        let table = Table::parse(table)
            .map_err(|fault| Failure::format("a certificate table of the GHCB", fault))?;
        certificates.extend(table.certificates);
        lists.extend(table.lists);
    }
    examine_report(
        bundle.kind(),
        bundle.quote(),
        &certificates,
        &lists,
        roots,
        now,
    )
}

/// Verifies `report` (1,184 bytes) as of `now` under whichever known root `certificates` (DER, any
/// order) lead to, and reads the claims. Whether that root, and the guest's policy, are accepted
/// is for the caller's policy.
///
/// ASK and ASVK of the evidence are used if there are any, otherwise the built-in ones. A root
/// that the evidence brings must be a known one, and the path must end there.
pub(crate) fn examine_report(
    kind: TeeKind,
    report: &[u8],
    certificates: &[Vec<u8>],
    lists: &[Vec<u8>],
    roots: Roots<'_>,
    now: u64,
) -> Result<Claims, Failure> {
    let parsed = Report::parse(report).map_err(|found| {
        Failure::format(
            "an SEV-SNP attestation report of 1184 bytes, version 2 to 5",
            found,
        )
    })?;
    let brought = Brought::sort(certificates, roots)?;
    let leaf = brought.leaf(&parsed)?;
    let path = x509::verify(
        leaf,
        &brought.intermediates(),
        roots.iter(),
        &unique(lists),
        algorithms::AMD,
        now,
    )
    .map_err(|fault| classify(&fault, now))?;
    brought.ends_in(&path)?;
    let vek = vek_of(&path)?;
    checks::key(&parsed, &vek)?;
    checks::signature(&parsed, report, &vek)?;
    let firmware = checks::tcb(&parsed, &vek)?;
    checks::chip(&parsed, &vek)?;
    let vmpl = checks::policy(&parsed, vek.product)?;

    let root_id = path.root.id();
    let (measurement_hash, measurement_id) = measurement_hashes(root_id, kind, &parsed.measurement);
    Ok(Claims {
        tee: kind,
        product: vek.product,
        root_id,
        measurement: Bytes::copy_from_slice(&parsed.measurement),
        measurement_hash,
        measurement_id,
        config_register: None,
        report_data: Bytes::copy_from_slice(&parsed.report_data),
        registers: registers::of(&parsed, &vek),
        debug: parsed.policy.debug().into(),
        migratable: parsed.policy.migratable(),
        vmpl: Some(vmpl),
        tcb_status: None,
        tcb_date: None,
        firmware: Some(firmware),
        advisories: Vec::new(),
        tcb_evaluation: None,
        machine_id: machine(&parsed, root_id),
        issued: None,
        revocation_checked: !path.lists.is_empty(),
        collateral: described(&path, &vek),
        collateral_expires: path.expires,
        evidence_hash: keccak256(report.get(..SIGNED_BYTES).unwrap_or_default()),
    })
}

/// The id of the machine by its chip id; zero if that is masked.
fn machine(report: &Report, root_id: B256) -> B256 {
    if report.chip_id == [0; 64] {
        return B256::ZERO;
    }
    machine_id(root_id, &report.chip_id)
}

/// The certificates that the evidence brings.
struct Brought<'a> {
    veks: Vec<(&'a [u8], Option<Kind>)>,
    intermediates: Vec<Vec<u8>>,
    roots: Vec<B256>,
}

impl<'a> Brought<'a> {
    fn sort(certificates: &'a [Vec<u8>], roots: Roots<'_>) -> Result<Self, Failure> {
        let mut brought = Self {
            veks: Vec::new(),
            intermediates: Vec::new(),
            roots: Vec::new(),
        };
        for der in certificates {
            let certificate = Certificate::from_der(der)
                .map_err(|error| Failure::format("X.509 certificates", error))?;
            let tbs = certificate.tbs_certificate();
            if is_vek(&certificate) {
                let vek = (der.as_slice(), vek::kind(&certificate));
                if !brought.veks.contains(&vek) {
                    brought.veks.push(vek);
                }
            } else if let Some(root) = roots.by_certificate(der) {
                brought.roots.push(root.id());
            } else if tbs.subject() == tbs.issuer() {
                return Err(Failure::rejected(
                    CheckId::Root,
                    "a pinned root",
                    format_args!(
                        "an unknown root certificate ({}, keccak256 {})",
                        tbs.subject(),
                        keccak256(der)
                    ),
                ));
            } else if !brought.intermediates.contains(der) {
                brought.intermediates.push(der.clone());
            }
        }
        Ok(brought)
    }

    /// The certificate of the kind of key that the report names, or else any, so that what is
    /// wrong with it is found.
    fn leaf(&self, report: &Report) -> Result<&'a [u8], Failure> {
        let named = checks::named_key(report);
        self.veks
            .iter()
            .find(|(_, kind)| kind.is_some() && *kind == named)
            .or(self.veks.first())
            .map(|(der, _)| *der)
            .ok_or_else(|| Failure::format("a VCEK or VLEK certificate", "none"))
    }

    fn intermediates(&self) -> Vec<&[u8]> {
        if self.intermediates.is_empty() {
            AMD_INTERMEDIATES.to_vec()
        } else {
            self.intermediates.iter().map(Vec::as_slice).collect()
        }
    }

    fn ends_in(&self, path: &Path<'_>) -> Result<(), Failure> {
        if self.roots.is_empty() || self.roots.contains(&path.root.id()) {
            return Ok(());
        }
        Err(Failure::rejected(
            CheckId::Root,
            "the root certificate that the evidence brings",
            path.root.name(),
        ))
    }
}

/// The report-signing key under `path`, whose names must be of one product all along.
fn vek_of(path: &Path<'_>) -> Result<Vek, Failure> {
    let reject = |expected: &str, found: &dyn core::fmt::Display| {
        Failure::rejected(CheckId::SnpCertificates, expected, found)
    };
    let expected = "a VCEK or VLEK certificate as AMD defines it";
    let leaf = path
        .certificates
        .first()
        .ok_or_else(|| reject(expected, &"none"))?;
    let leaf = Certificate::from_der(&leaf.der).map_err(|error| reject(expected, &error))?;
    let vek = Vek::read(&leaf).map_err(|found| reject(expected, &found))?;

    let root =
        Certificate::from_der(path.root.certificate()).map_err(|error| reject("an ARK", &error))?;
    let product = algorithms::product_name(vek.product);
    let signer = match vek.kind() {
        Kind::Vcek => format!("SEV-{product}"),
        Kind::Vlek => format!("SEV-VLEK-{product}"),
    };
    let expected = [signer, format!("ARK-{product}")];
    let found = [
        leaf.tbs_certificate().issuer(),
        root.tbs_certificate().subject(),
    ]
    .map(|name| common_name(name).unwrap_or_default());
    if path.certificates.len() != 3 || found != expected {
        return Err(reject(
            &format!(
                "a {} certificate under {}",
                vek.kind(),
                expected.join(" and ")
            ),
            &found.join(" and "),
        ));
    }
    Ok(vek)
}

fn classify(fault: &PathFault, now: u64) -> Failure {
    let (check, expected) = match fault {
        PathFault::TooMany(_) => (CheckId::EvidenceFormat, "AMD's certificates and lists"),
        fault if fault.is_about_revocation() => (
            CheckId::SnpRevocation,
            "a revocation list that AMD signed, in force, that names none of the certificates",
        ),
        _ => (
            CheckId::SnpCertificates,
            "VCEK or VLEK, ASK or ASVK and ARK in force and signed by one another",
        ),
    };
    if fault.is_stale() {
        Failure::stale(check, format_args!("{expected}, at {now}"), fault)
    } else {
        Failure::rejected(check, expected, fault)
    }
}

fn described(path: &Path<'_>, vek: &Vek) -> Vec<Collateral> {
    let names = match vek.kind() {
        Kind::Vcek => ["vcek", "ask", "ark"],
        Kind::Vlek => ["vlek", "asvk", "ark"],
    };
    let describe = |(name, item): (&str, &Item)| Collateral {
        name: name.to_owned(),
        digest: B256::from(<[u8; 32]>::from(Sha256::digest(&item.der))),
        expires: item.expires,
    };
    let lists = path.lists.iter().map(|list| ("crl", list));
    names
        .into_iter()
        .zip(&path.certificates)
        .chain(lists)
        .map(describe)
        .collect()
}

fn unique(lists: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut unique: Vec<Vec<u8>> = Vec::new();
    for list in lists {
        if !unique.contains(list) {
            unique.push(list.clone());
        }
    }
    unique
}
