// SPDX-License-Identifier: Apache-2.0
//! Forged VMs, each with one fault. Everything is hashed and signed after the fault, unless the
//! fault is a hash or a signature: a check that catches it has understood it.

use std::collections::BTreeMap;

use aws_lc_rs::signature::RSA_PKCS1_SHA384;
use subrosa_attestation::{Measurements, Policy, Stated, VerifyError, inspect, verify_genuine};
use subrosa_evidence::{CheckId, DEVELOPMENT_ROOT_ID, EvidenceBundle, EvidencePart, VerdictStatus};
use subrosa_tee::forge::Fault as Td;
use subrosa_types::id::{TeeKind, measurement_id};

use super::quote::{RSASSA, SHA1, SHA256, SHA384, key, rsassa, sign, tpmt};
use super::vm::{Hcl, SNP_NOW, TDX_NOW, TdVm, claims, snp_bundle, snp_policy};

#[test]
fn a_sound_vm_on_tdx_verifies_and_says_what_runs() {
    let vm = TdVm::new();
    let claims = verify_genuine(&vm.bundle(), &TdVm::policy(), TDX_NOW).unwrap();
    assert_eq!(claims.tee, TeeKind::AzureTdx);
    assert_eq!(claims.root_id, DEVELOPMENT_ROOT_ID);
    let pcrs: Vec<u8> = [4, 7, 8, 9, 11, 12, 13]
        .into_iter()
        .flat_map(|number| [0xa0 + number; 32])
        .collect();
    let measurement = [&[0x3d; 48][..], &pcrs].concat();
    assert_eq!(*claims.measurement, measurement);
    assert_eq!(
        claims.measurement_id,
        measurement_id(
            DEVELOPMENT_ROOT_ID,
            TeeKind::AzureTdx,
            claims.measurement_hash
        )
    );
    assert_eq!(claims.report_data[..], [0xc4; 64]);
    assert_eq!(
        (claims.config_register, claims.vmpl, claims.issued),
        (None, None, None)
    );
    assert_eq!(claims.register("pcr23").unwrap()[..], [0xb7; 32]);
    assert!(claims.register("rtmr3").is_some() && claims.register("fmspc").is_some());
}

#[test]
fn a_sound_vm_on_sev_snp_verifies() {
    let claims = verify_genuine(&snp_bundle(|_| {}), &snp_policy(), SNP_NOW).unwrap();
    assert_eq!(claims.tee, TeeKind::AzureSnp);
    assert_eq!(claims.measurement.len(), 272);
    assert!(claims.firmware.is_some() && claims.register("host_data").is_some());
}

/// Evidence hashes follow what is signed, and what is signed alone.
#[test]
fn the_evidence_hash_follows_the_challenge_and_the_hardware_and_not_the_signature() {
    let hash = |vm: &TdVm| {
        let claims = verify_genuine(&vm.bundle(), &TdVm::policy(), TDX_NOW).unwrap();
        claims.evidence_hash
    };
    let sound = TdVm::new();
    let mut challenged = sound.clone();
    challenged.attest.extra = vec![0xc5; 64];
    let mut elsewhere = sound.clone();
    elsewhere.forge = elsewhere.forge.mrtd([0x3e; 48]);
    let hashes = [hash(&sound), hash(&challenged), hash(&elsewhere)];
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2]);
    assert_eq!(hash(&sound), hashes[0]);
}

#[test]
fn pcrs_that_are_not_quoted_are_not_shown() {
    let mut vm = TdVm::new();
    vm.attest.selections = vec![(SHA256, vec![0xff, 0x3f, 0x00])];
    let sound = verify_genuine(&vm.bundle(), &TdVm::policy(), TDX_NOW).unwrap();
    assert!(sound.register("pcr13").is_some() && sound.register("pcr14").is_none());
    let (hcl, quote, collateral) = vm.hardware();
    let mut values = vm.attest.values();
    values[14 * 32..].fill(0xee);
    let bundle = vm.bundle_of(&hcl, quote, collateral);
    let bundle = bundle.with_part(EvidencePart::TpmPcrs, values).unwrap();
    assert_eq!(
        verify_genuine(&bundle, &TdVm::policy(), TDX_NOW).unwrap(),
        sound
    );
}

