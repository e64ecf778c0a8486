// SPDX-License-Identifier: Apache-2.0
//! A sealed-bid second-price auction, from deployment to callback, on real processes.
//!
//! The auction runs as a confidential contract (`contracts/SealedBidAuction.sol`), four bidders send
//! encrypted bids through its house on chain (`contracts/AuctionHouse.sol`), one copies another's
//! ciphertext, and when it closes the chain learns the winner and the second-highest bid. Then every
//! place a host can write to is searched for what must not be there.
#![expect(
    clippy::print_stdout,
    reason = "a demonstration: standard output is its result"
)]

mod auction;
mod house;
mod public_record;
mod report;
mod secrecy;
mod secrets;

use std::path::Path;

use eyre::{Result, WrapErr, bail};
use subrosa_devnet::{Devnet, Options, Service};

use crate::report::Report;

#[tokio::main]
async fn main() -> Result<()> {
    let keep = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--keep" => true,
        _ => bail!("usage: subrosa-auction [--keep]"),
    };
    let directory = tempfile::Builder::new()
        .prefix("subrosa-auction-")
        .tempdir()?;
    let scratch = directory.path().join("tmp");
    std::fs::create_dir(&scratch)?;
    let options = Options {
        directory: Some(directory.path().join("network")),
        // What the host writes to temporary files is searched too.
        environment: [Service::Node, Service::Verifier, Service::Enclave]
            .map(|service| (service, "TMPDIR".into(), scratch.clone().into()))
            .to_vec(),
        ..Options::default()
    };

    let outcome = demonstrate(&options, &scratch, keep).await;
    if outcome.is_err() {
        let kept = directory.keep();
        eprintln!(
            "configuration, logs and data are kept in {}",
            kept.display()
        );
    }
    outcome
}

async fn demonstrate(options: &Options, scratch: &Path, keep: bool) -> Result<()> {
    let mut report = Report::new();
    report.step("Start a chain, a verifier, an enclave and a node");
    let mut network = Devnet::start(options)
        .await
        .wrap_err("the network did not start")?;
    for service in Service::ALL {
        let Some(process) = network.process(service) else {
            continue;
        };
        let pid = process.pid().map(|pid| pid.to_string()).unwrap_or_default();
        report.detail(format!("{:<9} process {pid}", process.name()));
    }
    report.detail(format!(
        "oracle    {}",
        network.deployment().measured.oracle
    ));
    report.detail("software TEE under the development root: it protects nothing from this machine");

    let secrets = auction::run(&network, &mut report).await?;
    network.ensure_running()?;

    report.step("Search everything the host could have written");
    let record = public_record::PublicRecord::collect(&network, scratch, &secrets).await?;
    if keep {
        record.search(&secrets, &mut report)?;
        report.success();
        return linger(&network).await;
    }
    let layout = network.layout().root().to_path_buf();
    network.stop()?;
    // The files as the stopped processes left them, with the chain's whole state among them.
    record
        .with_files(&[&layout, scratch])?
        .search(&secrets, &mut report)?;
    report.success();
    Ok(())
}

/// Leaves the network running until somebody interrupts.
async fn linger(network: &Devnet) -> Result<()> {
    println!("\nThe network is still running; Ctrl-C stops it.");
    println!("  chain       {}", network.chain_http());
    println!("  node        {}", network.node_url());
    println!("  metrics     {}/metrics", network.admin_url());
    println!(
        "  deployment  {}",
        network.layout().deployment_file().display()
    );
    tokio::signal::ctrl_c()
        .await
        .wrap_err("cannot wait for Ctrl-C")
}
