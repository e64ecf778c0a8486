// SPDX-License-Identifier: Apache-2.0
//! Intel's collateral on a chain: what a `SubrosaDcap` keeps of it, and submitting what it lacks.
//!
//! Anyone may submit collateral. The contract verifies it under its pinned roots, keeps the newest of
//! revocation lists and every edition of the rest, so there is nobody to trust and nothing to undo.

use std::time::Duration;

use alloy::providers::DynProvider;
use alloy_primitives::{Address, B256};
use serde::Serialize;
use subrosa_chain::{
    ChainError, Endpoints, Sender,
    bindings::SubrosaRegistry,
    connect,
    dcap::Dcap,
    fetch_block,
    send::{SendError, SenderConfig, unrecorded},
};

pub use subrosa_chain::dcap::{
    Collateral, CollateralDocument, DcapError, DocumentKind, Quoted, Standing,
};

use crate::Account;

/// A chain's verification of DCAP quotes, as somebody who keeps its collateral fresh sees it.
#[derive(Clone, Debug)]
pub struct CollateralChain {
    provider: DynProvider,
    dcap: Dcap,
}

/// Where the contract is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DcapPlace {
    /// At this address.
    Contract(Address),
    /// Where the registry at this address says.
    Registry(Address),
}

/// One document of collateral, and how it stands on chain. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentReport {
    /// `root-crl`, `pck-authority`, `tcb-info tdx 00806f050000`, `qe-identity tdx`.
    pub document: String,
    /// What `collateralOf` takes: of TCB info and QE identities for this very edition.
    pub key: B256,
    /// Which edition it is, for whoever names one in a registration; none of revocation lists.
    pub edition: Option<B256>,
    /// SHA-256 of what its issuer signed.
    pub digest: B256,
    /// When it was issued.
    pub issued: u64,
    /// When the next edition is due.
    pub next_update: u64,
    /// TCB evaluation number; zero for revocation lists.
    pub evaluation: u32,
    /// What became of it.
    pub outcome: DocumentStatus,
    /// What the contract said, if it refused it.
    pub reason: Option<String>,
    /// What is kept now.
    pub kept: Option<KeptReport>,
    /// Whether what is kept now is in force.
    pub in_force: bool,
    /// The transaction that stored it, perhaps along with others.
    pub transaction: Option<B256>,
    /// Gas of that whole transaction.
    pub gas: Option<u64>,
}

/// What a contract keeps of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptReport {
    /// When it was issued.
    pub issued: u64,
    /// The last second at which it serves.
    pub expires: u64,
    /// TCB evaluation number; zero for revocation lists.
    pub evaluation: u32,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentStatus {
    /// The contract keeps this very edition.
    Kept,
    /// The contract keeps a newer list, and leaves this one alone.
    Older,
    /// The contract would store it.
    Wanted,
    /// The contract has stored it.
    Stored,
    /// The contract does not take it.
    Refused,
}

