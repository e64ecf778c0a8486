// SPDX-License-Identifier: Apache-2.0
//! A scripted host: an enclave brought up on a synthetic chain, and the client's side of it.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolValue;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use subrosa_crypto::{
    EpochId, EpochPublicKey, RecipientKey, Suite,
    envelope::{self, Binding, Draft, EnvelopeId, Purpose, SessionSecret},
    plaintext,
};
use subrosa_enclave_core::{Enclave, Evidence, Identity, Platform, PlatformError};
use subrosa_types::{
    ContractId,
    abi::{CallPlaintext, DeployPlaintext, EpochMember},
    frame::{
        Ended, EntryProof, ErrorCode, Executed, ExecutedEntry, FrameError, LoggedEntry,
        PublishedEpoch, Request, Response, ResultRef, SignerRole, Started, StateBlob, WIRE_VERSION,
    },
    id::{self, TeeKind},
};
use subrosa_vm::{Engines, Runtimes, Vm};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};
use zeroize::Zeroizing;

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP},
    guest,
};

/// A platform that is a function of its seed: the same seed is the same machine and boot.
pub(crate) struct ScriptedPlatform {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) development: bool,
    pub(crate) sealing_key: Option<[u8; 32]>,
}

impl ScriptedPlatform {
    pub(crate) fn new(boot: u64) -> Self {
        Self {
            rng: ChaCha20Rng::seed_from_u64(boot),
            development: true,
            sealing_key: Some([0x5e; 32]),
        }
    }
}

impl Platform for ScriptedPlatform {
    fn identity(&self) -> Identity {
        Identity {
            tee: TeeKind::Tdx,
            root_id: B256::repeat_byte(0xde),
            measurement_hash: B256::repeat_byte(0xad),
            development: self.development,
        }
    }

    fn fix_config(&mut self, _: B256) -> Result<(), PlatformError> {
        Ok(())
    }

    fn evidence(&mut self, report_data: [u8; 64]) -> Result<Evidence, PlatformError> {
        Ok(Evidence {
            bundle: report_data.to_vec(),
        })
    }

    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.sealing_key.map(Zeroizing::new)
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError> {
        rand_chacha::rand_core::Rng::fill_bytes(&mut self.rng, bytes);
        Ok(())
    }
}

/// Whoever answers a host's requests, one after the other.
pub(crate) trait Answers {
    fn handle(&mut self, request: Request) -> Response;
}

impl Answers for Enclave {
    fn handle(&mut self, request: Request) -> Response {
        Self::handle(self, request)
    }
}

/// An enclave with a host that does as it is told.
pub(crate) struct Host<E = Enclave> {
    pub(crate) enclave: E,
    pub(crate) keys: PublishedEpoch,
    pub(crate) sealed_epoch: Bytes,
    /// Epochs after the first, likewise.
    pub(crate) later: BTreeMap<u32, (PublishedEpoch, Bytes)>,
    pub(crate) rng: ChaCha20Rng,
    /// Blobs of contracts with other code than the test guest's.
    pub(crate) blobs: BTreeMap<ContractId, Vec<StateBlob>>,
}

impl Host {
    /// Boots an enclave, opens the epoch on `chain` and activates it.
    pub(crate) fn new(chain: &mut Chain) -> Self {
        Self::with_fresh_epoch(chain, 1)
    }

    /// The same with other randomness, and so another epoch secret.
    pub(crate) fn with_fresh_epoch(chain: &mut Chain, boot_number: u64) -> Self {
        Self::on(boot(boot_number), chain)
    }

    /// Another boot on the same machine, with every sealed epoch restored.
    pub(crate) fn restart(&self, chain: &Chain, boot_number: u64) -> Self {
        let epochs: Vec<u32> = self.later.keys().copied().chain([EPOCH]).collect();
        self.restart_with(chain, boot_number, &epochs)
    }

    /// The same with these epochs only.
    pub(crate) fn restart_with(&self, chain: &Chain, boot_number: u64, epochs: &[u32]) -> Self {
        let mut enclave = boot(boot_number);
        start(&mut enclave, chain);
        for epoch in epochs {
            let later = self.later.get(epoch).map(|(_, sealed)| sealed.clone());
            let sealed = later.unwrap_or_else(|| self.sealed_epoch.clone());
            let Response::Epoch(_) = enclave.handle(Request::RestoreEpoch { sealed }) else {
                panic!("epoch is not restored")
            };
            activate(&mut enclave, chain, *epoch);
        }
        Self {
            enclave,
            keys: self.keys.clone(),
            sealed_epoch: self.sealed_epoch.clone(),
            later: self.later.clone(),
            rng: ChaCha20Rng::seed_from_u64(10),
            blobs: self.blobs.clone(),
        }
    }
}

