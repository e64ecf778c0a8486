// SPDX-License-Identifier: Apache-2.0
//! Help, version and usage errors.

use crate::run::{subrosa, subrosa_with};

const SUBCOMMANDS: [&str; 18] = [
    "dev",
    "node",
    "verifier",
    "attest",
    "policy",
    "deploy",
    "request",
    "result",
    "fee",
    "mailbox",
    "prepaid",
    "query",
    "contract",
    "receipt",
    "governance",
    "collateral",
    "measurement",
    "config",
];

const CONTRACT: &str = "0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0";
const ACCOUNT: &str = "0xa0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0";

#[test]
fn help_lists_every_subcommand_and_the_exit_codes() {
    let help = subrosa(&["--help"]).quiet_success();
    let listed: Vec<_> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(listed, SUBCOMMANDS);
    assert!(
        help.contains("0 success, 2 refused (a check failed), 1 anything else"),
        "{help}"
    );
}

#[test]
fn every_subcommand_has_help_and_takes_json() {
    for name in SUBCOMMANDS {
        let help = subrosa(&[name, "--help"]).quiet_success();
        assert!(help.contains("Usage: subrosa"), "{name}: {help}");
        assert!(help.contains("--json"), "{name}: {help}");
    }
}

#[test]
fn no_option_takes_a_private_key_as_its_value() {
    for name in [
        &["deploy"][..],
        &["request"],
        &["query"],
        &["collateral", "push"],
    ] {
        let help = subrosa(&[name, &["--help"]].concat()).quiet_success();
        for option in [
            "--keystore <FILE>",
            "--password-file <FILE>",
            "--key-file <FILE>",
        ] {
            assert!(help.contains(option), "{name:?} lacks {option}: {help}");
        }
        assert!(help.contains("SUBROSA_PRIVATE_KEY"), "{name:?}: {help}");
        for option in ["--private-key", "--password ", "--mnemonic"] {
            assert!(!help.contains(option), "{name:?} has {option}: {help}");
        }
    }
}

#[test]
fn what_an_owner_can_change_is_under_contract() {
    for name in [
        "announce-upgrade",
        "withdraw-upgrade",
        "upgrade",
        "set-runtime",
        "advance-epoch",
        "set-policy",
        "pause",
        "unpause",
        "set-caller",
        "set-threshold",
        "transfer-ownership",
        "accept-ownership",
        "abandon",
    ] {
        let help = subrosa(&["contract", name, "--help"]).quiet_success();
        for part in [
            "<CONTRACT>",
            "--key-file <FILE>",
            "--deployment <FILE>",
            "--json",
        ] {
            assert!(help.contains(part), "{name} lacks {part}: {help}");
        }
    }
    let both = subrosa(&["contract", "advance-epoch"]).failure();
    assert!(both.contains("<CONTRACT>"), "{both}");
    let deploy = subrosa(&["deploy", "--help"]).quiet_success();
    for option in ["--upgrade-delay <SECONDS>", "--restricted"] {
        assert!(deploy.contains(option), "{deploy}");
    }
}

#[test]
fn what_is_paid_for_and_whom_the_registry_trusts_is_signed_for_like_everything_else() {
    let fee = [
        "add",
        "cancel",
        "refund",
        "reclaim",
        "retry-callback",
        "withdraw",
    ];
    let prepaid = [
        "deploy",
        "deposit",
        "set-limits",
        "withdraw",
        "collect",
        "transfer-ownership",
        "accept-ownership",
    ];
    let governance = [
        "schedule-epoch",
        "retire-epoch",
        "suspend",
        "lift",
        "deny-machine",
        "allow-machine",
        "restrict-machines",
        "deny-product",
        "allow-product",
        "add-measurement",
        "revoke-measurement",
        "add-config",
        "remove-config",
        "set-verifier",
        "revoke-verifier",
        "set-verifier-threshold",
        "set-family",
        "set-dcap",
        "revoke-dcap",
        "revoke-signer",
        "add-runtime",
        "withdraw-runtime",
    ];
    let all = [
        ("fee", &fee[..]),
        ("prepaid", &prepaid[..]),
        ("governance", &governance[..]),
    ];
    for (command, names) in all {
        let overview = subrosa(&[command, "--help"]).quiet_success();
        for name in names {
            assert!(
                overview.contains(&format!("\n  {name}")),
                "{name}: {overview}"
            );
            let help = subrosa(&[command, name, "--help"]).quiet_success();
            for part in ["--key-file <FILE>", "--deployment <FILE>", "--json"] {
                assert!(help.contains(part), "{name} lacks {part}: {help}");
            }
        }
    }
    for view in [
        &["prepaid", "show"][..],
        &["contract", "policy"],
        &["fee", "quote"],
    ] {
        let help = subrosa(&[view, &["--help"]].concat()).quiet_success();
        assert!(!help.contains("--key-file"), "{view:?}: {help}");
    }
}

