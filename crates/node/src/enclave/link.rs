// SPDX-License-Identifier: Apache-2.0
//! What the host asks an enclave, with the answers it may get, on top of the port.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use metrics::Counter;
use subrosa_types::{
    ContractId,
    abi::{Entry, EpochMember},
    entry::Link as DigestLink,
    frame::{
        Answered, Attested, EntryProof, EpochProposal, Executed, HeaderFrame, Loaded, LoggedEntry,
        PublishedEpoch, Queried, Reassignment, Request, Response, ResultRef, Signed,
        SignedStatement, SignerRole, Started, StateBlob, StorageProof,
    },
};

use super::{error::EnclaveError, port::EnclaveLink};

/// A greeted connection to one boot of an enclave. Clones share it.
#[derive(Clone)]
pub(crate) struct Link {
    port: Arc<dyn EnclaveLink>,
    refusals: Counter,
}

impl Link {
    /// `refusals` counts them.
    pub(crate) fn new(port: Arc<dyn EnclaveLink>, refusals: Counter) -> Self {
        Self { port, refusals }
    }

    /// Completes when the connection is gone.
    pub(crate) async fn closed(&self) {
        self.port.closed().await;
    }

    /// Fixes the configuration. The checkpoint is empty: host-asserted headers have none.
    pub(crate) async fn start(&self, config: Bytes) -> Result<Started, EnclaveError> {
        let request = Request::Start {
            config,
            checkpoint: Bytes::new(),
        };
        match self.ask(request).await? {
            Response::Started(started) => Ok(*started),
            _ => Err(EnclaveError::OutOfStep { asked: "start" }),
        }
    }

    /// Evidence that registers the signer, sent by `registrant`.
    pub(crate) async fn quote(
        &self,
        block_hash: B256,
        registrant: Address,
    ) -> Result<Bytes, EnclaveError> {
        let request = Request::Quote {
            block_hash,
            registrant,
        };
        match self.ask(request).await? {
            Response::Evidence(bundle) => Ok(bundle),
            _ => Err(EnclaveError::OutOfStep { asked: "quote" }),
        }
    }

    /// Evidence for a client, and what the signer states beside it.
    pub(crate) async fn attest(
        &self,
        challenge: Vec<u8>,
        epoch: u32,
        header: HeaderFrame,
    ) -> Result<Attested, EnclaveError> {
        let request = Request::Attest {
            challenge,
            epoch,
            header,
            payee: None,
        };
        match self.ask(request).await? {
            Response::Attested(attested) => Ok(*attested),
            _ => Err(EnclaveError::OutOfStep { asked: "attest" }),
        }
    }

    /// Evidence for whoever put a challenge on chain, and the answer that pays `payee`.
    pub(crate) async fn answer(
        &self,
        challenge: Vec<u8>,
        epoch: u32,
        header: HeaderFrame,
        payee: Address,
    ) -> Result<(Bytes, Answered), EnclaveError> {
        let request = Request::Attest {
            challenge,
            epoch,
            header,
            payee: Some(payee),
        };
        match self.ask(request).await? {
            Response::Attested(attested) => match attested.answer {
                Some(answer) => Ok((attested.bundle, answer)),
                None => Err(EnclaveError::OutOfStep { asked: "answer" }),
            },
            _ => Err(EnclaveError::OutOfStep { asked: "answer" }),
        }
    }

    /// A fresh epoch secret's public key.
    pub(crate) async fn propose_epoch(
        &self,
        epoch: u32,
        members: Vec<EpochMember>,
    ) -> Result<EpochProposal, EnclaveError> {
        let request = Request::ProposeEpoch { epoch, members };
        match self.ask(request).await? {
            Response::Epoch(proposal) => Ok(*proposal),
            _ => Err(EnclaveError::OutOfStep { asked: "propose" }),
        }
    }

    /// A sealed epoch secret's public key.
    pub(crate) async fn restore_epoch(&self, sealed: Bytes) -> Result<EpochProposal, EnclaveError> {
        match self.ask(Request::RestoreEpoch { sealed }).await? {
            Response::Epoch(proposal) => Ok(*proposal),
            _ => Err(EnclaveError::OutOfStep { asked: "restore" }),
        }
    }

