// SPDX-License-Identifier: Apache-2.0
//! `subrosa collateral push`.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, B256, FixedBytes};
use clap::{Args, ValueEnum};
use eyre::{Result, WrapErr, bail, eyre};
use serde::Serialize;
use subrosa_attestation::{Policy, Root};
use subrosa_client::{
    ClientError, Deployment,
    collateral::{Collateral, CollateralChain, DcapPlace, DocumentReport, DocumentStatus, Quoted},
};
use subrosa_collateral::{CollateralConfig, IntelCa, IntelFamily, IntelTee};
use subrosa_evidence::EvidenceBundle;

use crate::{
    args::key::KeyArgs,
    command::attest::read_evidence,
    failure::CollateralRefused,
    output::{self, Output},
};

/// Submits Intel's collateral to the contract that verifies DCAP quotes: each document that it lacks,
/// after asking whether it would take it. Of revocation lists it keeps the newest, of the rest every
/// edition.
///
/// Exit code 0: the contract now keeps every document in force. 2: it refuses one, or keeps one that
/// has run out. 1: could not tell.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// JSON-RPC of the chain (http, https, ws, wss) [default: the deployment's]
    #[arg(long, value_name = "URL", env = "SUBROSA_RPC", help_heading = "Chain")]
    rpc: Option<String>,

    /// The contract [default: the one that the deployment's registry names]
    #[arg(long, value_name = "ADDRESS", help_heading = "Chain")]
    dcap: Option<Address>,

    /// A deployment file: its chain and its registry
    #[arg(
        long,
        value_name = "FILE",
        env = "SUBROSA_DEPLOYMENT",
        help_heading = "Chain"
    )]
    deployment: Option<PathBuf>,

    /// Evidence with its collateral (a bundle), or the collateral alone (JSON); with --from, evidence
    /// or a quote of the platforms to fetch for
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "from",
        help_heading = "Collateral"
    )]
    evidence: Option<PathBuf>,

    /// Fetch from Intel's provisioning certification service or a PCCS, up to /sgx/certification/v4
    #[arg(long, value_name = "URL", help_heading = "Collateral")]
    from: Option<String>,

    /// Where the root's revocation list is [default: Intel's certificate server, or the PCCS]
    #[arg(
        long,
        value_name = "URL",
        requires = "from",
        help_heading = "Collateral"
    )]
    root_crl_from: Option<String>,

    /// The only root to accept of what is fetched: a certificate, PEM or DER [default: Intel's]
    #[arg(
        long,
        value_name = "FILE",
        requires = "from",
        help_heading = "Collateral"
    )]
    root: Option<PathBuf>,

    /// Fetch for the platforms of this FMSPC, hexadecimal
    #[arg(
        long,
        value_name = "HEX",
        requires = "from",
        conflicts_with = "evidence",
        required_unless_present = "evidence",
        help_heading = "Collateral"
    )]
    fmspc: Option<FixedBytes<6>>,

    /// Fetch for this TEE
    #[arg(long, value_enum, default_value_t, help_heading = "Collateral")]
    tee: Tee,

    /// Fetch for PCK certificates of this authority
    #[arg(long, value_enum, default_value_t, help_heading = "Collateral")]
    ca: Ca,

    /// Say what would be submitted, and send nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Tee {
    #[default]
    Tdx,
    Sgx,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Ca {
    #[default]
    Platform,
    Processor,
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    dcap: Address,
    root_id: B256,
    pck_authority: B256,
    dry_run: bool,
    documents: Vec<DocumentReport>,
}

impl PushArgs {
    pub(crate) async fn run(self, output: &Output) -> Result<()> {
        // Wrong arguments are found before anything is fetched or sent.
        let (rpc, place) = self.chain()?;
        let account = match self.dry_run {
            true => None,
            false => Some(self.key.required()?),
        };
        let collateral = Collateral::from_json(&self.collateral(output).await?)
            .wrap_err("the collateral cannot be submitted")?;
        let chain = CollateralChain::connect(&rpc, place).await?;
        let documents = match &account {
            Some(account) => {
                output.progress(format_args!("submitting to {}", chain.address()));
                chain.push(&collateral, account).await?
            }
            None => chain.survey(&collateral).await?,
        };
        let pushed = Pushed {
            dcap: chain.address(),
            root_id: collateral.root_id,
            pck_authority: collateral.pck_authority,
            dry_run: self.dry_run,
            documents,
        };
        output.result(&pushed, Pushed::text)?;
        pushed.conclude()
    }

    /// The chain's JSON-RPC and the contract.
    fn chain(&self) -> Result<(String, DcapPlace)> {
        let deployment = match (&self.deployment, &self.rpc, self.dcap) {
            // Nothing is left for it to say.
            (_, Some(_), Some(_)) | (None, ..) => None,
            (Some(path), ..) => Some(Deployment::load(path).map_err(ClientError::from)?),
        };
        let of_deployment = deployment.as_ref();
        let rpc = self
            .rpc
            .clone()
            .or_else(|| of_deployment.map(|deployment| deployment.rpc_url.clone()))
            .ok_or_else(|| eyre!("no chain: pass --rpc URL or --deployment FILE"))?;
        let place = match (self.dcap, of_deployment) {
            (Some(address), _) => DcapPlace::Contract(address),
            (None, Some(deployment)) => DcapPlace::Registry(deployment.measured.registry),
            (None, None) => bail!("no contract: pass --dcap ADDRESS or --deployment FILE"),
        };
        Ok((rpc, place))
    }

