// SPDX-License-Identifier: Apache-2.0
//! Project Wycheproof's vectors against every primitive this crate uses, by the code that uses it.
//!
//! Each test fails on the first mismatch and says how many vectors it went through; vectors that
//! the crate's own types cannot express (keys or nonces of another size) are counted apart.

use ::wycheproof::{TestResult, aead, ecdsa, hkdf as wycheproof_hkdf, mac, mlkem, xdh};
use alloy_primitives::{B256, Signature, U256, keccak256};
use hkdf::Hkdf;
use ml_kem::KeyExport;
use sha2::{Digest, Sha256};

use crate::{
    cipher::{Aes256, Gcm, GcmSiv, Mode, TAG_LEN},
    kdf::hmac,
    kem::{DhKey, MlKemKey, encapsulate, read_public},
    signer::recover,
};

/// What became of a set's vectors.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    inexpressible: usize,
}

impl Tally {
    /// Prints the counts, and holds them against the number of vectors that there are.
    fn close(self, name: &str, total: usize) {
        println!(
            "wycheproof {name}: {} valid, {} invalid refused, {} not expressible, 0 mismatches",
            self.valid, self.invalid, self.inexpressible
        );
        assert_eq!(self.valid + self.invalid + self.inexpressible, total);
        assert!(self.valid > 0, "{name}");
    }

    /// Counts a vector that was accepted or refused.
    fn count(&mut self, case: usize, result: TestResult, accepted: bool) {
        match result {
            TestResult::Valid => {
                assert!(accepted, "valid vector {case} is refused");
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!accepted, "invalid vector {case} is accepted");
                self.invalid += 1;
            }
            TestResult::Acceptable if accepted => self.valid += 1,
            TestResult::Acceptable => self.invalid += 1,
        }
    }
}

fn seal_and_open<M: Mode>(name: &str, set: aead::TestName) {
    let set = aead::TestSet::load(set).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        for case in &group.tests {
            let key: Option<&[u8; 32]> = case.key.as_slice().try_into().ok();
            let nonce: Option<[u8; 12]> = case.nonce.as_slice().try_into().ok();
            let tag: Option<&[u8; TAG_LEN]> = case.tag.as_slice().try_into().ok();
            let (Some(key), Some(nonce), Some(tag)) = (key, nonce, tag) else {
                tally.inexpressible += 1;
                continue;
            };
            let cipher = Aes256::<M>::with_key(key);
            let mut buffer = case.ct.to_vec();
            let opened = cipher.open(nonce, &case.aad, &mut buffer, tag).is_ok();
            tally.count(case.tc_id, case.result, opened);
            if opened {
                assert_eq!(buffer, case.pt.as_slice(), "vector {}", case.tc_id);
                let found = cipher.seal(nonce, &case.aad, &mut buffer).unwrap();
                assert_eq!(buffer, case.ct.as_slice(), "vector {}", case.tc_id);
                assert_eq!(&found, tag, "vector {}", case.tc_id);
            }
        }
    }
    tally.close(name, set.number_of_tests);
}

#[test]
fn aes_256_gcm() {
    seal_and_open::<Gcm>("AES-256-GCM", aead::TestName::AesGcm);
}

#[test]
fn aes_256_gcm_siv() {
    seal_and_open::<GcmSiv>("AES-256-GCM-SIV", aead::TestName::AesGcmSiv);
}

/// What RFC 7748 lets an implementation refuse, an all-zero secret, is refused here.
#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut tally = Tally::default();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private: Option<&[u8; 32]> = case.private_key.as_slice().try_into().ok();
        let public: Option<&[u8; 32]> = case.public_key.as_slice().try_into().ok();
        let (Some(private), Some(public)) = (private, public) else {
            tally.inexpressible += 1;
            continue;
        };
        let shared = DhKey::new(private).agree(public);
        let zero = case.shared_secret.iter().all(|byte| *byte == 0);
        assert_eq!(shared.is_none(), zero, "vector {}", case.tc_id);
        if let Some(shared) = &shared {
            assert_eq!(shared.as_slice(), case.shared_secret.as_slice());
        }
        tally.count(case.tc_id, case.result, shared.is_some());
    }
    tally.close("X25519", set.number_of_tests);
}

/// Among them ciphertexts that ML-KEM rejects implicitly: the secret is then a function of key and
/// ciphertext, and the vectors give it.
#[test]
fn ml_kem_768_decapsulation() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768).unwrap();
    let mut tally = Tally::default();
    let mut rejected_implicitly = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let seed = case
            .seed
            .as_ref()
            .and_then(|seed| seed.as_slice().try_into().ok());
        let ciphertext = case
            .ct
            .as_ref()
            .and_then(|ct| ct.as_slice().try_into().ok());
        let (Some(seed), Some(ciphertext)) = (seed, ciphertext) else {
            assert_eq!(case.result, TestResult::Invalid, "vector {}", case.tc_id);
            tally.inexpressible += 1;
            continue;
        };
        let key = MlKemKey::expand(seed);
        if let Some(expected) = &case.encaps_key {
            assert_eq!(key.public().to_bytes().as_slice(), expected.as_slice());
        }
        let secret = key.decapsulate(ciphertext);
        let matches = case
            .shared_secret
            .as_ref()
            .is_some_and(|expected| expected.as_slice() == secret.as_slice());
        let flagged = case.flags.contains(&mlkem::TestFlag::MalleableCiphertext)
            || case.flags.contains(&mlkem::TestFlag::Strcmp);
        rejected_implicitly += usize::from(flagged && matches);
        tally.count(case.tc_id, case.result, matches);
    }
    assert!(rejected_implicitly > 0, "no implicit rejection was met");
    println!("wycheproof ML-KEM-768: {rejected_implicitly} of them rejected implicitly");
    tally.close("ML-KEM-768 decapsulation", set.number_of_tests);
}

