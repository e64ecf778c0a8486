// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{B256, U256};
use alloy_sol_types::{Revert, SolCall, SolError, SolValue};
use subrosa_vm::{
    Call, Halt, StateKey,
    conformance::{CALLER, CONTRACT, Guest, Ledger, Probe, call},
};

use crate::guest::{self, Factory, evm};

fn ledger(initial: u64) -> Guest {
    let arguments = (U256::from(initial), "x".to_owned()).abi_encode_params();
    guest::construct(&guest::ledger(), &arguments)
}

fn set(value: u64) -> Ledger::setCall {
    Ledger::setCall {
        value: U256::from(value),
    }
}

#[test]
fn a_revert_changes_nothing_and_says_why() {
    let guest = ledger(10);
    let failed = guest.execute(&Ledger::setAndFailCall {
        value: U256::from(5),
    });
    assert_eq!(failed.halt, Halt::Reverted);
    assert_eq!(
        Revert::abi_decode(&failed.output).unwrap().reason,
        "changed my mind"
    );
    assert!(failed.writes.is_empty());
    assert!(failed.fuel_used > 21_000 && failed.fuel_used < call(&[]).fuel_limit);

    let give = Ledger::giveCall {
        to: CALLER,
        amount: U256::from(11),
    };
    let poor = guest.execute(&give);
    assert_eq!(poor.halt, Halt::Reverted);
    let error = Ledger::TooPoor::abi_decode_validate(&poor.output).unwrap();
    assert_eq!((error.have, error.want), (U256::from(10), U256::from(11)));
}

#[test]
fn a_static_call_cannot_create_destroy_or_log() {
    let factory = guest::construct(&guest::factory(), &[]);
    let create = Factory::createCall { value: U256::ONE }.abi_encode();
    let destroy = Factory::destroyCall {}.abi_encode();
    let probe = guest::construct(&guest::probe(), &[]);
    let log = Probe::environmentCall {}.abi_encode();
    for (guest, input) in [(&factory, create), (&factory, destroy), (&probe, log)] {
        assert_eq!(
            evm().call(&guest.state, &call(&input)).halt,
            Halt::Succeeded
        );
        let execution = evm().call(
            &guest.state,
            &Call {
                is_static: true,
                ..call(&input)
            },
        );
        assert_eq!(execution.halt, Halt::StaticViolation);
        assert!(execution.writes.is_empty());
    }
}

#[test]
fn contracts_create_contracts_and_call_them() {
    let mut guest = guest::construct(&guest::factory(), &[]);
    let first = guest.run(&Factory::createCall {
        value: U256::from(10),
    });
    let second = guest.run(&Factory::createCall {
        value: U256::from(20),
    });
    let salt = B256::repeat_byte(9);
    let third = guest.run(&Factory::create2Call {
        value: U256::from(30),
        salt,
    });
    // A contract starts with nonce 1 (EIP-161).
    assert_eq!(first, CONTRACT.create(1));
    assert_eq!(second, CONTRACT.create(2));
    for (index, child) in [first, second, third].into_iter().enumerate() {
        let index = U256::from(index);
        assert_eq!(guest.view(&Factory::childrenCall { index }), child);
        assert!(guest.state.account(child).unwrap().has_code());
    }
    let codes = guest
        .state
        .iter()
        .filter(|(key, _)| matches!(key, StateKey::Code(_)));
    assert_eq!(codes.count(), 2, "the children's code is kept once");
    assert_eq!(guest.run(&Factory::incrementAllCall {}), U256::from(63));
    assert_eq!(guest.run(&Factory::incrementAllCall {}), U256::from(66));

    let again = guest.execute(&Factory::create2Call {
        value: U256::from(30),
        salt,
    });
    assert_eq!(again.halt, Halt::Reverted, "an address is taken once");
}

#[test]
fn a_contract_destroyed_where_it_was_created_leaves_nothing() {
    let guest = guest::construct(&guest::factory(), &[]);
    let execution = guest.execute(&Factory::mayflyCall {});
    assert_eq!(execution.halt, Halt::Succeeded);
    // Only the creator's nonce moved.
    let touched: Vec<_> = execution.writes.iter().map(|(key, _)| *key).collect();
    assert_eq!(touched, [StateKey::Account(CONTRACT)]);
}

#[test]
fn a_contract_destroyed_later_stays() {
    let guest = guest::construct(&guest::factory(), &[]);
    let execution = guest.execute(&Factory::destroyCall {});
    assert_eq!(execution.halt, Halt::Succeeded);
    assert!(execution.writes.is_empty());
}

#[test]
fn a_contract_that_calls_itself_in_its_own_name_is_no_exception() {
    // The caller may be the contract's own address; the host decides who the caller is.
    let guest = ledger(10);
    let input = set(3).abi_encode();
    let execution = evm().call(
        &guest.state,
        &Call {
            caller: CONTRACT,
            ..call(&input)
        },
    );
    assert_eq!(execution.halt, Halt::Succeeded);
    assert_eq!(execution.writes.len(), 1);
}
