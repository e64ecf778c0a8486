// SPDX-License-Identifier: Apache-2.0
//! The contracts of a development network: deployed from the committed artifacts, and told
//! who is trusted.

use std::{fs, path::Path};

use alloy::{
    contract::{CallBuilder, CallDecoder},
    network::{Ethereum, EthereumWallet},
    providers::{DynProvider, Provider, ProviderBuilder},
};
use alloy_primitives::{Address, B256, aliases::U40, keccak256};
use subrosa_attestation::{
    Policy,
    measurement::{SoftwareMeasurement, measurement_of_executable},
};
use subrosa_chain::bindings::{
    AccessManager, SubrosaDcap, SubrosaMailbox, SubrosaOracle, SubrosaRegistry,
};
use subrosa_evidence::DEVELOPMENT_ROOT_ID;
use subrosa_types::{
    config::{HeaderTrustKind, Recovery},
    entry::RUNTIME_GENERATION,
    id::TeeKind,
    measured::Measured,
    price::Prices,
};

use crate::{DevAccount, DevnetError};

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// Chain they live on.
    pub chain_id: u64,
    /// Who may govern the registry.
    pub access_manager: Address,
    /// The registry.
    pub registry: Address,
    /// keccak256 of its code.
    pub registry_code_hash: B256,
    /// The oracle.
    pub oracle: Address,
    /// keccak256 of its code.
    pub oracle_code_hash: B256,
    /// What verifies DCAP quotes for the registry, under the development root alone.
    pub dcap: Address,
    /// What passes code, challenges and their answers on.
    pub mailbox: Address,
}

/// Deploys access manager, registry, oracle, mailbox and the verification of quotes. What is added to the registry is trusted at once.
pub(crate) async fn deploy(
    provider: &DynProvider,
    deployer: &DevAccount,
    maximum_lease: Option<u64>,
) -> Result<Contracts, DevnetError> {
    let signing = signing(provider, deployer);
    let step = failed("deploying the contracts");
    let manager = AccessManager::deploy(&signing, deployer.address())
        .await
        .map_err(&step)?;
    let lease = U40::saturating_from(maximum_lease.unwrap_or(MAXIMUM_LEASE));
    let registry = SubrosaRegistry::deploy(
        &signing,
        *manager.address(),
        U40::ZERO,
        lease,
        U40::saturating_from(OPENING_TIMEOUT),
        U40::ZERO,
    )
    .await
    .map_err(&step)?;
    let oracle = SubrosaOracle::deploy(&signing, *registry.address(), Prices::SHIPPED.into())
        .await
        .map_err(&step)?;
    let dcap = SubrosaDcap::deploy(&signing, vec![DEVELOPMENT_ROOT_ID])
        .await
        .map_err(&step)?;
    let (of, by) = (*oracle.address(), *registry.address());
    let mailbox = SubrosaMailbox::deploy(&signing, of, by)
        .await
        .map_err(&step)?;
    let chain_id = provider
        .get_chain_id()
        .await
        .map_err(failed("reading the chain id"))?;
    Ok(Contracts {
        chain_id,
        access_manager: *manager.address(),
        registry: *registry.address(),
        registry_code_hash: code_hash(provider, *registry.address()).await?,
        oracle: *oracle.address(),
        oracle_code_hash: code_hash(provider, *oracle.address()).await?,
        dcap: *dcap.address(),
        mailbox: *mailbox.address(),
    })
}

/// What the enclaves of a development network are started with.
pub(crate) fn measured(contracts: &Contracts) -> Measured {
    let mut policy = Policy::development();
    policy.roots.clear();
    Measured {
        chain_id: contracts.chain_id,
        registry: contracts.registry,
        registry_code_hash: contracts.registry_code_hash,
        oracle: contracts.oracle,
        oracle_code_hash: contracts.oracle_code_hash,
        header_trust: HeaderTrustKind::HostAsserted,
        header_trust_parameters: Default::default(),
        evidence_roots: vec![DEVELOPMENT_ROOT_ID],
        policy_hash: policy.hash(),
        key_group: KEY_GROUP,
        recovery: Recovery::SealedDevelopment,
    }
}