/// What is wrong, which check says so, and the evidence.
type Fault = (&'static str, CheckId, fn() -> EvidenceBundle);

const FAULTS: [Fault; 64] = [
    // The HCL report.
    ("another signature", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[0] ^= 1)
    }),
    ("header version 0", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[1] = 0)
    }),
    ("header version 3", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[1] = 3)
    }),
    ("a longer report size", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[2] += 1)
    }),
    ("a key release request", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[3] = 1)
    }),
    ("a failure status", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[4] = 1)
    }),
    ("a reserved header field", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.header[7] = 1)
    }),
    ("a longer data size", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.request[0] += 1)
    }),
    ("data version 2", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.request[1] = 2)
    }),
    ("a VBS report", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.request[2] = 1)
    }),
    (
        "SNP's report type on a TDREPORT",
        CheckId::EvidenceFormat,
        || hcl(|hcl| hcl.request[2] = 2),
    ),
    (
        "claims hashed with SHA-384",
        CheckId::EvidenceFormat,
        || hcl(|hcl| hcl.request[3] = 2),
    ),
    ("claims without end", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.request[4] = u32::MAX)
    }),
    ("shorter claims", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.request[4] -= 1)
    }),
    ("something in the padding", CheckId::EvidenceFormat, || {
        hcl(|hcl| hcl.padding[0] = 1)
    }),
    (
        "something after the TDREPORT",
        CheckId::EvidenceFormat,
        || hcl(|hcl| hcl.hardware[1024] = 1),
    ),
    // Hardware and runtime claims.
    ("claims that were changed", CheckId::AzureReport, || {
        hcl(|hcl| {
            hcl.claims = hcl
                .claims
                .replace("secure-boot\":true", "secure-boot\":null")
        })
    }),
    (
        "a digest that the hardware did not sign",
        CheckId::AzureReport,
        || hcl(|hcl| hcl.hardware[128] ^= 1),
    ),
    (
        "report data beyond the digest",
        CheckId::AzureReport,
        || hcl(|hcl| hcl.hardware[160] = 1),
    ),
    ("the HCL report of another VM", CheckId::AzureReport, || {
        let (vm, mut other) = (TdVm::new(), TdVm::new());
        other.claims = claims(0, 2);
        let (_, quote, collateral) = vm.hardware();
        vm.bundle_of(&other.hardware().0, quote, collateral)
    }),
    (
        "the TD quote of another TD with the same claims",
        CheckId::AzureReport,
        || {
            let (vm, mut other) = (TdVm::new(), TdVm::new());
            other.forge = other.forge.mrtd([0x3e; 48]);
            let (_, quote, collateral) = other.hardware();
            vm.bundle_of(&vm.hardware().0, quote, collateral)
        },
    ),
    (
        "another RTMR3 in the TD quote",
        CheckId::AzureReport,
        || {
            let (vm, mut other) = (TdVm::new(), TdVm::new());
            other.forge = other.forge.config([1; 32]);
            let (_, quote, collateral) = other.hardware();
            vm.bundle_of(&vm.hardware().0, quote, collateral)
        },
    ),
    ("another XFAM in the TDREPORT", CheckId::AzureReport, || {
        hcl(|hcl| hcl.hardware[520] ^= 1)
    }),
    ("an SGX quote, or none", CheckId::EvidenceFormat, || {
        replaced(EvidencePart::TdQuote, |quote| quote[4] = 0)
    }),
    ("claims that are no JSON", CheckId::EvidenceFormat, || {
        with_claims(|_| "{".to_owned())
    }),
    (
        "user data that is not hexadecimal",
        CheckId::EvidenceFormat,
        || with_claims(|claims| claims.replace("user-data\":\"00", "user-data\":\"xy")),
    ),
    // The attestation key.
    ("no attestation key", CheckId::AzureAk, || {
        with_claims(|claims| claims.replace("HCLAkPub", "HCLSomething"))
    }),
    ("two attestation keys", CheckId::AzureAk, || {
        with_claims(|claims| claims.replace("HCLEkPub", "HCLAkPub"))
    }),
    ("an attestation key on a curve", CheckId::AzureAk, || {
        with_claims(|claims| claims.replacen("\"RSA\"", "\"EC\"", 1))
    }),
    ("the exponent 3", CheckId::AzureAk, || {
        with_claims(|claims| claims.replacen("AQAB", "Aw", 1))
    }),
    ("a short modulus", CheckId::AzureAk, || {
        with_claims(|claims| claims.replacen("\"n\":\"", "\"n\":\"AQAB\",\"x\":\"", 1))
    }),
    ("a modulus that is not base64url", CheckId::AzureAk, || {
        with_claims(|claims| claims.replacen("\"n\":\"", "\"n\":\"+", 1))
    }),
    ("no modulus", CheckId::AzureAk, || {
        with_claims(|claims| claims.replacen("\"n\":\"", "\"m\":\"", 1))
    }),
    // The quote's signature.
    (
        "the attestation key of another VM",
        CheckId::TpmSignature,
        || vm(|vm| vm.signer = 1),
    ),
    (
        "signed with the endorsement key",
        CheckId::TpmSignature,
        || vm(|vm| vm.signer = 2),
    ),
    (
        "a challenge changed after signing",
        CheckId::TpmSignature,
        || replaced(EvidencePart::Quote, |quote| quote[50] ^= 1),
    ),
    (
        "the signature of another quote",
        CheckId::TpmSignature,
        || {
            replaced(EvidencePart::TpmSignature, |signature| {
                *signature = rsassa(key(0), b"another quote");
            })
        },
    ),
    ("RSAPSS said of RSASSA", CheckId::TpmSignature, || {
        replaced(EvidencePart::TpmSignature, |signature| signature[1] = 0x16)
    }),
    ("an ECDSA signature", CheckId::TpmSignature, || {
        replaced(EvidencePart::TpmSignature, |signature| {
            *signature = tpmt(0x0018, SHA256, &[&[1; 32], &[1; 32]]);
        })
    }),
    ("a signature with SHA-384", CheckId::EvidenceFormat, || {
        let vm = TdVm::new();
        let bare = sign(key(0), &RSA_PKCS1_SHA384, &vm.attest.encode());
        let signature = tpmt(RSASSA, SHA384, &[&bare]);
        vm.bundle()
            .with_part(EvidencePart::TpmSignature, signature)
            .unwrap()
    }),
    ("an HMAC", CheckId::EvidenceFormat, || {
        replaced(EvidencePart::TpmSignature, |signature| signature[1] = 0x05)
    }),
    (
        "a byte after the signature",
        CheckId::EvidenceFormat,
        || replaced(EvidencePart::TpmSignature, |signature| signature.push(0)),
    ),
    // What was signed.
    (
        "TPM2_Certify, not TPM2_Quote",
        CheckId::EvidenceFormat,
        || vm(|vm| vm.attest.tag = 0x8017),
    ),
    ("data that no TPM made", CheckId::EvidenceFormat, || {
        vm(|vm| vm.attest.magic ^= 1)
    }),
    ("bytes after the quote", CheckId::EvidenceFormat, || {
        vm(|vm| vm.attest.tail = vec![0])
    }),
    (
        "a challenge that is too long",
        CheckId::EvidenceFormat,
        || vm(|vm| vm.attest.extra = vec![0; 67]),
    ),
    (
        "a clock neither safe nor unsafe",
        CheckId::EvidenceFormat,
        || vm(|vm| vm.attest.safe = 2),
    ),
    (
        "a PCR selection of four bytes",
        CheckId::EvidenceFormat,
        || vm(|vm| vm.attest.selections = vec![(SHA256, vec![0xff; 4])]),
    ),
    ("17 PCR banks", CheckId::EvidenceFormat, || {
        vm(|vm| vm.attest.selections = vec![(SHA256, vec![0xff; 3]); 17])
    }),
    // The PCRs.
    ("a PCR that was changed", CheckId::TpmPcrs, || {
        replaced(EvidencePart::TpmPcrs, |pcrs| pcrs[7 * 32] ^= 1)
    }),
    ("two PCRs that were swapped", CheckId::TpmPcrs, || {
        replaced(EvidencePart::TpmPcrs, |pcrs| {
            let (first, second) = pcrs[11 * 32..13 * 32].split_at_mut(32);
            first.swap_with_slice(second);
        })
    }),
    ("PCR 11 left out of the selection", CheckId::TpmPcrs, || {
        vm(|vm| vm.attest.selections = vec![(SHA256, vec![0xff, 0xf7, 0xff])])
    }),
    ("nothing selected", CheckId::TpmPcrs, || {
        vm(|vm| vm.attest.selections = vec![(SHA256, vec![0; 3])])
    }),
    ("no bank at all", CheckId::TpmPcrs, || {
        vm(|vm| vm.attest.selections.clear())
    }),
    ("the SHA-1 bank", CheckId::TpmPcrs, || {
        vm(|vm| vm.attest.selections = vec![(SHA1, vec![0xff; 3])])
    }),
    (
        "the SHA-1 bank beside that of SHA-256",
        CheckId::TpmPcrs,
        || vm(|vm| vm.attest.selections.push((SHA1, vec![0xff; 3]))),
    ),
    ("a digest of nothing", CheckId::TpmPcrs, || {
        vm(|vm| vm.attest.digest = Some(Vec::new()))
    }),
    ("23 PCRs", CheckId::TpmPcrs, || {
        replaced(EvidencePart::TpmPcrs, |pcrs| pcrs.truncate(23 * 32))
    }),
    // The hardware.
    (
        "a TD without SEPT_VE_DISABLE",
        CheckId::TdxAttributes,
        || td(Td::SeptVeEnabled),
    ),
    ("a foreign root", CheckId::Root, || td(Td::ForeignRoot)),
    ("a revoked TCB level", CheckId::TcbLevel, || {
        td(Td::RevokedTcbLevel)
    }),
    (
        "a foreign quoting enclave",
        CheckId::DcapQuotingEnclave,
        || td(Td::ForeignQe),
    ),
    ("a debugged TD", CheckId::Debug, || td(Td::DebugTd)),
    ("collateral of other hardware", CheckId::TcbLevel, || {
        td(Td::ForeignFmspc)
    }),
];