#[test]
fn ml_kem_768_encapsulation() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768Encaps).unwrap();
    let mut tally = Tally::default();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let message = case
            .msg
            .as_ref()
            .map(|message| message.as_slice().try_into());
        let encapsulated = case
            .encaps_key
            .as_ref()
            .and_then(|key| read_public(key.as_slice()))
            .zip(message.and_then(Result::ok))
            .map(|(key, message)| encapsulate(&key, message));
        let matches = encapsulated.as_ref().is_some_and(|(ciphertext, secret)| {
            let expected = |bytes: &Option<::wycheproof::ByteString>, found: &[u8]| {
                bytes.as_ref().is_none_or(|bytes| bytes.as_slice() == found)
            };
            expected(&case.ct, ciphertext) && expected(&case.shared_secret, secret.as_slice())
        });
        tally.count(case.tc_id, case.result, matches);
    }
    tally.close("ML-KEM-768 encapsulation", set.number_of_tests);
}

#[test]
fn hkdf_sha256() {
    let set = wycheproof_hkdf::TestSet::load(wycheproof_hkdf::TestName::HkdfSha256).unwrap();
    let mut tally = Tally::default();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; case.size];
        let hkdf = Hkdf::<Sha256>::new(Some(&case.salt), &case.ikm);
        let expanded = hkdf.expand(&case.info, &mut okm).is_ok();
        if expanded {
            assert_eq!(okm, case.okm.as_slice(), "vector {}", case.tc_id);
        }
        tally.count(case.tc_id, case.result, expanded);
    }
    tally.close("HKDF-SHA256", set.number_of_tests);
}

/// HMAC pads a short key with zeros, so the crate's 32-byte keys express it.
#[test]
fn hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut tally = Tally::default();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut key = [0; 32];
        let Some(start) = key.get_mut(..case.key.len()) else {
            tally.inexpressible += 1;
            continue;
        };
        start.copy_from_slice(&case.key);
        // Some tags are truncated.
        let found = hmac(&key, &[&case.msg]);
        let matches = found.get(..case.tag.len()) == Some(case.tag.as_slice());
        tally.count(case.tc_id, case.result, matches);
    }
    tally.close("HMAC-SHA256", set.number_of_tests);
}

/// Signatures are recovered from, so r and s are given as they are; a high s is refused, which the
/// set for Bitcoin calls for.
#[test]
fn ecdsa_secp256k1() {
    for (name, set, malleable) in [
        (
            "secp256k1 recovery (IEEE P1363)",
            ecdsa::TestName::EcdsaSecp256k1Sha256P1363,
            true,
        ),
        (
            "secp256k1 recovery (Bitcoin)",
            ecdsa::TestName::EcdsaSecp256k1Sha256Bitcoin,
            false,
        ),
    ] {
        let set = ecdsa::TestSet::load(set).unwrap();
        let mut tally = Tally::default();
        let mut high = 0;
        for group in &set.test_groups {
            // 0x04 ‖ x ‖ y.
            let address = keccak256(group.key.key.get(1..).unwrap());
            for case in &group.tests {
                let parts = if malleable {
                    split(&case.sig)
                } else {
                    secp256k1::ecdsa::Signature::from_der(&case.sig)
                        .ok()
                        .and_then(|signature| split(&signature.serialize_compact()))
                };
                let Some((r, s)) = parts else {
                    tally.count(case.tc_id, case.result, false);
                    continue;
                };
                let hash = B256::from_slice(&Sha256::digest(&case.msg));
                let recovers = |s| {
                    [false, true].into_iter().any(|parity| {
                        recover(hash, &Signature::new(r, s, parity))
                            .is_some_and(|found| found.into_word()[12..] == address[12..])
                    })
                };
                let mut low = s;
                if malleable && s > HALF_ORDER && s < ORDER {
                    // Valid to everybody but Ethereum: its low-s twin has to be valid instead.
                    assert!(!recovers(s), "vector {}", case.tc_id);
                    low = ORDER - s;
                    high += 1;
                }
                if case.result == TestResult::Valid && r < FIELD_ORDER - ORDER && !recovers(low) {
                    // A point whose x is not below the group's order, one in 2^127: Ethereum has no
                    // v for it.
                    tally.inexpressible += 1;
                } else {
                    tally.count(case.tc_id, case.result, recovers(low));
                }
            }
        }
        println!("wycheproof {name}: {high} of them with a high s, refused");
        tally.close(name, set.number_of_tests);
    }
}

fn split(signature: &[u8]) -> Option<(U256, U256)> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    let s: &[u8; 32] = s.try_into().ok()?;
    Some((U256::from_be_bytes(*r), U256::from_be_bytes(*s)))
}

const ORDER: U256 = alloy_primitives::uint!(
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256
);
const FIELD_ORDER: U256 = alloy_primitives::uint!(
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F_U256
);
const HALF_ORDER: U256 = alloy_primitives::uint!(
    0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256
);
