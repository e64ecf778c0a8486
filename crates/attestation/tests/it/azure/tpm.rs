// SPDX-License-Identifier: Apache-2.0
//! The TPM module alone: what signs, what is signed, and a genuine quote of a software TPM.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PSS_SHA256, RsaKeyPair,
};
use proptest::prelude::*;
use subrosa_attestation::tpm::{Key, Quote, Selection, TpmError, verify_quote};

use super::quote::{Attest, RSAPSS, SHA256, key, modulus, rsassa, sign, tpmt};

fn ak() -> Key {
    Key::rsa(&modulus(key(0)), &[1, 0, 1]).unwrap()
}

fn p256() -> (EcdsaKeyPair, Key) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    // SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480).
    let mut spki = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    spki.extend(pair.public_key().as_ref());
    let key = Key::from_public_key(&spki).unwrap();
    (pair, key)
}

#[test]
fn every_supported_signature_verifies_and_says_what_was_quoted() {
    let attest = Attest::new(b"challenge").encode();
    let pss = tpmt(RSAPSS, SHA256, &[&sign(key(0), &RSA_PSS_SHA256, &attest)]);
    let (pair, point) = p256();
    let fixed = pair.sign(&SystemRandom::new(), &attest).unwrap();
    let (r, s) = fixed.as_ref().split_at(32);
    let ecdsa = tpmt(0x0018, SHA256, &[r, s]);
    for (key, signature) in [(ak(), rsassa(key(0), &attest)), (ak(), pss), (point, ecdsa)] {
        let quote = verify_quote(&attest, &signature, &key).unwrap();
        assert_eq!(quote.extra_data(), b"challenge");
        let all = Selection {
            hash: SHA256,
            pcrs: 0x00ff_ffff,
        };
        assert_eq!(quote.selections(), [all]);
        assert_eq!(quote.firmware_version(), 0x2020_0312_0012_0003);
        assert_eq!((quote.reset_count(), quote.restart_count()), (3, 0));
    }
}

#[test]
fn a_number_of_an_ecdsa_signature_may_lack_leading_zeros() {
    let (pair, point) = p256();
    // One signature in 128 has a number that begins with a zero byte.
    let (attest, r, s) = (0u32..10_000)
        .find_map(|count| {
            let attest = Attest::new(&count.to_be_bytes()).encode();
            let fixed = pair.sign(&SystemRandom::new(), &attest).unwrap();
            let (r, s) = fixed.as_ref().split_at(32);
            (r[0] == 0).then(|| (attest, r[1..].to_vec(), s.to_vec()))
        })
        .unwrap();
    verify_quote(&attest, &tpmt(0x0018, SHA256, &[&r, &s]), &point).unwrap();
}

#[test]
fn a_signature_of_the_other_kind_of_key_is_none() {
    let attest = Attest::new(b"challenge").encode();
    let (_, point) = p256();
    let rsa = rsassa(key(0), &attest);
    assert_eq!(
        verify_quote(&attest, &rsa, &point),
        Err(TpmError::Signature)
    );
    let ecdsa = tpmt(0x0018, SHA256, &[&[1; 32], &[1; 32]]);
    assert_eq!(
        verify_quote(&attest, &ecdsa, &ak()),
        Err(TpmError::Signature)
    );
}

