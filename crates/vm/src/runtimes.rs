// SPDX-License-Identifier: Apache-2.0
//! The runtime generations that an executable has.

use alloc::collections::BTreeMap;

use crate::limits::{GENERATION_1, Limits};

/// A runtime generation that a build has: what entries of it may use, and what they pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its number, which is part of every log entry.
    pub generation: u16,
    /// Its table.
    pub limits: &'static Limits,
}

/// The newest generation of the product.
pub const RUNTIME: Runtime = Runtime {
    generation: subrosa_types::entry::RUNTIME_GENERATION,
    limits: &GENERATION_1,
};

/// The generations of a build. Entries of any other have no result there: another build may have
/// theirs, so they must not be answered with a signed failure.
///
/// One that turns out to be broken leaves the build, and the registry names another for its entries.
#[derive(Clone, Debug, Default)]
pub struct Runtimes(BTreeMap<u16, Runtime>);

impl Runtimes {
    /// Those that the product is shipped with.
    pub fn shipped() -> Self {
        Self(BTreeMap::from([(RUNTIME.generation, RUNTIME)]))
    }

    /// These generations.
    ///
    /// # Errors
    ///
    /// [`DuplicateRuntime`] if two have the same number.
    pub fn new(runtimes: impl IntoIterator<Item = Runtime>) -> Result<Self, DuplicateRuntime> {
        let mut by_generation = BTreeMap::new();
        for runtime in runtimes {
            if by_generation.insert(runtime.generation, runtime).is_some() {
                return Err(DuplicateRuntime(runtime.generation));
            }
        }
        Ok(Self(by_generation))
    }

    /// The generation with this number, or `None` if this build does not have it.
    pub fn runtime(&self, generation: u16) -> Option<Runtime> {
        self.0.get(&generation).copied()
    }

    /// The newest of them, in which queries are answered; `None` if there is none.
    pub fn newest(&self) -> Option<Runtime> {
        self.0.values().next_back().copied()
    }
}

/// Two generations with one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two runtime generations have number {0}")]
pub struct DuplicateRuntime(pub u16);

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn numbered(generation: u16) -> Runtime {
        Runtime {
            generation,
            ..RUNTIME
        }
    }

    fn numbers(runtimes: &Runtimes) -> Vec<u16> {
        (0..=u16::MAX)
            .filter(|number| runtimes.runtime(*number).is_some())
            .collect()
    }

    #[test]
    fn the_product_has_its_own_generation_and_no_later_one() {
        let shipped = Runtimes::shipped();
        assert_eq!(numbers(&shipped), [RUNTIME.generation]);
        assert_eq!(shipped.newest(), Some(RUNTIME));
    }

    #[test]
    fn a_build_has_the_generations_it_is_given_and_the_last_is_the_newest() {
        let runtimes = Runtimes::new([numbered(9), numbered(2), numbered(5)]).unwrap();
        assert_eq!(numbers(&runtimes), [2, 5, 9]);
        assert_eq!(runtimes.runtime(5), Some(numbered(5)));
        assert_eq!(runtimes.newest(), Some(numbered(9)));
        assert_eq!(Runtimes::default().newest(), None);
    }

    #[test]
    fn a_number_is_given_once() {
        let refused = Runtimes::new([numbered(2), numbered(3), numbered(2)]).unwrap_err();
        assert_eq!(refused, DuplicateRuntime(2));
    }
}
