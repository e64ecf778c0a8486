// SPDX-License-Identifier: Apache-2.0
//! `config show`: flag over environment over file over default, without credentials.

use serde_json::Value;

use crate::run::{subrosa, subrosa_with};

const FILE: &str = r#"
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

[chain]
http = "https://user:hunter2@chain.example/v3/0123456789abcdef"

[enclave]
socket = "/run/subrosa/enclave.sock"

[verifier]
url = "http://127.0.0.1:8700"

[relay]
key = { file = "/etc/subrosa/relay.key" }

[rpc]
listen = "127.0.0.1:8645"

[admin]
listen = "127.0.0.1:8646"

[data]
directory = "/var/lib/subrosa"
"#;

fn with_file(content: &str, test: impl FnOnce(&str)) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node.toml");
    std::fs::write(&file, content).unwrap();
    test(file.to_str().unwrap());
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    with_file(FILE, |file| {
        let show = |flags: &[&str], variables: &[(&str, &str)]| {
            let arguments = [&["config", "show", "--config", file, "--json"], flags].concat();
            let json = subrosa_with(&arguments, variables).quiet_success();
            let shown: Value = serde_json::from_str(&json).unwrap();
            shown["rpc"]["listen"].as_str().unwrap().to_owned()
        };
        let environment = [("SUBROSA_RPC_LISTEN", "127.0.0.1:2")];
        assert_eq!(show(&[], &[]), "127.0.0.1:8645");
        assert_eq!(show(&[], &environment), "127.0.0.1:2");
        assert_eq!(
            show(&["--rpc-listen", "127.0.0.1:3"], &environment),
            "127.0.0.1:3"
        );
    });
}

#[test]
fn defaults_are_shown_and_credentials_are_not() {
    with_file(FILE, |file| {
        let shown = subrosa(&["config", "show", "--config", file]).quiet_success();
        assert!(shown.contains("max_items = 1024"), "{shown}");
        for secret in ["hunter2", "user", "0123456789abcdef"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("https://chain.example"), "{shown}");
    });
}

#[test]
fn a_configuration_that_no_node_would_take_is_not_shown() {
    with_file(&FILE.replace("[rpc]\n", "[rpc]\nsurprise = 1\n"), |file| {
        let error = subrosa(&["config", "show", "--config", file]).failure();
        assert!(
            error.contains(file) && error.contains("surprise"),
            "{error}"
        );
    });
    with_file(FILE, |file| {
        let arguments = [
            "config",
            "show",
            "--config",
            file,
            "--admin-listen",
            "0.0.0.0:1",
        ];
        let error = subrosa(&arguments).failure();
        assert!(
            error.contains("0.0.0.0:1") && error.contains("loopback"),
            "{error}"
        );
    });
    let error = subrosa(&["config", "show", "--config", "/nowhere/node.toml"]).failure();
    assert!(error.contains("/nowhere/node.toml"), "{error}");
}
