// SPDX-License-Identifier: Apache-2.0
//! The same programs on stock revm, as Ethereum transactions: same outcome, same output, same gas,
//! same state. What may differ is listed in [`Chain`].

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolValue};
use proptest::{collection::vec, prelude::*};
use revm::{
    Context, ExecuteCommitEvm, MainBuilder, MainContext,
    context::TxEnv,
    context_interface::result::ExecutionResult,
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
};
use subrosa_vm::{
    AccountRecord, Call, Execution, Halt, RUNTIME, State, StateKey,
    conformance::{CALLER, Environment, Ledger, Probe, call},
};

use crate::guest::{self, Factory, evm};

/// An Ethereum whose blocks are those that the guest sees. Left out of the comparison: the
/// caller's nonce, block hashes, logs.
struct Chain {
    database: CacheDB<EmptyDB>,
    nonce: u64,
    prevrandao: B256,
}

impl Chain {
    fn new() -> Self {
        Self {
            database: CacheDB::new(EmptyDB::new()),
            nonce: 0,
            prevrandao: prevrandao(),
        }
    }

    fn transact(&mut self, kind: TxKind, data: Vec<u8>, gas_limit: u64) -> ExecutionResult {
        let call = call(&[]);
        let limits = RUNTIME.limits;
        let mut evm = Context::mainnet()
            .with_db(&mut self.database)
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(SpecId::OSAKA);
                cfg.chain_id = call.chain_id;
                cfg.tx_gas_limit_cap = Some(u64::MAX);
            })
            .modify_block_chained(|block| {
                block.number = U256::from(call.block_number);
                block.timestamp = U256::from(call.block_timestamp);
                block.gas_limit = limits.max_fuel;
                block.prevrandao = Some(self.prevrandao);
            })
            .build_mainnet();
        let transaction = TxEnv {
            caller: CALLER,
            gas_limit,
            kind,
            data: Bytes::from(data),
            nonce: self.nonce,
            chain_id: Some(call.chain_id),
            ..TxEnv::default()
        };
        let result = evm.transact_commit(transaction).unwrap();
        self.nonce += 1;
        result
    }

    /// Everything that is left, as a guest's state would hold it.
    fn state(&self) -> BTreeMap<StateKey, Vec<u8>> {
        let mut entries = BTreeMap::new();
        for (address, account) in &self.database.cache.accounts {
            for (slot, value) in account.storage.iter().filter(|(_, value)| !value.is_zero()) {
                let key = StateKey::Storage {
                    account: *address,
                    slot: B256::from(*slot),
                };
                entries.insert(key, value.to_be_bytes_vec());
            }
            let record = AccountRecord {
                nonce: account.info.nonce,
                code_hash: account.info.code_hash,
            };
            if *address != CALLER && !record.is_empty() {
                entries.insert(StateKey::Account(*address), record.encode());
            }
        }
        entries
    }
}

/// A guest and its twin on Ethereum.
struct Twins {
    chain: Chain,
    state: State,
    contract: Address,
}

impl Twins {
    fn construct(code: &[u8], init: &[u8], gas_limit: u64) -> (Self, bool) {
        let mut twins = Self {
            chain: Chain::new(),
            state: State::new(),
            // The address that Ethereum gives to the caller's first creation.
            contract: CALLER.create(0),
        };
        let theirs = twins
            .chain
            .transact(TxKind::Create, [code, init].concat(), gas_limit);
        let call = Call {
            contract: twins.contract,
            fuel_limit: gas_limit,
            ..call(&[])
        };
        let ours = evm().construct(&twins.state, &call, code, init);
        assert!(ours.output.is_empty() || ours.halt == Halt::Reverted);
        let succeeded = ours.halt == Halt::Succeeded;
        twins.compare(&ours, &theirs, succeeded);
        (twins, succeeded)
    }

    fn call(&mut self, input: Vec<u8>, gas_limit: u64) -> Execution {
        let theirs = self
            .chain
            .transact(TxKind::Call(self.contract), input.clone(), gas_limit);
        let call = Call {
            contract: self.contract,
            fuel_limit: gas_limit,
            ..call(&input)
        };
        let ours = evm().call(&self.state, &call);
        self.compare(&ours, &theirs, false);
        ours
    }

    fn compare(&mut self, ours: &Execution, theirs: &ExecutionResult, output_is_code: bool) {
        assert_eq!(
            ours.halt == Halt::Succeeded,
            theirs.is_success(),
            "{ours:?} {theirs:?}"
        );
        assert_eq!(
            ours.fuel_used,
            theirs.gas().tx_gas_used(),
            "{ours:?} {theirs:?}"
        );
        if !output_is_code {
            let output = theirs.output().cloned().unwrap_or_default();
            assert_eq!(output, ours.output);
        }
        self.state.apply(&ours.writes);
        let is_code = |key: &StateKey| matches!(key, StateKey::Code(_));
        let state: BTreeMap<_, _> = self
            .state
            .iter()
            .filter(|(key, _)| !is_code(key))
            .map(|(key, value)| (*key, value.to_vec()))
            .collect();
        assert_eq!(state, self.chain.state());
    }
}

/// What the guest sees as `block.prevrandao`.
fn prevrandao() -> B256 {
    let probe = guest::construct(&guest::probe(), &[]);
    let seen: Environment = probe.clone().run(&Probe::environmentCall {});
    seen.prevrandao
}

