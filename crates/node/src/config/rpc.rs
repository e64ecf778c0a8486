// SPDX-License-Identifier: Apache-2.0
//! What clients talk to, and how much each of them may ask.

use std::{net::IpAddr, net::SocketAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::error::{ConfigError, in_range};

/// What clients talk to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Largest request body, bytes.
    #[serde(default = "default_max_request_bytes")]
    pub max_request_bytes: u32,
    /// Most open connections.
    #[serde(default = "default_max_connections")]
    pub max_connections: u32,
    /// Most calls in one batch.
    #[serde(default = "default_max_batch")]
    pub max_batch: u32,
    /// Most calls that may wait for the enclave or the verifier at once; more are refused.
    #[serde(default = "default_max_waiting")]
    pub max_waiting: usize,
    /// What one client address may ask.
    #[serde(default)]
    pub limits: Limits,
    /// Reverse proxies that say whom they speak for; `None` believes nobody, and the address that
    /// connects is the client's.
    #[serde(default)]
    pub proxies: Option<Proxies>,
}

/// What one client address may ask. An IPv6 address counts for its /64.
///
/// Of at most 65,536 addresses a count is kept; beyond that, those that ask rarely are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Sustained calls per second of `subrosa_query`, `subrosa_contract` and `subrosa_status`
    /// together, at least 1.
    pub queries_per_second: u32,
    /// Such calls at once, at least 1.
    pub query_burst: u32,
    /// Sustained calls per minute of `subrosa_attestation`, at least 1.
    pub attestations_per_minute: u32,
    /// Such calls at once, at least 1.
    pub attestation_burst: u32,
    /// Sustained calls per minute of `subrosa_deploy`, at least 1.
    pub deploys_per_minute: u32,
    /// Such calls at once, at least 1.
    pub deploy_burst: u32,
    /// Most of the calls named above under way at once, 1 to 65,536: far fewer than
    /// `rpc.max_waiting`, so that no address keeps all others out.
    pub max_waiting: usize,
    /// Most open connections, 1 to 65,536: far fewer than `rpc.max_connections`. A trusted proxy
    /// may have all of those.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queries_per_second: 20,
            query_burst: 100,
            attestations_per_minute: 60,
            attestation_burst: 30,
            deploys_per_minute: 60,
            deploy_burst: 30,
            max_waiting: 32,
            max_connections: 64,
        }
    }
}

/// Reverse proxies, and where they say whom they speak for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// Addresses or networks (`"10.0.0.0/8"`) of the proxies, at least one. Whoever connects from
    /// elsewhere counts by its own address, whatever it says.
    pub addresses: Vec<Network>,
    /// The header that they append the client's address to. It must be the one they write: any
    /// other they may pass on as the client made it up.
    pub header: ForwardingHeader,
}

impl Proxies {
    /// Whether an address is one of theirs.
    pub fn name(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|net| net.contains(address))
    }
}

/// Where a proxy says whom it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is of this network. One of IPv4 is, whichever listener it came in by.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse().or_else(|_| address());
        network
            .map(Self)
            .map_err(|_| ConfigError::Network(text.to_owned()))
    }
}

impl TryFrom<String> for Network {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

impl Rpc {
    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bytes = u64::from(self.max_request_bytes);
        in_range("rpc.max_request_bytes", bytes, 1024, 64 << 20)?;
        let connections = u64::from(self.max_connections);
        in_range("rpc.max_connections", connections, 1, 65_536)?;
        in_range("rpc.max_batch", self.max_batch.into(), 1, 1024)?;
        in_range("rpc.max_waiting", self.max_waiting as u64, 1, 65_536)?;
        let limits = &self.limits;
        for (field, found) in [
            ("rpc.limits.queries_per_second", limits.queries_per_second),
            ("rpc.limits.query_burst", limits.query_burst),
            (
                "rpc.limits.attestations_per_minute",
                limits.attestations_per_minute,
            ),
            ("rpc.limits.attestation_burst", limits.attestation_burst),
            ("rpc.limits.deploys_per_minute", limits.deploys_per_minute),
            ("rpc.limits.deploy_burst", limits.deploy_burst),
        ] {
            in_range(field, found.into(), 1, u32::MAX.into())?;
        }
        let waiting = limits.max_waiting as u64;
        in_range("rpc.limits.max_waiting", waiting, 1, 65_536)?;
        let connections = limits.max_connections as u64;
        in_range("rpc.limits.max_connections", connections, 1, 65_536)?;
        if let Some(proxies) = &self.proxies {
            let count = proxies.addresses.len() as u64;
            in_range("number of rpc.proxies.addresses", count, 1, 1_024)?;
        }
        Ok(())
    }
}

/// An envelope of the largest code (24 KiB and its constructor's arguments, padded) in hex fits
/// many times.
fn default_max_request_bytes() -> u32 {
    2 << 20
}

fn default_max_connections() -> u32 {
    512
}

fn default_max_batch() -> u32 {
    32
}

pub(crate) fn default_max_waiting() -> usize {
    256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_a_network_or_as_an_address() {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("10.9.8.7".parse().unwrap()));
        assert!(network.contains("::ffff:10.9.8.7".parse().unwrap()));
        assert!(!network.contains("11.0.0.1".parse().unwrap()));
        let alone: Network = "2001:db8::1".parse().unwrap();
        assert!(alone.contains("2001:db8::1".parse().unwrap()));
        assert!(!alone.contains("2001:db8::2".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "proxy.example", "10.0.0.0-10.0.0.9"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
