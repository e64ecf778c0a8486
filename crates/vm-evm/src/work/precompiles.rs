// SPDX-License-Identifier: Apache-2.0
//! Work of Ethereum's precompiled contracts by their input: generation 1, measured as
//! [`weights`](super::weights) are.
//!
//! Counted before they run, so that none runs past the limit, and also for inputs that they refuse once
//! they have looked at them. What they refuse by its length or for want of fuel is not begun and not
//! counted: a guest that survives such a call on Ethereum survives it here.

use alloy_primitives::{Address, U256};
use revm::{
    precompile::{
        bls12_381_const::{
            DISCOUNT_TABLE_G1_MSM, DISCOUNT_TABLE_G2_MSM, G1_MSM_BASE_GAS_FEE, G2_MSM_BASE_GAS_FEE,
        },
        bls12_381_utils::msm_required_gas,
        calc_linear_cost, modexp,
    },
    primitives::eip7823::INPUT_SIZE_LIMIT,
};

/// Work of running the precompiled contract at `address` on `input` with `fuel`; `None` if there is
/// none there.
pub(crate) fn work(address: Address, input: &[u8], fuel: u64) -> Option<u64> {
    let begun = contract(number(address)?, input)?.filter(|begun| begun.price <= fuel);
    Some(CALLED + begun.map_or(0, |begun| begun.work))
}

/// Looking one up and taking its answer.
const CALLED: u64 = 20;

/// What begins once its fuel is there.
#[derive(Clone, Copy, Debug)]
struct Begun {
    price: u64,
    work: u64,
}

/// The contract with this number; `None` inside where the length of the input alone is refused.
fn contract(number: u16, input: &[u8]) -> Option<Option<Begun>> {
    let length = input.len() as u64;
    let always = |price, work| Some(Begun { price, work });
    // Of a multiple of so many bytes.
    let elements = |bytes: u64| length.is_multiple_of(bytes).then_some(length / bytes);
    let some_elements = |bytes: u64| elements(bytes).filter(|count| *count > 0);
    let exactly = |bytes: u64| (length == bytes).then_some(());
    let per_kib = |work: u64| length.saturating_mul(work).div_ceil(1024);
    let linear = |base, word| calc_linear_cost(input.len(), base, word);
    Some(match number {
        // ecrecover, and hashes.
        0x01 => always(3_000, 36_000),
        0x02 => always(linear(60, 12), 80 + per_kib(680)),
        0x03 => always(linear(600, 120), 250 + per_kib(3_700)),
        0x04 => always(linear(15, 3), 20 + per_kib(40)),
        0x05 => modular_exponentiation(input),
        // BN254: add, multiply, pair.
        0x06 => always(150, 3_300),
        0x07 => always(6_000, 80_000),
        0x08 => elements(192).map(|pairs| Begun {
            price: 45_000 + 34_000 * pairs,
            work: 700_000 + 380_000 * pairs,
        }),
        0x09 => exactly(213).map(|()| {
            let rounds = input.first_chunk().copied().map_or(0, u32::from_be_bytes);
            Begun {
                price: rounds.into(),
                work: 60 + 10 * u64::from(rounds),
            }
        }),
        // KZG point evaluation.
        0x0a => exactly(192).map(|()| Begun {
            price: 50_000,
            work: 1_150_000,
        }),
        // BLS12-381: add and sum in G1 and G2, pair, map.
        0x0b => exactly(256).map(|()| Begun {
            price: 375,
            work: 4_700,
        }),
        0x0c => some_elements(160).map(|points| Begun {
            price: msm(points, &DISCOUNT_TABLE_G1_MSM, G1_MSM_BASE_GAS_FEE),
            work: 30_000 + 110_000 * points,
        }),
        0x0d => exactly(512).map(|()| Begun {
            price: 600,
            work: 6_900,
        }),
        0x0e => some_elements(288).map(|points| Begun {
            price: msm(points, &DISCOUNT_TABLE_G2_MSM, G2_MSM_BASE_GAS_FEE),
            work: 50_000 + 225_000 * points,
        }),
        0x0f => some_elements(384).map(|pairs| Begun {
            price: 37_700 + 32_600 * pairs,
            work: 450_000 + 290_000 * pairs,
        }),
        0x10 => exactly(64).map(|()| Begun {
            price: 5_500,
            work: 50_000,
        }),
        0x11 => exactly(128).map(|()| Begun {
            price: 23_800,
            work: 160_000,
        }),
        // P-256 verify, which answers nothing to another length.
        0x100 => exactly(160).map(|()| Begun {
            price: 6_900,
            work: 65_000,
        }),
        _ => return None,
    })
}

/// The number that an address is, if it is a small one.
fn number(address: Address) -> Option<u16> {
    let (zeros, number) = address.as_slice().split_last_chunk::<2>()?;
    zeros
        .iter()
        .all(|byte| *byte == 0)
        .then(|| u16::from_be_bytes(*number))
}

fn msm(points: u64, discounts: &[u16], price: u64) -> u64 {
    usize::try_from(points).map_or(u64::MAX, |points| {
        msm_required_gas(points, discounts, price)
    })
}

