// SPDX-License-Identifier: Apache-2.0
//! Seeded, deterministic changes to bytes, half of them aimed at how formats are built: integers,
//! lengths, tokens of the format.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What inputs are made from.
pub(crate) struct Stock<'a> {
    /// At least one.
    pub(crate) seeds: &'a [Vec<u8>],
    /// Words of the format.
    pub(crate) dictionary: &'a [&'a [u8]],
    /// How many bytes at the start choose what the rest is, and are rarely changed.
    pub(crate) header: usize,
}

/// The input number `case` of the run that `seed` names.
pub(crate) fn input(stock: &Stock<'_>, seed: u64, case: u64) -> Vec<u8> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(case);
    let mut mutator = Mutator {
        stock,
        generator,
        bytes: Vec::new(),
    };
    mutator.bytes = mutator.seed().to_vec();
    if !mutator.one_in(UNCHANGED) {
        for _ in 0..=mutator.below(4) {
            mutator.change();
        }
    }
    mutator.bytes.truncate(MAX_INPUT_BYTES);
    mutator.bytes
}

/// One in so many inputs is a seed as it is, so that what is accepted stays covered.
const UNCHANGED: usize = 64;
/// Larger than a bundle of every kind that exists; limits are reached by claiming a length.
const MAX_INPUT_BYTES: usize = 512 * 1024;
/// Most that is inserted, removed, copied or filled at once, mostly.
const RUN: usize = 64;

struct Mutator<'a> {
    stock: &'a Stock<'a>,
    generator: ChaCha8Rng,
    bytes: Vec<u8>,
}

impl<'a> Mutator<'a> {
    fn change(&mut self) {
        match self.below(16) {
            0 | 1 => self.flip_bit(),
            2 => self.replace_byte(),
            3 | 4 => self.step_integer(),
            5 => self.interesting_integer(),
            6 | 7 => self.tweak_length(),
            8 => self.truncate(),
            9 => self.remove(),
            10 => self.insert(),
            11 => self.duplicate(),
            12 => self.fill(),
            13 => self.splice(),
            14 => self.word(),
            _ => self.digit(),
        }
    }

    fn flip_bit(&mut self) {
        let bit = self.below(8);
        if let Some(byte) = self.byte() {
            *byte ^= 1 << bit;
        }
    }

    fn replace_byte(&mut self) {
        let new = self.random_byte();
        if let Some(byte) = self.byte() {
            *byte = new;
        }
    }

    /// Adds a little to an integer of 1, 2, 4 or 8 bytes, or takes it away.
    fn step_integer(&mut self) {
        let step = 1 + self.below(16) as u64;
        let down = self.one_in(2);
        self.edit_integer(|value, _| {
            if down {
                value.wrapping_sub(step)
            } else {
                value.wrapping_add(step)
            }
        });
    }

    /// Puts the edge of a type or of a limit in place of an integer.
    fn interesting_integer(&mut self) {
        let choice = self.below(EDGES.len());
        let edge = EDGES.get(choice).copied().unwrap_or_default();
        self.edit_integer(|_, _| edge);
    }

    /// Changes an integer that could be the length of what follows: to exactly that, beyond it, to
    /// zero, to the largest there is.
    fn tweak_length(&mut self) {
        let choice = self.below(6);
        for _ in 0..16 {
            let mut hit = false;
            self.edit_integer(|value, rest| {
                hit = value > 0 && value <= rest as u64;
                match (hit, choice) {
                    (false, _) => value,
                    (_, 0) => rest as u64,
                    (_, 1) => rest as u64 + 1,
                    (_, 2) => 0,
                    (_, 3) => u64::MAX,
                    (_, 4) => value + 1,
                    _ => value - 1,
                }
            });
            if hit {
                return;
            }
        }
    }

    fn truncate(&mut self) {
        let start = self.position();
        self.bytes.truncate(start);
    }

    fn remove(&mut self) {
        let (start, end) = self.range();
        self.bytes.drain(start..end);
    }

    fn insert(&mut self) {
        let at = self.position();
        let random: Vec<u8> = (0..1 + self.below(RUN))
            .map(|_| self.random_byte())
            .collect();
        self.bytes.splice(at..at, random);
    }

    fn duplicate(&mut self) {
        let (start, end) = self.range();
        let copy = self.bytes.get(start..end).unwrap_or_default().to_vec();
        let times = 1 + if self.one_in(8) { self.below(200) } else { 0 };
        let at = self.position();
        self.bytes.splice(at..at, copy.repeat(times));
    }

    fn fill(&mut self) {
        let (start, end) = self.range();
        let value = *[0, 0xff, 0x80, b' ', b'[', b'{', self.random_byte()]
            .get(self.below(7))
            .unwrap_or(&0);
        self.bytes
            .get_mut(start..end)
            .unwrap_or_default()
            .fill(value);
    }

