// SPDX-License-Identifier: Apache-2.0
//! Every precompiled contract and host call, at sizes from small to large.

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolValue;
use revm::bytecode::opcode::*;
use subrosa_vm::{Halt, host};
use subrosa_vm_evm::EvmEngine;

use crate::{
    case::Case,
    guest::{Code, Guest},
};

pub(crate) fn all() -> Vec<Case> {
    inputs()
        .into_iter()
        .map(|(name, address, input, times)| case(name, address, input, times))
        .collect()
}

/// A guest that calls `address` with its own input so many times.
pub(crate) fn caller(address: Address, input: Vec<u8>, times: usize) -> Guest {
    let code = copied_input().looped(times, &[call(address), vec![POP]].concat());
    Guest::new(code.op(STOP).bytes()).with_input(input)
}

/// Name, address, input, and how often a sample calls it.
pub(crate) fn inputs() -> Vec<(String, Address, Vec<u8>, usize)> {
    let mut inputs = hashes();
    inputs.extend(modular_exponentiations());
    inputs.extend(curves());
    inputs.extend(host_calls());
    inputs
}

fn case(name: String, address: Address, input: Vec<u8>, times: usize) -> Case {
    let once = copied_input()
        .ops(&call(address))
        .ops(&[PUSH0, MSTORE, PUSH1, 32, PUSH0, RETURN]);
    let execution = Guest::new(once.bytes())
        .with_input(input.clone())
        .execute(&EvmEngine::default());
    assert_eq!(execution.halt, Halt::Succeeded, "{name}");
    assert_eq!(
        execution.output,
        U256::ONE.to_be_bytes_vec(),
        "{name} refuses its input"
    );
    let without = Guest::new(copied_input().looped(times, &[]).op(STOP).bytes());
    Case::new(
        name,
        times,
        caller(address, input.clone(), times),
        without.with_input(input),
    )
}

fn copied_input() -> Code {
    Code::default().ops(&[CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY])
}

fn call(address: Address) -> Vec<u8> {
    Code::default()
        .ops(&[PUSH0, PUSH0, CALLDATASIZE, PUSH0])
        .push(U256::from_be_slice(address.as_slice()))
        .ops(&[GAS, STATICCALL])
        .bytes()
}

fn ethereum(number: u64) -> Address {
    Address::from_word(U256::from(number).into())
}

fn hashes() -> Vec<(String, Address, Vec<u8>, usize)> {
    let mut inputs = Vec::new();
    for (name, number) in [("SHA-256", 2), ("RIPEMD-160", 3), ("identity", 4)] {
        for size in [0, 1 << 10, 64 << 10] {
            let times = if size > 1 << 10 { 5 } else { 200 };
            inputs.push((
                format!("{name}, {size}"),
                ethereum(number),
                vec![0xa5; size],
                times,
            ));
        }
    }
    for rounds in [0u32, 12, 100_000] {
        let mut input = rounds.to_be_bytes().to_vec();
        input.extend(vec![0xa5; 208]);
        input.push(1);
        let times = if rounds > 12 { 1 } else { 200 };
        inputs.push((format!("BLAKE2 F, {rounds}"), ethereum(9), input, times));
    }
    inputs
}

fn modular_exponentiations() -> Vec<(String, Address, Vec<u8>, usize)> {
    let mut inputs = Vec::new();
    let mut add = |name: &str, base: Vec<u8>, exponent: Vec<u8>, modulus: Vec<u8>, times| {
        let length = |bytes: &[u8]| U256::from(bytes.len()).to_be_bytes_vec();
        let name = format!(
            "modexp, {name}, {}^{} mod {}",
            base.len(),
            exponent.len(),
            modulus.len()
        );
        let lengths = [length(&base), length(&exponent), length(&modulus)].concat();
        inputs.push((
            name,
            ethereum(5),
            [lengths, base, exponent, modulus].concat(),
            times,
        ));
    };
    let odd = |size: usize| {
        let mut bytes = vec![0xfb; size];
        bytes[0] = 0xff;
        bytes
    };
    let even = |size: usize| {
        let mut bytes = odd(size);
        bytes[size - 1] = 0xf0;
        bytes[size / 2..].fill(0);
        bytes[size / 2] = 0x10;
        bytes
    };
    let nearly_odd = |size: usize| {
        let mut bytes = odd(size);
        bytes[size - 1] = 0xf0;
        bytes
    };
    let power = |size: usize| {
        let mut bytes = vec![0; size];
        bytes[0] = 0x80;
        bytes
    };
    add("least", vec![], vec![], vec![1], 200);
    for (size, times) in [(8, 100), (32, 20), (256, 1), (1024, 1)] {
        let cube = vec![3];
        let full = vec![0xff; size.min(64)];
        add("odd", vec![0xee; size], cube.clone(), odd(size), 20);
        add("odd", vec![0xee; size], full.clone(), odd(size), times);
        add("even", vec![0xee; size], full.clone(), even(size), times);
        add(
            "nearly odd",
            vec![0xee; size],
            full.clone(),
            nearly_odd(size),
            times,
        );
        add("power of two", vec![0xee; size], full, power(size), times);
    }
    add("short base", vec![3], vec![0xff; 1024], odd(32), 2);
    add("long base", vec![0xee; 1024], vec![3], vec![0xfb; 1], 20);
    add(
        "short modulus",
        vec![0xee; 1024],
        vec![0xff; 64],
        odd(32),
        1,
    );
    inputs
}