/// A multiplication and a reduction of the modulus' size for each bit of the exponent, after the base
/// has been reduced.
fn modular_exponentiation(input: &[u8]) -> Option<Begun> {
    let word = |at: usize| padded_word(input.get(at..).unwrap_or_default(), 32);
    let size = |at: usize| {
        let size = usize::try_from(word(at)).ok()?;
        (size <= INPUT_SIZE_LIMIT).then_some(size)
    };
    let (base, exponent, modulus) = (size(0)?, size(32)?, size(64)?);
    let head = input.get(96 + base..).unwrap_or_default();
    let head = padded_word(head, exponent.min(32));
    let price = modexp::osaka_gas_calc(base as u64, exponent as u64, modulus as u64, &head);
    let bits = 8 * exponent.saturating_sub(32) + head.bit_len();
    let (base, modulus) = (base.div_ceil(8), modulus.div_ceil(8).max(1));
    let square = modulus * modulus;
    let work = 700 + bits.max(1) * (30 + 3 * square) + 5 * square + 3 * base * modulus;
    Some(Begun {
        price,
        work: work as u64,
    })
}

/// The first `length` bytes as a number, zeros where there are none.
fn padded_word(bytes: &[u8], length: usize) -> U256 {
    let mut word = [0; 32];
    let places = word.iter_mut().skip(32 - length.min(32));
    for (place, byte) in places.zip(bytes) {
        *place = *byte;
    }
    U256::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use revm::precompile::{PrecompileSpecId, Precompiles};

    use super::*;
    use crate::context::SPEC;

    fn ethereum() -> &'static Precompiles {
        Precompiles::new(PrecompileSpecId::from_spec_id(SPEC))
    }

    fn is_out_of_gas(address: &Address, input: &[u8], fuel: u64) -> bool {
        let output = ethereum().get(address).unwrap().execute(input, fuel, 0);
        output
            .unwrap()
            .halt_reason()
            .is_some_and(|reason| reason.is_oog())
    }

    /// Lengths that some contract takes, and others; numbers that make modular exponentiations and
    /// rounds of BLAKE2.
    fn inputs() -> Vec<Vec<u8>> {
        let mut inputs: Vec<Vec<u8>> = [
            0, 1, 31, 32, 64, 96, 97, 128, 160, 192, 213, 256, 288, 320, 384, 512, 576, 768, 1_000,
        ]
        .into_iter()
        .flat_map(|length| [vec![0; length], vec![1; length]])
        .collect();
        for (base, exponent, modulus) in [(1u64, 1, 1), (32, 32, 32), (40, 33, 8), (8, 100, 40)] {
            let word = |size: u64| U256::from(size).to_be_bytes_vec();
            let numbers = vec![0x35; (base + exponent + modulus) as usize];
            inputs.push([word(base), word(exponent), word(modulus), numbers].concat());
        }
        let mut rounds = vec![0, 0, 1, 7];
        rounds.resize(213, 0);
        inputs.push(rounds);
        inputs
    }

    #[test]
    fn every_contract_of_the_hard_fork_has_its_work() {
        for address in ethereum().addresses() {
            assert!(work(*address, &[], 0).is_some(), "{address}");
        }
        for other in [
            Address::ZERO,
            Address::repeat_byte(1),
            Address::with_last_byte(0x12),
        ] {
            assert!(ethereum().get(&other).is_none());
            assert_eq!(work(other, &[], u64::MAX), None);
        }
    }

    #[test]
    fn work_begins_exactly_where_the_fuel_is_enough() {
        let mut begun = 0;
        for address in ethereum().addresses() {
            for input in inputs() {
                let what = || format!("{address}, {} bytes", input.len());
                let Some(priced) = contract(number(*address).unwrap(), &input).unwrap() else {
                    continue;
                };
                assert!(!is_out_of_gas(address, &input, priced.price), "{}", what());
                assert_eq!(
                    work(*address, &input, priced.price),
                    Some(CALLED + priced.work)
                );
                if let Some(too_little) = priced.price.checked_sub(1) {
                    assert!(is_out_of_gas(address, &input, too_little), "{}", what());
                    assert_eq!(work(*address, &input, too_little), Some(CALLED));
                }
                begun += 1;
            }
        }
        assert!(begun > 19, "{begun}");
    }

    #[test]
    fn what_is_not_begun_answers_nothing() {
        for address in ethereum().addresses() {
            for input in inputs() {
                if contract(number(*address).unwrap(), &input)
                    .unwrap()
                    .is_none()
                {
                    let output = ethereum()
                        .get(address)
                        .unwrap()
                        .execute(&input, u64::MAX, 0);
                    assert!(
                        output.unwrap().bytes.is_empty(),
                        "{address}, {}",
                        input.len()
                    );
                }
            }
        }
    }

    #[test]
    fn longer_numbers_and_exponents_are_more_work() {
        let of = |base: usize, exponent: usize, modulus: usize| {
            let word = |size: usize| U256::from(size).to_be_bytes_vec();
            let numbers = vec![0xff; base + exponent + modulus];
            let input = [word(base), word(exponent), word(modulus), numbers].concat();
            modular_exponentiation(&input).unwrap().work
        };
        assert!(of(32, 32, 32) < of(64, 32, 32));
        assert!(of(32, 32, 32) < of(32, 33, 32));
        assert!(of(32, 32, 32) < of(32, 32, 33));
        assert!(of(1_024, 1_024, 1_024) < 500_000_000);
        // Sizes beyond the limit are refused (EIP-7823).
        let mut input = vec![0; 96];
        input[30] = 0x04;
        input[31] = 0x01;
        assert!(modular_exponentiation(&input).is_none());
    }
}
