// SPDX-License-Identifier: Apache-2.0
//! Evidence under the development root, sound and spoiled.

use serde_json::Value;
use subrosa_evidence::{DEVELOPMENT_ROOT_ID, EvidenceBundle, EvidencePart};
use subrosa_tee::forge::{Fault, Forge};

use super::{Case, collateral_of, permissive};

/// 2026-06-01T00:00:00Z.
const NOW: u64 = 1_780_272_000;
/// First and last second of the development collateral, and the end of what expires early.
const VALID_FROM: u64 = 1_767_225_600;
const VALID_TO: u64 = 2_713_910_400;
const EARLY: u64 = 1_769_817_600;

const FAULTS: [Fault; 26] = [
    Fault::DebugTd,
    Fault::ProfilingTd,
    Fault::MigratableTd,
    Fault::SeptVeEnabled,
    Fault::ReservedTdAttribute,
    Fault::ForeignRoot,
    Fault::ImpostorRoot,
    Fault::ExpiredTcbInfo,
    Fault::FutureTcbInfo,
    Fault::ExpiredQeIdentity,
    Fault::ExpiredRevocationLists,
    Fault::ExpiredCertificates,
    Fault::RevokedPck,
    Fault::RevokedPckCa,
    Fault::RevokedTcbSigner,
    Fault::TamperedTcbInfo,
    Fault::TamperedQeIdentity,
    Fault::ForeignFmspc,
    Fault::OutOfDate,
    Fault::ConfigurationNeeded,
    Fault::SwHardeningNeeded,
    Fault::RevokedTcbLevel,
    Fault::OutOfDateQe,
    Fault::DebugQe,
    Fault::ForeignQe,
    Fault::ForeignAttestationKey,
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![case("sound", &sound())];
    cases.extend(faults());
    cases.extend(enclaves());
    cases.extend(values());
    cases.extend(times());
    cases.extend(swaps());
    cases.extend(flips());
    cases.extend(differences());
    cases
}

/// Every fault, and every two of them.
fn faults() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, first) in FAULTS.into_iter().enumerate() {
        let spoiled = sound().fault(first);
        cases.push(case(format!("{first:?}"), &spoiled));
        for second in FAULTS.into_iter().skip(index + 1) {
            let both = spoiled.clone().fault(second);
            cases.push(case(format!("{first:?} and {second:?}"), &both));
        }
    }
    cases
}

/// SGX evidence, and every fault that survives being made over into it.
fn enclaves() -> Vec<Case> {
    let made_over = |name: String, forge: &Forge| Case {
        bundle: crate::sgx::made_over(forge, &[0x5a; 64]),
        ..case(name, forge)
    };
    let faults = FAULTS.into_iter().map(|fault| {
        let name = format!("SGX: {fault:?}");
        made_over(name, &sound().fault(fault))
    });
    let other = Case {
        bundle: crate::sgx::bundle(&[0x5b; 64]),
        ..case("SGX: sound, with other report data", &sound())
    };
    [made_over("SGX: sound".to_owned(), &sound()), other]
        .into_iter()
        .chain(faults)
        .collect()
}

/// Sound evidence of other contents.
fn values() -> Vec<Case> {
    let ones = [0xff; 64];
    vec![
        case("another MRTD", &sound().mrtd([0x77; 48])),
        case("not configured", &Forge::new()),
        case("configured twice", &sound().config([0xcf; 32])),
        case("report data of ones", &sound().report_data(ones)),
        case("another machine", &sound().ppid([0x01; 16])),
        case("evaluation number 0", &sound().tcb_evaluation(0)),
        case("evaluation number 1", &sound().tcb_evaluation(1)),
        case("evaluation number 65535", &sound().tcb_evaluation(65_535)),
        case("evaluation number 65536", &sound().tcb_evaluation(65_536)),
    ]
}

