// SPDX-License-Identifier: Apache-2.0
//! The floor: what any enclave has to pay that opens, seals and signs, with nothing around it.
//!
//! The `hpke` crate opens 1 KiB of plaintext as its users call it, from bytes and with a private
//! key in its own form; AES-256-GCM seals 1 KiB under a key at hand; libsecp256k1 makes one
//! recoverable signature.

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
    setup_receiver, setup_sender_with_rng,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use secp256k1::{Message, Secp256k1, SecretKey};

use crate::clock::Probe;

const KIB: usize = 1_024;
/// As long as an envelope's additional data for X25519.
const AAD: [u8; 300] = [7; 300];

pub(crate) fn probes() -> Vec<Probe> {
    vec![
        open::<XWing>("floor_xwing_hpke_open_1kib"),
        open::<X25519HkdfSha256>("floor_x25519_hpke_open_1kib"),
        seal_hpke::<XWing>("floor_xwing_hpke_seal_1kib"),
        seal_hpke::<X25519HkdfSha256>("floor_x25519_hpke_seal_1kib"),
        seal(),
        sign(),
    ]
}

fn open<K: Kem + 'static>(name: &'static str) -> Probe {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (secret, public) = K::derive_keypair(&[7; 32]);
    let (encapsulated, mut sender) = setup_sender_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        b"floor",
        &mut rng,
    )
    .unwrap();
    let encapsulated = encapsulated.to_bytes().to_vec();
    let ciphertext = sender.seal(&[0x5a; KIB], &AAD).unwrap();
    Probe::of(name, 1, move || {
        let encapsulated = K::EncappedKey::from_bytes(&encapsulated).unwrap();
        setup_receiver::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &encapsulated, b"floor")
            .unwrap()
            .open(&ciphertext, &AAD)
            .unwrap()
    })
}

fn seal_hpke<K: Kem + 'static>(name: &'static str) -> Probe {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (_, public) = K::derive_keypair(&[8; 32]);
    let public = public.to_bytes().to_vec();
    Probe::of(name, 1, move || {
        let public = K::PublicKey::from_bytes(&public).unwrap();
        let (encapsulated, mut sender) = setup_sender_with_rng::<AesGcm256, HkdfSha256, K>(
            &OpModeS::Base,
            &public,
            b"floor",
            &mut rng,
        )
        .unwrap();
        (
            encapsulated.to_bytes().to_vec(),
            sender.seal(&[0x5a; KIB], &AAD).unwrap(),
        )
    })
}

fn seal() -> Probe {
    let cipher = Aes256Gcm::new(&[9; 32].into());
    let mut counter = 0u64;
    Probe::of("floor_aes256gcm_seal_1kib", 16, move || {
        counter += 1;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&counter.to_be_bytes());
        let mut buffer = vec![0x5a; KIB];
        let tag = cipher
            .encrypt_inout_detached(&nonce.into(), &AAD, buffer.as_mut_slice().into())
            .unwrap();
        (buffer, tag)
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
