// SPDX-License-Identifier: Apache-2.0
//! Raw evidence: what is accepted, and that every fault is refused under its own name.

use std::collections::BTreeSet;

use subrosa_attestation::measurement::measurement_of_executable;
use subrosa_attestation::{
    Expectations, Measurements, Policy, Stated, VerifyError, appraise, inspect, root_certificate,
    verify, verify_genuine,
};
use subrosa_evidence::{
    CheckId, CheckOutcome, DEVELOPMENT_ROOT_ID, EvidenceBundle, EvidencePart, TcbStatus,
    VerdictStatus,
};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::{Challenge, id::TeeKind};

use crate::fixture::{EXECUTABLE, NOW, expectations, forge, sound};

#[test]
fn the_software_tee_is_accepted_by_the_production_path_when_development_is_allowed() {
    let bound = verify(&sound(), &expectations(), NOW).unwrap();
    assert_eq!(bound.claims.root_id, DEVELOPMENT_ROOT_ID);
    assert!(bound.claims.is_development());
    assert_eq!(bound.claims.tee, TeeKind::Tdx);
    assert_eq!(bound.claims.tcb_status, Some(TcbStatus::UpToDate));
    assert_eq!(bound.claims.tcb_evaluation, Some(17));
    assert_eq!(bound.claims.collateral_expires, 2_713_910_400);
    assert_eq!(bound.claims.debug, 0);
    let expected = measurement_of_executable(EXECUTABLE);
    assert_eq!(bound.claims.measurement[..], expected.measurement);
    assert_eq!(bound.claims.measurement_hash, expected.hash);
    assert_eq!(bound.claims.measurement_id, expected.id);
    assert!(bound.measurement_appraised);
    assert_eq!(bound.policy_hash, Policy::development().hash());

    let verdict = appraise(&sound(), &expectations(), NOW).verdict;
    assert_eq!(verdict.status, VerdictStatus::Accepted);
    assert!(verdict.development);
    assert_eq!(verdict.checks.len(), 25);
    assert!(
        verdict
            .checks
            .iter()
            .all(|check| check.outcome == CheckOutcome::Passed)
    );
}

#[test]
fn development_evidence_is_refused_by_default() {
    let strict = Expectations {
        policy: Policy::strict(),
        ..expectations()
    };
    let error = verify(&sound(), &strict, NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::Root);
    assert!(error.to_string().contains("development root"), "{error}");
    // Listing it among the roots is not allowing development.
    let mut listed = Policy::strict();
    listed.roots.insert(DEVELOPMENT_ROOT_ID);
    let listed = Expectations {
        policy: listed,
        ..expectations()
    };
    assert_eq!(
        verify(&sound(), &listed, NOW).unwrap_err().check(),
        CheckId::Root
    );
    assert!(appraise(&sound(), &strict, NOW).verdict.development);
}

#[test]
fn what_fresh_collateral_could_mend_is_stale_and_the_rest_is_rejected() {
    let stale = [
        Fault::ExpiredTcbInfo,
        Fault::ExpiredQeIdentity,
        Fault::ExpiredRevocationLists,
        Fault::FutureTcbInfo,
    ];
    for fault in stale {
        let error = verify(&forge().fault(fault).evidence(), &expectations(), NOW);
        assert!(
            matches!(error, Err(VerifyError::Stale { .. })),
            "{fault:?}: {error:?}"
        );
    }
    for fault in [
        Fault::RevokedPck,
        Fault::TamperedTcbInfo,
        Fault::OutOfDate,
        Fault::DebugTd,
    ] {
        let error = verify(&forge().fault(fault).evidence(), &expectations(), NOW);
        assert!(
            matches!(error, Err(VerifyError::Rejected { .. })),
            "{fault:?}: {error:?}"
        );
    }
}

#[test]
fn evidence_outside_the_collaterals_window_is_stale() {
    for now in [1_767_225_599, 2_713_910_401, 0, u64::MAX / 4] {
        let error = verify(&sound(), &expectations(), now).unwrap_err();
        assert!(
            matches!(error, VerifyError::Stale { .. }),
            "{now}: {error:?}"
        );
    }
}

