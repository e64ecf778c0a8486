// SPDX-License-Identifier: Apache-2.0
//! Calls in a session, through the chain and back.

use std::time::Duration;

use alloy::{consensus::Transaction, providers::Provider};
use alloy_primitives::{B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, sol};
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_client::{
    AttestOptions, Attested, Bytecode, CallRequest, CallSession, ClientError, Connection,
    ContractPolicy, ENGINE_EVM, Fulfilled, ReplyKey, Ticket, WaitOptions,
};
use subrosa_devnet::{Devnet, Options, Service};
use subrosa_types::{ContractId, result::Status};

use crate::workload::VAULT;

sol! {
    function add(uint256 amount) external returns (uint256);
}

async fn attested(network: &Devnet) -> Attested {
    let options = AttestOptions {
        development: true,
        ..AttestOptions::default()
    };
    let session = Connection::open(network.deployment().clone())
        .await
        .unwrap();
    // An enclave that was restarted is taken into service when it is admitted again.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        match session.clone().attest(&options).await {
            Ok(attested) => return attested,
            Err(error) if tokio::time::Instant::now() > deadline => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn deploy(network: &Devnet, attested: &Attested) -> ContractId {
    let bytecode = Bytecode {
        engine: ENGINE_EVM,
        code: hex::decode(VAULT.trim()).unwrap().into(),
        init: B256::ZERO.to_vec().into(),
    };
    let account = network.accounts()[0].signer();
    let policy = ContractPolicy::default();
    let deployed = attested
        .deploy(&bytecode, &policy, account, WaitOptions::default())
        .await
        .unwrap();
    deployed.contract
}

fn adding(amount: u64) -> Bytes {
    addCall {
        amount: U256::from(amount),
    }
    .abi_encode()
    .into()
}

/// The largest charge, gwei, and the epoch that a request's terms name.
async fn bounds(network: &Devnet, ticket: &Ticket) -> (u64, u32) {
    let sent = network
        .provider()
        .get_transaction_by_hash(ticket.transaction)
        .await;
    let call = SubrosaOracle::requestCall::abi_decode(sent.unwrap().unwrap().input()).unwrap();
    let field = |low: usize, bits: u64| {
        let shifted: U256 = call.terms >> low;
        shifted.as_limbs()[0] & ((1 << bits) - 1)
    };
    assert_eq!(field(0, 4), 0);
    // The charge is mantissa 15 | decimal exponent 5.
    assert_eq!(field(4, 5), 0);
    (field(9, 15), field(40, 32) as u32)
}

async fn fulfilled(attested: &Attested, ticket: &Ticket) -> Fulfilled {
    let connection = attested.connection();
    let fulfilled = connection
        .wait(ticket, WaitOptions::default())
        .await
        .unwrap();
    assert_eq!(fulfilled.status, Status::Succeeded);
    assert!(fulfilled.output.is_empty());
    fulfilled
}

async fn opened(attested: &Attested, ticket: &Ticket, session: &CallSession) -> U256 {
    let fulfilled = fulfilled(attested, ticket).await;
    let output = attested
        .connection()
        .open_session_reply(ticket, &fulfilled, session)
        .unwrap();
    U256::from_be_slice(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_costs_a_key_once_and_outlives_the_enclave() {
    let mut network = Devnet::start(&Options::default()).await.unwrap();
    let attested = attested(&network).await;
    let contract = deploy(&network, &attested).await;
    let account = network.accounts()[0].signer().clone();
    let key = ReplyKey::generate().unwrap();

    let input = adding(1);
    let call = CallRequest {
        reply: Some(&key),
        ..CallRequest::new(contract, &input)
    };
    let (opening, session) = attested
        .request_opening_session(&call, &account)
        .await
        .unwrap();
    // Not waiting: the log orders the calls.
    let in_session = attested
        .request_in_session(&session, &call, &account)
        .await
        .unwrap();
    for ticket in [&opening, &in_session] {
        assert_eq!(
            bounds(&network, ticket).await,
            (1, attested.epoch_id().epoch)
        );
    }
    // The opening call's own output is sealed to the key that it named, those after it in the session.
    let first = fulfilled(&attested, &opening).await;
    let connection = attested.connection();
    let output = connection.open_reply(&opening, &first, &key).unwrap();
    assert_eq!(U256::from_be_slice(&output), U256::from(1));
    assert_eq!(
        self::opened(&attested, &in_session, &session).await,
        U256::from(2)
    );
    let gas = async |ticket: &Ticket| {
        let receipt = network
            .provider()
            .get_transaction_receipt(ticket.transaction)
            .await;
        receipt.unwrap().unwrap().gas_used
    };
    let (opening_gas, in_session_gas) = (gas(&opening).await, gas(&in_session).await);
    assert!(
        in_session_gas * 10 < opening_gas * 6,
        "{in_session_gas} gas in a session, {opening_gas} to open it"
    );

    // A restarted enclave has the session from the contract's sealed state.
    network.kill(Service::Enclave).unwrap();
    network.restart(Service::Enclave).await.unwrap();
    let kept = CallSession::from_text(&session.expose_text()).unwrap();
    let attested = self::attested(&network).await;
    let again = attested
        .request_in_session(&kept, &call, &account)
        .await
        .unwrap();
    assert_eq!(self::opened(&attested, &again, &kept).await, U256::from(3));

    // Of a session that never was, the enclaves say so, and the log moves on.
    let text = session.expose_text();
    let forged = text.replacen(&format!(":{}:", session.seq()), ":77:", 1);
    let forged = CallSession::from_text(&forged).unwrap();
    let ticket = attested
        .request_in_session(&forged, &call, &account)
        .await
        .unwrap();
    let wait = WaitOptions {
        timeout: Duration::from_secs(60),
        ..WaitOptions::default()
    };
    let fulfilled = attested.connection().wait(&ticket, wait).await.unwrap();
    assert_eq!(fulfilled.status, Status::Rejected);
    let last = attested
        .request_in_session(&kept, &call, &account)
        .await
        .unwrap();
    assert_eq!(self::opened(&attested, &last, &kept).await, U256::from(4));

    // For another contract it is refused before anything is sent.
    let other = CallRequest::new(B256::repeat_byte(1), &input);
    let target = subrosa_client::CallTarget {
        contract: other.contract,
        requester: account.address(),
        context: B256::ZERO,
    };
    let refused = attested.seal_call_in_session(&kept, &target, &input, 60);
    assert!(matches!(refused, Err(ClientError::SessionEnded { .. })));
}