impl<E: Answers> Host<E> {
    /// Brings an enclave up that was just booted: opens the epoch on `chain` and activates it.
    pub(crate) fn on(mut enclave: E, chain: &mut Chain) -> Self {
        let started = start(&mut enclave, chain);
        let members = vec![EpochMember {
            measurementId: started.measurement_id,
            configHash: started.config_hash,
        }];
        let request = Request::ProposeEpoch {
            epoch: EPOCH,
            members,
        };
        let Response::Epoch(proposal) = enclave.handle(request) else {
            panic!("no proposal")
        };
        chain.record_epoch(&proposal.opening);
        activate(&mut enclave, chain, EPOCH);
        Self {
            enclave,
            keys: proposal.keys.clone(),
            sealed_epoch: proposal.sealed.clone(),
            later: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(9),
            blobs: BTreeMap::new(),
        }
    }

    /// Opens a later epoch on `chain` and activates it.
    pub(crate) fn open_epoch(&mut self, chain: &mut Chain, epoch: u32) {
        let members = vec![own_member(chain)];
        let request = Request::ProposeEpoch { epoch, members };
        let Response::Epoch(proposal) = self.enclave.handle(request) else {
            panic!("no proposal")
        };
        chain.record_epoch(&proposal.opening);
        activate(&mut self.enclave, chain, epoch);
        self.later.insert(epoch, (proposal.keys, proposal.sealed));
    }

    /// Registers and deploys the test guest with `initial` as its value.
    pub(crate) fn deploy(
        &mut self,
        chain: &mut Chain,
        initial: u64,
    ) -> (ContractId, ExecutedEntry) {
        let init = guest::uint(initial);
        let (contract, entry, envelope) = self.register(chain, init);
        let proof = chain.prove_entry(contract, 0);
        let mut executed = self
            .execute_with(contract, vec![entry], Some(envelope), proof)
            .unwrap();
        assert_eq!(executed.ended, Ended::Complete);
        (contract, executed.results.remove(0))
    }

    /// Registers and deploys other code.
    pub(crate) fn deploy_code(&mut self, chain: &mut Chain, code: Vec<u8>) -> ContractId {
        let plaintext = code_plaintext(code, Vec::new());
        let commitment = id::code_commitment(plaintext.salt, 1, &plaintext.code, &plaintext.init);
        let ask = Ask {
            fuel_limit: 50_000_000,
            ..Ask::default()
        };
        let (contract, entry) = chain.register(ask, commitment, 1, false);
        let plaintext = plaintext::encode(plaintext);
        let envelope = self.seal(chain, contract, ask, Purpose::Deploy, &plaintext);
        let result = self.execute_code(chain, &entry, Some(&envelope)).unwrap();
        assert_eq!(result.status, subrosa_types::result::Status::Succeeded);
        self.blobs.entry(contract).or_default().push(result.blob);
        contract
    }

    /// Registers the test guest and seals its deployment, without executing it.
    pub(crate) fn register(
        &mut self,
        chain: &mut Chain,
        init: Vec<u8>,
    ) -> (ContractId, LoggedEntry, Bytes) {
        self.register_as(chain, init, 1, false)
    }

    /// The same at a runtime generation, stateful or not.
    pub(crate) fn register_as(
        &mut self,
        chain: &mut Chain,
        init: Vec<u8>,
        generation: u16,
        stateless: bool,
    ) -> (ContractId, LoggedEntry, Bytes) {
        self.register_by(chain, Ask::default(), init, generation, stateless)
    }

    /// The same on terms.
    pub(crate) fn register_by(
        &mut self,
        chain: &mut Chain,
        ask: Ask,
        init: Vec<u8>,
        generation: u16,
        stateless: bool,
    ) -> (ContractId, LoggedEntry, Bytes) {
        let plaintext = code_plaintext(guest::init_code(), init);
        let commitment = id::code_commitment(plaintext.salt, 1, &plaintext.code, &plaintext.init);
        let (contract, entry) = chain.register(ask, commitment, generation, stateless);
        let plaintext = plaintext::encode(plaintext);
        let envelope = self.seal(chain, contract, ask, Purpose::Deploy, &plaintext);
        (contract, entry, envelope)
    }

    /// Seals a call of `input`, its output to `reply` if there is one.
    pub(crate) fn seal_call(
        &mut self,
        chain: &Chain,
        contract: ContractId,
        ask: Ask,
        input: Vec<u8>,
        reply: Option<&RecipientKey>,
    ) -> Bytes {
        let reply_key = reply
            .map(|key| key.public_key().to_tagged())
            .unwrap_or_default();
        let plaintext = plaintext::encode(CallPlaintext {
            input: input.into(),
            replyKey: reply_key.into(),
            padding: Bytes::new(),
        });
        self.seal(chain, contract, ask, Purpose::Call, &plaintext)
    }