#[test]
fn usage_errors_are_not_mistaken_for_refusals() {
    for arguments in [
        &["--unknown"][..],
        &["unknown"],
        &["attest", "--unknown"],
        &["request"],
        &["receipt"],
        &["request", "0x12"],
        &["contract"],
        &["contract", "upgrade"],
        &["contract", "set-runtime", "0x12", "1"],
        &[
            "deploy",
            "--stateless",
            "--upgrade-delay",
            "5",
            "--code",
            "/nowhere",
        ],
        &[
            "deploy",
            "--maximum-callback-gas",
            "10000001",
            "--code",
            "/nowhere",
        ],
        &["contract", "set-threshold", CONTRACT, "17"],
        &["contract", "transfer-ownership", CONTRACT],
        &[
            "contract",
            "transfer-ownership",
            CONTRACT,
            ACCOUNT,
            "--undo",
        ],
        &["prepaid", "deploy", ACCOUNT],
        &["prepaid", "deposit", ACCOUNT, "-1"],
        &["governance", "set-verifier-threshold", "0"],
        &["governance", "set-dcap", ACCOUNT, "--accept", "16"],
        &["dev", "--block-time", "-1"],
        &["--quiet", "--verbose", "measurement"],
        &[],
    ] {
        let run = subrosa(arguments);
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    let unknown = subrosa(&["attest", "--unknown"]).failure();
    assert!(
        unknown.contains("unexpected argument '--unknown'"),
        "{unknown}"
    );
}

#[test]
fn version_shows_commit_wire_and_measurement() {
    let dir = tempfile::tempdir().unwrap();
    let enclave = executable(dir.path(), "my-enclave");
    let version = subrosa(&["--version", "--enclave", &enclave]).quiet_success();
    let lines: Vec<_> = version.lines().collect();
    assert_eq!(lines[0], format!("subrosa {}", env!("CARGO_PKG_VERSION")));
    let value = |line: usize, name: &str| {
        let rest = lines[line].strip_prefix(name).unwrap();
        rest.trim().to_owned()
    };
    let commit = value(1, "commit");
    let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown", "{commit}");
    assert_eq!(
        value(2, "wire"),
        subrosa_types::frame::WIRE_VERSION.to_string()
    );
    let measured = subrosa(&["measurement", &enclave]).quiet_success();
    let id = measured
        .lines()
        .next()
        .unwrap()
        .strip_prefix("id")
        .unwrap()
        .trim();
    assert_eq!(
        value(3, "measurement"),
        format!("{id} (development, {enclave})")
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn version_without_an_enclave_says_how_to_get_one() {
    let missing = subrosa(&["-V", "--enclave", "/nowhere/subrosa-enclave"]).quiet_success();
    assert!(
        missing.contains("cargo install --path bin/subrosa-enclave"),
        "{missing}"
    );
    let json = subrosa(&["-V", "--json", "--enclave", "/nowhere/subrosa-enclave"]).quiet_success();
    let version: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(version["measurement"], serde_json::Value::Null);
    assert_eq!(version["wire"], subrosa_types::frame::WIRE_VERSION);
}

#[test]
fn the_enclave_is_found_by_option_then_environment() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (
        executable(dir.path(), "first"),
        executable(dir.path(), "second"),
    );
    let environment = [("SUBROSA_ENCLAVE", second.as_str())];
    let by_option = subrosa_with(&["-V", "--enclave", &first], &environment).quiet_success();
    assert!(by_option.contains(&first), "{by_option}");
    let by_environment = subrosa_with(&["-V"], &environment).quiet_success();
    assert!(by_environment.contains(&second), "{by_environment}");
}

/// A file that may be executed; its content is its name.
fn executable(directory: &std::path::Path, name: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    std::fs::write(&path, name).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}