    /// Proves that the registry opened an epoch.
    pub(crate) async fn activate_epoch(
        &self,
        epoch: u32,
        proof: StorageProof,
    ) -> Result<PublishedEpoch, EnclaveError> {
        let proof = Box::new(proof);
        match self.ask(Request::ActivateEpoch { epoch, proof }).await? {
            Response::EpochActive(keys) => Ok(*keys),
            _ => Err(EnclaveError::OutOfStep { asked: "activate" }),
        }
    }

    /// Takes a contract's stored blobs further; `None` while parts of its snapshot are missing.
    pub(crate) async fn load(
        &self,
        contract: ContractId,
        blobs: Vec<StateBlob>,
    ) -> Result<Option<Loaded>, EnclaveError> {
        match self.ask(Request::Load { contract, blobs }).await? {
            Response::Loaded(loaded) => Ok(Some(loaded)),
            Response::Loading(_) => Ok(None),
            _ => Err(EnclaveError::OutOfStep { asked: "load" }),
        }
    }

    /// Executes consecutive entries.
    pub(crate) async fn execute(
        &self,
        contract: ContractId,
        entries: Vec<LoggedEntry>,
        code_envelope: Option<Bytes>,
        reassignment: Option<Reassignment>,
        proof: EntryProof,
    ) -> Result<Executed, EnclaveError> {
        let request = Request::Execute {
            contract,
            entries,
            code_envelope,
            reassignment: reassignment.map(Box::new),
            proof,
        };
        match self.ask(request).await? {
            Response::Executed(executed) => Ok(*executed),
            _ => Err(EnclaveError::OutOfStep { asked: "execute" }),
        }
    }

    /// Has an anchor kept at the entry whose digest is `before`.
    pub(crate) async fn anchor(
        &self,
        contract: ContractId,
        before: B256,
        links: Vec<DigestLink>,
        proof: EntryProof,
    ) -> Result<u64, EnclaveError> {
        let request = Request::Anchor {
            contract,
            before,
            links,
            proof,
        };
        match self.ask(request).await? {
            Response::Anchored(seq) => Ok(seq),
            _ => Err(EnclaveError::OutOfStep { asked: "anchor" }),
        }
    }

    /// Whether a code envelope opens for an entry.
    pub(crate) async fn check_code(
        &self,
        entry: Entry,
        envelope: Bytes,
    ) -> Result<(), EnclaveError> {
        let entry = Box::new(entry);
        match self.ask(Request::CheckCode { entry, envelope }).await? {
            Response::CodeOpens => Ok(()),
            _ => Err(EnclaveError::OutOfStep { asked: "check" }),
        }
    }

    /// A part of a snapshot of a contract's state; the first one begins it.
    pub(crate) async fn snapshot(
        &self,
        contract: ContractId,
        part: u32,
    ) -> Result<StateBlob, EnclaveError> {
        match self.ask(Request::Snapshot { contract, part }).await? {
            Response::Snapshot(blob) => Ok(*blob),
            _ => Err(EnclaveError::OutOfStep { asked: "snapshot" }),
        }
    }

    /// The first signature of a batch with these results, whose fees the payee earns.
    pub(crate) async fn sign(
        &self,
        results: Vec<ResultRef>,
        payee: Address,
    ) -> Result<Signed, EnclaveError> {
        let role = SignerRole::First { payee };
        match self.ask(Request::Sign { results, role }).await? {
            Response::Signed(signed) => Ok(*signed),
            _ => Err(EnclaveError::OutOfStep { asked: "sign" }),
        }
    }

    /// A query's reply.
    pub(crate) async fn query(
        &self,
        contract: ContractId,
        envelope: Bytes,
    ) -> Result<Queried, EnclaveError> {
        match self.ask(Request::Query { contract, envelope }).await? {
            Response::Queried(queried) => Ok(*queried),
            _ => Err(EnclaveError::OutOfStep { asked: "query" }),
        }
    }

    /// A statement of a contract's code commitment.
    pub(crate) async fn statement(
        &self,
        contract: ContractId,
        nonce: B256,
    ) -> Result<SignedStatement, EnclaveError> {
        match self.ask(Request::Statement { contract, nonce }).await? {
            Response::Statement(stated) => Ok(*stated),
            _ => Err(EnclaveError::OutOfStep { asked: "statement" }),
        }
    }

    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        match self.port.ask(request).await? {
            Response::Error(refusal) => {
                self.refusals.increment(1);
                Err(EnclaveError::Refused(refusal))
            }
            response => Ok(response),
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.port.fmt(f)
    }
}
