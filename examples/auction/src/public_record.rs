// SPDX-License-Identifier: Apache-2.0
//! Everything a curious host or onlooker could read: chain data, files, logs, metrics.

use std::path::Path;

use alloy::{
    network::TransactionBuilder,
    providers::{DynProvider, Provider},
    rpc::types::TransactionRequest,
};
use alloy_primitives::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use eyre::{OptionExt, Result, bail};
use subrosa_devnet::{Devnet, Process, Service};

use crate::{
    house::signed_by,
    report::Report,
    secrecy::{Haystack, Needle},
    secrets::{Secrets, WINDOW},
};

/// The haystack, and the code in it that is public by design.
pub(crate) struct PublicRecord {
    haystack: Haystack,
    public_code: Vec<Vec<u8>>,
}

impl PublicRecord {
    /// Plants the control value, then collects chain data, metrics and files.
    pub(crate) async fn collect(
        network: &Devnet,
        scratch: &Path,
        secrets: &Secrets,
    ) -> Result<Self> {
        plant(network, scratch, secrets).await?;
        let mut record = Self {
            haystack: Haystack::default(),
            public_code: Vec::new(),
        };
        record.add_chain(network.provider()).await?;
        let verifier = network.verifier_url().ok_or_eyre("no verifier")?;
        for url in [network.admin_url(), verifier] {
            let url = format!("{url}/metrics");
            let text = reqwest::get(&url).await?.error_for_status()?.text().await?;
            record.haystack.add(url, text);
        }
        for service in [Service::Node, Service::Verifier, Service::Chain] {
            record.add_open_files(
                network
                    .process(service)
                    .and_then(Process::pid)
                    .ok_or_eyre("a service ended")?,
            )?;
        }
        record.with_files(&[network.layout().root(), scratch])
    }

    /// Adds every file below these directories.
    pub(crate) fn with_files(mut self, directories: &[&Path]) -> Result<Self> {
        for directory in directories {
            self.haystack.add_directory(directory)?;
        }
        Ok(self)
    }

    /// Looks for the secrets, and for what must be found.
    pub(crate) fn search(&self, secrets: &Secrets, report: &mut Report) -> Result<()> {
        report.detail(format!(
            "{} blocks, files, logs and metrics, {:.1} MiB, raw and as hex and base64 decode them",
            self.haystack.pieces(),
            self.haystack.bytes() as f64 / f64::from(1 << 20)
        ));
        let controls = [
            Needle::new("control", secrets.control),
            Needle::new("price", secrets.clearing_price.to_be_bytes()),
        ];
        let found = self.haystack.scan(&controls)?;
        for (name, place) in [
            ("control", "block"),
            ("control", "planted"),
            ("price", "block"),
        ] {
            if !found
                .iter()
                .any(|hit| hit.needle == name && hit.place.contains(place))
            {
                bail!("the search is blind: it did not find the {name} in any {place}");
            }
        }
        report.check("the planted control value is found, on chain and in a file");
        report.check("the clearing price is found: it is public");

        let (needles, left_out) = secrets.needles(&self.public_code);
        let windows = needles.len() - 3 * secrets.numbers.len();
        if windows < left_out {
            bail!("most of the secret code is public; there is nothing to search for");
        }
        let leaks = self.haystack.scan(&needles)?;
        if !leaks.is_empty() {
            for leak in leaks.iter().take(20) {
                report.detail(format!(
                    "LEAK: {} in {} ({})",
                    leak.needle, leak.place, leak.encoding
                ));
            }
            bail!("{} leaks", leaks.len());
        }
        report.check(format!(
            "none of {} secret numbers is found",
            secrets.numbers.len()
        ));
        report.check(format!(
            "none of {windows} windows of {WINDOW} bytes of secret code is found ({left_out} more also \
             occur in public contracts, or are padding, and do not count)"
        ));
        Ok(())
    }

    /// Adds every block with its transactions and receipts, and the code of every contract.
    async fn add_chain(&mut self, provider: &DynProvider) -> Result<()> {
        let newest = provider.get_block_number().await?;
        for number in 0..=newest {
            let block = provider.get_block_by_number(number.into()).full().await?;
            let block = block.ok_or_eyre("a block is missing")?;
            let receipts = provider
                .get_block_receipts(number.into())
                .await?
                .unwrap_or_default();
            for receipt in &receipts {
                if let Some(address) = receipt.contract_address {
                    self.public_code
                        .push(provider.get_code_at(address).await?.to_vec());
                    let created = provider
                        .get_transaction_by_hash(receipt.transaction_hash)
                        .await?;
                    let created = created.ok_or_eyre("a transaction is missing")?;
                    let request = created.into_request();
                    self.public_code
                        .extend(request.input.input().map(|input| input.to_vec()));
                }
            }
            self.haystack
                .add(format!("block {number}"), serde_json::to_vec(&block)?);
            self.haystack.add(
                format!("receipts of block {number}"),
                serde_json::to_vec(&receipts)?,
            );
        }
        Ok(())
    }

    /// Adds the regular files a process has open.
    fn add_open_files(&mut self, pid: u32) -> Result<()> {
        for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
            let Ok(path) = std::fs::read_link(entry?.path()) else {
                continue;
            };
            if path.is_file() && !path.starts_with("/dev") {
                self.haystack.add_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Puts the control value into a transaction and, in base64, into a file.
async fn plant(network: &Devnet, scratch: &Path, secrets: &Secrets) -> Result<()> {
    let account = network.deployer();
    let provider = signed_by(network.provider(), account.signer());
    let transaction = TransactionRequest::default()
        .with_to(account.address())
        .with_input(Bytes::copy_from_slice(&secrets.control));
    provider
        .send_transaction(transaction)
        .await?
        .get_receipt()
        .await?;
    std::fs::write(scratch.join("planted"), STANDARD.encode(secrets.control))?;
    Ok(())
}
