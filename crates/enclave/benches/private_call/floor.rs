// SPDX-License-Identifier: Apache-2.0
//! The floor: what a private call cannot do without, by the fastest libraries there are, with
//! nothing around it.
//!
//! AWS-LC agrees on a secret by X25519, decapsulates ML-KEM-768 with an expanded key, opens AES-256-GCM
//! and seals AES-256-GCM-SIV under keys it is given as bytes; libsecp256k1 makes one recoverable
//! signature; revm runs the guest's code on a database in memory; the entry and its proof are hashed.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use aws_lc_rs::{
    aead::{AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, UnparsedPublicKey},
    kem,
};
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::TxEnv,
    database::{CacheDB, EmptyDB},
    state::{AccountInfo, Bytecode},
};
use secp256k1::{Message, Secp256k1, SecretKey};
use subrosa_types::{ContractId, frame::LoggedEntry};
use subrosa_vm::{State, StateKey, Vm};
use subrosa_vm_evm::EvmEngine;

use crate::{
    chain::Chain,
    clock::Probe,
    guest,
    harness::Host,
    stages::guest_call,
    whole::{calldata, grow_log, sealed_ask},
};

/// An envelope's plaintext: 1 KiB of input, padded.
const CALL_LEN: usize = 2_048;
/// The smallest size class of a sealed output.
const REPLY_LEN: usize = 64;
/// The size class of the delta that the guest's two writes make.
const DELTA_LEN: usize = 512;
/// As long as an envelope's additional data for X25519.
const AAD: [u8; 300] = [7; 300];

pub(crate) fn probes() -> Vec<Probe> {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 100);
    let mut probes = hashes(&mut chain, contract);
    probes.extend([
        agree(),
        ephemeral(),
        decapsulate(),
        encapsulate(),
        open("floor_aes256gcm_open_2kib", &AES_256_GCM, CALL_LEN),
        seal("floor_aes256gcm_seal_64b", &AES_256_GCM, REPLY_LEN),
        seal("floor_aes256gcmsiv_seal_64b", &AES_256_GCM_SIV, REPLY_LEN),
        seal("floor_aes256gcmsiv_seal_512b", &AES_256_GCM_SIV, DELTA_LEN),
        call(&chain, contract),
        sign(),
    ]);
    probes
}

/// The entry's input and digest, and the nodes of its slot's proof, each hashed once.
fn hashes(chain: &mut Chain, contract: ContractId) -> Vec<Probe> {
    grow_log(chain, contract);
    let LoggedEntry { entry, input } =
        chain.request(contract, sealed_ask(), vec![0x5a; 3_300].into());
    let proof = chain.prove_slot(contract, entry.seq()).storage;
    let encoded = alloy_sol_types::SolValue::abi_encode(&entry);
    let mut parts: Vec<Bytes> = vec![proof.header.trusted];
    parts.extend(proof.account_proof);
    parts.extend(proof.slot_proof);
    // The keys of account and slot, and the slot's number in its mapping.
    parts.extend([vec![1; 20].into(), vec![2; 32].into(), vec![3; 64].into()]);
    vec![
        Probe::of("floor_entry_keccaks", 4, move || {
            (keccak256(&input), keccak256(&encoded))
        }),
        Probe::of("floor_proof_keccaks", 4, move || {
            parts
                .iter()
                .map(keccak256)
                .fold(B256::ZERO, |all, hash| all ^ hash)
        }),
    ]
}

fn agree() -> Probe {
    let key = agreement::PrivateKey::from_private_key(&agreement::X25519, &[7; 32]).unwrap();
    let peer = agreement::PrivateKey::from_private_key(&agreement::X25519, &[8; 32]).unwrap();
    let peer = peer.compute_public_key().unwrap();
    Probe::of("floor_x25519_agree", 1, move || {
        let peer = UnparsedPublicKey::new(&agreement::X25519, peer.as_ref());
        agreement::agree(&key, peer, (), |secret| Ok(secret.to_vec())).unwrap()
    })
}

