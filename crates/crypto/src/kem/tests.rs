// SPDX-License-Identifier: Apache-2.0
use std::convert::Infallible;

use chacha20::ChaCha20Rng;
use hpke::{
    Deserializable, Kem, Serializable,
    kem::{X25519HkdfSha256, XWing},
};
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

use super::{ExpandedX25519, ExpandedXWing};

/// Hands out these bytes and no others.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Script {}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

/// Key pairs, secrets and refusals are those of the crate's own KEM.
fn agrees_with<Reference: Kem, Ours: Kem>() {
    assert_eq!(Reference::KEM_ID, Ours::KEM_ID);
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for round in 0..20u8 {
        let (sk, pk) = Reference::derive_keypair(&[round; 32]);
        let (our_sk, our_pk) = Ours::derive_keypair(&[round; 32]);
        assert_eq!(sk.to_bytes().as_slice(), our_sk.to_bytes().as_slice());
        assert_eq!(pk.to_bytes().as_slice(), our_pk.to_bytes().as_slice());
        assert_eq!(Ours::sk_to_pk(&our_sk), our_pk);
        let our_sk = Ours::PrivateKey::from_bytes(&sk.to_bytes()).unwrap();

        let (secret, encapsulated) = Reference::encap_with_rng(&pk, None, &mut rng).unwrap();
        let mut encapsulated = encapsulated.to_bytes().to_vec();
        let decap = |encapsulated: &[u8]| {
            let reference = Reference::decap(
                &sk,
                None,
                &Reference::EncappedKey::from_bytes(encapsulated).unwrap(),
            )
            .map(|secret| secret.0.to_vec());
            let ours = Ours::decap(
                &our_sk,
                None,
                &Ours::EncappedKey::from_bytes(encapsulated).unwrap(),
            )
            .map(|secret| secret.0.to_vec());
            assert_eq!(ours, reference);
            ours
        };
        assert_eq!(decap(&encapsulated).unwrap(), secret.0.to_vec());

        // ML-KEM's implicit rejection, and another X25519 point.
        encapsulated[usize::from(round)] ^= 1;
        let implicit = decap(&encapsulated).unwrap();
        assert_ne!(implicit, secret.0.to_vec());
        // A point of small order.
        let start = encapsulated.len() - 32;
        encapsulated[start..].fill(0);
        let _ = decap(&encapsulated);

        let (secret, encapsulated) = Ours::encap_with_rng(&our_pk, None, &mut rng).unwrap();
        let encapsulated = Reference::EncappedKey::from_bytes(&encapsulated.to_bytes()).unwrap();
        let decapsulated = Reference::decap(&sk, None, &encapsulated).unwrap();
        assert_eq!(decapsulated.0.to_vec(), secret.0.to_vec());
    }
}

#[test]
fn expanded_kems_agree_with_the_crates_own() {
    agrees_with::<XWing, ExpandedXWing>();
    agrees_with::<X25519HkdfSha256, ExpandedX25519>();
}

#[test]
fn x25519_is_that_of_rfc_9180() {
    // Appendix A.1.1.
    let sk = <ExpandedX25519 as Kem>::PrivateKey::from_bytes(&bytes(
        "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
    ))
    .unwrap();
    let encapsulated = <ExpandedX25519 as Kem>::EncappedKey::from_bytes(&bytes(
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
    ))
    .unwrap();
    assert_eq!(
        ExpandedX25519::sk_to_pk(&sk).to_bytes().as_slice(),
        bytes("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
    );
    let secret = ExpandedX25519::decap(&sk, None, &encapsulated).unwrap();
    assert_eq!(
        secret.0.as_slice(),
        bytes("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
    );
}

#[test]
fn x_wing_is_that_of_its_draft() {
    // draft-connolly-cfrg-xwing-kem, appendix C, first vector: seed, eseed and ss.
    let sk = <ExpandedXWing as Kem>::PrivateKey::from_bytes(&bytes(
        "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    ))
    .unwrap();
    let mut script = Script(bytes(concat!(
        "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2",
        "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    )));
    let pk = ExpandedXWing::sk_to_pk(&sk);
    let (secret, encapsulated) = ExpandedXWing::encap_with_rng(&pk, None, &mut script).unwrap();
    let expected = bytes("d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384");
    assert_eq!(secret.0.as_slice(), expected);
    assert_eq!(
        ExpandedXWing::decap(&sk, None, &encapsulated)
            .unwrap()
            .0
            .as_slice(),
        expected
    );
}
