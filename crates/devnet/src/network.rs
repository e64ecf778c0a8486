// SPDX-License-Identifier: Apache-2.0
//! The network as a whole.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use alloy::providers::DynProvider;
use alloy_primitives::{Address, B256};
use subrosa_client::{DEPLOYMENT_VERSION, Deployment, Measured, VerifierTrust};

use crate::{
    Contracts, DevAccount, DevnetError, Executable, Layout, Process, Service,
    anvil::Anvil,
    contracts::{self, Governance},
    layout,
    services::{Enclave, Node, Start, Verifier},
};

/// How a development network is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to keep everything, absent or empty; without one, a temporary directory that goes
    /// away with the network.
    pub directory: Option<PathBuf>,
    /// Seconds between blocks; without it a block is mined for every transaction. Load needs it:
    /// anvil leaves transactions unmined when many arrive at once without it.
    pub block_time: Option<f64>,
    /// How many funded accounts to make for users; zero makes ten.
    pub accounts: u8,
    /// Seconds that signers are leased for at most; without it, a month.
    pub maximum_lease: Option<u64>,
    /// No verifier: the chain admits the node by its quote, and clients verify the evidence alone.
    pub without_verifier: bool,
    /// The `subrosa` executable, if it is not to be looked for.
    pub subrosa: Option<PathBuf>,
    /// The `subrosa-enclave` executable, if it is not to be looked for.
    pub enclave: Option<PathBuf>,
    /// Further arguments of `subrosa-enclave`.
    pub enclave_arguments: Vec<OsString>,
    /// The `anvil` executable, if it is not to be looked for.
    pub anvil: Option<PathBuf>,
    /// Added to the environment of services.
    pub environment: Vec<(Service, OsString, OsString)>,
}

