// SPDX-License-Identifier: Apache-2.0
//! Configuration of a node: one TOML file, unknown fields refused.
//!
//! The `[measured]` table is what the enclave is started with, hashed into its evidence. Every
//! other table belongs to the host, which may change it at will.
//!
//! ```toml
//! [measured]
//! chain_id = 31337
//! registry = "0x…"
//! registry_code_hash = "0x…"
//! oracle = "0x…"
//! oracle_code_hash = "0x…"
//! header_trust = "host-asserted"
//! evidence_roots = ["0x…"]
//! policy_hash = "0x…"
//! key_group = 1
//! recovery = { kind = "sealed-development" }
//!
//! [chain]
//! http = "http://127.0.0.1:8545"
//! ws = "ws://127.0.0.1:8545"          # optional: without it, the chain is polled
//! start_block = 0                     # first block that can hold log entries
//!
//! [enclave]
//! socket = "/run/subrosa/enclave.sock"
//! binary = "/usr/bin/subrosa-enclave" # optional: started when nothing listens on the socket
//! arguments = ["--sealing-key-file", "/var/lib/subrosa/development.key"]
//! open_epochs = "first"
//! admission = "verifier"              # or "dcap"; by default as [verifier] is there or not
//!
//! [verifier]                          # optional: without it, the chain verifies the quote
//! url = "http://127.0.0.1:8700"
//!
//! [relay]
//! key = { file = "/etc/subrosa/relay.key" }
//!
//! [mailbox]                           # optional: without it, nothing passes through the chain
//! address = "0x…"                     # `mailbox` of the deployment file
//! code = true                         # take in code that owners publish there
//! answers_per_minute = 6              # challenges to the enclave; 0 answers none
//! escrow_floor_percent = 100          # of what the answer costs
//!
//! [rpc]
//! listen = "127.0.0.1:8645"
//!
//! [rpc.limits]                        # optional, with these defaults: of each client address
//! queries_per_second = 20
//! query_burst = 100
//! attestations_per_minute = 60
//! attestation_burst = 30
//! deploys_per_minute = 60
//! deploy_burst = 30
//! max_waiting = 32
//!
//! [rpc.proxies]                       # optional: without it, no header says who a client is
//! addresses = ["127.0.0.1"]
//! header = "x-forwarded-for"          # or "forwarded"
//!
//! [admin]
//! listen = "127.0.0.1:8646"
//!
//! [data]
//! directory = "/var/lib/subrosa"
//! ```

mod endpoint;
mod error;
mod key;
mod rpc;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use subrosa_types::{abi::EnclaveConfig, measured::Measured};

use crate::gas::LARGEST_RESULT_GAS;

pub use endpoint::Endpoint;
pub use error::ConfigError;
use error::in_range;
pub use key::{KeyError, KeySource};
pub(crate) use rpc::default_max_waiting;
pub use rpc::{ForwardingHeader, Limits, Network, Proxies, Rpc};

/// A node's configuration.
///
/// Serializing it gives its redacted form, for people to read: endpoints lose their path, query
/// and credentials. Keys are never in it, only where to find them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the enclave is started with.
    pub measured: Measured,
    /// Where the chain is.
    pub chain: Chain,
    /// Where the enclave is, and who starts it.
    pub enclave: Enclave,
    /// Who appraises the enclave; `None` leaves that to the chain and to clients, which then see
    /// its evidence and no attestation result.
    #[serde(default)]
    pub verifier: Option<Verifier>,
    /// How results get onto the chain.
    pub relay: Relay,
    /// What passes through the chain for clients that reach no node; `None`: nothing does.
    #[serde(default)]
    pub mailbox: Option<Mailbox>,
    /// What clients talk to.
    pub rpc: Rpc,
    /// What operators talk to.
    pub admin: Admin,
    /// Where blobs and logs are kept.
    pub data: Data,
}

/// Where the chain is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// HTTP JSON-RPC endpoint; also the fallback when the websocket fails.
    pub http: Endpoint,
    /// Websocket endpoint; `None` polls `http` instead.
    #[serde(default)]
    pub ws: Option<Endpoint>,
    /// First block that can hold log entries: the oracle's deployment. Read only when the data
    /// directory is new.
    #[serde(default)]
    pub start_block: u64,
    /// Milliseconds between polls where there is no websocket.
    #[serde(default = "default_poll_milliseconds")]
    pub poll_milliseconds: u64,
}