#[test]
fn a_ledger_costs_and_does_what_it_would_on_ethereum() {
    let init = (U256::from(50), "a ledger".to_owned()).abi_encode_params();
    let (mut twins, succeeded) = Twins::construct(&guest::ledger(), &init, 5_000_000);
    assert!(succeeded);
    let to = Address::repeat_byte(0xbb);
    for input in [
        Ledger::giveCall {
            to,
            amount: U256::from(20),
        }
        .abi_encode(),
        Ledger::giveCall {
            to,
            amount: U256::from(31),
        }
        .abi_encode(),
        Ledger::setCall { value: U256::ZERO }.abi_encode(),
        Ledger::setAndRestoreCall {
            value: U256::from(1),
        }
        .abi_encode(),
        Ledger::setAndFailCall {
            value: U256::from(1),
        }
        .abi_encode(),
        Ledger::churnCall {
            rounds: U256::from(30),
        }
        .abi_encode(),
        Ledger::labelCall {}.abi_encode(),
        Ledger::spinCall {}.abi_encode(),
        Ledger::hoardCall {}.abi_encode(),
        vec![1; 5],
        vec![],
    ] {
        twins.call(input.clone(), 5_000_000);
        twins.call(input, 30_000);
    }
}

#[test]
fn a_factory_costs_and_does_what_it_would_on_ethereum() {
    let (mut twins, succeeded) = Twins::construct(&guest::factory(), &[], 5_000_000);
    assert!(succeeded);
    let salt = B256::repeat_byte(1);
    for input in [
        Factory::createCall {
            value: U256::from(1),
        }
        .abi_encode(),
        Factory::create2Call {
            value: U256::from(2),
            salt,
        }
        .abi_encode(),
        Factory::create2Call {
            value: U256::from(2),
            salt,
        }
        .abi_encode(),
        Factory::incrementAllCall {}.abi_encode(),
        Factory::mayflyCall {}.abi_encode(),
        Factory::destroyCall {}.abi_encode(),
        Factory::incrementAllCall {}.abi_encode(),
    ] {
        twins.call(input.clone(), 100_000);
        twins.call(input, 5_000_000);
    }
}

/// Instructions that make programs do things: storage, creation, calls, destruction, memory.
/// BLOCKHASH is left out because the two differ in it.
fn instruction() -> impl Strategy<Value = Vec<u8>> {
    let small = 0u8..8;
    prop_oneof![
        4 => small.clone().prop_map(|value| vec![0x60, value]),
        2 => (small.clone(), small.clone()).prop_map(|(slot, value)| vec![0x60, value, 0x60, slot, 0x55]),
        1 => small.clone().prop_map(|slot| vec![0x60, slot, 0x54]),
        1 => (small.clone(), small.clone()).prop_map(|(slot, value)| vec![0x60, value, 0x60, slot, 0x5d]),
        1 => vec(any::<u8>(), 32).prop_map(|word| [&[0x7f], word.as_slice(), &[0x5f, 0x52]].concat()),
        // CREATE with up to 32 bytes of memory; keep the address on the stack.
        1 => (0u8..=32).prop_map(|size| vec![0x60, size, 0x5f, 0x5f, 0xf0]),
        // CALL of what is on the stack, with 20,000 gas.
        1 => Just(vec![0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x85, 0x61, 0x4e, 0x20, 0xf1]),
        // Reenter this contract with 15,000 gas.
        1 => Just(vec![0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x61, 0x3a, 0x98, 0xf1]),
        // DELEGATECALL of a precompiled contract.
        1 => (1u8..=10).prop_map(|n| vec![0x60, 0x20, 0x5f, 0x60, 0x20, 0x5f, 0x60, n, 0x5a, 0xf4]),
        1 => Just(vec![0x30, 0xff]),
        1 => Just(vec![0x60, 0x20, 0x5f, 0xf3]),
        1 => Just(vec![0x60, 0x20, 0x5f, 0xfd]),
        3 => any::<u8>().prop_filter("blockhash differs", |byte| *byte != 0x40).prop_map(|byte| vec![byte]),
    ]
}

fn program() -> impl Strategy<Value = Vec<u8>> {
    vec(instruction(), 0..24).prop_map(|instructions| instructions.concat())
}

/// Init code that deploys `runtime` after running `first`.
fn deploying(first: &[u8], runtime: &[u8]) -> Vec<u8> {
    let start = u16::try_from(first.len() + 14).unwrap().to_be_bytes();
    let size = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    let tail = [
        0x61, size[0], size[1], 0x80, 0x61, start[0], start[1], 0x5f, 0x39, 0x5f, 0xf3,
    ];
    // Three JUMPDESTs pad the tail to 14 bytes.
    [first, &[0x5b; 3], &tail, runtime].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn programs_do_what_they_would_do_on_ethereum(
        runtime in program(),
        inputs in vec(vec(any::<u8>(), 0..40), 1..4),
        gas_limit in 60_000u64..400_000,
    ) {
        let (mut twins, succeeded) = Twins::construct(&deploying(&[], &runtime), &[], gas_limit);
        if succeeded && !runtime.is_empty() {
            for input in inputs {
                twins.call(input, gas_limit);
            }
        }
    }

    #[test]
    fn constructors_do_what_they_would_do_on_ethereum(
        first in program(),
        runtime in program(),
        gas_limit in 60_000u64..400_000,
    ) {
        Twins::construct(&deploying(&first, &runtime), &[], gas_limit);
    }
}