impl Options {
    fn environment_of(&self, service: Service) -> Vec<(OsString, OsString)> {
        let wanted = self.environment.iter().filter(|(of, _, _)| *of == service);
        wanted
            .map(|(_, name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// A running development network. Dropping it stops everything it started.
#[derive(Debug)]
pub struct Devnet {
    // Dropped in this order: whoever depends on another goes first.
    node: Node,
    enclave: Enclave,
    verifier: Option<Verifier>,
    anvil: Anvil,
    contracts: Contracts,
    deployment: Deployment,
    measurement_id: B256,
    accounts: Vec<DevAccount>,
    deployer: DevAccount,
    relay: DevAccount,
    http: reqwest::Client,
    layout: Layout,
}

impl Devnet {
    /// Starts everything and waits until the node is ready to serve.
    ///
    /// # Errors
    ///
    /// [`DevnetError`]; whatever was started by then is stopped.
    pub async fn start(options: &Options) -> Result<Self, DevnetError> {
        // Everything that may be missing is looked for before anything is started.
        let enclave_path = Executable::Enclave.locate(options.enclave.as_deref())?;
        Executable::Subrosa.locate(options.subrosa.as_deref())?;
        let layout = Layout::create(options.directory.as_deref())?;
        let http = reqwest::Client::builder()
            .timeout(HTTP_TIMEOUT)
            .build()
            .map_err(|error| DevnetError::Unexpected {
                name: "http client",
                problem: error.to_string(),
            })?;

        let anvil = Anvil::start(options.anvil.as_deref(), &layout, options.block_time).await?;
        let deployer = DevAccount::create(&layout, "deployer")?;
        let relay = DevAccount::create(&layout, "relay")?;
        let count = if options.accounts == 0 {
            DEFAULT_ACCOUNTS
        } else {
            options.accounts
        };
        let accounts = (0..count)
            .map(|index| DevAccount::create(&layout, &format!("account-{index}")))
            .collect::<Result<Vec<_>, _>>()?;
        for account in accounts.iter().chain([&deployer, &relay]) {
            account.fund(&anvil.provider).await?;
        }
        let contracts =
            contracts::deploy(&anvil.provider, &deployer, options.maximum_lease).await?;
        let measured = contracts::measured(&contracts);
        let measurement = contracts::measure(&enclave_path)?;

        let start = |service: Service, executable| Start {
            layout: &layout,
            executable,
            environment: options.environment_of(service),
        };
        let subrosa = options.subrosa.as_deref();
        let verifier = if options.without_verifier {
            None
        } else {
            let start = start(Service::Verifier, subrosa);
            let (chain_id, registry) = (contracts.chain_id, contracts.registry);
            Some(Verifier::start(&start, &http, chain_id, registry).await?)
        };
        let governance = Governance {
            measurement: &measurement,
            measured: &measured,
            verifier: verifier.as_ref().map(|verifier| verifier.keys.admission),
        };
        governance
            .apply(&anvil.provider, &deployer, &contracts)
            .await?;
        let enclave = Enclave::start(
            &start(Service::Enclave, Some(&enclave_path)),
            &options.enclave_arguments,
        )
        .await?;
        let node = Node::start(
            &start(Service::Node, subrosa),
            &anvil,
            verifier.as_ref().map(|verifier| verifier.url.as_str()),
            &relay,
            &measured,
            contracts.mailbox,
        )
        .await?;
        let places = (&anvil, &node, contracts.mailbox);
        let deployment = deployment(places, verifier.as_ref(), measured, measurement.id);
        let text = deployment
            .to_toml()
            .map_err(|error| DevnetError::Unexpected {
                name: "deployment file",
                problem: error.to_string(),
            })?;
        layout::write(&layout.deployment_file(), &text)?;

        let mut network = Self {
            node,
            enclave,
            verifier,
            anvil,
            contracts,
            deployment,
            measurement_id: measurement.id,
            accounts,
            deployer,
            relay,
            http,
            layout,
        };
        network.ready(Service::Node).await?;
        Ok(network)
    }

    /// What clients are told to trust.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Its files.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The contracts.
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// Id of the enclave's measurement.
    pub fn measurement_id(&self) -> B256 {
        self.measurement_id
    }

    /// Funded accounts for users.
    pub fn accounts(&self) -> &[DevAccount] {
        &self.accounts
    }

    /// The account that deployed and governs the contracts.
    pub fn deployer(&self) -> &DevAccount {
        &self.deployer
    }

    /// The node's account.
    pub fn relay(&self) -> &DevAccount {
        &self.relay
    }

    /// JSON-RPC of the chain over HTTP.
    pub fn chain_http(&self) -> String {
        self.anvil.http()
    }

    /// JSON-RPC of the chain over a websocket.
    pub fn chain_ws(&self) -> String {
        self.anvil.ws()
    }

    /// JSON-RPC of the node.
    pub fn node_url(&self) -> &str {
        &self.node.rpc
    }

    /// Health, readiness and metrics of the node.
    pub fn admin_url(&self) -> &str {
        &self.node.admin
    }

    /// The verifier, if there is one.
    pub fn verifier_url(&self) -> Option<&str> {
        self.verifier.as_ref().map(|verifier| verifier.url.as_str())
    }

    /// A connection to the chain that signs nothing.
    pub fn provider(&self) -> &DynProvider {
        &self.anvil.provider
    }

    /// A service's process; `None` if the network has no such service.
    pub fn process(&self, service: Service) -> Option<&Process> {
        match service {
            Service::Chain => Some(&self.anvil.process),
            Service::Verifier => self.verifier.as_ref().map(|verifier| &verifier.process),
            Service::Enclave => Some(&self.enclave.process),
            Service::Node => Some(&self.node.process),
        }
    }

    /// A service's process, to signal or to set variables for its next start; `None` if the
    /// network has no such service.
    pub fn process_mut(&mut self, service: Service) -> Option<&mut Process> {
        match service {
            Service::Chain => Some(&mut self.anvil.process),
            Service::Verifier => self.verifier.as_mut().map(|verifier| &mut verifier.process),
            Service::Enclave => Some(&mut self.enclave.process),
            Service::Node => Some(&mut self.node.process),
        }
    }

    /// SIGKILL; the service is gone when this returns.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Signal`].
    pub fn kill(&mut self, service: Service) -> Result<(), DevnetError> {
        self.process_mut(service).map_or(Ok(()), Process::kill)
    }

    /// Starts a service again, after killing it if it runs, and does not wait for it.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Spawn`].
    pub fn spawn(&mut self, service: Service) -> Result<(), DevnetError> {
        self.process_mut(service).map_or(Ok(()), Process::respawn)
    }

    /// Starts a service again, after killing it if it runs, and waits until it is ready. An
    /// enclave is ready when it listens; that the node has taken it into service is the node's
    /// readiness.
    ///
    /// # Errors
    ///
    /// [`DevnetError`].
    pub async fn restart(&mut self, service: Service) -> Result<(), DevnetError> {
        self.spawn(service)?;
        self.ready(service).await
    }

    /// Waits until a service is ready.
    ///
    /// # Errors
    ///
    /// [`DevnetError::NotReady`] after a minute, [`DevnetError::Ended`] if it ended.
    pub async fn ready(&mut self, service: Service) -> Result<(), DevnetError> {
        match service {
            Service::Chain => self.anvil.ready().await,
            Service::Verifier => match &mut self.verifier {
                Some(verifier) => verifier.ready(&self.http).await,
                None => Ok(()),
            },
            Service::Enclave => self.enclave.ready().await,
            Service::Node => self.node.ready(&self.http).await,
        }
    }

    /// Fails if a service has ended by itself.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Ended`], with the last lines of its log.
    pub fn ensure_running(&mut self) -> Result<(), DevnetError> {
        for service in Service::ALL {
            self.process_mut(service)
                .map_or(Ok(()), Process::ensure_running)?;
        }
        Ok(())
    }

    /// Stops everything with SIGTERM, the node first.
    ///
    /// # Errors
    ///
    /// [`DevnetError::StillRunning`] for a service that does not end in time; it is killed.
    pub fn stop(mut self) -> Result<(), DevnetError> {
        let mut outcome = Ok(());
        for service in Service::ALL.into_iter().rev() {
            if let Some(process) = self.process_mut(service) {
                outcome = outcome.and(process.terminate(STOP_PATIENCE).map(|_| ()));
            }
        }
        outcome
    }
}

fn deployment(
    (anvil, node, mailbox): (&Anvil, &Node, Address),
    verifier: Option<&Verifier>,
    measured: Measured,
    measurement_id: B256,
) -> Deployment {
    Deployment {
        version: DEPLOYMENT_VERSION,
        development: true,
        rpc_url: anvil.http(),
        node_url: node.rpc.clone(),
        measurements: vec![measurement_id],
        roots: measured.evidence_roots.clone(),
        minimum_tcb_evaluation: 0,
        mailbox: Some(mailbox),
        measured,
        verifier: verifier.map(|verifier| VerifierTrust {
            issuer: verifier.keys.issuer.clone(),
            admission: vec![verifier.keys.admission],
            keys: verifier.jwks.keys.clone(),
        }),
    }
}

const DEFAULT_ACCOUNTS: u8 = 10;
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a service may take to end after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