/// Why collateral cannot be compared with a chain, or not submitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// The registry names no contract that verifies quotes.
    #[error(
        "registry {0} takes no DCAP quotes: its governance names no contract that verifies them"
    )]
    NoDcap(Address),
    /// The chain gives no answer.
    #[error("the chain gives no usable answer")]
    Chain(#[from] ChainError),
    /// The chain does not take a transaction.
    #[error("the chain gives no usable answer")]
    Send(#[from] SendError),
}

impl CollateralChain {
    /// Connects to a chain's JSON-RPC (http, https, ws or wss) and finds the contract.
    ///
    /// # Errors
    ///
    /// [`CollateralError`].
    pub async fn connect(rpc_url: &str, place: DcapPlace) -> Result<Self, CollateralError> {
        let provider = connect(&Endpoints::parse(rpc_url)?).await?;
        let address = match place {
            DcapPlace::Contract(address) => address,
            DcapPlace::Registry(address) => {
                let registry = SubrosaRegistry::new(address, provider.clone());
                let named = registry.dcapVerification().call().await;
                named.map_err(ChainError::from)?.dcap
            }
        };
        match place {
            DcapPlace::Registry(registry) if address.is_zero() => {
                return Err(CollateralError::NoDcap(registry));
            }
            _ => {}
        }
        let dcap = Dcap::new(address, provider.clone());
        Ok(Self { provider, dcap })
    }

    /// Where the contract is.
    pub fn address(&self) -> Address {
        self.dcap.address()
    }

    /// How each document of `collateral` stands, without sending anything.
    ///
    /// # Errors
    ///
    /// [`CollateralError::Chain`].
    pub async fn survey(
        &self,
        collateral: &Collateral,
    ) -> Result<Vec<DocumentReport>, CollateralError> {
        let mut reports = Vec::new();
        for document in &collateral.documents {
            let standing = self.dcap.standing(document).await?;
            let refusal = match standing.is_wanted() {
                true => self.dcap.refusal(document).await?,
                false => None,
            };
            let outcome = match (standing, &refusal) {
                (Standing::Same(_), _) => DocumentStatus::Kept,
                (Standing::Older(_), _) => DocumentStatus::Older,
                (_, Some(_)) => DocumentStatus::Refused,
                (_, None) => DocumentStatus::Wanted,
            };
            let mut report = DocumentReport {
                document: document.kind.to_string(),
                key: document.key,
                edition: (!document.edition.is_zero()).then_some(document.edition),
                digest: document.digest,
                issued: document.issued,
                next_update: document.next_update,
                evaluation: document.evaluation,
                outcome,
                reason: refusal.map(|refusal| refusal.reason),
                kept: None,
                in_force: false,
                transaction: None,
                gas: None,
            };
            self.look(&mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Submits what the contract would store: those that it refuses do not hold the others up.
    ///
    /// # Errors
    ///
    /// [`CollateralError::Chain`], [`CollateralError::Send`]; what was stored by then stays stored.
    pub async fn push(
        &self,
        collateral: &Collateral,
        account: &Account,
    ) -> Result<Vec<DocumentReport>, CollateralError> {
        let mut reports = self.survey(collateral).await?;
        let wanted: Vec<usize> = reports
            .iter()
            .enumerate()
            .filter(|(_, report)| report.outcome == DocumentStatus::Wanted)
            .map(|(index, _)| index)
            .collect();
        if wanted.is_empty() {
            return Ok(reports);
        }
        let documents: Vec<&CollateralDocument> = wanted
            .iter()
            .filter_map(|index| collateral.documents.get(*index))
            .collect();
        let config = SenderConfig::default();
        let sender = Sender::new(self.provider.clone(), account.clone(), config).await?;
        for submission in self.dcap.submissions(&documents) {
            let mut pending = sender.send(submission.call, unrecorded()).await?;
            let receipt = pending.receipt(PATIENCE).await?;
            if !receipt.status() {
                let transaction = format!("transaction {}", receipt.transaction_hash);
                return Err(SendError::Reverted(transaction).into());
            }
            let places = submission.documents.iter().filter_map(|of| wanted.get(*of));
            for place in places {
                let Some(report) = reports.get_mut(*place) else {
                    continue;
                };
                report.transaction = Some(receipt.transaction_hash);
                report.gas = Some(receipt.gas_used);
                self.look(report).await?;
                // Somebody may have been faster, with a newer list.
                report.outcome = match report.kept {
                    Some(kept) if kept.issued == report.issued => DocumentStatus::Stored,
                    _ => DocumentStatus::Older,
                };
            }
        }
        Ok(reports)
    }

    /// Reads what is kept now.
    async fn look(&self, report: &mut DocumentReport) -> Result<(), CollateralError> {
        let latest = alloy::eips::BlockId::latest();
        let now = fetch_block(&self.provider, latest).await?.timestamp;
        report.kept = self.dcap.kept(report.key).await?.map(|kept| KeptReport {
            issued: kept.issued,
            expires: kept.expires,
            evaluation: kept.evaluation,
        });
        report.in_force = report.kept.is_some_and(|kept| kept.expires >= now);
        Ok(())
    }
}

/// Longest wait for one transaction.
const PATIENCE: Duration = Duration::from_secs(300);
