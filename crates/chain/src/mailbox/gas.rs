// SPDX-License-Identifier: Apache-2.0
//! What an answer costs: as good as all of it is the calldata that holds the evidence.

/// Gas of a transaction of `answerChallenge` with this calldata, rather too much than too little.
pub fn answer_gas(calldata: &[u8]) -> u64 {
    let zeros = calldata.iter().filter(|byte| **byte == 0).count() as u64;
    let length = calldata.len() as u64;
    gas(zeros + TOKENS_OF_A_BYTE * (length - zeros), length)
}

/// The same before there is an answer: of evidence and statement with so many bytes in all, none of them zero.
pub fn answer_gas_of(bytes: u64) -> u64 {
    let length = bytes.saturating_add(FRAME_BYTES);
    gas(TOKENS_OF_A_BYTE.saturating_mul(length), length)
}

fn gas(tokens: u64, length: u64) -> u64 {
    let words = length.div_ceil(32);
    // Everything is copied once to be hashed and once more for the event.
    let memory = words.saturating_mul(2);
    let work = WORK
        .saturating_add(LOGGED.saturating_mul(length))
        .saturating_add(memory.saturating_mul(12))
        .saturating_add(memory.saturating_mul(memory) / 512);
    let standard = STANDARD.saturating_mul(tokens).saturating_add(work);
    let floor = FLOOR.saturating_mul(tokens);
    INTRINSIC.saturating_add(standard.max(floor))
}

/// Most bytes of calldata that a transaction has: pools take transactions of 128 KiB.
pub const MAX_TRANSACTION_BYTES: usize = 120_000;

/// Selector, the challenge, payee, signature and the lengths.
const FRAME_BYTES: u64 = 516;
/// EIP-7623: a byte that is not zero counts four times.
const TOKENS_OF_A_BYTE: u64 = 4;
const STANDARD: u64 = 4;
const FLOOR: u64 = 10;
const INTRINSIC: u64 = 21_000;
/// Gas per byte of an event.
const LOGGED: u64 = 8;
/// Storage, the registry's record, the signature, and paying an account that may be new.
const WORK: u64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_price_of_calldata_is_what_counts() {
        let calldata = vec![1; 30_000];
        let gas = answer_gas(&calldata);
        assert_eq!(gas, 21_000 + 40 * 30_000);
        assert!(answer_gas_of(30_000 - 516) == gas);
        // Zeros are cheap to send, not to log.
        let zeros = answer_gas(&vec![0; 30_000]);
        assert!((400_000..gas / 2).contains(&zeros), "{zeros}");
        assert!(answer_gas_of(u64::MAX) > answer_gas_of(1 << 40));
    }
}