/// The seconds around every date.
fn times() -> Vec<Case> {
    let spoiled = [
        (None, [VALID_FROM, VALID_TO]),
        (Some(Fault::ExpiredTcbInfo), [VALID_FROM, EARLY]),
        (Some(Fault::ExpiredQeIdentity), [VALID_FROM, EARLY]),
        (Some(Fault::ExpiredRevocationLists), [VALID_FROM, EARLY]),
        (Some(Fault::ExpiredCertificates), [VALID_FROM, EARLY]),
    ];
    let mut cases = Vec::new();
    for (fault, moments) in spoiled {
        let forge = fault.map_or(sound(), |fault| sound().fault(fault));
        for moment in moments {
            for now in [moment - 1, moment, moment + 1] {
                let name = match fault {
                    Some(fault) => format!("{fault:?} at {now}"),
                    None => format!("sound at {now}"),
                };
                cases.push(Case {
                    now,
                    ..case(name, &forge)
                });
            }
        }
    }
    cases
}

/// Collateral that is sound by itself and does not belong.
fn swaps() -> Vec<Case> {
    type Change = fn(&mut Value, &Value);
    let changes: [(&str, Change); 18] = [
        ("signatures swapped", |own, _| {
            let first = own["tcb_info_signature"].take();
            own["tcb_info_signature"] = own["qe_identity_signature"].take();
            own["qe_identity_signature"] = first;
        }),
        ("TCB info with the signature of QE identity", |own, _| {
            own["tcb_info_signature"] = own["qe_identity_signature"].clone();
        }),
        ("QE identity with the signature of TCB info", |own, _| {
            own["qe_identity_signature"] = own["tcb_info_signature"].clone();
        }),
        ("TCB info chain of another authority", |own, other| {
            own["tcb_info_issuer_chain"] = other["tcb_info_issuer_chain"].clone();
        }),
        ("QE identity chain of another authority", |own, other| {
            own["qe_identity_issuer_chain"] = other["qe_identity_issuer_chain"].clone();
        }),
        ("PCK CRL chain of another authority", |own, other| {
            own["pck_crl_issuer_chain"] = other["pck_crl_issuer_chain"].clone();
        }),
        ("TCB info chain in place of the PCK CA's", |own, _| {
            own["pck_crl_issuer_chain"] = own["tcb_info_issuer_chain"].clone();
        }),
        ("PCK CA's chain in place of TCB info's", |own, _| {
            own["tcb_info_issuer_chain"] = own["pck_crl_issuer_chain"].clone();
        }),
        ("root CRL of another authority", |own, other| {
            own["root_ca_crl"] = other["root_ca_crl"].clone();
        }),
        ("PCK CRL of another authority", |own, other| {
            own["pck_crl"] = other["pck_crl"].clone();
        }),
        ("PCK CRL in place of the root's", |own, _| {
            own["root_ca_crl"] = own["pck_crl"].clone();
        }),
        ("root CRL in place of the PCK CA's", |own, _| {
            own["pck_crl"] = own["root_ca_crl"].clone();
        }),
        ("no root CRL", |own, _| own["root_ca_crl"] = "".into()),
        ("no PCK CRL", |own, _| own["pck_crl"] = "".into()),
        ("QE identity in place of TCB info", |own, _| {
            own["tcb_info"] = own["qe_identity"].clone();
            own["tcb_info_signature"] = own["qe_identity_signature"].clone();
        }),
        ("TCB info with a space more", |own, _| {
            own["tcb_info"] = format!("{} ", own["tcb_info"].as_str().unwrap()).into();
        }),
        ("a signature of zeros", |own, _| {
            own["tcb_info_signature"] = "00".repeat(64).into();
        }),
        ("a signature of 63 bytes", |own, _| {
            let signature = own["tcb_info_signature"].as_str().unwrap();
            own["tcb_info_signature"] = signature[..126].into();
        }),
    ];
    let foreign = collateral_of(&bundle(&sound().fault(Fault::ForeignRoot)));
    let mut cases: Vec<Case> = changes
        .into_iter()
        .map(|(name, change)| {
            let mut own = collateral_of(&bundle(&sound()));
            change(&mut own, &foreign);
            with_part(name, EvidencePart::Collateral, own.to_string().into_bytes())
        })
        .collect();
    cases.push(with_part(
        "all collateral of another authority",
        EvidencePart::Collateral,
        foreign.to_string().into_bytes(),
    ));
    // A list from before a revocation, and one of another machine.
    let older = bundle(&sound().fault(Fault::RevokedPck));
    let other = bundle(&sound().ppid([0x02; 16]).fault(Fault::RevokedPck));
    cases.push(with_part(
        "collateral that revokes this machine",
        EvidencePart::Collateral,
        older.collateral().to_vec(),
    ));
    cases.push(with_part(
        "collateral that revokes another machine",
        EvidencePart::Collateral,
        other.collateral().to_vec(),
    ));
    cases
}