#[test]
fn every_fault_fails_the_check_that_is_about_it() {
    for (name, check, evidence) in FAULTS {
        let error = verify_genuine(&evidence(), &TdVm::policy(), TDX_NOW).unwrap_err();
        assert_eq!(error.check(), check, "{name}: {error}");
    }
    println!("{} faults", FAULTS.len());
}

/// The same for SEV-SNP; the spoilt report is signed.
type SnpFault = (&'static str, CheckId, fn() -> EvidenceBundle);

const SNP_FAULTS: [SnpFault; 5] = [
    (
        "a report from level 1, which is the guest's",
        CheckId::Vmpl,
        || snp_bundle(|scenario| scenario.put(0x30, &1u32.to_le_bytes())),
    ),
    ("a report from level 3", CheckId::Vmpl, || {
        snp_bundle(|scenario| scenario.put(0x30, &3u32.to_le_bytes()))
    }),
    ("a report about other claims", CheckId::AzureReport, || {
        snp_bundle(|scenario| scenario.put(0x50, &[7; 32]))
    }),
    (
        "report data beyond the digest",
        CheckId::AzureReport,
        || snp_bundle(|scenario| scenario.put(0x50 + 63, &[1])),
    ),
    (
        "certificates that are none",
        CheckId::EvidenceFormat,
        || {
            let junk = b"certificates".to_vec();
            snp_bundle(|_| {})
                .with_part(EvidencePart::Certificates, junk)
                .unwrap()
        },
    ),
];

#[test]
fn every_fault_on_sev_snp_fails_the_check_that_is_about_it() {
    let mut policy = snp_policy();
    policy.maximum_vmpl = 3;
    for (name, check, evidence) in SNP_FAULTS {
        let error = verify_genuine(&evidence(), &policy, SNP_NOW).unwrap_err();
        assert_eq!(error.check(), check, "{name}: {error}");
    }
    println!("{} faults", SNP_FAULTS.len());
}

#[test]
fn a_flipped_bit_is_refused_or_changes_no_claim() {
    let bundle = TdVm::new().bundle();
    let original = verify_genuine(&bundle, &TdVm::policy(), TDX_NOW).unwrap();
    let (mut refused, mut unsigned) = (0, BTreeMap::<EvidencePart, Vec<usize>>::new());
    for (part, bytes) in bundle.parts() {
        if part == EvidencePart::Collateral {
            continue;
        }
        for position in (0..bytes.len() * 8).step_by(64) {
            let mut mutant = bytes.to_vec();
            // Another bit of the byte each time, so that all eight are tried.
            mutant[position / 8] ^= 1 << (position / 64 % 8);
            let mutant = bundle.clone().with_part(part, mutant).unwrap();
            match verify_genuine(&mutant, &TdVm::policy(), TDX_NOW) {
                Err(_) => refused += 1,
                Ok(claims) => {
                    assert_eq!(claims, original, "bit {position} of {part:?}");
                    unsigned.entry(part).or_default().push(position / 8);
                }
            }
        }
    }
    println!("{refused} refused, accepted with identical claims: {unsigned:?}");
    let quote = bundle.part(EvidencePart::TdQuote).unwrap();
    let pem = quote.windows(5).position(|word| word == b"-----").unwrap();
    assert!(refused > 900, "{refused}");
    for (part, positions) in unsigned {
        for at in positions {
            let known = match part {
                // Header version; those fields of TDREPORT that the TD quote does not repeat: its
                // type and versions, the hashes, the MAC, and TEE_TCB_INFO.
                EvidencePart::HclReport => at == 4 || (32..1056).contains(&at),
                // The armour of the PEM in the certification data.
                EvidencePart::TdQuote => at > pem,
                _ => false,
            };
            assert!(known, "byte {at} of {part:?} is not signed");
        }
    }
}

#[test]
fn every_part_is_needed() {
    for (bundle, policy, now) in [
        (TdVm::new().bundle(), TdVm::policy(), TDX_NOW),
        (snp_bundle(|_| {}), snp_policy(), SNP_NOW),
    ] {
        for (missing, _) in bundle.parts() {
            if missing == EvidencePart::RevocationLists {
                continue;
            }
            let rest = bundle.parts().filter(|(part, _)| *part != missing);
            let rest = rest.map(|(part, bytes)| (part, bytes.to_vec()));
            let rest = EvidenceBundle::from_parts(bundle.kind(), rest).unwrap();
            let error = verify_genuine(&rest, &policy, now).unwrap_err();
            assert_eq!(
                error.check(),
                CheckId::EvidenceFormat,
                "{missing:?}: {error}"
            );
        }
    }
}

#[test]
fn evidence_of_one_kind_is_none_of_another() {
    let bundle = TdVm::new().bundle();
    for kind in [
        TeeKind::AzureSnp,
        TeeKind::Tdx,
        TeeKind::Snp,
        TeeKind::Nitro,
    ] {
        let parts = bundle.parts().map(|(part, bytes)| (part, bytes.to_vec()));
        let other = EvidenceBundle::from_parts(kind, parts).unwrap();
        assert!(
            verify_genuine(&other, &TdVm::policy(), TDX_NOW).is_err(),
            "{kind}"
        );
    }
}

#[test]
fn collateral_that_has_run_out_is_stale() {
    let error = verify_genuine(&td(Td::ExpiredTcbInfo), &TdVm::policy(), TDX_NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::DcapCollateral);
    assert!(matches!(error, VerifyError::Stale { .. }), "{error}");
}

#[test]
fn what_runs_and_what_it_binds_are_held_to_what_was_stated() {
    let sound = TdVm::new();
    let claims = verify_genuine(&sound.bundle(), &TdVm::policy(), TDX_NOW).unwrap();
    let stated = Stated {
        measurements: Some(Measurements::Stated(claims.measurement.clone())),
        report_data: Some(claims.report_data.clone()),
    };
    let policy: Policy = TdVm::policy();
    let judged = |vm: &TdVm| inspect(&vm.bundle(), &policy, &stated, TDX_NOW);
    assert_eq!(judged(&sound).0.status, VerdictStatus::Accepted);
    let mut challenged = sound.clone();
    challenged.attest.extra[0] ^= 1;
    assert_eq!(
        judged(&challenged).1.unwrap_err().check(),
        CheckId::ReportData
    );
    let mut booted = sound.clone();
    booted.attest.pcrs[12] = [0; 32];
    assert_eq!(judged(&booted).1.unwrap_err().check(), CheckId::Measurement);
    let mut launched = sound.clone();
    launched.forge = launched.forge.mrtd([0x3e; 48]);
    assert_eq!(
        judged(&launched).1.unwrap_err().check(),
        CheckId::Measurement
    );
    // PCRs outside of the measurement are shown, and judged by nobody.
    let mut logged = sound;
    logged.attest.pcrs[16] = [1; 32];
    assert_eq!(judged(&logged).0.status, VerdictStatus::Accepted);
}

fn vm(spoil: impl FnOnce(&mut TdVm)) -> EvidenceBundle {
    let mut vm = TdVm::new();
    spoil(&mut vm);
    vm.bundle()
}

fn td(fault: Td) -> EvidenceBundle {
    vm(|vm| vm.forge = vm.forge.clone().fault(fault))
}

fn with_claims(spoil: impl FnOnce(&str) -> String) -> EvidenceBundle {
    vm(|vm| vm.claims = spoil(&vm.claims))
}

fn hcl(spoil: impl FnOnce(&mut Hcl)) -> EvidenceBundle {
    let vm = TdVm::new();
    let (mut hcl, quote, collateral) = vm.hardware();
    spoil(&mut hcl);
    vm.bundle_of(&hcl, quote, collateral)
}

fn replaced(part: EvidencePart, spoil: impl FnOnce(&mut Vec<u8>)) -> EvidenceBundle {
    let bundle = TdVm::new().bundle();
    let mut bytes = bundle.part(part).unwrap().to_vec();
    spoil(&mut bytes);
    bundle.with_part(part, bytes).unwrap()
}
