// SPDX-License-Identifier: Apache-2.0
//! The engines of this build, which is to say: whose code is measured.

use std::sync::Arc;

use eyre::Result;
use subrosa_vm::{Engines, Runtimes, Vm};
use subrosa_vm_evm::{ENGINE_EVM, EvmEngine};

pub(crate) fn built_in() -> Result<Engines> {
    let evm: Arc<dyn Vm> = Arc::new(EvmEngine::default());
    Ok(Engines::new(Runtimes::shipped(), [(ENGINE_EVM, evm)])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_build_has_the_evm_and_nothing_else() {
        let engines = built_in().unwrap();
        for number in 0..=u8::MAX {
            assert_eq!(engines.engine(number).is_some(), number == ENGINE_EVM);
        }
    }
}
