// SPDX-License-Identifier: Apache-2.0
//! The stages of a call, each through the crate that does it, on data of the same shapes.

use std::rc::Rc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use subrosa_chain_proof::{HostAsserted, verify_header, verify_slot};
use subrosa_crypto::{
    ContractRoot, EpochId, EpochKeyPairs, EpochSecret, RecipientKey, Signer, Subject, Suite,
    commitment, compact,
    envelope::{self, Binding, Draft, EnvelopeId, Expected, Purpose, Session, SessionSecret},
    plaintext,
    reply::{self, ReplyBinding},
    sealing::{self, StateBinding, StateKind},
};
use subrosa_types::{
    ContractId,
    abi::{CallPlaintext, Outcome, SignedResults},
    eip712,
    frame::{LoggedEntry, Request, Response, decode, encode},
    result::result_hash,
    slot,
};
use subrosa_vm::{Call, State, Vm, WriteSet};
use subrosa_vm_evm::EvmEngine;

use crate::{
    chain::{Ask, Chain, EPOCH, GROUP, code_hash},
    clock::Probe,
    guest,
    harness::{Host, binding},
    whole::{call_plaintext, calldata, grow_log, sealed_ask},
};

const ID: EpochId = EpochId {
    group: GROUP,
    epoch: EPOCH,
};

pub(crate) fn probes() -> Vec<Probe> {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 100);
    let mut probes = frames(&mut chain, &mut host, contract);
    probes.extend([
        prove(&mut chain, contract),
        open(&chain, contract, Suite::XWing, "stage_open_xwing"),
        open(&chain, contract, Suite::X25519, "stage_open_x25519"),
        seal_output(&chain, contract, Suite::XWing, "stage_seal_output_xwing"),
        seal_output(&chain, contract, Suite::X25519, "stage_seal_output_x25519"),
        seal_output_in_session(&chain, contract),
        message(&chain),
        sign(),
        verify_anchor(&chain),
    ]);
    probes.extend(execute_and_commit(&chain, contract));
    probes
}

/// Both frames of executing one entry, as the enclave reads and writes them.
fn frames(chain: &mut Chain, host: &mut Host, contract: ContractId) -> Vec<Probe> {
    let secret = EpochSecret::from_bytes(&[3; 32]);
    let input = seal(&secret.keys(ID), chain, contract, Suite::XWing);
    let entry = chain.request(contract, sealed_ask(), input);
    let proof = chain.prove_entry(contract, entry.entry.seq());
    let request = Request::Execute {
        contract,
        entries: vec![entry],
        code_envelope: None,
        reassignment: None,
        proof,
    };
    let public = chain.request(contract, Ask::default(), calldata(1).into());
    // The entry above is rejected, as its envelope is another epoch's: only its frame is of use.
    host.enclave.handle(request.clone());
    let proof = chain.prove_entry(contract, public.entry.seq());
    let response = host.enclave.handle(Request::Execute {
        contract,
        entries: vec![public],
        code_envelope: None,
        reassignment: None,
        proof,
    });
    assert!(matches!(response, Response::Executed(_)), "{response:?}");
    let frame = encode(1, &request).unwrap();
    let body = frame[4..].to_vec();
    vec![
        Probe::of("stage_frame_decode_execute", 8, move || {
            decode::<Request>(&body).unwrap()
        }),
        Probe::of("stage_frame_encode_executed", 8, move || {
            encode(1, &response).unwrap()
        }),
    ]
}

/// The entry's hashes, its slot's proof from the header on, and the comparison.
fn prove(chain: &mut Chain, contract: ContractId) -> Probe {
    let secret = EpochSecret::from_bytes(&[3; 32]);
    let input = seal(&secret.keys(ID), chain, contract, Suite::XWing);
    grow_log(chain, contract);
    let LoggedEntry { entry, input } = chain.request(contract, sealed_ask(), input);
    let proof = chain.prove_slot(contract, entry.seq());
    let (chain_id, oracle) = (chain.chain_id, chain.oracle);
    let code = code_hash(oracle);
    Probe::of("stage_proof", 1, move || {
        assert_eq!(keccak256(&input), entry.inputHash);
        let digest = entry.digest(chain_id, oracle);
        let slot = slot::entry(contract, proof.place.position(entry.seq()));
        let proven = verify_slot(&HostAsserted, &proof.storage, oracle, code, slot).unwrap();
        assert_eq!(proven.value()[..31], digest[..31]);
        proven
    })
}

/// Decapsulation, key commitment, decryption, and decoding of the plaintext.
fn open(chain: &Chain, contract: ContractId, suite: Suite, name: &'static str) -> Probe {
    let keys = EpochSecret::from_bytes(&[3; 32]).keys(ID);
    let envelope = seal(&keys, chain, contract, suite);
    let binding = binding(chain, contract, sealed_ask());
    let timestamp = chain.timestamp;
    Probe::of(name, 1, move || {
        let expected = Expected {
            purpose: Purpose::Call,
            epoch: ID,
            timestamp,
            binding: &binding,
        };
        let opened = envelope::open(&envelope, &keys, &expected).unwrap();
        plaintext::decode::<CallPlaintext>(&opened.plaintext).unwrap()
    })
}

fn seal(keys: &EpochKeyPairs, chain: &Chain, contract: ContractId, suite: Suite) -> Bytes {
    let binding: Binding = binding(chain, contract, sealed_ask());
    let draft = Draft {
        suite,
        purpose: Purpose::Call,
        epoch: ID,
        id: EnvelopeId::from_bytes([4; 16]),
        expiry: chain.timestamp + 3_600,
        recipients: B256::ZERO,
        binding: &binding,
    };
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    envelope::seal(&draft, keys.public(), &call_plaintext(1, None), &mut rng)
        .unwrap()
        .into()
}