    pub(crate) fn seal(
        &mut self,
        chain: &Chain,
        contract: ContractId,
        ask: Ask,
        purpose: Purpose,
        plaintext: &[u8],
    ) -> Bytes {
        self.seal_opening_session(chain, contract, ask, purpose, plaintext)
            .0
    }

    /// The envelope, and the secret of the session that it may open.
    pub(crate) fn seal_opening_session(
        &mut self,
        chain: &Chain,
        contract: ContractId,
        ask: Ask,
        purpose: Purpose,
        plaintext: &[u8],
    ) -> (Bytes, SessionSecret) {
        let binding = binding(chain, contract, ask);
        let epoch = chain.epoch_of(contract);
        let keys = self.later.get(&epoch).map_or(&self.keys, |(keys, _)| keys);
        let draft = Draft {
            suite: Suite::XWing,
            purpose,
            epoch: EpochId {
                group: GROUP,
                epoch,
            },
            id: EnvelopeId::random(&mut self.rng),
            expiry: chain.timestamp + 3_600,
            recipients: B256::ZERO,
            binding: &binding,
        };
        let recipient = EpochPublicKey::from_bytes(&keys.xwing, keys.x25519.as_slice()).unwrap();
        let (envelope, secret) =
            envelope::seal_opening_session(&draft, &recipient, plaintext, &mut self.rng).unwrap();
        (envelope.into(), secret)
    }

    /// Logs a call and executes it.
    pub(crate) fn call(
        &mut self,
        chain: &mut Chain,
        contract: ContractId,
        ask: Ask,
        input: Bytes,
    ) -> ExecutedEntry {
        let entry = chain.request(contract, ask, input);
        self.execute(chain, contract, vec![entry])
            .unwrap()
            .results
            .remove(0)
    }

    pub(crate) fn execute(
        &mut self,
        chain: &Chain,
        contract: ContractId,
        entries: Vec<LoggedEntry>,
    ) -> Result<Executed, FrameError> {
        let proof = chain.prove_entry(contract, entries.last().unwrap().entry.seq());
        self.execute_with(contract, entries, None, proof)
    }

    pub(crate) fn execute_with(
        &mut self,
        contract: ContractId,
        entries: Vec<LoggedEntry>,
        code_envelope: Option<Bytes>,
        proof: EntryProof,
    ) -> Result<Executed, FrameError> {
        self.ask_to_execute(Request::Execute {
            contract,
            entries,
            code_envelope,
            reassignment: None,
            proof,
        })
    }