/// What the software TEE will report for an executable.
pub(crate) fn measure(executable: &Path) -> Result<SoftwareMeasurement, DevnetError> {
    fs::read(executable)
        .map(|executable| measurement_of_executable(&executable))
        .map_err(|source| DevnetError::File {
            path: executable.to_path_buf(),
            source,
        })
}

/// What the registry is told to trust.
pub(crate) struct Governance<'a> {
    pub(crate) measurement: &'a SoftwareMeasurement,
    pub(crate) measured: &'a Measured,
    /// Whose word admits signers; `None`: nobody's.
    pub(crate) verifier: Option<Address>,
}

impl Governance<'_> {
    pub(crate) async fn apply(
        &self,
        provider: &DynProvider,
        deployer: &DevAccount,
        contracts: &Contracts,
    ) -> Result<(), DevnetError> {
        let registry = SubrosaRegistry::new(contracts.registry, signing(provider, deployer));
        let config = self
            .measured
            .enclave_config()
            .map_err(failed("configuring the enclave"))?;
        let tee = TeeKind::Tdx as u8;
        let measurement = self.measurement.hash;
        let step = "adding the measurement";
        mined(
            step,
            registry.addMeasurement(DEVELOPMENT_ROOT_ID, tee, measurement),
        )
        .await?;
        let step = "adding the configuration";
        mined(
            step,
            registry.addConfig(config.hash(), self.measured.key_group),
        )
        .await?;
        let schedule = SubrosaRegistry::EpochSchedule {
            keyGroup: self.measured.key_group,
            keyEpoch: 1,
            members: vec![SubrosaRegistry::EpochMember {
                measurementId: self.measurement.id,
                configHash: config.hash(),
            }],
            recovery: config.recovery,
            custodians: Vec::new(),
            continues: false,
            notBefore: U40::ZERO,
        };
        mined(
            "scheduling the first epoch",
            registry.scheduleEpoch(schedule),
        )
        .await?;
        mined(
            "adding the runtime generation",
            registry.addRuntime(RUNTIME_GENERATION),
        )
        .await?;
        mined(
            "naming the verification of quotes",
            registry.setDcap(contracts.dcap, UP_TO_DATE),
        )
        .await?;
        mined(
            "accepting TCB evaluation numbers",
            registry.setFamily(tee, ANY_EVALUATION, false),
        )
        .await?;
        let Some(verifier) = self.verifier else {
            return Ok(());
        };
        mined("adding the verifier", registry.setVerifier(verifier, true)).await
    }
}

async fn mined<P: Provider, D: CallDecoder>(
    step: &'static str,
    call: CallBuilder<P, D, Ethereum>,
) -> Result<(), DevnetError> {
    let pending = call.send().await.map_err(failed(step))?;
    let receipt = pending.get_receipt().await.map_err(failed(step))?;
    if receipt.status() {
        return Ok(());
    }
    Err(DevnetError::Chain {
        step,
        source: format!("transaction {} reverted", receipt.transaction_hash).into(),
    })
}

fn signing(provider: &DynProvider, account: &DevAccount) -> DynProvider {
    ProviderBuilder::new()
        .wallet(EthereumWallet::from(account.signer().clone()))
        .connect_provider(provider.clone())
        .erased()
}

async fn code_hash(provider: &DynProvider, account: Address) -> Result<B256, DevnetError> {
    let code = provider
        .get_code_at(account)
        .await
        .map_err(failed("reading a contract's code"))?;
    Ok(keccak256(code))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(
    step: &'static str,
) -> impl Fn(E) -> DevnetError {
    move |source| DevnetError::Chain {
        step,
        source: Box::new(source),
    }
}

/// Bit n accepts TCB status n: status 1 alone.
const UP_TO_DATE: u16 = 1 << 1;
/// The software TEE's collateral is nobody's word for anything, so any will do.
const ANY_EVALUATION: u32 = 1;
/// For how long the opening of an epoch cannot be replaced, seconds.
const OPENING_TIMEOUT: u64 = 600;
/// The one key group.
const KEY_GROUP: u32 = 1;
/// Longest lease of a signer unless told otherwise, seconds: a month.
const MAXIMUM_LEASE: u64 = 30 * 86_400;
