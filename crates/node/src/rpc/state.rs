// SPDX-License-Identifier: Apache-2.0
//! `subrosa_status`, `subrosa_query` and `subrosa_contract`: what is, as of now.

use alloy_sol_types::SolValue;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, WIRE_VERSION},
    rpc::{ContractRequest, ContractResponse, NodeStatus, QueryRequest, QueryResponse},
};

use super::{Context, RpcError};
use crate::{
    enclave::{EnclaveError, Link},
    host::Host,
};

/// What this node is and how far it is.
pub(super) async fn status(host: &Host) -> Result<NodeStatus, RpcError> {
    let serving = host.serving_now();
    let mut contracts = Vec::new();
    for contract in host.store.contracts().await? {
        if host.store.result(contract, 0).await?.is_some() {
            contracts.push(contract);
        }
    }
    Ok(NodeStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        wire_version: WIRE_VERSION,
        chain_id: host.enclave_config.chain_id(),
        registry: host.enclave_config.registry,
        oracle: host.enclave_config.oracle,
        development: host.is_development(),
        config_hash: host.config_hash,
        signer: serving.map(|serving| serving.started.signer),
        block: host.store.cursor().await?.map_or(0, |cursor| cursor.number),
        contracts,
    })
}

/// A static, off-chain call.
pub(super) async fn query(
    context: &Context,
    request: QueryRequest,
) -> Result<QueryResponse, RpcError> {
    let QueryRequest { contract, envelope } = request;
    context.check_envelope(&envelope)?;
    let ask = |link: Link| {
        let envelope = envelope.clone();
        async move { link.query(contract, envelope).await }
    };
    let queried = on_loaded(context, contract, ask).await?;
    Ok(QueryResponse {
        reply: queried.reply.abi_encode().into(),
        sealed: queried.sealed,
        signature: queried.signature,
    })
}

/// A signed statement of what code runs under a contract id.
pub(super) async fn contract(
    context: &Context,
    request: ContractRequest,
) -> Result<ContractResponse, RpcError> {
    let ContractRequest { contract, nonce } = request;
    let ask = |link: Link| async move { link.state(contract, nonce).await };
    let stated = on_loaded(context, contract, ask).await?;
    Ok(ContractResponse {
        statement: stated.statement.abi_encode().into(),
        signature: stated.signature,
    })
}

/// Asks the enclave about a contract; has it loaded first if it is not, though it could be.
async fn on_loaded<T, F>(
    context: &Context,
    contract: ContractId,
    ask: impl Fn(Link) -> F,
) -> Result<T, RpcError>
where
    F: Future<Output = Result<T, EnclaveError>>,
{
    let host = &context.host;
    let serving = host.serving_now().ok_or(RpcError::NotReady)?;
    let Some(last) = host.store.last_result(contract).await? else {
        return Err(RpcError::UnknownContract(contract));
    };
    context
        .wait_for(async {
            match ask(serving.link.clone()).await {
                Err(error) if error.code() == Some(ErrorCode::UnknownContract) => {
                    let _entries = host.rewinds.read().await;
                    let loaded = serving.load(host.store.as_ref(), contract, last.seq).await;
                    loaded.map_err(|error| RpcError::NoResult(error.to_string()))?;
                    Ok(ask(serving.link.clone()).await?)
                }
                outcome => Ok(outcome?),
            }
        })
        .await?
}