    /// The beginning of this, the end of another; or a piece of another in place of a piece.
    fn splice(&mut self) {
        let other = self.seed();
        let (from, to) = (self.position(), self.below(other.len() + 1));
        let other = other.get(to..).unwrap_or_default();
        if self.one_in(2) {
            self.bytes.truncate(from);
            self.bytes.extend(other);
        } else {
            let length = self.length().min(other.len());
            let end = (from + self.length()).min(self.bytes.len());
            let piece = other.get(..length).unwrap_or_default().to_vec();
            self.bytes.splice(from..end, piece);
        }
    }

    /// A word of the format, inserted or written over what is there.
    fn word(&mut self) {
        let choice = self.below(self.stock.dictionary.len().max(1));
        let Some(word) = self.stock.dictionary.get(choice) else {
            return;
        };
        let at = self.position();
        let end = if self.one_in(2) {
            at
        } else {
            (at + word.len()).min(self.bytes.len())
        };
        self.bytes.splice(at..end, word.iter().copied());
    }

    /// Another digit in place of one: numbers, dates and hexadecimal in text.
    fn digit(&mut self) {
        let start = self.position();
        let digit = b"0123456789abcdef".get(self.below(16)).copied();
        let mut rest = self.bytes.iter_mut().skip(start);
        if let (Some(byte), Some(digit)) = (rest.find(|byte| byte.is_ascii_digit()), digit) {
            *byte = digit;
        }
    }

    /// Applies `edit` to an integer of some width and byte order at some place; `edit` is also told
    /// how many bytes follow it.
    fn edit_integer(&mut self, edit: impl FnOnce(u64, usize) -> u64) {
        let width = 1usize << self.below(4);
        let little = self.one_in(2);
        let at = self.position();
        let Some(rest) = self.bytes.len().checked_sub(at + width) else {
            return;
        };
        let Some(field) = self.bytes.get_mut(at..at + width) else {
            return;
        };
        let mut wide = [0u8; 8];
        for (index, byte) in field.iter().enumerate() {
            let place = if little { index } else { width - 1 - index };
            if let Some(to) = wide.get_mut(place) {
                *to = *byte;
            }
        }
        let edited = edit(u64::from_le_bytes(wide), rest).to_le_bytes();
        for (index, byte) in field.iter_mut().enumerate() {
            let place = if little { index } else { width - 1 - index };
            *byte = edited.get(place).copied().unwrap_or_default();
        }
    }

    fn byte(&mut self) -> Option<&mut u8> {
        let at = self.position();
        self.bytes.get_mut(at)
    }

    /// A place past the header, and now and then in it; at most the end.
    fn position(&mut self) -> usize {
        let header = if self.one_in(32) {
            0
        } else {
            self.stock.header
        };
        let header = header.min(self.bytes.len());
        header + self.below(self.bytes.len() - header + 1)
    }

    fn range(&mut self) -> (usize, usize) {
        let start = self.position();
        let end = (start + self.length()).min(self.bytes.len());
        (start, end)
    }

    /// Mostly short, at times as long as it gets.
    fn length(&mut self) -> usize {
        let most = if self.one_in(8) {
            self.bytes.len()
        } else {
            RUN
        };
        1 + self.below(most.max(1))
    }

    fn seed(&mut self) -> &'a [u8] {
        let choice = self.below(self.stock.seeds.len().max(1));
        self.stock.seeds.get(choice).map_or(&[], Vec::as_slice)
    }

    fn random_byte(&mut self) -> u8 {
        self.generator.next_u32().to_le_bytes()[0]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A number below `n`, or zero; so small a bias does not matter here.
    fn below(&mut self, n: usize) -> usize {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        self.generator.next_u32().checked_rem(n).unwrap_or(0) as usize
    }
}

const EDGES: [u64; 17] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    u64::MAX / 2,
    u64::MAX,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_case_is_the_same_each_time_and_cases_differ() {
        let seeds = [b"0123456789 the quick brown fox".to_vec(), vec![7; 300]];
        let stock = Stock {
            seeds: &seeds,
            dictionary: &[b"token"],
            header: 1,
        };
        let all: BTreeSet<Vec<u8>> = (0..500).map(|case| input(&stock, 1, case)).collect();
        assert!(all.len() > 400, "{}", all.len());
        assert!((0..500).all(|case| all.contains(&input(&stock, 1, case))));
        assert!((0..500).any(|case| !all.contains(&input(&stock, 2, case))));
        let unchanged = seeds.iter().filter(|seed| all.contains(*seed)).count();
        assert_eq!(unchanged, 2);
    }

    #[test]
    fn nothing_to_start_from_is_something_to_start_from() {
        for seeds in [vec![], vec![vec![]]] {
            let stock = Stock {
                seeds: &seeds,
                dictionary: &[],
                header: 1,
            };
            assert!((0..200).any(|case| !input(&stock, 3, case).is_empty()));
        }
    }
}
