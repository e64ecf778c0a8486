// SPDX-License-Identifier: Apache-2.0
//! Rust client of Subrosa: attest, encrypt, deploy, call.
//!
//! A [`Deployment`] says what to trust. A [`Connection`] reaches its chain and its node and
//! believes neither. [`Connection::attest`] checks the node's attestation, one named check after the
//! other, and yields an [`Attested`] connection or a [`Refusal`]. Only an [`Attested`] connection can
//! encrypt: it alone knows an epoch's public key, so nothing leaves this machine sealed to keys
//! that were not checked.
//!
//! ```no_run
//! # async fn example(account: subrosa_client::Account) -> Result<(), subrosa_client::ClientError> {
//! use subrosa_client::{AttestOptions, CallRequest, Deployment, ReplyKey, Connection};
//!
//! let deployment = Deployment::load("deployment.toml".as_ref())?;
//! let attested = Connection::open(deployment).await?.attest(&AttestOptions::default()).await?;
//! let contract = "0x…".parse().unwrap_or_default();
//! let reply_key = ReplyKey::generate()?;
//! let call = CallRequest { reply: Some(&reply_key), ..CallRequest::new(contract, b"input") };
//! let ticket = attested.request(&call, &account).await?;
//! let fulfilled = attested.connection().wait(&ticket, Default::default()).await?;
//! let output = attested.connection().open_reply(&ticket, &fulfilled, &reply_key)?;
//! # Ok(())
//! # }
//! ```
//!
//! Encrypting without having attested is not an error to handle but a program that does not
//! compile:
//!
//! ```compile_fail,E0599
//! # fn example(connection: subrosa_client::Connection, target: subrosa_client::CallTarget) {
//! connection.seal_call(&target, b"secret", None, Default::default());
//! # }
//! ```
//!
//! [`receipt::verify`] checks a fulfilled entry offline.
#![forbid(unsafe_code)]

mod act;
mod attest;
mod attested;
mod chain;
mod change;
mod check;
pub mod collateral;
mod connection;
mod deploy;
mod deployment;
mod error;
mod fees;
mod governance;
mod mailbox;
mod node;
mod owner;
mod prepaid;
mod presented;
mod query;
mod random;
pub mod receipt;
mod reply_key;
mod request;
mod seal;
mod session;
mod stated;
mod ticket;
mod upgrade_terms;
mod wait;

pub use act::{Act, EpochPlan, Suspect};
pub use alloy::signers::local::PrivateKeySigner as Account;
pub use attest::{Appraisal, AttestOptions};
pub use attested::Attested;
pub use change::{Upgrade, Upgraded, code_salt};
pub use check::{Check, CheckStatus, Refusal, Subject};
pub use connection::{Clock, Connection};
pub use deploy::{Bytecode, ContractPolicy, Deployed, ENGINE_EVM};
pub use deployment::{
    DEPLOYMENT_VERSION, Deployment, DeploymentError, MAX_MEASUREMENTS, VerifierTrust,
};
pub use error::{ChainError, ClientError};
pub use governance::Governed;
pub use mailbox::{Asking, MailboxError, PutChallenge};
pub use node::{NodeClient, NodeError};
pub use owner::{OwnerTerms, Policy, PolicyChange};
pub use prepaid::{Prepaid, PrepaidLimits};
pub use query::{QueryAnswer, QueryCall, Statement};
pub use reply_key::ReplyKey;
pub use request::CallRequest;
pub use seal::{CallTarget, SealedCall, Sealing};
pub use session::{CallSession, PendingSession};
pub use subrosa_crypto::{Suite, Zeroizing};
pub use subrosa_types::log::LogWord;
pub use subrosa_types::measured::Measured;
pub use subrosa_types::threshold::{NextThreshold, Threshold};
pub use subrosa_types::{abi::Entry, outstanding::Outstanding, price::Asked};
pub use ticket::Ticket;
pub use upgrade_terms::{Announced, UpgradeTerms};
pub use wait::{Fulfilled, WaitOptions};