#[test]
fn a_guessable_challenge_is_never_accepted() {
    for length in [0, 15, 65] {
        let challenge = Challenge::Client(vec![1; length]);
        let binding = expectations().binding;
        let data = subrosa_evidence::report_data(&binding, &challenge);
        let bundle = forge().report_data(data).evidence();
        let expectations = Expectations {
            challenge,
            ..expectations()
        };
        let error = verify(&bundle, &expectations, NOW).unwrap_err();
        assert_eq!(error.check(), CheckId::Challenge, "{length}");
    }
}

#[test]
fn evidence_without_its_configuration_is_refused() {
    let unconfigured = Forge::new()
        .mrtd(measurement_of_executable(EXECUTABLE).mrtd)
        .report_data(subrosa_evidence::report_data(
            &expectations().binding,
            &expectations().challenge,
        ));
    let error = verify(&unconfigured.evidence(), &expectations(), NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::Config);
    // Extended twice is not extended once.
    let twice = forge().config(expectations().binding.config_hash.0);
    let error = verify(&twice.evidence(), &expectations(), NOW).unwrap_err();
    assert_eq!(error.check(), CheckId::Config);
}

#[test]
fn a_measurement_judged_elsewhere_is_genuine_but_never_accepted() {
    let open = Expectations {
        measurements: Measurements::JudgedElsewhere,
        ..expectations()
    };
    let error = verify(&sound(), &open, NOW).unwrap_err();
    assert_eq!(
        error,
        VerifyError::NotAppraised {
            check: CheckId::Measurement
        }
    );
    let appraisal = appraise(&sound(), &open, NOW);
    assert_eq!(appraisal.verdict.status, VerdictStatus::GenuineNotAppraised);
    assert!(!appraisal.bound.unwrap().measurement_appraised);
    // A failure outranks an omission.
    let wrong = Expectations {
        challenge: Challenge::Client(vec![0; 32]),
        ..open
    };
    assert_eq!(
        verify(&sound(), &wrong, NOW).unwrap_err().check(),
        CheckId::Challenge
    );
}

#[test]
fn a_policy_may_accept_more_statuses_and_fewer_machines() {
    let bundle = forge().fault(Fault::OutOfDate).evidence();
    let mut tolerant = expectations();
    tolerant.policy.tcb_statuses.insert(TcbStatus::OutOfDate);
    let bound = verify(&bundle, &tolerant, NOW).unwrap();
    assert_eq!(bound.claims.tcb_status, Some(TcbStatus::OutOfDate));
    let mut listed = expectations();
    listed.policy.machines = Some(BTreeSet::from([bound.claims.machine_id]));
    verify(&sound(), &listed, NOW).unwrap();
}

#[test]
fn collateral_cannot_replace_the_quotes_own_certificate_chain() {
    // A quote whose chain leads nowhere, and collateral that brings a sound chain along.
    let foreign = forge().fault(Fault::ForeignRoot).evidence();
    let sound = sound();
    let start = sound
        .quote()
        .windows(5)
        .position(|window| window == b"-----")
        .unwrap();
    let chain = std::str::from_utf8(&sound.quote()[start..]).unwrap();
    let mut collateral: serde_json::Value = serde_json::from_slice(sound.collateral()).unwrap();
    collateral["pck_certificate_chain"] = chain.into();
    let collateral_bytes = serde_json::to_vec(&collateral).unwrap();
    let bundle = foreign
        .with_part(EvidencePart::Collateral, collateral_bytes)
        .unwrap();
    assert!(verify_genuine(&bundle, &Policy::development(), NOW).is_err());
    // And a chain that is garbage does not disturb a sound quote, since nobody reads it.
    collateral["pck_certificate_chain"] = "garbage".into();
    let collateral_bytes = serde_json::to_vec(&collateral).unwrap();
    let bundle = sound
        .with_part(EvidencePart::Collateral, collateral_bytes)
        .unwrap();
    verify_genuine(&bundle, &Policy::development(), NOW).unwrap();
}

