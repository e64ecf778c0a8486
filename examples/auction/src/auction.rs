// SPDX-License-Identifier: Apache-2.0
//! The auction itself: what its owner, its bidders and a copycat do.

use alloy::{
    providers::{DynProvider, Provider},
    rpc::types::TransactionReceipt,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use eyre::{OptionExt, Result, WrapErr, ensure, eyre};
use subrosa_client::{
    AttestOptions, Attested, Bytecode, CallTarget, ClientError, Connection, ContractPolicy,
    Deployed, ENGINE_EVM, Fulfilled, QueryCall, receipt,
};
use subrosa_devnet::{DevAccount, Devnet};
use subrosa_types::{id::code_commitment, result::Status};

use crate::{
    house::{AuctionHouse, SealedBidAuction, signed_by},
    report::Report,
    secrets::{Secrets, WINDOW, random_amount},
};

/// Bids are taken for so long, seconds of chain time.
const OPEN_FOR: u64 = 600;
/// Sent along with every request, wei.
const FEE: u64 = 2_000_000_000_000_000;
/// The auction charges nothing; one gwei is the least bound there is.
const MAXIMUM_CHARGE_GWEI: u64 = 1;

type House = AuctionHouse::AuctionHouseInstance<DynProvider>;

/// Runs the auction to its end and returns what was secret in it.
pub(crate) async fn run(network: &Devnet, report: &mut Report) -> Result<Secrets> {
    let [owner, copycat, bidders @ ..] = network.accounts() else {
        return Err(eyre!("too few accounts"));
    };
    let bidders = &bidders[..4];

    let attested = attest(network, report).await?;
    let (house, deployed, reserve) = deploy(network, &attested, owner, report).await?;

    report.step("Four bidders seal their bids and send them through the house");
    let mut bids = Vec::new();
    for bidder in bidders {
        let amount = loop {
            let amount = random_amount()?;
            if amount > reserve {
                break amount;
            }
        };
        let envelope = seal_bid(&attested, &house, deployed.contract, bidder, amount).await?;
        let seq = bid(network, &attested, &house, bidder, &envelope).await?;
        let result = answer(network, &attested, deployed.contract, seq).await?;
        ensure!(
            result.status == Status::Succeeded,
            "bid {seq} ended as {:?}",
            result.status
        );
        ensure!(result.output.is_empty(), "a bid has public output");
        report.check(format!(
            "{} bids: request {seq} fulfilled in block {}, {} bytes of envelope, no public output",
            bidder.address(),
            result.block,
            envelope.len()
        ));
        bids.push((bidder, amount, envelope));
    }

    copy(
        network,
        &attested,
        &house,
        deployed.contract,
        copycat,
        &bids[0].2,
        report,
    )
    .await?;
    ask_privately(
        &attested,
        deployed.contract,
        bids[0].0,
        bids[0].1,
        copycat,
        report,
    )
    .await?;

    let mut ranked: Vec<_> = bids
        .iter()
        .map(|(bidder, amount, _)| (*amount, bidder.address()))
        .collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    let expected = (ranked[0].1, ranked[1].0);
    close(
        network, &attested, &house, &deployed, owner, expected, report,
    )
    .await?;

    let clearing_price = ranked[1].0;
    let mut numbers: Vec<_> = bids
        .iter()
        .filter(|(_, amount, _)| *amount != clearing_price)
        .map(|(bidder, amount, _)| (format!("the bid of {}", bidder.address()), *amount))
        .collect();
    numbers.push(("the reserve price".into(), reserve));
    let mut control = [0; WINDOW];
    getrandom::fill(&mut control).map_err(|_| eyre!("no randomness"))?;
    Ok(Secrets {
        numbers,
        code: vec![
            ("creation code".into(), SealedBidAuction::BYTECODE.to_vec()),
            (
                "runtime code".into(),
                SealedBidAuction::DEPLOYED_BYTECODE.to_vec(),
            ),
        ],
        clearing_price,
        control,
    })
}

async fn attest(network: &Devnet, report: &mut Report) -> Result<Attested> {
    report.step("A client checks the node's attestation before it encrypts anything");
    let connection = Connection::open(network.deployment().clone()).await?;
    match connection.clone().attest(&AttestOptions::default()).await {
        Err(ClientError::Refused(refusal)) => {
            report.check(format!("refused without consent to development: {refusal}"));
        }
        Ok(_) => {
            return Err(eyre!(
                "a development deployment was accepted without consent"
            ));
        }
        Err(error) => return Err(error).wrap_err("attestation could not be checked"),
    }
    let options = AttestOptions {
        development: true,
        ..AttestOptions::default()
    };
    let attested = connection.attest(&options).await?;
    for check in attested.checks() {
        report.check(format!("{}: {}", check.subject, check.id));
    }
    report.detail(format!("measurement {}", attested.measurement_id()));
    report.detail(format!("signer      {}", attested.signer()));
    Ok(attested)
}

async fn deploy(
    network: &Devnet,
    attested: &Attested,
    owner: &DevAccount,
    report: &mut Report,
) -> Result<(House, Deployed, u128)> {
    report.step("The owner deploys the house on chain and the auction into the enclave");
    let provider = signed_by(network.provider(), owner.signer());
    let closes_at = chain_time(network).await? + OPEN_FOR;
    let oracle = network.deployment().measured.oracle;
    let house = AuctionHouse::deploy(provider, oracle, closes_at).await?;
    report.check(format!("house at {}", house.address()));

    // Below every possible bid of this demonstration, and as secret as they are.
    let reserve = random_amount()? / 8;
    let init = SealedBidAuction::constructorCall {
        house: *house.address(),
        closesAt: closes_at,
        reserve,
    };
    let bytecode = Bytecode {
        engine: ENGINE_EVM,
        code: SealedBidAuction::BYTECODE.clone(),
        init: init.abi_encode().into(),
    };
    let policy = ContractPolicy::default();
    let deployed = attested
        .deploy(&bytecode, &policy, owner.signer(), Default::default())
        .await?;
    report.check(format!(
        "auction {}: constructor succeeded",
        deployed.contract
    ));

    let commitment = code_commitment(
        deployed.salt,
        bytecode.engine,
        &bytecode.code,
        &bytecode.init,
    );
    attested
        .contract_statement(deployed.contract, Some(commitment))
        .await?;
    report.check(format!(
        "the enclave states its code commitment, {commitment}"
    ));
    mined(
        house
            .open(deployed.contract)
            .send()
            .await?
            .get_receipt()
            .await?,
    )?;
    Ok((house, deployed, reserve))
}

async fn copy(
    network: &Devnet,
    attested: &Attested,
    house: &House,
    auction: B256,
    copycat: &DevAccount,
    envelope: &Bytes,
    report: &mut Report,
) -> Result<()> {
    report.step("Somebody copies a bidder's ciphertext from the chain");
    let seq = bid(network, attested, house, copycat, envelope).await?;
    let result = answer(network, attested, auction, seq).await?;
    ensure!(
        result.status == Status::Rejected,
        "a copied ciphertext ended as {:?}",
        result.status
    );
    report.check(format!(
        "request {seq} is rejected: the envelope opens for its bidder only"
    ));
    Ok(())
}

async fn ask_privately(
    attested: &Attested,
    auction: B256,
    bidder: &DevAccount,
    amount: u128,
    stranger: &DevAccount,
    report: &mut Report,
) -> Result<()> {
    report.step("A bidder asks for her own bid, off chain and encrypted");
    let input = SealedBidAuction::myBidCall {}.abi_encode();
    let query = QueryCall::new(auction, &input);
    let own = attested.query(&query, Some(bidder.signer())).await?;
    let own = SealedBidAuction::myBidCall::abi_decode_returns(&own.output)?;
    ensure!(own == amount, "the query answered another bid");
    report.check("the signed reply is her bid");
    let none = attested.query(&query, Some(stranger.signer())).await?;
    let none = SealedBidAuction::myBidCall::abi_decode_returns(&none.output)?;
    ensure!(none == 0, "a stranger saw a bid");
    report.check("a stranger who asks the same sees nothing");
    Ok(())
}

async fn close(
    network: &Devnet,
    attested: &Attested,
    house: &House,
    deployed: &Deployed,
    owner: &DevAccount,
    (winner, price): (Address, u128),
    report: &mut Report,
) -> Result<()> {
    report.step("The auction closes, and the chain learns winner and clearing price");
    let provider = signed_by(network.provider(), owner.signer());
    let _: serde_json::Value = provider
        .raw_request("evm_increaseTime".into(), (OPEN_FOR + 1,))
        .await?;
    let _: serde_json::Value = provider.raw_request("evm_mine".into(), ()).await?;
    let closing = house
        .close()
        .value(U256::from(FEE))
        .send()
        .await?
        .get_receipt()
        .await?;
    mined(closing)?;
    let seq = house.closing().call().await?.to::<u64>();
    let result = answer(network, attested, deployed.contract, seq).await?;
    ensure!(
        result.status == Status::Succeeded,
        "closing ended as {:?}",
        result.status
    );
    ensure!(
        house.settled().call().await?,
        "the house was not called back"
    );
    let found = (
        house.winner().call().await?,
        house.clearingPrice().call().await?,
    );
    ensure!(
        found == (winner, price),
        "the house holds {found:?}, not {:?}",
        (winner, price)
    );
    report.check(format!(
        "called back in block {}: {winner} wins",
        result.block
    ));
    report.check(format!(
        "clearing price {price} wei, the second-highest bid"
    ));

    let kept = attested
        .connection()
        .receipt(deployed.contract, seq)
        .await?;
    let trust = receipt::ReceiptTrust::new(network.deployment(), true)?;
    let checks = receipt::verify(&kept, &trust);
    if let Some(failed) = checks.iter().find(|check| !check.passed()) {
        return Err(eyre!("receipt check {} failed", failed.id));
    }
    report.check(format!(
        "its receipt passes {} checks offline",
        checks.len()
    ));
    Ok(())
}

async fn seal_bid(
    attested: &Attested,
    house: &House,
    auction: B256,
    bidder: &DevAccount,
    amount: u128,
) -> Result<Bytes> {
    let target = CallTarget {
        contract: auction,
        requester: *house.address(),
        context: house.nextContext(bidder.address()).call().await?,
    };
    let input = SealedBidAuction::bidCall { amount }.abi_encode();
    Ok(attested
        .seal_call(&target, &input, None, Default::default())?
        .envelope)
}

/// Sends an envelope through the house, and says which request it became.
async fn bid(
    network: &Devnet,
    attested: &Attested,
    house: &House,
    account: &DevAccount,
    envelope: &Bytes,
) -> Result<u64> {
    let house = AuctionHouse::new(
        *house.address(),
        signed_by(network.provider(), account.signer()),
    );
    let sent = house
        .bid(
            envelope.clone(),
            attested.epoch_id().epoch,
            MAXIMUM_CHARGE_GWEI,
        )
        .value(U256::from(FEE))
        .send()
        .await?;
    let receipt = mined(sent.get_receipt().await?)?;
    let placed = receipt
        .decoded_log::<AuctionHouse::BidPlaced>()
        .ok_or_eyre("the house did not announce the bid")?;
    Ok(placed.seq.to::<u64>())
}

async fn answer(
    network: &Devnet,
    attested: &Attested,
    contract: B256,
    seq: u64,
) -> Result<Fulfilled> {
    let ticket = attested.connection().find(contract, seq).await?;
    let waited = attested
        .connection()
        .wait(&ticket, Default::default())
        .await;
    waited.wrap_err_with(|| {
        format!(
            "request {seq} has no answer; see {}",
            network.layout().logs().display()
        )
    })
}

fn mined(receipt: TransactionReceipt) -> Result<TransactionReceipt> {
    ensure!(
        receipt.status(),
        "transaction {} reverted",
        receipt.transaction_hash
    );
    Ok(receipt)
}

async fn chain_time(network: &Devnet) -> Result<u64> {
    let block = network
        .provider()
        .get_block_by_number(Default::default())
        .await?;
    Ok(block
        .ok_or_eyre("the chain has no blocks")?
        .header
        .timestamp)
}
