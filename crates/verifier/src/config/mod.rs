// SPDX-License-Identifier: Apache-2.0
//! The configuration file.

mod policy;

use std::net::SocketAddr;
use std::path::PathBuf;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use subrosa_attestation::{Measurements, Policy};
use subrosa_collateral::{CollateralConfig, CollateralConfigError};

pub use self::policy::PolicyConfig;

/// Everything a verifier is told. Unknown fields are errors.
///
/// ```toml
/// listen = "127.0.0.1:7070"
/// issuer = "https://verifier.example"
/// development = false
/// ear_key_file = "/etc/subrosa/ear.key"
/// admission_key_file = "/etc/subrosa/admission.key"
/// ear_seconds = 300
/// lease_seconds = 86400
///
/// [policy]
/// roots = ["intel-sgx"]
/// tcb = { statuses = ["UpToDate"], minimum_evaluation = 17 }
///
/// [limits]
/// requests_per_second = 10
/// burst = 40
/// fetches_per_minute = 10
/// fetch_burst = 10
/// timeout_seconds = 10
///
/// [collateral]
/// intel_url = "https://pccs.example"
///
/// [[registries]]
/// chain_id = 1
/// address = "0x…"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on; the service speaks plain HTTP, so anything but loopback
    /// belongs behind a TLS proxy.
    pub listen: SocketAddr,
    /// `iss` of attestation results. Contains the word `development` if and only if
    /// `development` is set.
    pub issuer: String,
    /// Whether software evidence is accepted, and nothing else unless `policy.roots` says so.
    pub development: bool,
    /// Key that signs attestation results; made by [`Keys::create`](crate::Keys::create).
    pub ear_key_file: PathBuf,
    /// Key that signs admissions.
    pub admission_key_file: PathBuf,
    /// How long attestation results are in force, seconds, 30 to 86,400.
    #[serde(default = "ear_seconds")]
    pub ear_seconds: u64,
    /// How long clients may keep the key set, seconds, 0 to 7 days: the service says so with it,
    /// and a key is announced at least that long before anything is signed with it.
    #[serde(default = "jwks_seconds")]
    pub jwks_seconds: u64,
    /// How long admissions are, seconds, at most 30 days. Collateral may end them sooner.
    #[serde(default = "lease_seconds")]
    pub lease_seconds: u64,
    /// What evidence must be like.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// Where collateral comes from.
    #[serde(default)]
    pub collateral: CollateralConfig,
    /// What one client may ask.
    #[serde(default)]
    pub limits: Limits,
    /// The registries for which admissions are signed; none by default.
    #[serde(default)]
    pub registries: Vec<RegistryConfig>,
}

/// What one client address may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Sustained requests per second from one address, at least 1.
    pub requests_per_second: u32,
    /// Requests at once, at least 1.
    pub burst: u32,
    /// Sustained requests per minute from one address that may cause collateral to be fetched, at
    /// least 1.
    pub fetches_per_minute: u32,
    /// Such requests at once, at least 1.
    pub fetch_burst: u32,
    /// How long a request may take, body included, seconds, 1 to 300.
    pub timeout_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 10,
            burst: 40,
            fetches_per_minute: 10,
            fetch_burst: 10,
            timeout_seconds: 10,
        }
    }
}

/// A registry contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Its chain.
    pub chain_id: u64,
    /// Its address.
    pub address: Address,
}

/// Why a configuration is refused. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not the TOML it should be.
    #[error("cannot read the configuration")]
    Parse(#[from] toml::de::Error),
    /// A field is outside its range.
    #[error("{field} is {found}, expected {expected}")]
    Range {
        /// The field's name, with its table.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The issuer does not tell development from production.
    #[error(
        "issuer {issuer:?} must contain the word development if and only if development is set"
    )]
    Issuer {
        /// The issuer.
        issuer: String,
    },
    /// Collateral cannot be fetched as configured.
    #[error(transparent)]
    Collateral(#[from] CollateralConfigError),
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.issuer.to_ascii_lowercase().contains("development") != self.development {
            return Err(ConfigError::Issuer {
                issuer: self.issuer.clone(),
            });
        }
        let range = |field, found: String, inside: bool, expected| {
            if inside {
                Ok(())
            } else {
                Err(ConfigError::Range {
                    field,
                    found,
                    expected,
                })
            }
        };
        range(
            "issuer",
            format!("{} bytes long", self.issuer.len()),
            (1..=256).contains(&self.issuer.len()),
            "1 to 256 bytes",
        )?;
        let (ear, lease, limits) = (self.ear_seconds, self.lease_seconds, &self.limits);
        range(
            "ear_seconds",
            ear.to_string(),
            (30..=86_400).contains(&ear),
            "30 to 86400",
        )?;
        range(
            "lease_seconds",
            lease.to_string(),
            (60..=MONTH).contains(&lease),
            "60 to 2592000",
        )?;
        range(
            "jwks_seconds",
            self.jwks_seconds.to_string(),
            self.jwks_seconds <= WEEK,
            "0 to 604800",
        )?;
        for (field, number) in [
            ("limits.requests_per_second", limits.requests_per_second),
            ("limits.burst", limits.burst),
            ("limits.fetches_per_minute", limits.fetches_per_minute),
            ("limits.fetch_burst", limits.fetch_burst),
        ] {
            range(field, number.to_string(), number >= 1, "at least 1")?;
        }
        let timeout = limits.timeout_seconds;
        range(
            "limits.timeout_seconds",
            timeout.to_string(),
            (1..=300).contains(&timeout),
            "1 to 300",
        )?;
        Ok(self.collateral.validate()?)
    }

    /// The policy that this configuration means.
    pub fn policy(&self) -> Policy {
        let mut policy = self.policy.file.policy.clone();
        policy.allow_development = self.development;
        if self.development && !self.policy.lists_roots() {
            policy.roots.clear();
        }
        policy
    }

    /// What may run, if this configuration says so.
    pub fn measurements(&self) -> Measurements {
        self.policy.file.measurements()
    }
}

