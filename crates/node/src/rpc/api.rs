// SPDX-License-Identifier: Apache-2.0
//! What clients ask, as plain functions: JSON-RPC serves them, and whoever links a node calls them.

use std::sync::Arc;

use subrosa_types::rpc::{
    Attestation, AttestationRequest, ContractRequest, ContractResponse, DeployAccepted,
    DeployRequest, EntryRequest, NodeStatus, QueryRequest, QueryResponse, Receipt, RequestStatus,
};

use super::{attest, context::Context, deploy, entry, error::RpcError, state};

/// A node as its clients see it. Clones ask the same node.
#[derive(Clone)]
pub struct Api(Arc<Context>);

impl Api {
    pub(crate) fn new(context: Context) -> Self {
        Self(Arc::new(context))
    }

    /// What this node is and how far it is.
    ///
    /// # Errors
    ///
    /// [`RpcError::Store`].
    pub async fn status(&self) -> Result<NodeStatus, RpcError> {
        state::status(&self.0).await
    }

    /// Everything a client appraises before it encrypts.
    ///
    /// # Errors
    ///
    /// [`RpcError`], by its table.
    pub async fn attestation(&self, request: AttestationRequest) -> Result<Attestation, RpcError> {
        attest::attestation(&self.0, request).await
    }

    /// Takes in an envelope that carries code.
    ///
    /// # Errors
    ///
    /// [`RpcError`], by its table.
    pub async fn deploy(&self, request: DeployRequest) -> Result<DeployAccepted, RpcError> {
        deploy::deploy(&self.0, request).await
    }

    /// A static, off-chain call.
    ///
    /// # Errors
    ///
    /// [`RpcError`], by its table.
    pub async fn query(&self, request: QueryRequest) -> Result<QueryResponse, RpcError> {
        state::query(&self.0, request).await
    }

    /// A signed statement of what code runs under a contract id.
    ///
    /// # Errors
    ///
    /// [`RpcError`], by its table.
    pub async fn contract(&self, request: ContractRequest) -> Result<ContractResponse, RpcError> {
        state::contract(&self.0, request).await
    }

    /// How far an entry is, and its result once it has one.
    ///
    /// # Errors
    ///
    /// [`RpcError::Store`].
    pub async fn request(&self, request: EntryRequest) -> Result<RequestStatus, RpcError> {
        entry::request(&self.0, request).await
    }

    /// Everything needed to verify one fulfilled entry offline.
    ///
    /// # Errors
    ///
    /// [`RpcError`], by its table.
    pub async fn receipt(&self, request: EntryRequest) -> Result<Receipt, RpcError> {
        entry::receipt(&self.0, request).await
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}
