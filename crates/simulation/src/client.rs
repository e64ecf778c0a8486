// SPDX-License-Identifier: Apache-2.0
//! What a client does with an epoch's keys: seal code and calls, open replies.

use alloy_primitives::{Address, B256, Bytes};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use subrosa_crypto::{
    EpochId, EpochPublicKey, RecipientKey, Suite,
    envelope::{self, Binding, Draft, EnvelopeId, Purpose, Session, SessionCall, SessionSecret},
    plaintext,
};
use subrosa_types::{
    ContractId,
    abi::{CallPlaintext, DeployPlaintext, QueryPlaintext},
    frame::PublishedEpoch,
    id,
};

use crate::Request;

/// Code and what its constructor is called with.
#[derive(Clone, Debug)]
pub struct Code {
    /// The engine that runs it.
    pub engine: u8,
    /// Creation code.
    pub code: Bytes,
    /// Constructor arguments.
    pub init: Bytes,
}

/// Somebody who trusts an epoch's keys.
#[derive(Debug)]
pub struct Client {
    chain_id: u64,
    oracle: Address,
    epoch: PublishedEpoch,
    random: ChaCha20Rng,
}

impl Client {
    /// A client of an oracle, which encrypts to `epoch`.
    pub fn new(chain_id: u64, oracle: Address, epoch: PublishedEpoch, seed: u64) -> Self {
        Self {
            chain_id,
            oracle,
            epoch,
            random: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    /// What commits to code.
    pub fn commitment(code: &Code) -> B256 {
        id::code_commitment(SALT, code.engine, &code.code, &code.init)
    }

    /// Seals the code of a contract that `owner` registered.
    pub fn seal_code(
        &mut self,
        contract: ContractId,
        owner: Address,
        code: &Code,
        now: u64,
    ) -> Bytes {
        let plaintext = plaintext::encode(DeployPlaintext {
            engine: code.engine,
            salt: SALT,
            code: code.code.clone(),
            init: code.init.clone(),
            padding: Bytes::new(),
        });
        let request = Request {
            requester: owner,
            ..Request::default()
        };
        self.seal(Purpose::Deploy, contract, request, &plaintext, now)
    }

    /// Seals a call whose output will be public.
    pub fn seal_call(
        &mut self,
        contract: ContractId,
        request: Request,
        input: &[u8],
        now: u64,
    ) -> Bytes {
        let plaintext = plaintext::encode(CallPlaintext {
            input: Bytes::copy_from_slice(input),
            replyKey: Bytes::new(),
            padding: Bytes::new(),
        });
        self.seal(Purpose::Call, contract, request, &plaintext, now)
    }

    /// Seals a call that opens a session. What is sealed in it needs the seq of its entry.
    pub fn seal_opening(
        &mut self,
        contract: ContractId,
        request: Request,
        input: &[u8],
        now: u64,
    ) -> (Bytes, SessionSecret) {
        let plaintext = plaintext::encode(CallPlaintext {
            input: Bytes::copy_from_slice(input),
            replyKey: Bytes::new(),
            padding: Bytes::new(),
        });
        self.seal_with_secret(Purpose::Call, contract, request, &plaintext, now)
    }

    /// Seals a call in the session that the entry `seq` opened.
    #[expect(clippy::expect_used, reason = "calls of tests are short")]
    pub fn seal_in_session(
        &mut self,
        contract: ContractId,
        request: Request,
        (seq, secret): (u64, &SessionSecret),
        input: &[u8],
        now: u64,
    ) -> Bytes {
        let draft = SessionCall {
            epoch: self.epoch_id(),
            id: EnvelopeId::random(&mut self.random),
            expiry: now + 3_600,
            binding: &self.binding(contract, request),
        };
        Session::new(seq, Suite::XWing, secret)
            .seal(&draft, input)
            .expect("it fits an envelope")
            .into()
    }

    /// Seals a query of nobody, of which no two are alike.
    pub fn seal_query(&mut self, contract: ContractId, input: &[u8], now: u64) -> Bytes {
        let mut nonce = B256::ZERO;
        self.random.fill_bytes(nonce.as_mut_slice());
        let reply = RecipientKey::from_seed(Suite::X25519, &[8; 32]);
        let plaintext = plaintext::encode(QueryPlaintext {
            input: Bytes::copy_from_slice(input),
            replyKey: reply.public_key().to_tagged().into(),
            nonce,
            expiry: now + 3_600,
            caller: Address::ZERO,
            signature: Bytes::new(),
            padding: Bytes::new(),
        });
        let nobody = Request {
            requester: Address::ZERO,
            ..Request::default()
        };
        self.seal(Purpose::Query, contract, nobody, &plaintext, now)
    }

    fn binding(&self, contract: ContractId, request: Request) -> Binding {
        Binding {
            chain_id: self.chain_id,
            oracle: self.oracle,
            contract_id: contract,
            requester: request.requester,
            context: request.context,
        }
    }

    fn epoch_id(&self) -> EpochId {
        EpochId {
            group: self.epoch.group,
            epoch: self.epoch.epoch,
        }
    }

    fn seal(
        &mut self,
        purpose: Purpose,
        contract: ContractId,
        request: Request,
        plaintext: &[u8],
        now: u64,
    ) -> Bytes {
        self.seal_with_secret(purpose, contract, request, plaintext, now)
            .0
    }

    #[expect(
        clippy::expect_used,
        reason = "an enclave's own keys are keys, and plaintexts of tests are short"
    )]
    fn seal_with_secret(
        &mut self,
        purpose: Purpose,
        contract: ContractId,
        request: Request,
        plaintext: &[u8],
        now: u64,
    ) -> (Bytes, SessionSecret) {
        let binding = self.binding(contract, request);
        let draft = Draft {
            suite: Suite::XWing,
            purpose,
            epoch: self.epoch_id(),
            id: EnvelopeId::random(&mut self.random),
            expiry: now + 3_600,
            recipients: B256::ZERO,
            binding: &binding,
        };
        let recipient = EpochPublicKey::from_bytes(&self.epoch.xwing, self.epoch.x25519.as_slice())
            .expect("published keys are keys");
        let (envelope, secret) =
            envelope::seal_opening_session(&draft, &recipient, plaintext, &mut self.random)
                .expect("it fits an envelope");
        (envelope.into(), secret)
    }
}

/// Tests hide nothing.
const SALT: B256 = B256::repeat_byte(0x5a);