/// A quote with one bit changed: all along what is signed, the keys and the signatures; and cut.
fn flips() -> Vec<Case> {
    let quote = bundle(&sound()).quote().to_vec();
    // Header 48, TD report 584, lengths 4 and 6, signature and key 128, the quoting enclave's
    // report 384 with its signature 64, authentication data 2 and 32, type and length 6.
    let certification = 48 + 584 + 4 + 128 + 6 + 384 + 64 + 2 + 32 + 6;
    let mut cases: Vec<Case> = (0..certification)
        .step_by(13)
        .chain([0, 2, 4, 12, 632, 760, 764, 766, 1218, 1220, 1252, 1254])
        .map(|place| {
            let mut quote = quote.clone();
            quote[place] ^= 1 << (place % 8);
            let name = format!("bit {} of byte {place} of the quote", place % 8);
            with_part(name, EvidencePart::Quote, quote)
        })
        .collect();
    for length in [0, 47, 48, 632, 636, 1000, certification - 1, certification] {
        let cut = quote[..length.min(quote.len())].to_vec();
        let name = format!("{length} bytes of the quote");
        cases.push(with_part(name, EvidencePart::Quote, cut));
    }
    cases
}

/// What is excused by name.
fn differences() -> Vec<Case> {
    let quote = bundle(&sound()).quote().to_vec();
    let text = String::from_utf8_lossy(&quote).into_owned();
    let second = text.match_indices("-----BEGIN").nth(1).unwrap().1;
    let offset = quote
        .windows(second.len())
        .enumerate()
        .filter(|(_, window)| *window == second.as_bytes())
        .nth(1)
        .unwrap()
        .0;
    let mut damaged = quote.clone();
    // In the middle of the certificate's base64.
    let place = offset + 400;
    damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
    let mut reordered = collateral_of(&bundle(&sound()));
    let text = reordered["tcb_info"].as_str().unwrap();
    let changed = text.replacen(
        "{\"id\":\"TDX\",\"version\":3,",
        "{\"version\":3,\"id\":\"TDX\",",
        1,
    );
    assert_ne!(text, changed);
    let signature = crate::sgx::sign("tcb-signer", changed.as_bytes());
    reordered["tcb_info_signature"] = hex::encode(signature).into();
    reordered["tcb_info"] = changed.into();
    vec![
        with_part(
            "intermediate certificate in the certification data is damaged",
            EvidencePart::Quote,
            damaged,
        ),
        with_part(
            "TCB info with its members in another order",
            EvidencePart::Collateral,
            reordered.to_string().into_bytes(),
        ),
    ]
}

fn sound() -> Forge {
    Forge::new()
        .mrtd([0x3e; 48])
        .config([0xcf; 32])
        .ppid([0x99; 16])
        .report_data([0x5a; 64])
}

fn bundle(forge: &Forge) -> EvidenceBundle {
    forge.evidence()
}

fn case(name: impl Into<String>, forge: &Forge) -> Case {
    let mut policy = permissive();
    policy.allow_development = true;
    policy.roots.insert(DEVELOPMENT_ROOT_ID);
    Case {
        name: name.into(),
        bundle: bundle(forge),
        policy,
        root_id: DEVELOPMENT_ROOT_ID,
        now: NOW,
    }
}

fn with_part(name: impl Into<String>, part: EvidencePart, bytes: Vec<u8>) -> Case {
    Case {
        bundle: bundle(&sound()).with_part(part, bytes).unwrap(),
        ..case(name, &sound())
    }
}