/// Where the enclave is, and who starts it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enclave {
    /// Unix socket the enclave listens on; at most 107 bytes.
    pub socket: PathBuf,
    /// Started as `binary --socket <socket> <arguments>` when nothing listens there; `None` leaves
    /// that to someone else.
    #[serde(default)]
    pub binary: Option<PathBuf>,
    /// Further arguments of `binary`.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// How its signer comes into the registry; `None` is `verifier` where there is one, else
    /// `dcap`.
    #[serde(default)]
    pub admission: Option<Admission>,
    /// When this node may open a new epoch of its key group.
    #[serde(default)]
    pub open_epochs: OpenEpochs,
    /// Seconds before its signer's lease ends at which the node first tries to renew it, with fresh
    /// evidence. A lease that ended cannot be renewed: an enclave that this node started is then
    /// replaced, and another has to be restarted by whoever did.
    #[serde(default = "default_renew_before_seconds")]
    pub renew_before_seconds: u64,
    /// Most contracts that are loaded into it at a time, 1 to 64. A state that is being loaded is
    /// in its memory beside those that `--memory-mib` counts.
    #[serde(default = "default_max_loads")]
    pub max_loads: usize,
}

/// How an enclave's signer comes into the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// By the verifier's signature: evidence of every kind.
    Verifier,
    /// By its DCAP quote, which the chain verifies itself: TDX and SGX, and nobody's word. The
    /// lease ends with the first piece of collateral that the chain keeps for the platform; without
    /// collateral in the evidence, somebody must keep it fresh there.
    Dcap,
}

/// When a node opens a new epoch of its key group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenEpochs {
    /// Never: others do.
    Never,
    /// Only if the group has none yet.
    #[default]
    First,
    /// Also the one after the current, once governance has scheduled it. Looked at when the node
    /// takes an enclave into service.
    WhenScheduled,
    /// Also if the secret of the current epoch is not held here. Contracts of that epoch then
    /// stay out of this node's reach.
    WhenMissing,
}

/// Who appraises the enclave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verifier {
    /// Base URL of the attestation service.
    pub url: Endpoint,
}

/// How results get onto the chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The account that pays for transactions and is paid the fees.
    pub key: KeySource,
    /// Most results per transaction, 1 to 1,024. As a rule gas and bytes end it before: it is at
    /// most 120,000 bytes long.
    #[serde(default = "default_max_items")]
    pub max_items: usize,
    /// Most gas per transaction. Results whose callbacks do not fit wait for the next one; any one
    /// of them must fit alone, which takes 12,826,955.
    #[serde(default = "default_max_gas")]
    pub max_gas: u64,
    /// Most transactions in flight at once, 1 to 16, each continuing what the one before it will
    /// leave. If one fails, those that continue it are paid for in vain; and a node's pool keeps 16
    /// of an account for certain.
    #[serde(default = "default_max_in_flight")]
    pub max_in_flight: usize,
    /// Milliseconds that a result may wait for others to share its transaction, at most 10,000.
    /// None waits while nothing is in flight.
    #[serde(default = "default_max_wait_milliseconds")]
    pub max_wait_milliseconds: u64,
    /// What an entry's fee must come to, in percent of what landing its result costs at the time, at most
    /// 1,000. Others are held back, and with them what comes after them in their logs, until somebody adds to
    /// their fee or the base fee falls. A transaction offers at most what the fees in it cover, and is given up
    /// after two minutes in which the network asks for more. The node adds to no fee itself: landing at the same
    /// loss is cheaper. 0 lands everything, at any price.
    #[serde(default = "default_fee_floor_percent")]
    pub fee_floor_percent: u32,
    /// Gwei a day that this node may lose on entries whose fees do not cover.
    #[serde(default)]
    pub subsidy_gwei_per_day: u64,
    /// Gwei below which what the account of `key` has is filled up with what waits for it at the oracle;
    /// 0 leaves that there.
    #[serde(default = "default_withdraw_below_gwei")]
    pub withdraw_below_gwei: u64,
}

/// What passes through the chain instead of through [`Rpc`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// The mailbox, which must serve the measured oracle and registry.
    pub address: Address,
    /// Whether code that owners publish there is taken in, as if they had handed it in by JSON-RPC.
    #[serde(default = "default_mailbox_code")]
    pub code: bool,
    /// Most challenges to the enclave that are answered in any minute, at most 60; 0 answers none. Those that
    /// pay best come first, and results come before any of them.
    #[serde(default = "default_answers_per_minute")]
    pub answers_per_minute: u32,
    /// What a challenge's escrow must come to, in percent of what its answer costs at the time, at most
    /// 1,000. Others are not answered.
    #[serde(default = "default_escrow_floor_percent")]
    pub escrow_floor_percent: u32,
}

