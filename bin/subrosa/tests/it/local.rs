// SPDX-License-Identifier: Apache-2.0
//! Subcommands that need no network.

use serde_json::Value;

use crate::run::subrosa;

#[test]
fn a_measurement_is_a_function_of_the_file_and_json_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("enclave");
    let path = file.to_str().unwrap();
    let measure = |content: &[u8]| {
        std::fs::write(&file, content).unwrap();
        let text = subrosa(&["measurement", path]).quiet_success();
        let json = subrosa(&["measurement", path, "--json"]).quiet_success();
        let json: Value = serde_json::from_str(&json).unwrap();
        let id = json["measurementId"].as_str().unwrap().to_owned();
        assert!(text.contains(&id), "{text}");
        assert_eq!(json["development"], true);
        assert!(text.contains("development"), "{text}");
        (id, json["mrtd"].as_str().unwrap().to_owned())
    };
    let first = measure(b"abc");
    // FIPS 180-4's example: SHA-384("abc").
    let expected = "0xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
                    8086072ba1e7cc2358baeca134c825a7";
    assert_eq!(first.1, expected);
    assert_eq!(measure(b"abc"), first);
    assert_ne!(measure(b"abd").0, first.0);
}

#[test]
fn a_verifier_is_initialised_once() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("verifier.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nissuer = \"urn:example:development\"\ndevelopment = true\n\
         ear_key_file = {:?}\nadmission_key_file = {:?}\n",
        dir.path().join("ear.json"),
        dir.path().join("admission.json"),
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let missing = subrosa(&["verifier", "--config", config]).failure();
    assert!(
        missing.contains("`subrosa verifier init` makes them"),
        "{missing}"
    );
    let made = subrosa(&["verifier", "init", "--config", config, "--json"]).quiet_success();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["issuer"], "urn:example:development");
    assert_eq!(made["development"], true);
    assert_eq!(made["keys"][0]["crv"], "P-256");
    assert_eq!(made["admission"].as_str().unwrap().len(), 42);
    let again = subrosa(&["verifier", "init", "--config", config]).failure();
    assert!(again.contains("ear.json"), "{again}");
}
