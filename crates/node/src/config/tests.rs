// SPDX-License-Identifier: Apache-2.0

use alloy_primitives::{Address, address};
use subrosa_types::config::{ConfigError as MeasuredError, HeaderTrustKind, Recovery};

use super::*;

const EXAMPLE: &str = r#"
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
http = "https://user:hunter2@chain.example:8545/v3/0123456789abcdef?key=topsecret"
ws = "ws://127.0.0.1:8545"

[enclave]
socket = "/run/subrosa/enclave.sock"

[verifier]
url = "http://127.0.0.1:8700"

[relay]
key = { file = "/etc/subrosa/relay.key" }

[rpc]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[data]
directory = "/var/lib/subrosa"
"#;

#[test]
fn a_mailbox_is_followed_if_it_is_named_within_limits() {
    assert!(Config::from_toml(EXAMPLE).unwrap().mailbox.is_none());
    let named = |further: &str| {
        let address = Address::repeat_byte(7);
        Config::from_toml(&format!(
            "{EXAMPLE}\n[mailbox]\naddress = \"{address}\"\n{further}"
        ))
    };
    let mailbox = named("").unwrap().mailbox.unwrap();
    assert_eq!(mailbox.address, Address::repeat_byte(7));
    assert!(mailbox.code);
    assert_eq!(mailbox.answers_per_minute, 6);
    assert_eq!(mailbox.escrow_floor_percent, 100);
    assert!(named("answers_per_minute = 0\ncode = false").is_ok());
    for wrong in ["answers_per_minute = 61", "escrow_floor_percent = 1001"] {
        let error = named(wrong).unwrap_err();
        let (key, _) = wrong.split_once(' ').unwrap();
        assert!(error.to_string().contains(key), "{error}");
    }
    assert!(Config::from_toml(&format!("{EXAMPLE}\n[mailbox]\n")).is_err());
}

#[test]
fn the_example_parses_with_its_defaults() {
    let config = Config::from_toml(EXAMPLE).unwrap();
    assert_eq!(config.measured.oracle, Address::repeat_byte(3));
    assert_eq!(config.measured.header_trust, HeaderTrustKind::HostAsserted);
    assert_eq!(config.measured.recovery, Recovery::SealedDevelopment);
    assert_eq!(config.enclave.open_epochs, OpenEpochs::First);
    assert_eq!(config.relay.max_items, 1_024);
    assert_eq!(config.relay.max_in_flight, 8);
    assert_eq!(config.relay.max_wait_milliseconds, 50);
    assert_eq!(config.enclave.binary, None);
    assert_eq!(config.rpc.limits, Limits::default());
    assert_eq!(config.rpc.proxies, None);
    assert_eq!(config.enclave_config().unwrap().chain_id(), 31_337);
}

#[test]
fn a_signer_is_admitted_by_the_verifier_if_there_is_one_and_by_the_chain_otherwise() {
    let with = |admission: &str, verifier: bool| {
        let mut text = EXAMPLE.replace("[enclave]\n", &format!("[enclave]\n{admission}\n"));
        if !verifier {
            text = text.replace("[verifier]\nurl = \"http://127.0.0.1:8700\"\n", "");
            assert!(!text.contains("verifier]"));
        }
        Config::from_toml(&text).map(|config| config.admission())
    };
    assert_eq!(with("", true).unwrap(), Admission::Verifier);
    assert_eq!(with("", false).unwrap(), Admission::Dcap);
    let dcap = "admission = \"dcap\"";
    assert_eq!(with(dcap, true).unwrap(), Admission::Dcap);
    assert_eq!(with(dcap, false).unwrap(), Admission::Dcap);
    let verifier = "admission = \"verifier\"";
    assert_eq!(with(verifier, true).unwrap(), Admission::Verifier);
    let error = with(verifier, false).unwrap_err();
    assert!(matches!(error, ConfigError::NoVerifier), "{error}");
    assert!(with("admission = \"nobody\"", true).is_err());
}

#[test]
fn unknown_fields_are_refused_in_every_table() {
    for table in [
        "measured", "chain", "enclave", "verifier", "relay", "rpc", "admin", "data",
    ] {
        let header = format!("[{table}]\n");
        let text = EXAMPLE.replace(&header, &format!("{header}surprise = 1\n"));
        assert_ne!(text, EXAMPLE, "{table}");
        let error = Config::from_toml(&text).unwrap_err();
        assert!(
            matches!(error, ConfigError::Parse { .. }),
            "{table}: {error}"
        );
    }
    let error = Config::from_toml(&format!("{EXAMPLE}\n[surprise]\n")).unwrap_err();
    assert!(matches!(error, ConfigError::Parse { .. }), "{error}");
    let keys = EXAMPLE.replace("relay.key\" }", "relay.key\", env = \"KEY\" }");
    assert_ne!(keys, EXAMPLE);
    assert!(Config::from_toml(&keys).is_err(), "two sources of one key");
}