fn curves() -> Vec<(String, Address, Vec<u8>, usize)> {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let bn_g1 = [word(1), word(2)].concat();
    let bn_g2 = bytes(concat!(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
    ));
    let bls_g1 = padded(&[
        "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
        "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
    ]);
    let bls_g2 = padded(&[
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
        "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
        "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
        "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
    ]);
    let field = "0911111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111ff";
    let scalar = vec![0x6f; 32];
    // go-ethereum, core/vm/testdata/precompiles/ecRecover.json, "ValidKey".
    let recovered = bytes(concat!(
        "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c",
        "000000000000000000000000000000000000000000000000000000000000001c",
        "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f",
        "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549",
    ));
    // daimo-eth/p256-verifier, test-vectors: "wycheproof/ecdsa_secp256r1_sha256_p1363_test".
    let p256 = bytes(concat!(
        "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d",
        "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac",
        "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60",
        "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3",
        "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
    ));
    // ethereum/c-kzg-4844, tests/verify_kzg_proof, "correct_proof_31ebd010e6098750"; the versioned
    // hash before it is that of the commitment.
    let point = bytes(concat!(
        "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b",
        "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000",
        "1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9",
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca2",
        "5f26936857bc3a7c2539ea8ec3a952b7",
        "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc216074",
        "4faf0070725e00b60ad9a026a15b1a8c",
    ));
    let mut inputs = vec![
        ("ecrecover".to_owned(), ethereum(1), recovered, 20),
        ("P-256 verify".to_owned(), ethereum(0x100), p256, 20),
        ("point evaluation".to_owned(), ethereum(10), point, 2),
        ("BN254 add".to_owned(), ethereum(6), bn_g1.repeat(2), 100),
        (
            "BN254 mul".to_owned(),
            ethereum(7),
            [&bn_g1[..], &[0xff; 32]].concat(),
            20,
        ),
        (
            "BLS12-381 G1 add".to_owned(),
            ethereum(11),
            bls_g1.repeat(2),
            100,
        ),
        (
            "BLS12-381 G2 add".to_owned(),
            ethereum(13),
            bls_g2.repeat(2),
            100,
        ),
        (
            "BLS12-381 to G1".to_owned(),
            ethereum(16),
            padded(&[field]),
            10,
        ),
        (
            "BLS12-381 to G2".to_owned(),
            ethereum(17),
            padded(&[field, field]),
            10,
        ),
    ];
    for pairs in [1, 4, 16] {
        let times = 4 / pairs.min(4);
        let name = format!("BN254 pairing, {pairs}");
        inputs.push((
            name,
            ethereum(8),
            [&bn_g1[..], &bn_g2].concat().repeat(pairs),
            times,
        ));
        let name = format!("BLS12-381 pairing, {pairs}");
        inputs.push((
            name,
            ethereum(15),
            [&bls_g1[..], &bls_g2].concat().repeat(pairs),
            times,
        ));
    }
    for points in [1, 8, 128] {
        let times = 8 / points.min(8);
        let name = format!("BLS12-381 G1 MSM, {points}");
        inputs.push((
            name,
            ethereum(12),
            [&bls_g1[..], &scalar].concat().repeat(points),
            times,
        ));
        let name = format!("BLS12-381 G2 MSM, {points}");
        inputs.push((
            name,
            ethereum(14),
            [&bls_g2[..], &scalar].concat().repeat(points),
            times,
        ));
    }
    inputs
}

fn host_calls() -> Vec<(String, Address, Vec<u8>, usize)> {
    let random = |length: u64, personalization: usize| {
        (U256::from(length), Bytes::from(vec![7; personalization])).abi_encode_params()
    };
    let mut inputs = vec![("invocation".to_owned(), host::INVOCATION, Vec::new(), 100)];
    for (length, personalization, times) in
        [(0, 0, 100), (32, 0, 100), (1024, 0, 20), (32, 64 << 10, 5)]
    {
        let name = format!("random bytes, {length} for {personalization}");
        inputs.push((
            name,
            host::RANDOM_BYTES,
            random(length, personalization),
            times,
        ));
    }
    inputs
}

fn word(value: u64) -> Vec<u8> {
    U256::from(value).to_be_bytes_vec()
}

/// Field elements of 48 bytes in words of 64.
fn padded(elements: &[&str]) -> Vec<u8> {
    let element = |text: &&str| [vec![0; 16], hex::decode(text).unwrap()].concat();
    elements.iter().flat_map(element).collect()
}
