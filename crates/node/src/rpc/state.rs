// SPDX-License-Identifier: Apache-2.0
//! `subrosa_status`, `subrosa_query` and `subrosa_contract`: what is, as of now.

use alloy_sol_types::SolValue;
use subrosa_evidence::DEVELOPMENT_ROOT_ID;
use subrosa_types::{
    ContractId,
    frame::{ErrorCode, WIRE_VERSION},
    rpc::{ContractRequest, ContractResponse, NodeStatus, QueryRequest, QueryResponse},
};

use super::{context::Context, error::RpcError};
use crate::{
    enclave::{EnclaveError, Link},
    loading::{Held, LoadError, Manners, Need},
    serving::Serving,
};

/// What this node is and how far it is.
pub(super) async fn status(context: &Context) -> Result<NodeStatus, RpcError> {
    let (store, config) = (&context.store, &context.settings.enclave_config);
    let serving = context.stage.now();
    let development = match &serving {
        Some(serving) => serving.started.root_id == DEVELOPMENT_ROOT_ID,
        None => config.evidenceRoots.contains(&DEVELOPMENT_ROOT_ID),
    };
    let mut contracts = Vec::new();
    for contract in store.contracts().await? {
        if store.result(contract, 0).await?.is_some() {
            contracts.push(contract);
        }
    }
    Ok(NodeStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        wire_version: WIRE_VERSION,
        chain_id: config.chain_id(),
        registry: config.registry,
        oracle: config.oracle,
        development,
        config_hash: config.hash(),
        signer: serving.map(|serving| serving.started.signer),
        block: store.cursor().await?.map_or(0, |cursor| cursor.number),
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
    let ask = |link: Link| async move { link.statement(contract, nonce).await };
    let stated = on_loaded(context, contract, ask).await?;
    Ok(ContractResponse {
        statement: stated.statement.abi_encode().into(),
        signature: stated.signature,
        stop: context.stops.of(contract),
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
    let serving = context.stage.now().ok_or(RpcError::NotReady)?;
    let store = context.store.as_ref();
    if store.last_result(contract).await?.is_none() {
        return Err(RpcError::UnknownContract(contract));
    }
    let answer = async {
        let (mut loads, mut held) = (0, None);
        loop {
            match ask(serving.link.clone()).await {
                Err(error)
                    if error.code() == Some(ErrorCode::UnknownContract)
                        && loads < LOADS_FOR_ONE =>
                {
                    // What was loaded was dropped before it was asked.
                    drop(held.take());
                    let manners = if loads == 0 {
                        Manners::InCompany
                    } else {
                        Manners::Alone
                    };
                    loads += 1;
                    held = Some(load(context, &serving, contract, manners).await?);
                }
                outcome => return Ok(outcome?),
            }
        }
    };
    context.wait_for(answer).await?
}

/// Has a contract loaded as it is after the last entry that has a result.
async fn load(
    context: &Context,
    serving: &Serving,
    contract: ContractId,
    manners: Manners,
) -> Result<Held, RpcError> {
    let store = context.store.as_ref();
    let Some(last) = store.last_result(contract).await? else {
        return Err(RpcError::UnknownContract(contract));
    };
    let contracts = &serving.contracts;
    match contracts
        .load(store, contract, last.seq, Need::Other, manners)
        .await
    {
        Ok(held) => Ok(held),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(LoadError::Enclave(error)) => Err(error.into()),
    }
}

/// How often a contract is loaded for one call at most.
const LOADS_FOR_ONE: usize = 3;