fn ear_seconds() -> u64 {
    300
}

fn lease_seconds() -> u64 {
    86_400
}

fn jwks_seconds() -> u64 {
    3600
}

const WEEK: u64 = 7 * 86_400;
const MONTH: u64 = 30 * 86_400;

#[cfg(test)]
mod tests {
    use subrosa_evidence::{DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID, TcbStatus};

    use super::*;

    const MINIMAL: &str = r#"
        listen = "127.0.0.1:7070"
        issuer = "https://verifier.example"
        development = false
        ear_key_file = "ear.key"
        admission_key_file = "admission.key"
    "#;

    #[test]
    fn the_default_is_strict() {
        let config = Config::parse(MINIMAL).unwrap();
        assert_eq!(config.policy(), Policy::strict());
        assert_eq!((config.ear_seconds, config.lease_seconds), (300, 86_400));
        assert!(config.registries.is_empty());
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = format!(
            "{MINIMAL}\n[policy]\nroots = [\"{INTEL_SGX_ROOT_ID}\"]\n[policy.tcb]\nstatuses = [\"UpToDate\", \
             \"SWHardeningNeeded\"]\nminimum_evaluation = 17\n[[registries]]\nchain_id = 1\n\
             address = \"0x00000000000000000000000000000000000000aa\"\n"
        );
        let config = Config::parse(&text).unwrap();
        assert!(
            config
                .policy()
                .tcb_statuses
                .contains(&TcbStatus::SwHardeningNeeded)
        );
        assert_eq!(config.policy().minimum_tcb_evaluation, 17);
        assert_eq!(config.registries.len(), 1);
        let written = toml::to_string(&config).unwrap();
        assert_eq!(Config::parse(&written).unwrap(), config);
    }

    #[test]
    fn unknown_fields_are_errors() {
        assert!(matches!(
            Config::parse(&format!("{MINIMAL}\nallow_debug = true")),
            Err(ConfigError::Parse(_))
        ));
        assert!(matches!(
            Config::parse(&format!("{MINIMAL}\n[policy]\nallow_debug = true")),
            Err(ConfigError::Parse(_))
        ));
        assert!(matches!(
            Config::parse(&format!("{MINIMAL}\n[collateral]\nverify = false")),
            Err(ConfigError::Parse(_))
        ));
    }

    #[test]
    fn development_and_production_cannot_be_mistaken_for_each_other() {
        let development = MINIMAL.replace("development = false", "development = true");
        assert!(matches!(
            Config::parse(&development),
            Err(ConfigError::Issuer { .. })
        ));
        let named = MINIMAL.replace("verifier.example", "development.example");
        assert!(matches!(
            Config::parse(&named),
            Err(ConfigError::Issuer { .. })
        ));
        let both = development.replace("verifier.example", "development.example");
        let policy = Config::parse(&both).unwrap().policy();
        assert!(policy.allow_development && policy.roots.is_empty());
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_refused_for_what_is_wrong_with_it() {
        let refused = |line: &str| {
            let error = Config::parse(&format!("{MINIMAL}\n[policy]\n{line}")).unwrap_err();
            std::error::Error::source(&error).unwrap().to_string()
        };
        let listed = refused(&format!("roots = [\"{DEVELOPMENT_ROOT_ID}\"]"));
        assert!(listed.contains("development = true"), "{listed}");
        assert!(refused("roots = [\"0x00\"]").contains("0x00"));
        assert!(refused("development = true").contains("outside the policy"));
        assert!(refused("allow_debug = true").contains("allow_debug"));
    }

    #[test]
    fn fields_outside_their_range_are_named() {
        for (line, field) in [
            ("ear_seconds = 29", "ear_seconds"),
            ("lease_seconds = 2592001", "lease_seconds"),
            ("[limits]\nburst = 0", "limits.burst"),
            (
                "[limits]\nrequests_per_second = 0",
                "limits.requests_per_second",
            ),
            ("[limits]\ntimeout_seconds = 0", "limits.timeout_seconds"),
            ("jwks_seconds = 604801", "jwks_seconds"),
            (
                "[limits]\nfetches_per_minute = 0",
                "limits.fetches_per_minute",
            ),
            ("[limits]\nfetch_burst = 0", "limits.fetch_burst"),
        ] {
            let error = Config::parse(&format!("{MINIMAL}\n{line}")).unwrap_err();
            assert!(
                matches!(error, ConfigError::Range { field: f, .. } if f == field),
                "{error}"
            );
        }
        let collateral = format!("{MINIMAL}\n[collateral]\ntimeout_seconds = 61");
        let error = Config::parse(&collateral).unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::Collateral(CollateralConfigError::Range {
                    field: "collateral.timeout_seconds",
                    ..
                })
            ),
            "{error}"
        );
    }
}
