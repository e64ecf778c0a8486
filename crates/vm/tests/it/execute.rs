// SPDX-License-Identifier: Apache-2.0
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Revert, SolCall, SolError, SolValue};
use subrosa_vm::{Call, Halt, State, StateKey, WriteSet};

use crate::guest::{self, CALLER, CONTRACT, Factory, Guest, Ledger, Probe, call, evm};

fn ledger(initial: u64) -> Guest {
    let arguments = (U256::from(initial), "x".to_owned()).abi_encode_params();
    Guest::new(&guest::ledger(), &arguments)
}

fn set(value: u64) -> Ledger::setCall {
    Ledger::setCall {
        value: U256::from(value),
    }
}

#[test]
fn storage_is_written_read_and_deleted() {
    let mut guest = ledger(10);
    let empty = guest.state.len();
    guest.run(&set(0));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::ZERO);
    assert_eq!(guest.state.len(), empty - 1, "a zero slot has no entry");
    guest.run(&set(77));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::from(77));
    assert_eq!(guest.state.len(), empty);
}

#[test]
fn mappings_and_arrays_work_over_several_calls() {
    let mut guest = ledger(10);
    let to = Address::repeat_byte(0xbb);
    for amount in [1u64, 2, 3] {
        guest.run(&Ledger::giveCall {
            to,
            amount: U256::from(amount),
        });
    }
    assert_eq!(
        guest.view(&Ledger::balancesCall { account: to }),
        U256::from(6)
    );
    assert_eq!(
        guest.view(&Ledger::balancesCall { account: CALLER }),
        U256::from(4)
    );
    for (index, amount) in [1u64, 2, 3].into_iter().enumerate() {
        let index = U256::from(index);
        assert_eq!(
            guest.view(&Ledger::historyCall { index }),
            U256::from(amount)
        );
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
fn a_write_set_holds_real_changes_only() {
    let guest = ledger(10);
    let restored = guest.execute(&Ledger::setAndRestoreCall {
        value: U256::from(5),
    });
    assert_eq!(restored.halt, Halt::Succeeded);
    assert!(restored.writes.is_empty());
    assert!(guest.execute(&set(10)).writes.is_empty());
    assert!(guest.execute(&Ledger::totalCall {}).writes.is_empty());

    let writes = guest.execute(&set(0)).writes;
    let removed = StateKey::Storage {
        account: CONTRACT,
        slot: B256::ZERO,
    };
    assert_eq!(writes.iter().collect::<Vec<_>>(), [(&removed, None)]);
}

#[test]
fn a_write_set_is_sorted_and_its_hash_is_that_of_its_encoding() {
    let guest = ledger(10);
    let writes = guest
        .execute(&Ledger::churnCall {
            rounds: U256::from(40),
        })
        .writes;
    assert!(writes.len() > 10);
    assert!(
        writes
            .iter()
            .zip(writes.iter().skip(1))
            .all(|(a, b)| a.0 < b.0)
    );
    let encoded = writes.encode();
    let decoded = WriteSet::decode(&encoded).unwrap();
    assert_eq!(decoded, writes);
    assert_eq!(decoded.hash(), alloy_primitives::keccak256(&encoded));
}

#[test]
fn a_state_that_was_encoded_goes_on_as_if_it_had_not_been() {
    let mut guest = ledger(10);
    guest.run(&Ledger::churnCall {
        rounds: U256::from(10),
    });
    let revived = Guest {
        state: State::decode(&guest.state.encode()).unwrap(),
    };
    let request = Ledger::giveCall {
        to: CONTRACT,
        amount: U256::from(3),
    };
    assert_eq!(revived.execute(&request), guest.execute(&request));
}

#[test]
fn a_static_call_cannot_write() {
    let guest = Guest::new(&guest::probe(), &[]);
    let input = Probe::writeCall {}.abi_encode();
    let fixed = Call {
        is_static: true,
        ..call(&input)
    };
    let execution = evm().call(&guest.state, &fixed);
    assert_eq!(execution.halt, Halt::StaticViolation);
    assert!(execution.writes.is_empty() && execution.output.is_empty());
    assert_eq!(execution.fuel_used, fixed.fuel_limit);

    // Nor in a nested frame whose failure is swallowed.
    assert!(!guest.view(&Probe::tryToWriteCall {}));
    assert!(guest.clone().run(&Probe::tryToWriteCall {}));
}

#[test]
fn a_static_call_cannot_create_destroy_or_log() {
    let factory = Guest::new(&guest::factory(), &[]);
    let create = Factory::createCall { value: U256::ONE }.abi_encode();
    let destroy = Factory::destroyCall {}.abi_encode();
    let probe = Guest::new(&guest::probe(), &[]);
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
    let mut guest = Guest::new(&guest::factory(), &[]);
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
    let guest = Guest::new(&guest::factory(), &[]);
    let execution = guest.execute(&Factory::mayflyCall {});
    assert_eq!(execution.halt, Halt::Succeeded);
    // Only the creator's nonce moved.
    let touched: Vec<_> = execution.writes.iter().map(|(key, _)| *key).collect();
    assert_eq!(touched, [StateKey::Account(CONTRACT)]);
}

#[test]
fn a_contract_destroyed_later_stays() {
    let guest = Guest::new(&guest::factory(), &[]);
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

#[test]
fn an_unknown_generation_is_no_verdict() {
    let input = set(3).abi_encode();
    let unknown = Call {
        runtime_generation: 2,
        ..call(&input)
    };
    for execution in [
        evm().call(&ledger(10).state, &unknown),
        evm().call(&State::new(), &unknown),
        evm().construct(&State::new(), &unknown, &guest::factory(), &[]),
    ] {
        assert_eq!(execution.halt, Halt::UnsupportedGeneration);
        assert!(!execution.halt.is_verdict());
    }
    assert!(Halt::OutOfFuel.is_verdict());
}
