// SPDX-License-Identifier: Apache-2.0
//! The table `[collateral]`: where endorsements come from and how long they are kept.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ConfigError;

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
/// fetches_per_minute = 10
/// fetch_burst = 10
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
    /// How long before it runs out collateral is fetched anew, seconds, 60 to 30 days.
    pub refresh_before_seconds: u64,
    /// After which age collateral that the vendor republishes is fetched anew, seconds, 60 to 30
    /// days. Certificates of machines do not change and are kept until `refresh_before_seconds`.
    pub maximum_age_seconds: u64,
    /// How often it is looked for what must be fetched anew, seconds, 1 to 3,600.
    pub check_seconds: u64,
    /// For how many AMD machines certificates are kept, 16 to 65,536. Past it the one least
    /// recently used goes.
    pub maximum_machines: u32,
    /// Requests per minute from one address that may cause a fetch, at least 1; beside `[limits]`.
    pub fetches_per_minute: u32,
    /// Such requests at once, at least 1.
    pub fetch_burst: u32,
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
            fetches_per_minute: 10,
            fetch_burst: 10,
        }
    }
}

impl CollateralConfig {
    /// Where to fetch.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Url`].
    pub(crate) fn urls(&self) -> Result<Urls, ConfigError> {
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

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.urls()?;
        let number = |field, value: u64, low: u64, high: u64, expected| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(ConfigError::Range {
                    field,
                    found: value.to_string(),
                    expected,
                })
            }
        };
        number(
            "collateral.timeout_seconds",
            self.timeout_seconds,
            1,
            60,
            "1 to 60",
        )?;
        number(
            "collateral.refresh_before_seconds",
            self.refresh_before_seconds,
            60,
            30 * DAY,
            "60 to 2592000",
        )?;
        number(
            "collateral.maximum_age_seconds",
            self.maximum_age_seconds,
            60,
            30 * DAY,
            "60 to 2592000",
        )?;
        number(
            "collateral.check_seconds",
            self.check_seconds,
            1,
            3600,
            "1 to 3600",
        )?;
        number(
            "collateral.maximum_machines",
            self.maximum_machines.into(),
            16,
            65_536,
            "16 to 65536",
        )?;
        let most = u32::MAX.into();
        number(
            "collateral.fetches_per_minute",
            self.fetches_per_minute.into(),
            1,
            most,
            "at least 1",
        )?;
        number(
            "collateral.fetch_burst",
            self.fetch_burst.into(),
            1,
            most,
            "at least 1",
        )
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

fn base(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    // The value is left out of the error: it may contain what must not be logged.
    let refused = |expected| ConfigError::Url { field, expected };
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
