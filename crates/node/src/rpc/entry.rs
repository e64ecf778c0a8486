// SPDX-License-Identifier: Apache-2.0
//! `subrosa_request` and `subrosa_receipt`: what became of one entry.

use alloy_primitives::keccak256;
use alloy_sol_types::SolValue;
use subrosa_store::{Storage, StoreError};
use subrosa_types::{
    ContractId,
    abi::Outcome,
    rpc::{EntryRequest, Receipt, ReceiptSignature, RequestState, RequestStatus},
};

use super::{context::Context, error::RpcError};

/// How far an entry is, and its result once it has one.
pub(super) async fn request(
    context: &Context,
    request: EntryRequest,
) -> Result<RequestStatus, RpcError> {
    let EntryRequest { contract, seq } = request;
    let store = context.store.as_ref();
    let result = store.result(contract, seq).await?;
    let fulfillment = store.fulfillment(contract, seq).await?;
    let stop = context.stops.of(contract);
    Ok(RequestStatus {
        contract,
        seq,
        state: state_of(store, contract, seq).await?,
        status: result.as_ref().map(|result| result.status),
        stop: stop.filter(|stop| result.is_none() && stop.seq <= seq),
        output: result.as_ref().map(|result| result.output.clone()),
        sealed_output: result.map(|result| result.sealed_output),
        transaction: fulfillment.map(|fulfillment| fulfillment.tx_hash),
    })
}

/// How far an entry is.
pub(super) async fn state_of(
    store: &dyn Storage,
    contract: ContractId,
    seq: u64,
) -> Result<RequestState, StoreError> {
    Ok(if store.fulfillment(contract, seq).await?.is_some() {
        RequestState::Fulfilled
    } else if store.result(contract, seq).await?.is_some() {
        RequestState::Executed
    } else if store.entry(contract, seq).await?.is_some() {
        RequestState::Pending
    } else {
        RequestState::Unknown
    })
}

/// Everything needed to verify one fulfilled entry offline.
pub(super) async fn receipt(context: &Context, request: EntryRequest) -> Result<Receipt, RpcError> {
    let EntryRequest { contract, seq } = request;
    let store = context.store.as_ref();
    let config = &context.settings.enclave_config;
    let Some(entry) = store.entry(contract, seq).await? else {
        return Err(RpcError::UnknownEntry { contract, seq });
    };
    let Some(fulfillment) = store.fulfillment(contract, seq).await? else {
        return Err(RpcError::NotFulfilled { contract, seq });
    };
    let unavailable = || RpcError::ReceiptUnavailable { contract, seq };
    let result = store.result(contract, seq).await?.ok_or_else(unavailable)?;
    let signed = fulfillment.receipt.ok_or_else(unavailable)?;
    let mut signatures = Vec::with_capacity(signed.signatures.len());
    for (signature, signer) in signed.signatures {
        let admission = store.admission(signer).await?.ok_or_else(unavailable)?;
        let by = admission.signatures.into_iter().next();
        signatures.push(ReceiptSignature {
            r: signature.r,
            vs: signature.vs,
            admission: admission.admission,
            admission_signature: by.ok_or_else(unavailable)?,
        });
    }
    let outcome = Outcome {
        status: result.status as u8,
        outputHash: keccak256(&result.output),
        sealedOutputHash: keccak256(&result.sealed_output),
        sealedLogsHash: result.sealed_logs_hash,
        fuelBucket: result.fuel_bucket,
    };
    Ok(Receipt {
        version: 2,
        chain_id: config.chain_id(),
        oracle: config.oracle,
        registry: config.registry,
        entry: entry.logged.entry.abi_encode().into(),
        input: entry.logged.input,
        outcome: outcome.abi_encode().into(),
        output: result.output,
        sealed_output: result.sealed_output,
        previous_commitment: result.previous_commitment,
        commitment: result.commitment,
        signed_results: signed.signed.abi_encode().into(),
        signatures,
        transaction: Some(fulfillment.tx_hash),
    })
}
