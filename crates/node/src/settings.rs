// SPDX-License-Identifier: Apache-2.0
//! What a node is told, apart from where its surroundings are.

use std::time::Duration;

use alloy_primitives::Address;
use subrosa_types::abi::EnclaveConfig;

use crate::config::{self, Admission, Config, ConfigError, OpenEpochs};

/// What a node is told, apart from where its surroundings are: those it is given as
/// [`Ports`](crate::Ports).
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the enclave is started with.
    pub enclave_config: EnclaveConfig,
    /// First block that can hold log entries.
    pub start_block: u64,
    /// How the enclave's signer comes into the registry.
    pub admission: Admission,
    /// When this node may open a new epoch of its key group.
    pub open_epochs: OpenEpochs,
    /// Seconds before its signer's lease ends at which the node first tries to renew it.
    pub renew_before_seconds: u64,
    /// Most contracts loaded into the enclave at a time.
    pub max_loads: usize,
    /// Most results per transaction, 1 to 1,024.
    pub max_items: usize,
    /// Most gas per transaction.
    pub max_gas: u64,
    /// Most transactions with results in flight at once, 1 to 16.
    pub max_in_flight: usize,
    /// How long a result may wait for others to share its transaction, while one is in flight.
    pub max_wait: Duration,
    /// What an entry must earn, in percent of what landing its result costs; 0 asks for nothing.
    pub fee_floor_percent: u32,
    /// Gwei a day that may be lost on entries that earn less.
    pub subsidy_gwei_per_day: u64,
    /// Gwei below which the account is filled up with what waits at the oracle; 0 leaves it there.
    pub withdraw_below_gwei: u64,
    /// Most calls of clients that may wait for the enclave or the verifier at once.
    pub max_waiting: usize,
    /// What passes through the chain; `None`: nothing does.
    pub mailbox: Option<Mailbox>,
}

/// What passes through the chain instead of through JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Where the mailbox is.
    pub address: Address,
    /// Whether code that owners publish there is taken in.
    pub code: bool,
    /// Most challenges that are answered in any minute; 0 answers none.
    pub answers_per_minute: u32,
    /// What a challenge's escrow must come to, in percent of what its answer costs.
    pub escrow_floor_percent: u32,
}

impl Mailbox {
    /// The defaults of a configuration file, with the mailbox at this address.
    pub fn at(address: Address) -> Self {
        Self {
            address,
            code: config::default_mailbox_code(),
            answers_per_minute: config::default_answers_per_minute(),
            escrow_floor_percent: config::default_escrow_floor_percent(),
        }
    }
}

impl Settings {
    /// The defaults of a configuration file, with admission by quote.
    pub fn new(enclave_config: EnclaveConfig) -> Self {
        Self {
            enclave_config,
            start_block: 0,
            admission: Admission::Dcap,
            open_epochs: OpenEpochs::default(),
            renew_before_seconds: config::default_renew_before_seconds(),
            max_loads: config::default_max_loads(),
            max_items: config::default_max_items(),
            max_gas: config::default_max_gas(),
            max_in_flight: config::default_max_in_flight(),
            max_wait: Duration::from_millis(config::default_max_wait_milliseconds()),
            fee_floor_percent: config::default_fee_floor_percent(),
            subsidy_gwei_per_day: 0,
            withdraw_below_gwei: config::default_withdraw_below_gwei(),
            max_waiting: config::default_max_waiting(),
            mailbox: None,
        }
    }

    /// What a configuration file says.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it does not pass [`Config::check`].
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            enclave_config: config.enclave_config()?,
            start_block: config.chain.start_block,
            admission: config.admission(),
            open_epochs: config.enclave.open_epochs,
            renew_before_seconds: config.enclave.renew_before_seconds,
            max_loads: config.enclave.max_loads,
            max_items: config.relay.max_items,
            max_gas: config.relay.max_gas,
            max_in_flight: config.relay.max_in_flight,
            max_wait: Duration::from_millis(config.relay.max_wait_milliseconds),
            fee_floor_percent: config.relay.fee_floor_percent,
            subsidy_gwei_per_day: config.relay.subsidy_gwei_per_day,
            withdraw_below_gwei: config.relay.withdraw_below_gwei,
            max_waiting: config.rpc.max_waiting,
            mailbox: config.mailbox.as_ref().map(|mailbox| Mailbox {
                address: mailbox.address,
                code: mailbox.code,
                answers_per_minute: mailbox.answers_per_minute,
                escrow_floor_percent: mailbox.escrow_floor_percent,
            }),
        })
    }
}
