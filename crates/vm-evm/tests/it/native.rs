// SPDX-License-Identifier: Apache-2.0
//! The C and assembly that revm is built with answers as the pure Rust beside it does: libsecp256k1
//! as k256, AWS-LC as p256, blst as arkworks.

use ark_bls12_381::{Fq, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{BigInteger, PrimeField, Zero};
use p256::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
use proptest::prelude::*;
use revm::{
    precompile::{
        PrecompileSpecId, Precompiles, kzg_point_evaluation,
        secp256k1::{bitcoin_secp256k1, k256},
        secp256r1, u64_to_address,
    },
    primitives::hardfork::SpecId,
};

/// What the precompiled contract answers, or `None` if it refuses.
fn answer(number: u64, input: &[u8]) -> Option<Vec<u8>> {
    let contracts = Precompiles::new(PrecompileSpecId::from_spec_id(SpecId::OSAKA));
    let contract = contracts.get(&u64_to_address(number)).unwrap();
    let output = contract.execute(input, u64::MAX, 0).unwrap();
    output.is_success().then(|| output.bytes.to_vec())
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn assert_recovers_alike(message: [u8; 32], signature: [u8; 64], id: u8) -> bool {
    let native = bitcoin_secp256k1::ecrecover(&signature.into(), id, &message.into()).ok();
    let pure = k256::ecrecover(&signature.into(), id, &message.into()).ok();
    assert_eq!(native, pure, "{message:02x?} {signature:02x?} {id}");
    native.is_some()
}

/// Numbers around the ends of secp256k1's scalars and field.
fn edges() -> [[u8; 32]; 10] {
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000001",
        "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0",
        "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1",
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ]
    .map(array)
}

#[test]
fn signatures_at_the_edges_recover_alike() {
    let mut recovered = 0;
    for r in edges() {
        for s in edges() {
            for message in edges() {
                let signature = [r, s].concat().try_into().unwrap();
                for id in [0, 1] {
                    recovered += usize::from(assert_recovers_alike(message, signature, id));
                }
            }
        }
    }
    assert!(recovered > 0);
}

#[test]
fn points_are_evaluated_alike() {
    // ethereum/c-kzg-4844, tests/verify_kzg_proof, "correct_proof_31ebd010e6098750".
    let commitment: [u8; 48] = array(
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7",
    );
    let z: [u8; 32] = array("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    let y: [u8; 32] = array("1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9");
    let proof: [u8; 48] = array(
        "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c",
    );
    let verify = |input: &[u8; 160]| {
        let (commitment, rest) = input.split_first_chunk::<48>().unwrap();
        let (z, rest) = rest.split_first_chunk::<32>().unwrap();
        let (y, proof) = rest.split_first_chunk::<32>().unwrap();
        let proof = proof.try_into().unwrap();
        let native = kzg_point_evaluation::blst::verify_kzg_proof(commitment, z, y, proof);
        let pure = kzg_point_evaluation::arkworks::verify_kzg_proof(commitment, z, y, proof);
        assert_eq!(native, pure, "{input:02x?}");
        native
    };
    let input: [u8; 160] = [&commitment[..], &z, &y, &proof]
        .concat()
        .try_into()
        .unwrap();
    assert!(verify(&input));
    // One bit in each seventh byte, the flags of compressed points among them.
    for at in (0..160).step_by(7).chain([48, 80, 112]) {
        let mut changed = input;
        changed[at] ^= 1 << (at % 8);
        assert!(!verify(&changed), "{at}");
    }
    let mut infinity = [0; 160];
    infinity[0] = 0xc0;
    infinity[112] = 0xc0;
    assert!(verify(&infinity));
    infinity[111] = 1;
    assert!(!verify(&infinity));
}

fn field(element: Fq) -> Vec<u8> {
    [vec![0; 16], element.into_bigint().to_bytes_be()].concat()
}

fn g1(point: G1Projective) -> Vec<u8> {
    let affine = point.into_affine();
    affine
        .xy()
        .map_or_else(|| vec![0; 128], |(x, y)| [field(x), field(y)].concat())
}

fn g2(point: G2Projective) -> Vec<u8> {
    let affine = point.into_affine();
    affine.xy().map_or_else(
        || vec![0; 256],
        |(x, y)| [x.c0, x.c1, y.c0, y.c1].map(field).concat(),
    )
}

fn scalar(bytes: &[u8; 32]) -> Fr {
    Fr::from_be_bytes_mod_order(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn signatures_recover_alike(message: [u8; 32], r: [u8; 32], s: [u8; 32], id in 0u8..2) {
        let signature = [r, s].concat().try_into().unwrap();
        assert_recovers_alike(message, signature, id);
    }

    #[test]
    fn p256_verifies_alike(key: [u8; 32], digest: [u8; 32], flipped in 0usize..160) {
        let Ok(key) = SigningKey::from_slice(&key) else {
            return Ok(());
        };
        let signature: Signature = key.sign_prehash(&digest).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        let mut input = [&digest[..], &signature.to_bytes(), &point.as_bytes()[1..]].concat();
        prop_assert!(secp256r1::verify_impl(&input));
        // As good: EIP-7951 does not ask for the lower of the two.
        let (r, s) = signature.split_scalars();
        let other = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let higher = [&digest[..], &other.to_bytes(), &point.as_bytes()[1..]].concat();
        prop_assert!(secp256r1::verify_impl(&higher));
        input[flipped] ^= 1;
        prop_assert!(!secp256r1::verify_impl(&input));
    }

    #[test]
    fn bls12_381_adds_and_multiplies_alike(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
        let (p, q) = (G1Projective::generator() * scalar(&a), G1Projective::generator() * scalar(&b));
        prop_assert_eq!(answer(0x0b, &[g1(p), g1(q)].concat()), Some(g1(p + q)));
        prop_assert_eq!(answer(0x0b, &[g1(p), g1(p)].concat()), Some(g1(p + p)));
        prop_assert_eq!(answer(0x0b, &[g1(p), g1(-p)].concat()), Some(g1(G1Projective::zero())));
        let sum = p * scalar(&c) + q * scalar(&a);
        let input = [g1(p), c.to_vec(), g1(q), a.to_vec()].concat();
        prop_assert_eq!(answer(0x0c, &input), Some(g1(sum)));

        let (p, q) = (G2Projective::generator() * scalar(&a), G2Projective::generator() * scalar(&b));
        prop_assert_eq!(answer(0x0d, &[g2(p), g2(q)].concat()), Some(g2(p + q)));
        let sum = p * scalar(&c) + q * scalar(&a);
        let input = [g2(p), c.to_vec(), g2(q), a.to_vec()].concat();
        prop_assert_eq!(answer(0x0e, &input), Some(g2(sum)));
    }

    #[test]
    fn bls12_381_pairs_and_maps_alike(a: [u8; 32], b: [u8; 32], element: [u8; 47]) {
        let (p, q) = (G1Projective::generator() * scalar(&a), G2Projective::generator() * scalar(&b));
        let product = G1Projective::generator() * (scalar(&a) * scalar(&b));
        let generator = g2(G2Projective::generator());
        let verdict = |last: u8| Some([vec![0; 31], vec![last]].concat());
        let equal = [g1(p), g2(q), g1(-product), generator.clone()].concat();
        prop_assert_eq!(answer(0x0f, &equal), verdict(1));
        let unequal = [g1(p), g2(q), g1(product), generator].concat();
        prop_assert_eq!(answer(0x0f, &unequal), verdict(0));

        // What is mapped to is on the curve and in the subgroup.
        let element = [vec![0; 17], element.to_vec()].concat();
        let point = answer(0x10, &element).unwrap();
        let coordinate = |at: usize| Fq::from_be_bytes_mod_order(&point[64 * at + 16..64 * at + 64]);
        let mapped = G1Affine::new_unchecked(coordinate(0), coordinate(1));
        prop_assert!(mapped.is_on_curve() && mapped.is_in_correct_subgroup_assuming_on_curve());
        let point = answer(0x11, &element.repeat(2)).unwrap();
        let coordinate = |at: usize| Fq::from_be_bytes_mod_order(&point[64 * at + 16..64 * at + 64]);
        let mapped = G2Affine::new_unchecked(
            ark_bls12_381::Fq2::new(coordinate(0), coordinate(1)),
            ark_bls12_381::Fq2::new(coordinate(2), coordinate(3)),
        );
        prop_assert!(mapped.is_on_curve() && mapped.is_in_correct_subgroup_assuming_on_curve());
    }
}
