// SPDX-License-Identifier: Apache-2.0
//! What a client does with an epoch's keys: seal code and calls, open replies.

use alloy_primitives::{Address, B256, Bytes};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use subrosa_crypto::{
    EpochId, EpochPublicKey, Suite,
    envelope::{self, Binding, Draft, EnvelopeId, Purpose},
    plaintext,
};
use subrosa_types::{
    ContractId,
    abi::{CallPlaintext, DeployPlaintext},
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

    #[expect(
        clippy::expect_used,
        reason = "an enclave's own keys are keys, and plaintexts of tests are short"
    )]
    fn seal(
        &mut self,
        purpose: Purpose,
        contract: ContractId,
        request: Request,
        plaintext: &[u8],
        now: u64,
    ) -> Bytes {
        let binding = Binding {
            chain_id: self.chain_id,
            oracle: self.oracle,
            contract_id: contract,
            requester: request.requester,
            context: request.context,
        };
        let draft = Draft {
            suite: Suite::XWing,
            purpose,
            epoch: EpochId {
                group: self.epoch.group,
                epoch: self.epoch.epoch,
            },
            id: EnvelopeId::random(&mut self.random),
            expiry: now + 3_600,
            recipients: B256::ZERO,
            binding: &binding,
        };
        let recipient = EpochPublicKey::from_bytes(&self.epoch.xwing, self.epoch.x25519.as_slice())
            .expect("published keys are keys");
        envelope::seal(&draft, &recipient, plaintext, &mut self.random)
            .expect("it fits an envelope")
            .into()
    }
}

/// Tests hide nothing.
const SALT: B256 = B256::repeat_byte(0x5a);
