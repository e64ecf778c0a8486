// SPDX-License-Identifier: Apache-2.0
//! The EVM's view of a contract's state.

use core::convert::Infallible;

use alloy_primitives::{Address, B256, U256};
use revm::{Database, bytecode::Bytecode, state::AccountInfo};

use subrosa_vm::{State, StateKey};

use crate::{
    code_cache::CodeCache,
    work::{Meter, weights},
};

/// Reads a [`State`] in place, without copying it. The journal asks for everything once, so what it asks
/// for is a function of the call.
#[derive(Debug)]
pub(crate) struct StateReader<'a> {
    state: &'a State,
    code: &'a CodeCache,
    meter: &'a Meter,
}

impl<'a> StateReader<'a> {
    pub(crate) fn new(state: &'a State, code: &'a CodeCache, meter: &'a Meter) -> Self {
        Self { state, code, meter }
    }
}

impl Database for StateReader<'_> {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        self.meter.spend(weights::LOAD_ACCOUNT);
        Ok(self.state.account(address).map(|account| AccountInfo {
            balance: U256::ZERO,
            nonce: account.nonce,
            code_hash: account.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Infallible> {
        // The state decides whether there is code; the cache only knows what its analysis is.
        Ok(match self.state.get(&StateKey::Code(code_hash)) {
            Some(code) => {
                // Whether the cache has it is not of this call's making.
                self.meter.spend(weights::LOADED_CODE.of(code.len() as u64));
                self.code.analyzed(code_hash, code)
            }
            None => Bytecode::default(),
        })
    }

    fn storage(&mut self, account: Address, slot: U256) -> Result<U256, Infallible> {
        self.meter.spend(weights::LOAD_SLOT);
        let slot = B256::from(slot);
        let value = self.state.get(&StateKey::Storage { account, slot });
        Ok(value.map_or(U256::ZERO, U256::from_be_slice))
    }

    /// Zero: a block's hash is not part of the log entry.
    fn block_hash(&mut self, _number: u64) -> Result<B256, Infallible> {
        Ok(B256::ZERO)
    }
}
