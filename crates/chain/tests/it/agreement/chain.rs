// SPDX-License-Identifier: Apache-2.0
//! The chain's verdict: everything a node would send, simulated in a block of the case's time.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    primitives::{Address, B256, Bytes},
    providers::{DynProvider, Provider},
    rpc::types::{
        BlockOverrides, TransactionRequest,
        simulate::{SimBlock, SimCallResult, SimulatePayload},
    },
    sol_types::{SolCall, SolConstructor, SolInterface},
};
use subrosa_chain::{
    Endpoints, Sender,
    bindings::SubrosaDcap::{
        self, DcapClaims, SubrosaDcapErrors, putCollateralCall, verifyQuoteCall,
    },
    connect,
    dcap::{Collateral, Quoted},
    send::{Call, SenderConfig, unrecorded},
};

use super::Case;
use crate::{anvil::Anvil, scene};

/// A chain with one `SubrosaDcap` per root.
pub(crate) struct OnChain {
    provider: DynProvider,
    contracts: BTreeMap<B256, Address>,
    _anvil: Anvil,
}

/// What a chain says of evidence.
pub(crate) enum Verdict {
    Accepted(Box<DcapClaims>),
    /// Why not: the contract's error, or why nothing could be submitted.
    Rejected(String),
}

impl OnChain {
    pub(crate) async fn start(roots: &[B256]) -> Self {
        // Before the first of the cases: blocks are simulated on top.
        let anvil = Anvil::start(&["--timestamp", "1600000000", "--gas-limit", "300000000"]);
        let provider = connect(&Endpoints::parse(&anvil.http()).unwrap())
            .await
            .unwrap();
        let config = SenderConfig {
            poll_interval: Duration::from_millis(20),
            ..SenderConfig::default()
        };
        let sender = Sender::new(provider.clone(), scene::key(), config)
            .await
            .unwrap();
        let mut contracts = BTreeMap::new();
        for root in roots {
            if contracts.contains_key(root) {
                continue;
            }
            let constructor = SubrosaDcap::constructorCall {
                rootIds: vec![*root],
            };
            let code = [SubrosaDcap::BYTECODE.as_ref(), &constructor.abi_encode()].concat();
            let mut pending = sender
                .send(Call::create(code.into()), unrecorded())
                .await
                .unwrap();
            let receipt = pending.receipt(scene::SOON).await.unwrap();
            contracts.insert(*root, receipt.contract_address.unwrap());
        }
        Self {
            provider,
            contracts,
            _anvil: anvil,
        }
    }

    /// Submits each document of collateral by itself, then the quote.
    pub(crate) async fn judge(&self, case: &Case) -> Verdict {
        let unusable = |error| Verdict::Rejected(format!("Unusable: {error}"));
        let contract = self.contracts[&case.root_id];
        let collateral = match Collateral::from_json(case.bundle.collateral()) {
            Ok(collateral) => collateral,
            Err(error) => return unusable(error),
        };
        let quoted = match Quoted::with_collateral(case.bundle.quote(), &collateral) {
            Ok(quoted) => quoted,
            Err(error) => return unusable(error),
        };
        let verify = |quote: Bytes| {
            verifyQuoteCall {
                quote,
                pckCertificate: quoted.pck_certificate.clone(),
                rootId: case.root_id,
                // A chain is told the authority of the collateral, and holds the PCK certificate's
                // issuer to it.
                pckAuthority: collateral.pck_authority,
                tcbInfo: collateral.documents[2].edition,
                qeIdentity: collateral.documents[3].edition,
            }
            .abi_encode()
        };
        let mut inputs: Vec<Vec<u8>> = collateral
            .documents
            .iter()
            .map(|document| {
                let collateral = document.submission.clone();
                putCollateralCall { collateral }.abi_encode()
            })
            .collect();
        inputs.push(verify(quoted.short.clone()));
        inputs.push(verify(case.bundle.quote().to_vec().into()));
        let results = self.simulate(contract, inputs, case.now).await;
        let [put @ .., short, whole] = results.as_slice() else {
            panic!("{}: {} results", case.name, results.len());
        };
        assert_eq!(
            (short.status, &short.return_data),
            (whole.status, &whole.return_data),
            "{}: certification data changes the verdict",
            case.name
        );
        if short.status {
            let claims = verifyQuoteCall::abi_decode_returns(&short.return_data).unwrap();
            return Verdict::Accepted(Box::new(claims));
        }
        // The first refusal is the reason; what is missing then follows from it.
        let refused = put.iter().find(|result| !result.status).unwrap_or(short);
        Verdict::Rejected(reason(refused))
    }

    async fn simulate(
        &self,
        contract: Address,
        inputs: Vec<Vec<u8>>,
        now: u64,
    ) -> Vec<SimCallResult> {
        let calls = inputs
            .into_iter()
            .map(|input| {
                TransactionRequest::default()
                    .to(contract)
                    .input(Bytes::from(input).into())
                    .gas_limit(16_000_000)
            })
            .collect();
        let payload = SimulatePayload {
            block_state_calls: vec![SimBlock {
                block_overrides: Some(BlockOverrides {
                    time: Some(now),
                    ..BlockOverrides::default()
                }),
                state_overrides: None,
                calls,
            }],
            trace_transfers: false,
            validation: false,
            return_full_transactions: false,
        };
        let blocks = self.provider.simulate(&payload).await.unwrap();
        blocks.into_iter().flat_map(|block| block.calls).collect()
    }
}

fn reason(result: &SimCallResult) -> String {
    let data = result
        .error
        .as_ref()
        .and_then(|error| error.data.as_ref())
        .filter(|data| !data.is_empty())
        .unwrap_or(&result.return_data);
    match SubrosaDcapErrors::abi_decode(data) {
        Ok(error) => {
            let text = format!("{error:?}");
            text.split_once('(')
                .map_or(text.clone(), |(name, arguments)| {
                    format!(
                        "{name}: {}",
                        arguments.trim_start_matches(name).trim_end_matches(')')
                    )
                })
        }
        Err(_) => format!("Unnamed: {:?} {data}", result.error),
    }
}