#[test]
fn kinds_without_a_verifier_and_garbage_are_refused_by_format() {
    let sound = sound();
    for kind in [
        TeeKind::Sgx,
        TeeKind::Snp,
        TeeKind::Nitro,
        TeeKind::AzureSnp,
        TeeKind::AzureTdx,
    ] {
        let bundle = EvidenceBundle::new(kind, sound.quote().to_vec(), sound.collateral().to_vec());
        let error = verify(&bundle.unwrap(), &expectations(), NOW).unwrap_err();
        assert_eq!(error.check(), CheckId::EvidenceFormat);
    }
    for (quote, collateral) in [
        (vec![], sound.collateral().to_vec()),
        (vec![0; 5000], sound.collateral().to_vec()),
        (sound.quote().to_vec(), vec![]),
        (sound.quote().to_vec(), b"{}".to_vec()),
        (sound.quote()[..3000].to_vec(), sound.collateral().to_vec()),
    ] {
        let bundle = EvidenceBundle::new(TeeKind::Tdx, quote, collateral).unwrap();
        let error = verify(&bundle, &expectations(), NOW).unwrap_err();
        assert_eq!(error.check(), CheckId::EvidenceFormat, "{error}");
    }
}

#[test]
fn the_pinned_development_root_is_the_one_the_software_tee_uses() {
    assert_eq!(
        root_certificate(DEVELOPMENT_ROOT_ID).unwrap(),
        subrosa_tee::development_root_certificate()
    );
}

#[test]
fn a_running_software_tee_measures_what_the_offline_computation_says() {
    let mut tee = subrosa_tee::Tee::software(None).unwrap();
    tee.extend_config(&expectations().binding.config_hash.0)
        .unwrap();
    let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let offline = measurement_of_executable(&executable);
    let claims =
        verify_genuine(&tee.quote(&[9; 64]).unwrap(), &Policy::development(), NOW).unwrap();
    assert_eq!(claims.measurement_id, offline.id);
    assert_eq!(tee.measurement(), offline.measurement);
    assert_eq!(
        *claims.config_register.unwrap(),
        subrosa_evidence::config_register(expectations().binding.config_hash)
    );
}

#[test]
fn the_documentation_lists_every_check() {
    let text = include_str!("../../../../docs/attestation.md");
    for check in CheckId::ALL {
        assert!(
            text.contains(&format!("| `{check}` |")),
            "{check} is not documented"
        );
    }
}

#[test]
fn evidence_that_binds_nothing_and_a_measurement_in_part_are_never_accepted() {
    let policy = Policy::development();
    let judge = |report_data: [u8; 64], measurement: &[u8], expected: &[u8]| {
        let bundle = forge().report_data(report_data).evidence();
        let stated = Stated {
            measurements: Some(Measurements::Stated(measurement.to_vec().into())),
            report_data: Some(expected.to_vec().into()),
        };
        inspect(&bundle, &policy, &stated, NOW).0.status
    };
    let whole = measurement_of_executable(EXECUTABLE).measurement;
    assert_eq!(judge([7; 64], &whole, &[7; 64]), VerdictStatus::Accepted);
    let open = VerdictStatus::GenuineNotAppraised;
    assert_eq!(judge([7; 64], &whole, &[]), open);
    assert_eq!(judge([7; 64], &whole[..48], &[7; 64]), open);
    let rejected = VerdictStatus::Rejected;
    assert_eq!(judge([7; 64], &whole[..47], &[7; 64]), rejected);
    assert_eq!(judge([7; 64], &[7; 48], &[7; 64]), rejected);
    assert_eq!(judge([7; 64], &whole, &[7; 63]), rejected);
}

#[test]
fn text_of_strangers_does_not_choose_the_check_and_is_shown_tame() {
    let mut collateral: serde_json::Value = serde_json::from_slice(sound().collateral()).unwrap();
    for word in [
        "CertExpired",
        "qe_report in quote",
        "\u{1b}[8m\nverdict accepted",
    ] {
        let own = sound();
        let original: serde_json::Value = serde_json::from_slice(own.collateral()).unwrap();
        let info = original["tcb_info"].as_str().unwrap();
        let word = serde_json::to_string(word).unwrap();
        collateral["tcb_info"] = info.replace("\"UpToDate\"", &word).into();
        let bytes = serde_json::to_vec(&collateral).unwrap();
        let bundle = own.with_part(EvidencePart::Collateral, bytes).unwrap();
        let error = verify(&bundle, &expectations(), NOW).unwrap_err();
        assert!(matches!(error, VerifyError::Rejected { .. }), "{error:?}");
        assert_eq!(error.check(), CheckId::DcapCollateral, "{error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}
