// SPDX-License-Identifier: Apache-2.0
//! Where collateral comes from and how long it is kept: the table `[collateral]` of a verifier.

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Where collateral is fetched, and for how long it is used.
///
/// ```toml
/// [collateral]
/// fetch = true
/// intel_url = "https://api.trustedservices.intel.com"
/// amd_url = "https://kdsintf.amd.com"
/// timeout_seconds = 4
/// refresh_before_seconds = 86400
/// maximum_age_seconds = 86400
/// check_seconds = 60
/// maximum_machines = 4096
/// ```
///
/// URLs are https, or http on loopback, and carry neither credentials nor query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollateralConfig {
    /// Whether to fetch at all. If not, evidence must bring everything, and decides itself how old
    /// the lists are by which its revocation is judged, as long as they are in force.
    pub fetch: bool,
    /// Intel's provisioning certification service or a PCCS, up to `/sgx/certification/v4`.
    pub intel_url: String,
    /// Where the revocation list of Intel's root is, DER or hexadecimal. Absent: at Intel's own
    /// certificate server if `intel_url` is Intel's, else at the PCCS (`rootcacrl`).
    pub intel_root_crl_url: Option<String>,
    /// AMD's key distribution service or a mirror, up to `/vcek/v1`.
    pub amd_url: String,
    /// How long one fetch may take, seconds, 1 to 60. What a request needs is fetched side by side,
    /// an AMD chip's certificate after its issuers': less than half of `limits.timeout_seconds`
    /// leaves time to answer.
    pub timeout_seconds: u64,
    /// How long before it runs out to fetch collateral anew, seconds, 60 to 30 days.
    pub refresh_before_seconds: u64,
    /// The age at which to fetch anew what the vendor publishes again and again, seconds, 60 to 30
    /// days. Certificates of machines do not change and are kept until `refresh_before_seconds`.
    pub maximum_age_seconds: u64,
    /// How often to look for collateral that must be fetched anew, seconds, 1 to 3,600.
    pub check_seconds: u64,
    /// For how many AMD machines certificates are kept, 16 to 65,536. Past it the one least
    /// recently used goes.
    pub maximum_machines: u32,
}