    pub(crate) fn ask_to_execute(&mut self, request: Request) -> Result<Executed, FrameError> {
        match self.enclave.handle(request) {
            Response::Executed(executed) => Ok(*executed),
            Response::Error(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// Executes an entry together with the envelope that carries its code.
    pub(crate) fn execute_code(
        &mut self,
        chain: &Chain,
        entry: &LoggedEntry,
        envelope: Option<&Bytes>,
    ) -> Result<ExecutedEntry, FrameError> {
        let contract = entry.entry.contractId;
        let proof = chain.prove_entry(contract, entry.entry.seq());
        let executed =
            self.execute_with(contract, vec![entry.clone()], envelope.cloned(), proof)?;
        Ok(executed.results.into_iter().next().unwrap())
    }

    /// Seals code for an entry of `contract`, and says what it commits to.
    pub(crate) fn seal_code(
        &mut self,
        chain: &Chain,
        contract: ContractId,
        ask: Ask,
        code: Vec<u8>,
        init: Vec<u8>,
    ) -> (B256, Bytes) {
        let plaintext = code_plaintext(code, init);
        let commitment = id::code_commitment(
            plaintext.salt,
            plaintext.engine,
            &plaintext.code,
            &plaintext.init,
        );
        let plaintext = plaintext::encode(plaintext);
        let envelope = self.seal(chain, contract, ask, Purpose::Deploy, &plaintext);
        (commitment, envelope)
    }

    pub(crate) fn load(
        &mut self,
        contract: ContractId,
        blobs: Vec<StateBlob>,
    ) -> Result<u64, FrameError> {
        match self.enclave.handle(Request::Load { contract, blobs }) {
            Response::Loaded(loaded) => Ok(loaded.head.seq),
            Response::Error(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// Every part of a snapshot.
    pub(crate) fn snapshot(&mut self, contract: ContractId) -> Vec<StateBlob> {
        let mut parts: Vec<StateBlob> = Vec::new();
        loop {
            let part = u32::try_from(parts.len()).unwrap();
            let Response::Snapshot(blob) =
                self.enclave.handle(Request::Snapshot { contract, part })
            else {
                panic!("no part {part}")
            };
            let is_last = blob.part + 1 == blob.parts;
            parts.push(*blob);
            if is_last {
                return parts;
            }
        }
    }

    pub(crate) fn sign(
        &mut self,
        results: Vec<ResultRef>,
    ) -> Result<subrosa_types::frame::Signed, FrameError> {
        match self.enclave.handle(Request::Sign {
            results,
            role: FIRST,
        }) {
            Response::Signed(signed) => Ok(*signed),
            Response::Error(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }
}

fn code_plaintext(code: Vec<u8>, init: Vec<u8>) -> DeployPlaintext {
    DeployPlaintext {
        engine: 1,
        salt: B256::repeat_byte(0x51),
        code: code.into(),
        init: init.into(),
        padding: Bytes::new(),
    }
}

pub(crate) fn boot(number: u64) -> Enclave {
    Enclave::boot(
        Box::new(ScriptedPlatform::new(number)),
        engines(),
        usize::MAX,
    )
    .unwrap()
}

/// A boot of its own with these engines and this much memory, on which the host's first epoch is active.
pub(crate) fn revive(host: &Host, chain: &Chain, engines: Engines, memory: usize) -> Enclave {
    let platform = Box::new(ScriptedPlatform::new(77));
    let mut enclave = Enclave::boot(platform, engines, memory).unwrap();
    start(&mut enclave, chain);
    let sealed = host.sealed_epoch.clone();
    let restored = enclave.handle(Request::RestoreEpoch { sealed });
    assert!(matches!(restored, Response::Epoch(_)), "{restored:?}");
    activate(&mut enclave, chain, EPOCH);
    enclave
}

/// The EVM alone.
pub(crate) fn engines() -> Engines {
    let evm: Arc<dyn Vm> = Arc::new(EvmEngine::default());
    Engines::new(Runtimes::shipped(), [(ENGINE_EVM, evm)]).unwrap()
}

pub(crate) fn start(enclave: &mut impl Answers, chain: &Chain) -> Started {
    let hello = enclave.handle(Request::Hello {
        wire_version: WIRE_VERSION,
    });
    assert!(matches!(hello, Response::Hello(_)));
    let config = chain.config().abi_encode().into();
    let started = enclave.handle(Request::Start {
        config,
        checkpoint: Bytes::new(),
    });
    let Response::Started(started) = started else {
        panic!("{started:?}")
    };
    *started
}

fn activate(enclave: &mut impl Answers, chain: &Chain, epoch: u32) {
    let proof = Box::new(chain.prove_epoch(epoch));
    let active = enclave.handle(Request::ActivateEpoch { epoch, proof });
    assert!(matches!(active, Response::EpochActive(_)), "{active:?}");
}

/// Asks for evidence that registers the signer.
pub(crate) fn quote() -> Request {
    Request::Quote {
        block_hash: B256::repeat_byte(0xb1),
        registrant: Address::repeat_byte(0x9e),
    }
}

/// Who may hold an epoch's secret, if only this build under the chain's configuration may.
pub(crate) fn own_member(chain: &Chain) -> EpochMember {
    EpochMember {
        measurementId: own_measurement(),
        configHash: chain.config().hash(),
    }
}

/// The first signature of a batch, for whoever sends it.
pub(crate) const FIRST: SignerRole = SignerRole::First {
    payee: Address::ZERO,
};

pub(crate) fn own_measurement() -> B256 {
    id::measurement_id(
        B256::repeat_byte(0xde),
        TeeKind::Tdx,
        B256::repeat_byte(0xad),
    )
}

pub(crate) fn binding(chain: &Chain, contract: ContractId, ask: Ask) -> Binding {
    Binding {
        chain_id: chain.chain_id,
        oracle: chain.oracle,
        contract_id: contract,
        requester: ask.requester,
        context: ask.context,
    }
}

/// Asserts that a request was refused with this code.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(answer: Result<T, FrameError>, code: ErrorCode) {
    match answer {
        Err(error) => assert_eq!(error.code, code, "{error}"),
        Ok(answer) => panic!("not refused: {answer:?}"),
    }
}

/// The address that a context names.
pub(crate) fn context_of(account: Address, nonce: u64) -> B256 {
    let mut context = B256::ZERO;
    context[..20].copy_from_slice(account.as_slice());
    context[24..].copy_from_slice(&nonce.to_be_bytes());
    context
}
