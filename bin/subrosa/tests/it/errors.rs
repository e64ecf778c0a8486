// SPDX-License-Identifier: Apache-2.0
//! Error messages: what failed, the value at fault, what to do next.

use crate::run::{subrosa, subrosa_with};

const CONTRACT: &str = "0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0";
const ACCOUNT: &str = "0xa0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0";
const KEY: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

/// Nothing listens on these ports.
const DEPLOYMENT: &str = r#"
version = 1
development = true
rpc_url = "http://127.0.0.1:1"
node_url = "http://127.0.0.1:1"
measurements = ["0x0101010101010101010101010101010101010101010101010101010101010101"]
roots = ["0x5f18a1e34e91ef9649743f423dd57387014bf3e60ca49f7b51d8adfbcf70bfc4"]

[measured]
chain_id = 31337
registry = "0x0101010101010101010101010101010101010101"
registry_code_hash = "0x0202020202020202020202020202020202020202020202020202020202020202"
oracle = "0x0303030303030303030303030303030303030303"
oracle_code_hash = "0x0404040404040404040404040404040404040404040404040404040404040404"
header_trust = "host-asserted"
evidence_roots = ["0x0505050505050505050505050505050505050505050505050505050505050505"]
policy_hash = "0x0606060606060606060606060606060606060606060606060606060606060606"
key_group = 1
recovery = { kind = "sealed-development" }

[verifier]
issuer = "urn:example:development"
admission = ["0x0101010101010101010101010101010101010101"]

[[verifier.keys]]
kty = "EC"
crv = "P-256"
"#;

pub(crate) fn deployment() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deployment.toml");
    let key = subrosa_attestation::ear::EarKey::from_bytes(&[3; 32])
        .unwrap()
        .jwk();
    let text = format!(
        "{DEPLOYMENT}x = {:?}\ny = {:?}\nkid = {:?}\n",
        key.x, key.y, key.kid
    );
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn a_missing_key_says_every_way_to_give_one() {
    for arguments in [
        &["request", CONTRACT, "bid(uint256)", "7"][..],
        &["query", CONTRACT, "winner()"],
        &["deploy", "--code", "/nowhere"],
        &["contract", "set-runtime", CONTRACT, "2"],
        &["contract", "advance-epoch", CONTRACT],
        &["contract", "withdraw-upgrade", CONTRACT],
        &["contract", "set-policy", CONTRACT, "--charge", "1"],
        &["contract", "pause", CONTRACT],
        &["contract", "set-caller", CONTRACT, ACCOUNT],
        &["contract", "accept-ownership", CONTRACT],
        &["fee", "add", CONTRACT, "1", "1"],
        &["fee", "cancel", CONTRACT, "1"],
        &["prepaid", "collect", ACCOUNT],
        &["prepaid", "deposit", ACCOUNT, "1"],
        &["governance", "add-runtime", "2"],
    ] {
        let error = subrosa(arguments).failure();
        for way in [
            "--keystore",
            "--password-file",
            "--key-file",
            "SUBROSA_PRIVATE_KEY",
        ] {
            assert!(error.contains(way), "{arguments:?}: {error}");
        }
    }
}

#[test]
fn an_unusable_key_is_located_but_never_repeated() {
    let variables = [("SUBROSA_PRIVATE_KEY", "0xdeadbeefdeadbeef")];
    let arguments = ["query", CONTRACT, "winner()"];
    let error = subrosa_with(&arguments, &variables).failure();
    assert!(error.contains("SUBROSA_PRIVATE_KEY"), "{error}");
    assert!(!error.contains("deadbeef"), "{error}");
    let error = subrosa(&[&arguments[..], &["--key-file", "/nowhere/key"]].concat()).failure();
    assert!(error.contains("/nowhere/key"), "{error}");
    let error = subrosa(&[&arguments[..], &["--keystore", "/nowhere/store"]].concat()).failure();
    assert!(error.contains("--password-file"), "{error}");
}

#[test]
fn a_missing_deployment_file_says_how_to_name_one() {
    let error = subrosa(&["attest"]).failure();
    assert!(
        error.contains("--deployment") && error.contains("SUBROSA_DEPLOYMENT"),
        "{error}"
    );
    let variables = [("SUBROSA_DEPLOYMENT", "/nowhere/deployment.toml")];
    let error = subrosa_with(&["attest"], &variables).failure();
    assert!(error.contains("/nowhere/deployment.toml"), "{error}");
}

#[test]
fn an_unreachable_chain_is_named_with_a_next_step() {
    let (_dir, path) = deployment();
    let error = subrosa(&["attest", "--deployment", &path, "--development"]).stderr;
    assert!(
        error.contains("error: reading the chain id failed"),
        "{error}"
    );
    assert!(error.contains("  because: "), "{error}");
}

#[test]
fn a_policy_is_not_set_to_what_it_is() {
    let variables = [("SUBROSA_PRIVATE_KEY", KEY)];
    let arguments = ["contract", "set-policy", CONTRACT];
    let error = subrosa_with(&arguments, &variables).failure();
    assert!(error.contains("nothing to change"), "{error}");
}

#[test]
fn a_deployment_file_that_trusts_nobody_is_refused() {
    let (_dir, path) = deployment();
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, fault) in [
        ("version = 1", "version = 2", "version 2"),
        ("roots = [", "roots = [] # [", "`roots` is empty"),
        (
            "measurements = [",
            "measurements = [] # [",
            "`measurements` is empty",
        ),
        ("[verifier]", "[verifier]\nsurprise = 1", "surprise"),
        ("crv = \"P-256\"", "crv = \"P-384\"", "verifier key"),
        ("chain_id = 31337", "", "chain_id"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        std::fs::write(&path, changed).unwrap();
        let error = subrosa(&["attest", "--deployment", &path]).failure();
        assert!(error.contains(fault), "{fault}: {error}");
    }
}

#[test]
fn typing_errors_are_found_before_the_network_is_asked() {
    let variables = [("SUBROSA_PRIVATE_KEY", KEY)];
    for (arguments, fault) in [
        (&["bid(uint256"][..], "cannot parse function"),
        (&["bid(uint256)"], "takes 1 arguments, 0 are given"),
        (&["bid(uint256)", "hunter2"], "argument 1 is not a uint256"),
        (&["--data-file", "/nowhere/data"], "/nowhere/data"),
        (&[], "no call"),
        (&["bid()", "--no-wait"], "--reply-key-file"),
    ] {
        let arguments = [&["request", CONTRACT], arguments].concat();
        let error = subrosa_with(&arguments, &variables).failure();
        assert!(error.contains(fault), "{arguments:?}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn dev_without_an_enclave_gives_the_command_to_install_it() {
    let error = subrosa(&["dev", "--enclave", "/nowhere/subrosa-enclave"]).stderr;
    assert!(error.contains("/nowhere/subrosa-enclave"), "{error}");
    assert!(
        error.contains("cargo install --path bin/subrosa-enclave"),
        "{error}"
    );
}