    /// The collateral, JSON.
    async fn collateral(&self, output: &Output) -> Result<Vec<u8>> {
        let evidence = match &self.evidence {
            Some(path) => Some((path.as_path(), read_evidence(path)?)),
            None => None,
        };
        if let Some(from) = &self.from {
            let family = self.family(evidence)?;
            output.progress(format_args!("fetching from {from}"));
            return self.fetch(from, family).await;
        }
        let Some((path, bytes)) = evidence else {
            bail!("no collateral: pass --evidence FILE or --from URL");
        };
        if !EvidenceBundle::is_encoded(&bytes) {
            return Ok(bytes);
        }
        let bundle = EvidenceBundle::decode(&bytes)
            .wrap_err_with(|| format!("cannot use {}", path.display()))?;
        match bundle.collateral() {
            [] => bail!(
                "{} has no collateral; --from URL fetches what it needs",
                path.display()
            ),
            json => Ok(json.to_vec()),
        }
    }

    /// The platforms to fetch for.
    fn family(&self, evidence: Option<(&Path, Vec<u8>)>) -> Result<IntelFamily> {
        let Some((path, bytes)) = evidence else {
            let fmspc = self
                .fmspc
                .ok_or_else(|| eyre!("no platform: pass --fmspc HEX or --evidence FILE"))?;
            return Ok(IntelFamily {
                tee: match self.tee {
                    Tee::Tdx => IntelTee::Tdx,
                    Tee::Sgx => IntelTee::Sgx,
                },
                fmspc: fmspc.0,
                ca: match self.ca {
                    Ca::Platform => IntelCa::Platform,
                    Ca::Processor => IntelCa::Processor,
                },
            });
        };
        let at = || format!("cannot use {}", path.display());
        let quote = match EvidenceBundle::is_encoded(&bytes) {
            true => EvidenceBundle::decode(&bytes)
                .wrap_err_with(at)?
                .quote()
                .to_vec(),
            false => bytes,
        };
        let quoted = Quoted::read(&quote).wrap_err_with(at)?;
        Ok(IntelFamily {
            tee: match quoted.tee {
                subrosa_types::id::TeeKind::Sgx => IntelTee::Sgx,
                _ => IntelTee::Tdx,
            },
            fmspc: quoted.fmspc,
            ca: if quoted.authority.contains("PCK Processor CA") {
                IntelCa::Processor
            } else {
                IntelCa::Platform
            },
        })
    }

    async fn fetch(&self, from: &str, family: IntelFamily) -> Result<Vec<u8>> {
        let config = CollateralConfig {
            intel_url: from.to_owned(),
            intel_root_crl_url: self.root_crl_from.clone(),
            timeout_seconds: FETCH_SECONDS,
            ..CollateralConfig::default()
        };
        let mut policy = Policy::strict();
        if let Some(path) = &self.root {
            let root = Root::from_certificate(&read_evidence(path)?)
                .wrap_err_with(|| format!("cannot pin {}", path.display()))?;
            policy.roots.clear();
            policy.pin(root);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .wrap_err("this machine's clock is before 1970")?
            .as_secs();
        Ok(family.fetch(&config, &policy, now).await?)
    }
}

impl Pushed {
    fn text(&self) -> String {
        let rows = self.documents.iter().map(|document| {
            let outcome = match document.outcome {
                DocumentStatus::Kept => "there already",
                DocumentStatus::Older => "older, left alone",
                DocumentStatus::Wanted => "would be stored",
                DocumentStatus::Stored => "stored",
                DocumentStatus::Refused => "REFUSED",
            };
            let kept = match document.kept {
                Some(kept) if document.in_force => {
                    format!(
                        "kept: {} to {}",
                        output::date(kept.issued),
                        output::date(kept.expires)
                    )
                }
                Some(kept) => format!("kept: ran out {}", output::date(kept.expires)),
                None => "kept: none".to_owned(),
            };
            [
                document.document.clone(),
                format!(
                    "{} to {}",
                    output::date(document.issued),
                    output::date(document.next_update)
                ),
                outcome.to_owned(),
                document.reason.clone().unwrap_or(kept),
            ]
        });
        let mut facts = vec![
            ("contract", self.dcap.to_string()),
            ("root", self.root_id.to_string()),
            ("pck authority", self.pck_authority.to_string()),
        ];
        let mut last = None;
        for document in &self.documents {
            if let (Some(transaction), Some(gas)) = (document.transaction, document.gas)
                && last.replace(transaction) != Some(transaction)
            {
                facts.push(("transaction", format!("{transaction} ({gas} gas)")));
            }
        }
        if self.dry_run {
            facts.push(("notice", "nothing was sent: --dry-run".to_owned()));
        }
        format!("{}\n\n{}", output::table(rows), output::pairs(&facts))
    }

    /// Refused, unless everything is in force, or will be once it is submitted.
    fn conclude(&self) -> Result<()> {
        let lacking: Vec<String> = self
            .documents
            .iter()
            .filter(|document| !document.in_force && document.outcome != DocumentStatus::Wanted)
            .chain(self.documents.iter().filter(|document| {
                document.in_force && document.outcome == DocumentStatus::Refused
            }))
            .map(|document| match &document.reason {
                Some(reason) => format!("{}: {reason}", document.document),
                None => format!(
                    "{}: what is kept has run out, and this is older",
                    document.document
                ),
            })
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        bail!(CollateralRefused(lacking.join("; ")))
    }
}

/// How long one fetch may take.
const FETCH_SECONDS: u64 = 20;
