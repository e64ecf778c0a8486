// SPDX-License-Identifier: Apache-2.0

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::QuoteVerifier;
use subrosa_evidence::EvidencePart;

use super::*;

/// Inside the development collateral's window: 2026-06-01T00:00:00Z.
const NOW: u64 = 1_780_272_000;

fn software() -> Software {
    Software::with_measurement([0x11; 48], Some(MachineSecret::from_bytes([7; 32])))
}

fn verifier_accepts(evidence: &EvidenceBundle, now: u64) -> dcap_qvl::verify::VerifiedReport {
    let collateral: QuoteCollateralV3 =
        serde_json::from_slice(evidence.part(EvidencePart::Collateral).unwrap()).unwrap();
    QuoteVerifier::new(development_root_certificate())
        .verify(evidence.quote(), &collateral, now)
        .unwrap()
}

#[test]
fn an_independent_verifier_accepts_the_evidence_under_the_development_root() {
    let mut tee = software();
    tee.extend_config(&[0x22; 32]).unwrap();
    let report = verifier_accepts(&tee.quote(&[0x33; 64]).unwrap(), NOW);
    assert_eq!(report.status, "UpToDate");
    assert_eq!(report.advisory_ids, [""; 0]);
    assert_eq!(report.ppid, MachineSecret::from_bytes([7; 32]).ppid());
    let td = report.report.as_td10().unwrap();
    assert_eq!(td.mr_td, [0x11; 48]);
    assert_eq!(td.rt_mr3, extend(&[0; 48], &[0x22; 32]));
    assert_eq!(td.report_data, [0x33; 64]);
    assert_eq!(tee.measurement(), [&[0x11; 48][..], &[0; 144][..]].concat());
}

#[test]
fn the_evidence_verifies_from_2026_to_2056_and_no_longer() {
    let evidence = software().quote(&[0; 64]).unwrap();
    verifier_accepts(&evidence, 1_767_225_600);
    verifier_accepts(&evidence, 2_713_910_399);
    let collateral: QuoteCollateralV3 =
        serde_json::from_slice(evidence.part(EvidencePart::Collateral).unwrap()).unwrap();
    for now in [1_767_225_599, 2_713_910_401] {
        let verifier = QuoteVerifier::new(development_root_certificate());
        assert!(verifier.verify(evidence.quote(), &collateral, now).is_err());
    }
}

#[test]
fn the_root_id_is_the_constant_that_everybody_recognises() {
    let key = Blueprint::development([0; 16]).authority.root_key();
    let id: [u8; 32] = Sha256::digest(key.subject_public_key_info()).into();
    assert_eq!(B256::from(id), DEVELOPMENT_ROOT_ID);
}

#[test]
fn evidence_is_the_same_bytes_every_time() {
    let quote = || software().quote(&[5; 64]).unwrap();
    assert_eq!(quote(), quote());
}

#[test]
fn the_configuration_is_extended_once() {
    let mut tee = software();
    tee.extend_config(&[1; 32]).unwrap();
    assert!(matches!(
        tee.extend_config(&[1; 32]),
        Err(TeeError::AlreadyConfigured)
    ));
}

#[test]
fn the_sealing_key_follows_measurement_configuration_machine_and_context() {
    let key = |mrtd: u8, config: u8, secret: u8, context: &[u8]| {
        let secret = MachineSecret::from_bytes([secret; 32]);
        let mut tee = Software::with_measurement([mrtd; 48], Some(secret));
        tee.extend_config(&[config; 32]).unwrap();
        *tee.sealing_key(context).unwrap().unwrap()
    };
    let reference = key(1, 2, 3, b"a");
    assert_eq!(reference, key(1, 2, 3, b"a"));
    for other in [
        key(9, 2, 3, b"a"),
        key(1, 9, 3, b"a"),
        key(1, 2, 9, b"a"),
        key(1, 2, 3, b"b"),
    ] {
        assert_ne!(reference, other);
    }
    assert!(
        Software::with_measurement([1; 48], None)
            .sealing_key(b"a")
            .unwrap()
            .is_none()
    );
}

#[test]
fn the_running_executable_is_what_is_measured() {
    let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let expected: [u8; 48] = Sha384::digest(executable).into();
    assert_eq!(Software::start(None).unwrap().measurement()[..48], expected);
}

#[test]
fn the_machine_secret_is_created_once_privately_and_then_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("machine");
    let first = MachineSecret::open_or_create(&path).unwrap();
    let second = MachineSecret::open_or_create(&path).unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    std::fs::write(&path, [0; 33]).unwrap();
    assert!(matches!(
        MachineSecret::open_or_create(&path),
        Err(TeeError::Secret { .. })
    ));
}

#[test]
fn secrets_do_not_print() {
    assert_eq!(
        format!("{:?}", MachineSecret::from_bytes([7; 32])),
        "MachineSecret(..)"
    );
}
