// SPDX-License-Identifier: Apache-2.0
//! What the targets have in common: libFuzzer's entry points around a target of `subrosa-fuzz`.
//!
//! Sound evidence is forged with new keys in every process, so that no file of a corpus can hold
//! it. Now and then a mutation therefore starts from a seed of the target and not from an input that
//! libFuzzer chose.

pub use libfuzzer_sys;

use subrosa_fuzz::Target;

/// Runs one input.
pub fn run(name: &str, input: &[u8]) {
    (named(name).run)(input);
}

/// Puts a seed of the target in place of the input once in a while, and otherwise lets libFuzzer
/// mutate it. Returns how many bytes it has.
pub fn mutate(name: &str, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let seeds = named(name).seeds();
    let (choice, rare) = (seed as usize / RARITY, seed as usize % RARITY == 0);
    let start = choice.checked_rem(seeds.len()).and_then(|n| seeds.get(n));
    let size = match start {
        Some(start) if rare && start.len() <= max_size.min(data.len()) => {
            for (to, from) in data.iter_mut().zip(start) {
                *to = *from;
            }
            start.len()
        }
        _ => size,
    };
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

fn named(name: &str) -> &'static Target {
    match subrosa_fuzz::target(name) {
        Some(target) => target,
        None => unreachable!("{name} is a target"),
    }
}

/// One mutation in so many starts from a seed.
const RARITY: usize = 50;

/// The entry points of the target of that name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        use $crate::libfuzzer_sys::{fuzz_mutator, fuzz_target};

        fuzz_target!(|input: &[u8]| $crate::run($name, input));

        fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate($name, data, size, max_size, seed)
        });
    };
}
