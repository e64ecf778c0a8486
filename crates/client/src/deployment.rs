// SPDX-License-Identifier: Apache-2.0
//! What a client trusts, as a TOML file.

use std::path::Path;

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use subrosa_attestation::ear::{self, TrustedVerifier};
use subrosa_evidence::api::{Jwk, Jwks};
use subrosa_types::{abi::EnclaveConfig, config::ConfigError, id, measured::Measured};

/// A Subrosa deployment as its clients see it: where it is reached, and what must be true of it
/// before anything is encrypted to it.
///
/// ```toml
/// version = 1
/// development = false
/// rpc_url = "https://rpc.example.org"
/// node_url = "https://node.example.org"
/// measurements = ["0x…"]
/// roots = ["0x…"]
/// mailbox = "0x…" # left away, nothing passes through the chain
///
/// [measured]
/// chain_id = 1
/// # … every field of `Measured`
///
/// [verifier] # left away, nobody's attestation results are believed: see `Appraisal`
/// issuer = "https://verifier.example.org"
/// admission = ["0x…"]
/// keys = [{ kty = "EC", crv = "P-256", x = "…", y = "…", kid = "…" }]
/// ```
///
/// The two URLs are conveniences: whoever answers there is checked against the rest, except that
/// the chain's state is taken from `rpc_url` as it comes. So is the mailbox: what comes out of it is checked
/// as if it came from a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Version of this file, 1.
    pub version: u16,
    /// Whether this is a development deployment, which protects nothing from its host. Takes the
    /// caller's consent as well, on every attestation.
    #[serde(default)]
    pub development: bool,
    /// JSON-RPC of a chain node (http, https, ws or wss).
    pub rpc_url: String,
    /// JSON-RPC of a Subrosa node (http or https).
    pub node_url: String,
    /// Ids of the measurements that may run confidential contracts, at most
    /// [`MAX_MEASUREMENTS`].
    pub measurements: Vec<B256>,
    /// Ids of the roots that may vouch for evidence: SHA-256 of the root key's
    /// SubjectPublicKeyInfo.
    pub roots: Vec<B256>,
    /// Smallest TCB evaluation number accepted; zero accepts any that is in force.
    #[serde(default)]
    pub minimum_tcb_evaluation: u32,
    /// The `SubrosaMailbox` through which clients that reach no node attest and hand in code; `None` if there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Address>,
    /// What every enclave of this deployment was started with.
    pub measured: Measured,
    /// The verifier whose attestation results are believed; `None` believes nobody's, and evidence
    /// is verified by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<VerifierTrust>,
}

/// The verifier a client believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierTrust {
    /// Issuer its attestation results name.
    pub issuer: String,
    /// Accounts whose signatures admit signers on chain; receipts are held against them.
    pub admission: Vec<Address>,
    /// Public keys of its attestation results (RFC 7517).
    pub keys: Vec<Jwk>,
}

impl Deployment {
    /// Reads and checks a deployment file.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`] naming the file.
    pub fn load(path: &Path) -> Result<Self, DeploymentError> {
        let text = std::fs::read_to_string(path).map_err(|source| DeploymentError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text).map_err(|source| match source {
            DeploymentError::Syntax { source, .. } => DeploymentError::Syntax {
                path: path.display().to_string(),
                source,
            },
            other => other,
        })
    }

    /// Reads and checks the text of a deployment file.
    ///
    /// # Errors
    ///
    /// [`DeploymentError`] for anything but a complete deployment of a known version.
    pub fn parse(text: &str) -> Result<Self, DeploymentError> {
        let deployment: Self = toml::from_str(text).map_err(|source| DeploymentError::Syntax {
            path: "deployment".to_owned(),
            source: Box::new(source),
        })?;
        deployment.check()?;
        Ok(deployment)
    }

    /// The text of a deployment file.
    ///
    /// # Errors
    ///
    /// [`DeploymentError::Write`] if a number does not fit TOML's 64-bit signed integers.
    pub fn to_toml(&self) -> Result<String, DeploymentError> {
        toml::to_string(self).map_err(|source| DeploymentError::Write(Box::new(source)))
    }

    /// What every enclave of this deployment must have been started with.
    ///
    /// # Errors
    ///
    /// [`DeploymentError::Measured`] if no enclave would start with it.
    pub fn enclave_config(&self) -> Result<EnclaveConfig, DeploymentError> {
        Ok(self.measured.enclave_config()?)
    }

    /// H\["start"\] of the checkpoint that every enclave of this deployment must have started from:
    /// none, for host-asserted headers, the one kind that clients attest so far.
    pub(crate) fn start_hash(&self) -> B256 {
        id::start_hash(&[])
    }

    /// The verifier, as attestation results are held against it.
    pub(crate) fn trusted_verifier(&self) -> Option<TrustedVerifier> {
        let verifier = self.verifier.as_ref()?;
        Some(TrustedVerifier {
            issuer: verifier.issuer.clone(),
            keys: Jwks {
                keys: verifier.keys.clone(),
            },
        })
    }

    fn check(&self) -> Result<(), DeploymentError> {
        if self.version != DEPLOYMENT_VERSION {
            return Err(DeploymentError::Version(self.version));
        }
        self.enclave_config()?;
        let verifier = self.verifier.as_ref();
        let lists = [
            ("measurements", self.measurements.is_empty()),
            ("roots", self.roots.is_empty()),
            (
                "verifier.keys",
                verifier.is_some_and(|verifier| verifier.keys.is_empty()),
            ),
            (
                "verifier.admission",
                verifier.is_some_and(|verifier| verifier.admission.is_empty()),
            ),
        ];
        if let Some((name, _)) = lists.iter().find(|(_, empty)| *empty) {
            return Err(DeploymentError::Empty(name));
        }
        if self.measurements.len() > MAX_MEASUREMENTS {
            return Err(DeploymentError::TooManyMeasurements(
                self.measurements.len(),
            ));
        }
        for key in verifier.into_iter().flat_map(|verifier| &verifier.keys) {
            ear::validate(key).map_err(|source| DeploymentError::VerifierKey {
                kid: key.kid.clone(),
                source,
            })?;
        }
        Ok(())
    }
}

/// Why a deployment file is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// The file cannot be read.
    #[error("cannot read deployment file {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or a field is missing, unknown or of another type.
    #[error("deployment file {path} is not valid")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value does not fit TOML.
    #[error("deployment does not fit a TOML file")]
    Write(#[source] Box<toml::ser::Error>),
    /// Of a version this client does not know.
    #[error("deployment file has version {0}, expected {DEPLOYMENT_VERSION}")]
    Version(u16),
    /// The `[measured]` table makes no valid enclave configuration.
    #[error("deployment's [measured] table is not a valid configuration")]
    Measured(#[from] ConfigError),
    /// A list of what is trusted is empty.
    #[error("deployment trusts nobody: `{0}` is empty")]
    Empty(&'static str),
    /// A verifier's key is not usable.
    #[error("deployment's verifier key {kid} is not usable")]
    VerifierKey {
        /// The key's id.
        kid: String,
        /// Why.
        source: subrosa_attestation::ear::JwkError,
    },
    /// More than [`MAX_MEASUREMENTS`].
    #[error("deployment lists {0} measurements, at most {MAX_MEASUREMENTS}")]
    TooManyMeasurements(usize),
}

/// The only version of the file there is.
pub const DEPLOYMENT_VERSION: u16 = 1;
/// Most measurements a deployment may list. An epoch may be held by any subset of them, and the
/// subset is found by trying all.
pub const MAX_MEASUREMENTS: usize = 10;
