// SPDX-License-Identifier: Apache-2.0
//! Ethereum's precompiled contracts answer inside a guest. Each vector fails if the contract is
//! missing: a call to an account without code returns nothing.

use alloy_primitives::{Address, Bytes, U256};
use sha2::{Digest, Sha256};

use subrosa_vm::conformance::Probe;

use crate::guest;

fn answer(number: u64, input: &str) -> Option<String> {
    let target = Address::from_word(U256::from(number).into());
    let input = Bytes::from(hex::decode(input).unwrap());
    let gas_limit = U256::from(1_000_000);
    let mut probe = guest::construct(&guest::probe(), &[]);
    let returned = probe.run(&Probe::forwardCall {
        target,
        input,
        gasLimit: gas_limit,
    });
    returned.ok.then(|| hex::encode(returned.answer))
}

fn word(value: u64) -> String {
    format!("{value:064x}")
}

#[test]
fn ecrecover_finds_the_signer() {
    // go-ethereum, core/vm/testdata/precompiles/ecRecover.json, "ValidKey".
    let input = concat!(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c",
        "000000000000000000000000000000000000000000000000000000000000001c",
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f",
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549",
    );
    let signer = format!(
        "{}a94f5374fce5edbc8e2a8697c15331677e6ebf0b",
        "00".repeat(12)
    );
    assert_eq!(answer(1, input), Some(signer));
}

#[test]
fn hashes_and_identity_answer() {
    let abc = hex::encode("abc");
    assert_eq!(answer(2, &abc), Some(hex::encode(Sha256::digest("abc"))));
    let ripemd = format!(
        "{}8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
        "00".repeat(12)
    );
    assert_eq!(answer(3, &abc), Some(ripemd));
    assert_eq!(answer(4, &abc), Some(abc));
}

#[test]
fn modexp_computes() {
    let input = [word(1), word(1), word(1), "030507".to_owned()].concat();
    assert_eq!(answer(5, &input).as_deref(), Some("05"));
}

const BN254_DOUBLE: &str = concat!(
    "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3",
    "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4",
);
const BN254_G2: &str = concat!(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
);
const BN254_MINUS_TWO: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";

#[test]
fn bn254_adds_multiplies_and_pairs() {
    let generator = [word(1), word(2)].concat();
    let minus = [word(1), BN254_MINUS_TWO.to_owned()].concat();
    assert_eq!(
        answer(6, &generator.repeat(2)).as_deref(),
        Some(BN254_DOUBLE)
    );
    assert_eq!(
        answer(7, &[generator.clone(), word(2)].concat()).as_deref(),
        Some(BN254_DOUBLE)
    );
    let pairs = |second: &str| [&generator, BN254_G2, second, BN254_G2].concat();
    assert_eq!(answer(8, &pairs(&minus)), Some(word(1)));
    assert_eq!(answer(8, &pairs(&generator)), Some(word(0)));
    assert_eq!(
        answer(6, &[word(1), word(3)].concat()),
        None,
        "not on the curve"
    );
}

#[test]
fn blake2f_compresses() {
    // EIP-152, test vector 5: BLAKE2b of "abc" (RFC 7693, appendix A).
    let input = [
        "0000000c48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5",
        "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b616263",
        &"00".repeat(125),
        "0300000000000000000000000000000001",
    ]
    .concat();
    let expected = concat!(
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1",
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    );
    assert_eq!(answer(9, &input).as_deref(), Some(expected));
}

#[test]
fn point_evaluation_accepts_the_zero_polynomial_at_zero_only() {
    let infinity = format!("c0{}", "00".repeat(47));
    let hash = Sha256::digest(hex::decode(&infinity).unwrap());
    let input = |y: u64| {
        let versioned = format!("01{}", hex::encode(&hash[1..]));
        [&versioned, &word(7), &word(y), &infinity, &infinity]
            .map(String::as_str)
            .concat()
    };
    // FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS (EIP-4844).
    let modulus = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    assert_eq!(answer(10, &input(0)), Some([&word(4096), modulus].concat()));
    assert_eq!(answer(10, &input(1)), None);
}

#[test]
fn bls12_381_adds() {
    let generator = concat!(
        "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f",
        "c3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
        "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4",
        "fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
    );
    let sum = answer(11, &[generator, &"00".repeat(128)].concat());
    assert_eq!(sum.as_deref(), Some(generator));
    assert_eq!(answer(11, &generator[2..]), None);
}

#[test]
fn p256_verifies() {
    // daimo-eth/p256-verifier, test-vectors: "wycheproof/ecdsa_secp256r1_sha256_p1363_test".
    let valid = concat!(
        "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d",
        "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac",
        "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60",
        "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3",
        "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
    );
    assert_eq!(answer(0x100, valid), Some(word(1)));
    let wrong = format!("3{}", &valid[1..]);
    assert_eq!(answer(0x100, &wrong).as_deref(), Some(""));
}