#[test]
fn values_out_of_range_name_their_field() {
    for (from, to, field) in [
        ("[relay]\n", "[relay]\nmax_items = 0\n", "relay.max_items"),
        (
            "[relay]\n",
            "[relay]\nmax_items = 1025\n",
            "relay.max_items",
        ),
        (
            "[relay]\n",
            "[relay]\nmax_in_flight = 0\n",
            "relay.max_in_flight",
        ),
        (
            "[relay]\n",
            "[relay]\nmax_in_flight = 17\n",
            "relay.max_in_flight",
        ),
        (
            "[relay]\n",
            "[relay]\nmax_wait_milliseconds = 10001\n",
            "relay.max_wait_milliseconds",
        ),
        ("[relay]\n", "[relay]\nmax_gas = 1\n", "relay.max_gas"),
        (
            "[rpc]\n",
            "[rpc]\nmax_connections = 0\n",
            "rpc.max_connections",
        ),
        (
            "[enclave]\n",
            "[enclave]\nmax_loads = 0\n",
            "enclave.max_loads",
        ),
        ("[rpc]\n", "[rpc]\nmax_batch = 5000\n", "rpc.max_batch"),
        (
            "[admin]\n",
            "[rpc.limits]\nquery_burst = 0\n[admin]\n",
            "rpc.limits.query_burst",
        ),
        (
            "[admin]\n",
            "[rpc.proxies]\naddresses = []\nheader = \"forwarded\"\n[admin]\n",
            "rpc.proxies.addresses",
        ),
        (
            "[chain]\n",
            "[chain]\npoll_milliseconds = 0\n",
            "chain.poll_milliseconds",
        ),
    ] {
        let error = Config::from_toml(&EXAMPLE.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(field), "{to}: {error}");
    }
    let below = EXAMPLE.replace("[relay]\n", "[relay]\nmax_gas = 12826954\n");
    let error = Config::from_toml(&below).unwrap_err().to_string();
    assert!(error.contains("expected 12826955 to"), "{error}");
    let least = EXAMPLE.replace("[relay]\n", "[relay]\nmax_gas = 12826955\n");
    Config::from_toml(&least).unwrap();
    let long = EXAMPLE.replace("/run/subrosa", &"/x".repeat(60));
    assert!(matches!(
        Config::from_toml(&long),
        Err(ConfigError::OutOfRange {
            found: 133,
            most: 107,
            ..
        })
    ));
}

#[test]
fn proxies_are_named_with_the_header_they_write() {
    let with = |table: &str| {
        let text = EXAMPLE.replace("[admin]\n", &format!("[rpc.proxies]\n{table}\n[admin]\n"));
        Config::from_toml(&text)
    };
    let config = with("addresses = [\"10.0.0.0/8\"]\nheader = \"x-forwarded-for\"").unwrap();
    let proxies = config.rpc.proxies.as_ref().unwrap();
    assert_eq!(proxies.header, ForwardingHeader::XForwardedFor);
    assert!(config.to_redacted_toml().unwrap().contains("10.0.0.0/8"));
    for odd in [
        "addresses = [\"10.0.0.0/8\"]",
        "addresses = [\"proxy.example\"]\nheader = \"forwarded\"",
        "addresses = [\"10.0.0.1\"]\nheader = \"x-real-ip\"",
    ] {
        let error = with(odd).unwrap_err();
        assert!(matches!(error, ConfigError::Parse { .. }), "{odd}: {error}");
    }
}

#[test]
fn the_admin_listener_stays_on_loopback() {
    let text = EXAMPLE.replace(
        "[admin]\nlisten = \"127.0.0.1",
        "[admin]\nlisten = \"0.0.0.0",
    );
    assert!(matches!(
        Config::from_toml(&text),
        Err(ConfigError::AdminNotLoopback(_))
    ));
}

#[test]
fn measured_values_that_the_enclave_would_refuse_are_refused_first() {
    let root = "\"0x0505050505050505050505050505050505050505050505050505050505050505\"";
    let text = EXAMPLE.replace(root, &format!("{root}, {root}"));
    assert!(matches!(
        Config::from_toml(&text),
        Err(ConfigError::Measured(MeasuredError::RootsNotAscending))
    ));
}

#[test]
fn credentials_of_endpoints_are_never_printed() {
    let config = Config::from_toml(EXAMPLE).unwrap();
    for printed in [format!("{config:?}"), config.to_redacted_toml().unwrap()] {
        assert!(
            printed.contains("https://chain.example:8545/…"),
            "{printed}"
        );
        for secret in ["hunter2", "user:", "0123456789abcdef", "topsecret"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }
    assert_eq!(config.chain.http.url().password(), Some("hunter2"));
    let broken = EXAMPLE.replace(
        "https://user:hunter2@chain.example:8545",
        "https://hunter2:x:y",
    );
    let error = Config::from_toml(&broken).unwrap_err();
    assert!(
        matches!(error, ConfigError::Parse { line: 15, .. }),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn keys_come_from_files_and_keystores_and_nothing_else_is_said_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.key");
    let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let account = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    for text in [key.to_owned(), format!("{}\n", &key[2..])] {
        std::fs::write(&file, text).unwrap();
        let signer = KeySource::File { file: file.clone() }.load().unwrap();
        assert_eq!(signer.address(), account);
    }
    let bad = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff";
    std::fs::write(&file, bad).unwrap();
    let error = KeySource::File { file: file.clone() }.load().unwrap_err();
    assert!(matches!(error, KeyError::Malformed(_)));
    assert!(!format!("{error} {error:?}").contains("ac0974"));

    let missing = KeySource::Environment {
        env: "SUBROSA_TEST_NO_SUCH_VARIABLE".into(),
    };
    assert!(matches!(missing.load(), Err(KeyError::Unset(_))));
}
