// SPDX-License-Identifier: Apache-2.0
//! The state machine's state, and which request does what.

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, keccak256};
use subrosa_chain_proof::HeaderTrust;
use subrosa_types::{
    ContractId,
    abi::EnclaveConfig,
    config::{HeaderTrustKind, Recovery},
    frame::{ErrorCode, FrameError, HelloReply, Request, Response, Started, WIRE_VERSION},
    id,
};

use subrosa_vm::Engines;

use crate::{Platform, boot::BootKeys, contract::Contract, epoch::Epochs};

/// An enclave's whole state. Lives as long as the process; survives its host.
#[expect(missing_debug_implementations, reason = "holds every secret there is")]
pub struct Enclave {
    pub(crate) platform: Box<dyn Platform>,
    pub(crate) engines: Engines,
    pub(crate) boot: BootKeys,
    pub(crate) fixed: Option<Fixed>,
    pub(crate) epochs: Epochs,
    pub(crate) contracts: BTreeMap<ContractId, Contract>,
}

/// What starting fixed.
pub(crate) struct Fixed {
    pub(crate) config: EnclaveConfig,
    pub(crate) chain_id: u64,
    pub(crate) trust: Box<dyn HeaderTrust>,
    pub(crate) recovery: Recovery,
    pub(crate) started: Started,
}

impl Enclave {
    /// Boots with the engines of its build: draws the signer and the node transfer key.
    ///
    /// # Errors
    ///
    /// [`PlatformError`](crate::PlatformError) if the platform gives no randomness.
    pub fn boot(
        mut platform: Box<dyn Platform>,
        engines: Engines,
    ) -> Result<Self, crate::PlatformError> {
        let boot = BootKeys::draw(platform.as_mut())?;
        Ok(Self {
            platform,
            engines,
            boot,
            fixed: None,
            epochs: Epochs::default(),
            contracts: BTreeMap::new(),
        })
    }

    /// Answers one request. Never panics, whatever the request holds.
    pub fn handle(&mut self, request: Request) -> Response {
        let answer = match request {
            Request::Hello { .. } => Ok(Response::Hello(Box::new(self.hello()))),
            Request::Start { config } => self
                .start(&config)
                .map(|started| Response::Started(Box::new(started))),
            Request::Quote { challenge } => self.quote(&challenge).map(Response::Evidence),
            Request::ProposeEpoch {
                epoch,
                measurements,
            } => self
                .propose_epoch(epoch, &measurements)
                .map(|p| Response::Epoch(Box::new(p))),
            Request::RestoreEpoch { sealed } => self
                .restore_epoch(&sealed)
                .map(|p| Response::Epoch(Box::new(p))),
            Request::ActivateEpoch { epoch, proof } => self
                .activate_epoch(epoch, &proof)
                .map(|keys| Response::EpochActive(Box::new(keys))),
            Request::Load { contract, blobs } => self.load(contract, &blobs).map(Response::Loaded),
            Request::Execute {
                contract,
                entries,
                code_envelope,
                reassignment,
                proof,
            } => self
                .execute(
                    contract,
                    &entries,
                    code_envelope.as_ref(),
                    reassignment.as_deref(),
                    &proof,
                )
                .map(|executed| Response::Executed(Box::new(executed))),
            Request::Snapshot { contract } => self
                .snapshot(contract)
                .map(|blob| Response::Snapshot(Box::new(blob))),
            Request::Sign { results, anchor } => self
                .sign(&results, &anchor)
                .map(|signed| Response::Signed(Box::new(signed))),
            Request::Query { contract, envelope } => self
                .query(contract, &envelope)
                .map(|reply| Response::Queried(Box::new(reply))),
            Request::Statement { contract, nonce } => self
                .statement(contract, nonce)
                .map(|signed| Response::Statement(Box::new(signed))),
            _ => Err(FrameError::new(ErrorCode::Unsupported, "unknown request")),
        };
        answer.unwrap_or_else(Response::Error)
    }

    fn hello(&self) -> HelloReply {
        HelloReply {
            wire_version: WIRE_VERSION,
            boot_id: self.boot.id,
            started: self.fixed.as_ref().map(|fixed| fixed.started.clone()),
            epochs: self.epochs.active_keys(),
            contracts: self.contracts.values().map(Contract::loaded).collect(),
        }
    }

    fn start(&mut self, encoded: &[u8]) -> Result<Started, FrameError> {
        let config =
            EnclaveConfig::decode(encoded).map_err(|e| FrameError::new(ErrorCode::Config, e))?;
        let config_hash = config.hash();
        if let Some(fixed) = &self.fixed {
            if fixed.started.config_hash == config_hash {
                return Ok(fixed.started.clone());
            }
            let message = format!("already started with {}", fixed.started.config_hash);
            return Err(FrameError::new(ErrorCode::State, message));
        }
        let refuse = |message: String| FrameError::new(ErrorCode::Config, message);
        let identity = self.platform.identity();
        let kind = config.header_trust().map_err(|e| refuse(e.to_string()))?;
        let recovery = Recovery::unpack(config.recovery).map_err(|e| refuse(e.to_string()))?;
        let for_development =
            kind == HeaderTrustKind::HostAsserted || recovery == Recovery::SealedDevelopment;
        if for_development && !identity.development {
            return Err(refuse(
                "host-asserted headers and development sealing are refused on real hardware".into(),
            ));
        }
        let trust = subrosa_chain_proof::header_trust(kind, &config.headerTrustParameters)
            .map_err(|e| refuse(e.to_string()))?;
        self.platform
            .fix_config(config_hash)
            .map_err(platform_fault)?;
        let started = Started {
            config_hash,
            signer: self.boot.signer.address(),
            transfer_key: self.boot.transfer_public.clone(),
            tee: identity.tee,
            root_id: identity.root_id,
            measurement_hash: identity.measurement_hash,
            measurement_id: id::measurement_id(
                identity.root_id,
                identity.tee,
                identity.measurement_hash,
            ),
        };
        self.fixed = Some(Fixed {
            chain_id: config.chain_id(),
            trust,
            recovery,
            started: started.clone(),
            config,
        });
        Ok(started)
    }

    fn quote(&mut self, challenge: &[u8]) -> Result<Bytes, FrameError> {
        if challenge.is_empty() || challenge.len() > MAX_CHALLENGE_BYTES {
            let message = format!(
                "challenge of {} bytes, 1 to {MAX_CHALLENGE_BYTES} are taken",
                challenge.len()
            );
            return Err(FrameError::new(ErrorCode::Malformed, message));
        }
        let started = &self.fixed()?.started;
        let report_data = subrosa_evidence::report_data(
            started.signer,
            keccak256(&started.transfer_key),
            started.config_hash,
            challenge,
        );
        let evidence = self
            .platform
            .evidence(report_data)
            .map_err(platform_fault)?;
        Ok(evidence.bundle.into())
    }

    /// What starting fixed.
    pub(crate) fn fixed(&self) -> Result<&Fixed, FrameError> {
        self.fixed
            .as_ref()
            .ok_or_else(|| FrameError::new(ErrorCode::State, "not started"))
    }
}

/// Longest challenge, bytes.
const MAX_CHALLENGE_BYTES: usize = 256;

pub(crate) fn platform_fault(error: crate::PlatformError) -> FrameError {
    FrameError::new(ErrorCode::Platform, error)
}
