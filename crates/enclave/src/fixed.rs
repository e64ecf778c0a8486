// SPDX-License-Identifier: Apache-2.0
//! What starting fixes: configuration, header trust and what follows from them.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use alloy_primitives::{Address, B256};
use subrosa_chain_proof::{HeaderTrust, ProvenHeader, verify_header};
use subrosa_types::{
    abi::EnclaveConfig,
    config::{HeaderTrustKind, Recovery},
    eip712,
    frame::{
        Advanced, ErrorCode, FrameError, HeaderFrame, MAX_CHECKPOINT_BYTES, MAX_UPDATE_BYTES,
        Started,
    },
    id,
};

use crate::{boot::BootKeys, platform::Platform};

/// What starting fixed. Only header trust changes after it, by updates.
pub(crate) struct Fixed {
    pub(crate) config: EnclaveConfig,
    pub(crate) place: Place,
    /// EIP-712's separator of the oracle's domain.
    pub(crate) oracle_separator: B256,
    trust: RwLock<Box<dyn HeaderTrust>>,
    /// The header that was proven last, by header trust as it stands.
    proven: Mutex<Option<(HeaderFrame, ProvenHeader)>>,
    pub(crate) recovery: Recovery,
    pub(crate) started: Started,
}

/// The chain and oracle that commitments are bound to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) chain_id: u64,
    pub(crate) oracle: Address,
}

impl Fixed {
    /// Decodes and checks a configuration, starts its header trust, and has the platform measure it.
    pub(crate) fn start(
        platform: &mut dyn Platform,
        boot: &BootKeys,
        encoded: &[u8],
        checkpoint: &[u8],
    ) -> Result<Self, FrameError> {
        let refuse = |message: String| FrameError::new(ErrorCode::Config, message);
        let config = EnclaveConfig::decode(encoded).map_err(|e| refuse(e.to_string()))?;
        let config_hash = config.hash();
        let identity = platform.identity();
        let kind = config.header_trust().map_err(|e| refuse(e.to_string()))?;
        let recovery = Recovery::unpack(config.recovery).map_err(|e| refuse(e.to_string()))?;
        let for_development =
            kind == HeaderTrustKind::HostAsserted || recovery == Recovery::SealedDevelopment;
        if for_development && !identity.development {
            return Err(refuse(
                "host-asserted headers and development sealing are refused on real hardware".into(),
            ));
        }
        check_recovery(recovery, platform)?;
        let bytes = checkpoint.len();
        if bytes > MAX_CHECKPOINT_BYTES {
            return Err(refuse(format!(
                "checkpoint of {bytes} bytes, at most {MAX_CHECKPOINT_BYTES} are taken"
            )));
        }
        let parameters = &config.headerTrustParameters;
        let trust = subrosa_chain_proof::header_trust(kind, parameters, checkpoint)
            .map_err(|e| refuse(e.to_string()))?;
        platform.fix_config(config_hash)?;
        let started = Started {
            config_hash,
            start_hash: trust.start_hash(),
            signer: boot.signer.address(),
            transfer_key: boot.transfer_public.clone(),
            tee: identity.tee,
            root_id: identity.root_id,
            measurement_hash: identity.measurement_hash,
            measurement_id: id::measurement_id(
                identity.root_id,
                identity.tee,
                identity.measurement_hash,
            ),
        };
        Ok(Self {
            oracle_separator: eip712::oracle_domain(config.chain_id(), config.oracle).hash_struct(),
            place: Place {
                chain_id: config.chain_id(),
                oracle: config.oracle,
            },
            trust: RwLock::new(trust),
            proven: Mutex::default(),
            recovery,
            started,
            config,
        })
    }

    /// Answers a start after the first: the same one is repeated, another refused.
    pub(crate) fn start_again(
        &self,
        encoded: &[u8],
        checkpoint: &[u8],
    ) -> Result<Started, FrameError> {
        let config =
            EnclaveConfig::decode(encoded).map_err(|e| FrameError::new(ErrorCode::Config, e))?;
        let refuse = |what: &str, fixed: B256| {
            let message = format!("already started with {what} {fixed}");
            Err(FrameError::new(ErrorCode::OutOfOrder, message))
        };
        if self.started.config_hash != config.hash() {
            return refuse("configuration", self.started.config_hash);
        }
        let start_hash = self.started.start_hash;
        if start_hash != id::start_hash(checkpoint) {
            return refuse("checkpoint", start_hash);
        }
        Ok(self.started.clone())
    }

    /// Brings header trust forward.
    pub(crate) fn advance(&self, update: &[u8]) -> Result<Advanced, FrameError> {
        let bytes = update.len();
        if bytes > MAX_UPDATE_BYTES {
            let message = format!("update of {bytes} bytes, at most {MAX_UPDATE_BYTES} are taken");
            return Err(FrameError::new(ErrorCode::Update, message));
        }
        let mut trust = self.trust.write().unwrap_or_else(PoisonError::into_inner);
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = None;
        trust
            .advance(update)
            .map_err(|error| FrameError::new(ErrorCode::Update, error))?;
        Ok(Advanced {
            newest: trust.newest(),
        })
    }

    /// The block that a proof is about. The one proven last is known again, as what is executed is
    /// mostly proven, and then signed, under the header of one block.
    pub(crate) fn prove_header(&self, frame: &HeaderFrame) -> Result<ProvenHeader, FrameError> {
        // Held to the end: what is remembered is what header trust says as long as it does not advance.
        let trust = self.trust();
        let last = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, header)) = last.as_ref()
            && known == frame
        {
            return Ok(*header);
        }
        drop(last);
        let header = verify_header(trust.as_ref(), frame)
            .map_err(|error| FrameError::new(ErrorCode::Proof, error))?
            .target();
        let mut last = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((frame.clone(), header));
        Ok(header)
    }

    /// Header trust as it stands. Held only while something is proven.
    pub(crate) fn trust(&self) -> RwLockReadGuard<'_, Box<dyn HeaderTrust>> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clients hold a configuration to its recovery policy before they encrypt, so one that this build or
/// platform cannot honour is refused.
fn check_recovery(recovery: Recovery, platform: &dyn Platform) -> Result<(), FrameError> {
    let honoured = match recovery {
        Recovery::Sealed | Recovery::SealedDevelopment => platform.sealing_key().is_some(),
        _ => false,
    };
    if honoured {
        return Ok(());
    }
    let message = format!("recovery policy {recovery:?} cannot be honoured here");
    Err(FrameError::new(ErrorCode::Config, message))
}