/// Why collateral cannot be fetched as configured. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralConfigError {
    /// A field is outside its range.
    #[error("{field} is {found}, expected {expected}")]
    Range {
        /// The field's name, with its table.
        field: &'static str,
        /// What it is.
        found: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// Not an address that may be fetched from. The value is not repeated: it may hold a secret.
    #[error("{field} is not acceptable, expected {expected}")]
    Url {
        /// The field's name, with its table.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// No HTTP client can be made, as when the system has no certificates.
    #[error("cannot make an HTTP client for collateral")]
    Client(#[source] reqwest::Error),
}

impl Default for CollateralConfig {
    fn default() -> Self {
        Self {
            fetch: true,
            intel_url: INTEL.to_owned(),
            intel_root_crl_url: None,
            amd_url: AMD.to_owned(),
            timeout_seconds: 4,
            refresh_before_seconds: DAY,
            maximum_age_seconds: DAY,
            check_seconds: 60,
            maximum_machines: 4096,
        }
    }
}

impl CollateralConfig {
    /// Where to fetch.
    ///
    /// # Errors
    ///
    /// [`CollateralConfigError::Url`].
    pub(crate) fn urls(&self) -> Result<Urls, CollateralConfigError> {
        let intel = base("collateral.intel_url", &self.intel_url)?;
        let intel_root_crl = match &self.intel_root_crl_url {
            Some(url) => base("collateral.intel_root_crl_url", url)?,
            None if intel.host_str() == Some(INTEL_HOST) => {
                base("collateral.intel_root_crl_url", INTEL_ROOT_CRL)?
            }
            None => under(&intel, "sgx/certification/v4/rootcacrl"),
        };
        Ok(Urls {
            intel,
            intel_root_crl,
            amd: base("collateral.amd_url", &self.amd_url)?,
        })
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    ///
    /// [`CollateralConfigError`] naming the field.
    pub fn validate(&self) -> Result<(), CollateralConfigError> {
        self.urls()?;
        let ranges = [
            (
                "collateral.timeout_seconds",
                self.timeout_seconds,
                1..=60,
                "1 to 60",
            ),
            (
                "collateral.refresh_before_seconds",
                self.refresh_before_seconds,
                60..=30 * DAY,
                "60 to 2592000",
            ),
            (
                "collateral.maximum_age_seconds",
                self.maximum_age_seconds,
                60..=30 * DAY,
                "60 to 2592000",
            ),
            (
                "collateral.check_seconds",
                self.check_seconds,
                1..=3600,
                "1 to 3600",
            ),
            (
                "collateral.maximum_machines",
                self.maximum_machines.into(),
                16..=65_536,
                "16 to 65536",
            ),
        ];
        for (field, found, range, expected) in ranges {
            if !range.contains(&found) {
                return Err(CollateralConfigError::Range {
                    field,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// Checked addresses.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    pub(crate) intel: Url,
    pub(crate) intel_root_crl: Url,
    pub(crate) amd: Url,
}

/// `path` below `base`.
pub(crate) fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

fn base(field: &'static str, text: &str) -> Result<Url, CollateralConfigError> {
    // The value is left out of the error: it may contain what must not be logged.
    let refused = |expected| CollateralConfigError::Url { field, expected };
    let url = Url::parse(text).map_err(|_| refused("a URL"))?;
    let loopback = match url.host_str() {
        Some(host) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        None => return Err(refused("a URL with a host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(refused("https, or http on loopback")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("no credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("neither query nor fragment"));
    }
    Ok(url)
}

const DAY: u64 = 86_400;
const INTEL: &str = "https://api.trustedservices.intel.com";
const INTEL_HOST: &str = "api.trustedservices.intel.com";
const INTEL_ROOT_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const AMD: &str = "https://kdsintf.amd.com";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_list_comes_from_intel_or_from_the_pccs_that_is_asked_for_the_rest() {
        let urls = CollateralConfig::default().urls().unwrap();
        assert_eq!(urls.intel_root_crl.as_str(), INTEL_ROOT_CRL);
        let pccs = CollateralConfig {
            intel_url: "https://pccs.example/cache/".to_owned(),
            ..CollateralConfig::default()
        };
        assert_eq!(
            pccs.urls().unwrap().intel_root_crl.as_str(),
            "https://pccs.example/cache/sgx/certification/v4/rootcacrl"
        );
    }

    #[test]
    fn fields_outside_their_range_are_named() {
        let change = |change: fn(&mut CollateralConfig)| {
            let mut config = CollateralConfig::default();
            change(&mut config);
            config
        };
        for (config, field) in [
            (change(|it| it.timeout_seconds = 61), "timeout_seconds"),
            (
                change(|it| it.refresh_before_seconds = 59),
                "refresh_before_seconds",
            ),
            (
                change(|it| it.maximum_age_seconds = 59),
                "maximum_age_seconds",
            ),
            (change(|it| it.check_seconds = 0), "check_seconds"),
            (change(|it| it.maximum_machines = 15), "maximum_machines"),
        ] {
            let error = config.validate().unwrap_err();
            assert!(
                matches!(error, CollateralConfigError::Range { field: f, .. }
                    if f.strip_prefix("collateral.") == Some(field)),
                "{error}"
            );
        }
        CollateralConfig::default().validate().unwrap();
    }

    #[test]
    fn addresses_are_encrypted_or_local_and_never_carry_credentials() {
        for (url, fine) in [
            ("https://pccs.example", true),
            ("http://127.0.0.1:8081", true),
            ("http://[::1]:8081", true),
            ("http://pccs.example", false),
            ("http://127.0.0.1.example", false),
            ("ftp://127.0.0.1", false),
            ("https://user:secret@pccs.example", false),
            ("https://pccs.example?key=secret", false),
            ("https://pccs.example#secret", false),
            ("secret", false),
        ] {
            let config = CollateralConfig {
                amd_url: url.to_owned(),
                ..CollateralConfig::default()
            };
            let result = config.validate();
            assert_eq!(result.is_ok(), fine, "{url}");
            if let Err(error) = result {
                let text = format!("{error} {error:?}");
                assert!(text.contains("collateral.amd_url") && !text.contains("secret"));
            }
        }
    }
}