#[test]
fn public_keys_are_read_from_their_standard_form_or_refused() {
    let spki = key(0).public_key();
    let der = {
        // RSAPublicKey in a SubjectPublicKeyInfo (RFC 8017, appendix A.1.1).
        let bits = [&[0][..], spki.as_ref()].concat();
        let algorithm = hex::decode("300d06092a864886f70d0101010500").unwrap();
        tlv(0x30, &[algorithm, tlv(0x03, &bits)].concat())
    };
    assert_eq!(Key::from_public_key(&der), Ok(ak()));
    for end in 0..der.len() {
        assert!(Key::from_public_key(&der[..end]).is_err(), "{end}");
    }
    let ed25519 = [
        hex::decode("302a300506032b6570032100").unwrap(),
        vec![7; 32],
    ]
    .concat();
    let small = {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        modulus(&pair)[128..].to_vec()
    };
    for fault in [
        Key::from_public_key(&ed25519),
        Key::from_public_key(&[0x30; 4096]),
        Key::from_public_key(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Key::rsa(&small, &[1, 0, 1]),
        Key::rsa(&[0xff; 1024], &[1, 0, 1]),
        Key::rsa(&modulus(key(0)), &[3]),
        Key::rsa(&[&[0][..], &modulus(key(0))].concat(), &[1, 0, 1]),
        Key::rsa(&[], &[1, 0, 1]),
    ] {
        assert!(matches!(fault, Err(TpmError::Key(_))), "{fault:?}");
    }
}

#[test]
fn a_quote_names_the_values_it_vouches_for_and_no_others() {
    let mut attest = Attest::new(b"challenge");
    attest.selections = vec![(SHA256, vec![0x10, 0x80, 0x80])];
    let bytes = attest.encode();
    let quote = verify_quote(&bytes, &rsassa(key(0), &bytes), &ak()).unwrap();
    let values = attest.values();
    let quoted = quote.quoted_pcrs(&values, &[4, 15]).unwrap();
    let expected: Vec<(u8, &[u8; 32])> = [4, 15, 23]
        .into_iter()
        .map(|number| (number, &attest.pcrs[usize::from(number)]))
        .collect();
    assert_eq!(quoted, expected);
    assert!(quote.quoted_pcrs(&values, &[5]).is_err());
    assert!(quote.quoted_pcrs(&values, &[200]).is_err());
    // What is not quoted may be anything, and is not handed out.
    let mut other = values.clone();
    other[0] ^= 1;
    assert_eq!(quote.quoted_pcrs(&other, &[4]).unwrap(), expected);
    let mut other = values.clone();
    other[4 * 32] ^= 1;
    assert!(quote.quoted_pcrs(&other, &[4]).is_err());
}

/// A genuine quote of swtpm, the challenge it should answer, and the manifest's word.
#[test]
fn genuine_quotes_of_a_software_tpm_verify_as_the_manifest_says() {
    let Some(vectors) = subrosa_vectors::of("tpm-swtpm") else {
        return;
    };
    assert!(vectors.len() >= 2, "only {} vectors", vectors.len());
    for vector in &vectors {
        let key = Key::from_public_key(&vector.file("ak_pub_pem")).unwrap();
        let nonce = hex::decode(vector.file("nonce_hex").trim_ascii()).unwrap();
        let quote = verify_quote(
            &vector.file("tpms_attest"),
            &vector.file("tpmt_signature"),
            &key,
        );
        let accepted = quote
            .as_ref()
            .is_ok_and(|quote: &Quote| quote.extra_data() == nonce);
        assert_eq!(accepted, vector.is_accepted(), "{}: {quote:?}", vector.id);
        println!("{}: accepted {accepted}", vector.id);
    }
}

#[test]
fn every_flipped_bit_and_every_prefix_of_a_genuine_quote_is_refused() {
    let Some(vectors) = subrosa_vectors::of("tpm-swtpm") else {
        return;
    };
    let vector = vectors.iter().find(|vector| vector.is_accepted()).unwrap();
    let key = Key::from_public_key(&vector.file("ak_pub_pem")).unwrap();
    let (attest, signature) = (vector.file("tpms_attest"), vector.file("tpmt_signature"));
    verify_quote(&attest, &signature, &key).unwrap();
    for position in 0..attest.len() * 8 {
        let mut attest = attest.clone();
        attest[position / 8] ^= 1 << (position % 8);
        assert!(
            verify_quote(&attest, &signature, &key).is_err(),
            "{position}"
        );
    }
    for position in 0..signature.len() * 8 {
        let mut signature = signature.clone();
        signature[position / 8] ^= 1 << (position % 8);
        assert!(
            verify_quote(&attest, &signature, &key).is_err(),
            "{position}"
        );
    }
    for end in 0..attest.len() {
        assert!(verify_quote(&attest[..end], &signature, &key).is_err());
    }
    for end in 0..signature.len() {
        assert!(verify_quote(&attest, &signature[..end], &key).is_err());
    }
}

proptest! {
    #[test]
    fn arbitrary_structures_do_not_panic(
        attest in proptest::collection::vec(any::<u8>(), 0..300),
        signature in proptest::collection::vec(any::<u8>(), 0..300),
        spki in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let attest = [&[0xff, 0x54, 0x43, 0x47, 0x80, 0x18][..], &attest].concat();
        prop_assert!(verify_quote(&attest, &signature, &ak()).is_err());
        let _ = Key::from_public_key(&spki);
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, content].concat()
}
