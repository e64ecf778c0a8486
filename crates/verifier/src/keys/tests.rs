// SPDX-License-Identifier: Apache-2.0
//! Keys in files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

/// A configuration with both files in `directory`.
pub(super) fn config(directory: &Path, development: bool) -> Config {
    let (ear, admission) = (directory.join("ear.key"), directory.join("admission.key"));
    let name = if development {
        "development"
    } else {
        "verifier"
    };
    Config::parse(&format!(
        "listen = \"127.0.0.1:0\"\nissuer = \"https://{name}.example\"\ndevelopment = \
         {development}\near_key_file = {ear:?}\nadmission_key_file = {admission:?}\n"
    ))
    .unwrap()
}

#[test]
fn keys_are_made_once_and_only_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), false);
    assert!(matches!(Keys::load(&config), Err(KeysError::File { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let made = Keys::create(&config).unwrap();
    let loaded = Keys::load(&config).unwrap();
    assert_eq!(made.ear.jwk(), loaded.ear.jwk());
    assert_eq!(made.admission.address(), loaded.admission.address());
    assert!(matches!(Keys::create(&config), Err(KeysError::File { .. })));
    assert_eq!(Keys::load(&config).unwrap().ear.jwk(), made.ear.jwk());
}

#[test]
fn private_keys_do_not_print() {
    let keys = Keys::from_scalars(&[0x5a; 32], &[0x5b; 32]).unwrap();
    let printed = format!("{keys:?}");
    assert!(
        !printed.contains("5a5a") && !printed.contains("90, 90"),
        "{printed}"
    );
}

#[test]
fn a_development_key_never_signs_in_production_nor_does_one_key_do_two_jobs() {
    let directory = tempfile::tempdir().unwrap();
    Keys::create(&config(directory.path(), true)).unwrap();
    let production = config(directory.path(), false);
    assert!(matches!(
        Keys::load(&production),
        Err(KeysError::Purpose { .. })
    ));
    let mut swapped = config(directory.path(), true);
    std::mem::swap(&mut swapped.ear_key_file, &mut swapped.admission_key_file);
    assert!(matches!(
        Keys::load(&swapped),
        Err(KeysError::Purpose { .. })
    ));
}

#[test]
fn key_files_that_others_can_read_or_that_are_malformed_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), true);
    Keys::create(&config).unwrap();
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&config.ear_key_file, permissions).unwrap();
    };
    mode(0o640);
    assert!(matches!(
        Keys::load(&config),
        Err(KeysError::Permissions { mode: 0o640, .. })
    ));
    mode(0o600);
    let sound = std::fs::read_to_string(&config.ear_key_file).unwrap();
    for text in [
        "",
        "{}",
        &sound.replace("\"version\": 1", "\"version\": 2"),
        &sound[..60],
    ] {
        std::fs::write(&config.ear_key_file, text).unwrap();
        assert!(
            matches!(Keys::load(&config), Err(KeysError::Malformed { .. })),
            "{text}"
        );
    }
    let zero = format!(
        "{{\"version\":1,\"use\":\"ear\",\"development\":true,\"scalar\":\"{}\"}}",
        "0".repeat(64)
    );
    std::fs::write(&config.ear_key_file, zero).unwrap();
    assert!(matches!(Keys::load(&config), Err(KeysError::Scalar)));
}