/// HPKE to the reply key, its randomness drawn from root, entry and output.
fn seal_output(chain: &Chain, contract: ContractId, suite: Suite, name: &'static str) -> Probe {
    let root = ContractRoot::from_bytes(&[5; 32]);
    let key = RecipientKey::from_seed(suite, &[6; 32]).public_key();
    let binding = ReplyBinding {
        chain_id: chain.chain_id,
        oracle: chain.oracle,
        contract_id: contract,
        subject: Subject::Entry(B256::repeat_byte(8)),
    };
    let output = guest::uint(105);
    Probe::of(name, 1, move || {
        reply::seal(&root, &binding, &key, &output).unwrap()
    })
}

/// The same in a session: under a key that follows from its secret.
fn seal_output_in_session(chain: &Chain, contract: ContractId) -> Probe {
    let session = Session::new(1, Suite::XWing, &SessionSecret::from_bytes(&[6; 32]));
    let binding = ReplyBinding {
        chain_id: chain.chain_id,
        oracle: chain.oracle,
        contract_id: contract,
        subject: Subject::Entry(B256::repeat_byte(8)),
    };
    let output = guest::uint(105);
    Probe::of("stage_seal_output_session", 8, move || {
        reply::seal_in_session(&session, &binding, &output).unwrap()
    })
}

/// Running the guest, and what makes its writes a committed and sealed state.
fn execute_and_commit(chain: &Chain, contract: ContractId) -> Vec<Probe> {
    let vm = EvmEngine::default();
    let data = calldata(1);
    let mut state = State::new();
    let built = vm.construct(
        &state,
        &guest_call(chain, contract, &[]),
        &guest::init_code(),
        &guest::uint(100),
    );
    state.apply(&built.writes);
    let chain_id = chain.chain_id;
    let oracle = chain.oracle;
    let (chain, state) = (Rc::new(chain.clone()), Rc::new(state));
    let writes = vm.call(&state, &guest_call(&chain, contract, &data)).writes;
    assert!(!writes.is_empty());

    let execute = Probe::of("stage_execute_evm", 4, move || {
        vm.call(&state, &guest_call(&chain, contract, &data))
    });
    let root = ContractRoot::from_bytes(&[5; 32]);
    let secret = EpochSecret::from_bytes(&[3; 32]);
    let commit = Probe::of("stage_commit_and_seal_delta", 4, move || {
        commit_and_seal(&root, &secret, (chain_id, oracle, contract), &writes)
    });
    vec![execute, commit]
}

pub(crate) fn guest_call<'a>(chain: &Chain, contract: ContractId, input: &'a [u8]) -> Call<'a> {
    Call {
        chain_id: chain.chain_id,
        contract: subrosa_types::id::guest_address(contract),
        caller: Ask::default().requester,
        context: B256::ZERO,
        contract_id: contract,
        seq: 1,
        envelope_id: Some([4; 16]),
        block_number: chain.number,
        block_timestamp: chain.timestamp,
        runtime: subrosa_vm::RUNTIME,
        fuel_limit: Ask::default().fuel_limit,
        randomness: B256::repeat_byte(1),
        is_static: false,
        input,
    }
}

fn commit_and_seal(
    root: &ContractRoot,
    secret: &EpochSecret,
    (chain_id, oracle, contract): (u64, alloy_primitives::Address, ContractId),
    writes: &WriteSet,
) -> (B256, Vec<u8>) {
    let digest = B256::repeat_byte(8);
    let outcome = Outcome {
        status: 1,
        outputHash: keccak256(guest::uint(105)),
        sealedOutputHash: keccak256([]),
        sealedLogsHash: B256::ZERO,
        fuelBucket: 16,
    };
    let history = commitment::chain(B256::ZERO, digest, outcome.hash(), writes.hash());
    let commitment = root
        .commitment_key()
        .commit(chain_id, oracle, contract, 1, history);
    let binding = StateBinding {
        chain_id,
        oracle,
        contract_id: contract,
        code_commitment: B256::repeat_byte(9),
        epoch: ID,
        seq: 1,
        previous_commitment: B256::ZERO,
        digest,
        kind: StateKind::Delta,
        codec: 2,
        part: 0,
        parts: 1,
        first_part: B256::ZERO,
    };
    let delta = (history, commitment, outcome.clone(), writes.encode());
    let delta = postcard::to_stdvec(&delta).unwrap();
    let sealed = sealing::seal_state(secret, &binding, &delta).unwrap();
    let result = result_hash(digest, outcome.hash(), B256::ZERO, commitment);
    (result, sealed)
}

/// What is signed for one result.
fn message(chain: &Chain) -> Probe {
    let (chain_id, oracle) = (chain.chain_id, chain.oracle);
    let separator = eip712::oracle_domain(chain_id, oracle).hash_struct();
    let mut counter = 0u64;
    Probe::of("stage_message_hash", 4, move || {
        counter += 1;
        let message = SignedResults {
            resultHashes: vec![B256::from(U256::from(counter))],
            payee: Address::repeat_byte(1),
        };
        message.signing_hash(separator)
    })
}

fn sign() -> Probe {
    let signer = Signer::from_seed(&[0x11; 32]).unwrap();
    let mut counter = 0u64;
    Probe::of("stage_signature", 1, move || {
        counter += 1;
        compact(&signer.sign(B256::from(U256::from(counter))))
    })
}

/// The header under a signature: decoding and hashing it.
fn verify_anchor(chain: &Chain) -> Probe {
    let header = chain.header();
    Probe::of("stage_anchor", 4, move || {
        verify_header(&HostAsserted, &header).unwrap()
    })
}