fn ephemeral() -> Probe {
    Probe::of("floor_x25519_key_pair", 1, || {
        let key = agreement::PrivateKey::from_private_key(&agreement::X25519, &[9; 32]).unwrap();
        key.compute_public_key().unwrap()
    })
}

fn decapsulate() -> Probe {
    let key = kem::DecapsulationKey::generate(&kem::ML_KEM_768).unwrap();
    let (ciphertext, _) = key.encapsulation_key().unwrap().encapsulate().unwrap();
    let ciphertext = ciphertext.as_ref().to_vec();
    Probe::of("floor_mlkem768_decapsulate", 1, move || {
        key.decapsulate(ciphertext.as_slice().into()).unwrap()
    })
}

fn encapsulate() -> Probe {
    let key = kem::DecapsulationKey::generate(&kem::ML_KEM_768).unwrap();
    let key = key.encapsulation_key().unwrap();
    Probe::of("floor_mlkem768_encapsulate", 1, move || {
        key.encapsulate().unwrap()
    })
}

fn open(name: &'static str, algorithm: &'static Algorithm, len: usize) -> Probe {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, &[9; 32]).unwrap());
    let mut sealed = vec![0x5a; len];
    let nonce = || Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce(), Aad::from(AAD), &mut sealed)
        .unwrap();
    Probe::of(name, 16, move || {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &[9; 32]).unwrap());
        let mut buffer = sealed.clone();
        key.open_in_place(nonce(), Aad::from(AAD), &mut buffer)
            .unwrap();
        buffer
    })
}

fn seal(name: &'static str, algorithm: &'static Algorithm, len: usize) -> Probe {
    let mut counter = 0u64;
    Probe::of(name, 16, move || {
        counter += 1;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&counter.to_be_bytes());
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &[9; 32]).unwrap());
        let mut buffer = vec![0x5a; len];
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(AAD), &mut buffer)
            .unwrap();
        buffer
    })
}

/// The guest's code and storage in revm's own database, its machine reused.
fn call(chain: &Chain, contract: ContractId) -> Probe {
    let mut state = State::new();
    let built = EvmEngine::default().construct(
        &state,
        &guest_call(chain, contract, &[]),
        &guest::init_code(),
        &guest::uint(100),
    );
    state.apply(&built.writes);
    let mut database = CacheDB::new(EmptyDB::new());
    let mut called = Address::ZERO;
    for (address, account) in state.accounts().filter(|(_, account)| account.has_code()) {
        let code = state.get(&StateKey::Code(account.code_hash)).unwrap();
        let code = Bytecode::new_raw(code.to_vec().into());
        let info = AccountInfo::default().with_code(code);
        database.insert_account_info(address, info);
        called = address;
    }
    for (key, value) in state.iter() {
        if let StateKey::Storage { account, slot } = key {
            let (slot, value) = (U256::from_be_bytes(slot.0), U256::from_be_slice(value));
            database
                .insert_account_storage(*account, slot, value)
                .unwrap();
        }
    }
    let mut machine = Context::mainnet().with_db(database).build_mainnet();
    let transaction = TxEnv {
        caller: Address::repeat_byte(0x77),
        gas_limit: 5_000_000,
        kind: TxKind::Call(called),
        data: calldata(1).into(),
        ..TxEnv::default()
    };
    Probe::of("floor_revm_call", 4, move || {
        let done = machine.transact(transaction.clone()).unwrap();
        assert!(done.result.is_success());
        done
    })
}

fn sign() -> Probe {
    let key = SecretKey::from_byte_array([0x11; 32]).unwrap();
    let context = Secp256k1::signing_only();
    let mut hash = [0u8; 32];
    Probe::of("floor_libsecp256k1_sign_recoverable", 1, move || {
        hash[0] = hash[0].wrapping_add(1);
        context
            .sign_ecdsa_recoverable(Message::from_digest(hash), &key)
            .serialize_compact()
    })
}