/// What operators talk to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Address and port, loopback only; port 0 picks a free one.
    pub listen: SocketAddr,
}

/// Where blobs and logs are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Locked while the node runs, and bound to one chain, oracle and configuration.
    pub directory: PathBuf,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text)
    }

    /// Parses and checks a file's text.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::parse(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// Checks what types alone cannot; to be repeated after changing fields.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.enclave_config()?;
        if self.admission() == Admission::Verifier && self.verifier.is_none() {
            return Err(ConfigError::NoVerifier);
        }
        if !self.admin.listen.ip().is_loopback() {
            return Err(ConfigError::AdminNotLoopback(self.admin.listen));
        }
        in_range("relay.max_items", self.relay.max_items as u64, 1, MAX_ITEMS)?;
        let gas = self.relay.max_gas;
        in_range("relay.max_gas", gas, LARGEST_RESULT_GAS, u64::MAX)?;
        let flights = self.relay.max_in_flight as u64;
        in_range("relay.max_in_flight", flights, 1, MAX_IN_FLIGHT)?;
        let wait = self.relay.max_wait_milliseconds;
        in_range("relay.max_wait_milliseconds", wait, 0, 10_000)?;
        let percent = self.relay.fee_floor_percent.into();
        in_range("relay.fee_floor_percent", percent, 0, 1_000)?;
        if let Some(mailbox) = &self.mailbox {
            let answers = mailbox.answers_per_minute.into();
            in_range("mailbox.answers_per_minute", answers, 0, 60)?;
            let percent = mailbox.escrow_floor_percent.into();
            in_range("mailbox.escrow_floor_percent", percent, 0, 1_000)?;
        }
        self.rpc.check()?;
        in_range("enclave.max_loads", self.enclave.max_loads as u64, 1, 64)?;
        let poll = self.chain.poll_milliseconds;
        in_range("chain.poll_milliseconds", poll, 1, 600_000)?;
        let length = self.enclave.socket.as_os_str().len() as u64;
        in_range("length of enclave.socket", length, 1, 107)?;
        Ok(())
    }

    /// How the enclave's signer comes into the registry.
    pub fn admission(&self) -> Admission {
        let by_default = match self.verifier {
            Some(_) => Admission::Verifier,
            None => Admission::Dcap,
        };
        self.enclave.admission.unwrap_or(by_default)
    }

    /// What the enclave is started with.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Measured`].
    pub fn enclave_config(&self) -> Result<EnclaveConfig, ConfigError> {
        Ok(self.measured.enclave_config()?)
    }

    /// The effective configuration, redacted, as TOML.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Print`] if a value has no TOML form (an integer above 2^63).
    pub fn to_redacted_toml(&self) -> Result<String, ConfigError> {
        Ok(toml::to_string(self)?)
    }
}

/// What an enclave signs at once.
const MAX_ITEMS: u64 = 1_024;
/// What nodes' pools keep of an account for certain.
const MAX_IN_FLIGHT: u64 = 16;

fn default_poll_milliseconds() -> u64 {
    500
}

pub(crate) fn default_renew_before_seconds() -> u64 {
    600
}

/// Enough to keep an enclave's threads and a disk busy.
pub(crate) fn default_max_loads() -> usize {
    4
}

pub(crate) fn default_max_items() -> usize {
    MAX_ITEMS as usize
}

/// Below the limit of 2^24 that EIP-7825 puts on a transaction.
pub(crate) fn default_max_gas() -> u64 {
    16_000_000
}

/// A few blocks' worth of [`default_max_gas`], and half of what pools keep.
pub(crate) fn default_max_in_flight() -> usize {
    8
}

/// Far less than any chain's blocks are apart.
pub(crate) fn default_max_wait_milliseconds() -> u64 {
    50
}

/// What it costs. What a base fee that goes on rising adds is the operator's to add, or to bear.
pub(crate) fn default_fee_floor_percent() -> u32 {
    100
}

/// Whoever publishes there pays for it.
pub(crate) fn default_mailbox_code() -> bool {
    true
}

/// Each is a transaction of some ten thousand bytes.
pub(crate) fn default_answers_per_minute() -> u32 {
    6
}

/// What it costs.
pub(crate) fn default_escrow_floor_percent() -> u32 {
    100
}

/// 0.05 ether: some thousand results at usual prices.
pub(crate) fn default_withdraw_below_gwei() -> u64 {
    50_000_000
}

#[cfg(test)]
mod tests;
