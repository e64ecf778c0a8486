// SPDX-License-Identifier: Apache-2.0
//! The engines that an executable has, and the runtime generations it has them in.

use alloc::{collections::BTreeMap, sync::Arc};

use crate::{Runtimes, Vm};

/// Engines by their number in deployments (`DeployPlaintext.engine`), and the runtime generations in
/// which they are asked.
///
/// Built by the executable, so that what is measured holds the code of these engines and the tables of
/// these generations, and no other.
#[derive(Clone, Debug, Default)]
pub struct Engines {
    runtimes: Runtimes,
    by_number: BTreeMap<u8, Arc<dyn Vm>>,
}

impl Engines {
    /// These engines, in these generations.
    ///
    /// # Errors
    ///
    /// [`DuplicateEngine`] if two have the same number.
    pub fn new(
        runtimes: Runtimes,
        engines: impl IntoIterator<Item = (u8, Arc<dyn Vm>)>,
    ) -> Result<Self, DuplicateEngine> {
        let mut by_number = BTreeMap::new();
        for (number, engine) in engines {
            if by_number.insert(number, engine).is_some() {
                return Err(DuplicateEngine(number));
            }
        }
        Ok(Self {
            runtimes,
            by_number,
        })
    }

    /// The runtime generations of this build.
    pub fn runtimes(&self) -> &Runtimes {
        &self.runtimes
    }

    /// The engine with this number, or `None` if this build does not have it.
    ///
    /// A deployment that names an engine this build lacks has *no result*: another enclave may
    /// have it, so it must not be answered with a signed failure.
    pub fn engine(&self, number: u8) -> Option<&Arc<dyn Vm>> {
        self.by_number.get(&number)
    }
}

/// Two engines with one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two engines have number {0}")]
pub struct DuplicateEngine(pub u8);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Execution, Halt, State};

    #[derive(Debug)]
    struct Idle(u64);

    impl Vm for Idle {
        fn construct(&self, _: &State, _: &Call<'_>, _: &[u8], _: &[u8]) -> Execution {
            Execution::failed(Halt::NoContract, self.0)
        }

        fn upgrade(&self, _: &State, _: &Call<'_>, _: &[u8], _: &[u8]) -> Execution {
            Execution::failed(Halt::NoContract, self.0)
        }

        fn call(&self, _: &State, _: &Call<'_>) -> Execution {
            Execution::failed(Halt::NoContract, self.0)
        }
    }

    fn idle(number: u8) -> (u8, Arc<dyn Vm>) {
        (number, Arc::new(Idle(number.into())))
    }

    #[test]
    fn an_engine_is_found_by_its_number_and_no_other() {
        let engines = Engines::new(Runtimes::shipped(), [idle(1), idle(7)]).unwrap();
        for number in 0..=u8::MAX {
            assert_eq!(
                engines.engine(number).is_some(),
                matches!(number, 1 | 7),
                "{number}"
            );
        }
        assert_eq!(
            format!("{:?}", engines.engine(7).unwrap()),
            "Idle(7)",
            "each under its own"
        );
        assert!(Engines::default().engine(1).is_none());
    }

    #[test]
    fn a_number_is_given_once() {
        let refused = Engines::new(Runtimes::shipped(), [idle(1), idle(2), idle(1)]).unwrap_err();
        assert_eq!(refused, DuplicateEngine(1));
    }
}
