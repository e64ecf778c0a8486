// SPDX-License-Identifier: Apache-2.0
//! The state machine's state, and which request does what.

use alloc::{boxed::Box, format};

use alloy_primitives::{Bytes, keccak256};
use subrosa_types::frame::{
    ErrorCode, FrameError, HelloReply, Request, Response, Started, WIRE_VERSION,
};
use subrosa_vm::Engines;

use crate::{
    boot::BootKeys,
    contract::Contracts,
    epoch::Epochs,
    execute::Executor,
    fixed::Fixed,
    limits::MAX_CHALLENGE_BYTES,
    load,
    platform::{Platform, PlatformError},
    query, sign,
};

/// An enclave's whole state. Lives as long as the process; survives its host.
#[expect(missing_debug_implementations, reason = "holds every secret there is")]
pub struct Enclave {
    platform: Box<dyn Platform>,
    engines: Engines,
    boot: BootKeys,
    fixed: Option<Fixed>,
    epochs: Epochs,
    contracts: Contracts,
    answers: query::Answers,
}

impl Enclave {
    /// Boots with the engines of its build: draws the signer and the node transfer key.
    ///
    /// # Errors
    ///
    /// [`PlatformError`] if the platform gives no randomness.
    pub fn boot(mut platform: Box<dyn Platform>, engines: Engines) -> Result<Self, PlatformError> {
        let boot = BootKeys::draw(platform.as_mut())?;
        Ok(Self {
            platform,
            engines,
            boot,
            fixed: None,
            epochs: Epochs::default(),
            contracts: Contracts::default(),
            answers: query::Answers::default(),
        })
    }

    /// Answers one request. Never panics, whatever the request holds.
    pub fn handle(&mut self, request: Request) -> Response {
        self.answer(request).unwrap_or_else(Response::Error)
    }

    fn answer(&mut self, request: Request) -> Result<Response, FrameError> {
        Ok(match request {
            Request::Hello { .. } => Response::Hello(Box::new(self.hello())),
            Request::Start { config, checkpoint } => {
                Response::Started(Box::new(self.start(&config, &checkpoint)?))
            }
            Request::Advance { update } => {
                let fixed = self.fixed.as_mut().ok_or_else(not_started)?;
                Response::Advanced(fixed.advance(&update)?)
            }
            Request::Quote { challenge } => Response::Evidence(self.quote(&challenge)?),
            Request::ProposeEpoch {
                epoch,
                measurements,
            } => {
                let fixed = self.fixed.as_ref().ok_or_else(not_started)?;
                let (platform, signer) = (self.platform.as_mut(), &self.boot.signer);
                let proposal =
                    self.epochs
                        .propose(fixed, platform, signer, epoch, &measurements)?;
                Response::Epoch(Box::new(proposal))
            }
            Request::RestoreEpoch { sealed } => {
                let fixed = self.fixed.as_ref().ok_or_else(not_started)?;
                let (platform, signer) = (self.platform.as_ref(), &self.boot.signer);
                let proposal = self.epochs.restore(fixed, platform, signer, &sealed)?;
                Response::Epoch(Box::new(proposal))
            }
            Request::ActivateEpoch { epoch, proof } => {
                let fixed = self.fixed.as_ref().ok_or_else(not_started)?;
                let keys = self.epochs.activate(fixed, epoch, &proof)?;
                Response::EpochActive(Box::new(keys))
            }
            Request::Load { contract, blobs } => {
                let place = self.fixed()?.place;
                let loaded = load::load(place, &self.engines, &self.epochs, contract, &blobs)?;
                let summary = loaded.summary();
                self.contracts.put(loaded);
                Response::Loaded(summary)
            }
            Request::Execute {
                contract,
                entries,
                code_envelope,
                reassignment,
                proof,
            } => {
                let executor = Executor {
                    fixed: self.fixed.as_ref().ok_or_else(not_started)?,
                    engines: &self.engines,
                    epochs: &self.epochs,
                };
                let executed = executor.execute(
                    &mut self.contracts,
                    contract,
                    &entries,
                    code_envelope.as_ref(),
                    reassignment.as_deref(),
                    &proof,
                )?;
                Response::Executed(Box::new(executed))
            }
            Request::Snapshot { contract } => {
                let place = self.fixed()?.place;
                let contract = self.contracts.loaded(contract)?;
                let blob = load::snapshot(place, &self.epochs, contract)?;
                Response::Snapshot(Box::new(blob))
            }
            Request::Sign { results, anchor } => {
                let fixed = self.fixed()?;
                let signed =
                    sign::sign(fixed, &self.boot.signer, &self.contracts, &results, &anchor)?;
                Response::Signed(Box::new(signed))
            }
            Request::Query { contract, envelope } => {
                let fixed = self.fixed.as_ref().ok_or_else(not_started)?;
                let contract = self.contracts.loaded(contract)?;
                let signer = &self.boot.signer;
                let reply = self
                    .answers
                    .answer(signer.address(), contract, &envelope, || {
                        query::query(fixed, &self.epochs, signer, contract, &envelope)
                    })?;
                Response::Queried(Box::new(reply))
            }
            Request::Statement { contract, nonce } => {
                let fixed = self.fixed()?;
                let contract = self.contracts.loaded(contract)?;
                let signed = sign::statement(fixed, &self.boot.signer, contract, nonce)?;
                Response::Statement(Box::new(signed))
            }
            _ => return Err(FrameError::new(ErrorCode::Unsupported, "unknown request")),
        })
    }

    fn hello(&self) -> HelloReply {
        HelloReply {
            wire_version: WIRE_VERSION,
            boot_id: self.boot.id,
            started: self.fixed.as_ref().map(|fixed| fixed.started.clone()),
            epochs: self.epochs.active_keys(),
            contracts: self.contracts.summaries(),
        }
    }

    fn start(&mut self, config: &[u8], checkpoint: &[u8]) -> Result<Started, FrameError> {
        if let Some(fixed) = &self.fixed {
            return fixed.start_again(config, checkpoint);
        }
        let fixed = Fixed::start(self.platform.as_mut(), &self.boot, config, checkpoint)?;
        let started = fixed.started.clone();
        self.fixed = Some(fixed);
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
        Ok(self.platform.evidence(report_data)?.bundle.into())
    }

    fn fixed(&self) -> Result<&Fixed, FrameError> {
        self.fixed.as_ref().ok_or_else(not_started)
    }
}

fn not_started() -> FrameError {
    FrameError::new(ErrorCode::OutOfOrder, "not started")
}
