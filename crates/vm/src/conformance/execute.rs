// SPDX-License-Identifier: Apache-2.0
//! Calls: what is written, what is not, and what comes back.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;

use super::{
    guest::{CALLER, CONTRACT, Guest, Ledger, Probe, call},
    subject::Subject,
};
use crate::{Call, Halt, State, StateKey, WriteSet};

fn set(value: u64) -> Ledger::setCall {
    Ledger::setCall {
        value: U256::from(value),
    }
}

pub fn storage_is_written_read_and_deleted(subject: &Subject) {
    let mut guest = subject.ledger(10);
    let empty = guest.state.len();
    guest.run(&set(0));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::ZERO);
    assert_eq!(guest.state.len(), empty - 1, "a zero slot has no entry");
    guest.run(&set(77));
    assert_eq!(guest.view(&Ledger::totalCall {}), U256::from(77));
    assert_eq!(guest.state.len(), empty);
}

pub fn mappings_and_arrays_work_over_several_calls(subject: &Subject) {
    let mut guest = subject.ledger(10);
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

pub fn a_write_set_holds_real_changes_only(subject: &Subject) {
    let guest = subject.ledger(10);
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

pub fn a_write_set_is_sorted_and_its_hash_is_that_of_its_encoding(subject: &Subject) {
    let guest = subject.ledger(10);
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

pub fn a_state_that_was_encoded_goes_on_as_if_it_had_not_been(subject: &Subject) {
    let mut guest = subject.ledger(10);
    guest.run(&Ledger::churnCall {
        rounds: U256::from(10),
    });
    let revived = Guest {
        vm: subject.engine(),
        state: State::decode(&guest.state.encode()).unwrap(),
    };
    let request = Ledger::giveCall {
        to: CONTRACT,
        amount: U256::from(3),
    };
    assert_eq!(revived.execute(&request), guest.execute(&request));
}

pub fn a_static_call_cannot_write(subject: &Subject) {
    let guest = subject.probe();
    let input = Probe::writeCall {}.abi_encode();
    let fixed = Call {
        is_static: true,
        ..call(&input)
    };
    let execution = subject.engine().call(&guest.state, &fixed);
    assert_eq!(execution.halt, Halt::StaticViolation);
    assert!(execution.writes.is_empty() && execution.output.is_empty());
    assert_eq!(execution.fuel_used, fixed.fuel_limit);

    // Nor in a nested frame whose failure is swallowed.
    assert!(!guest.view(&Probe::tryToWriteCall {}));
    assert!(guest.clone().run(&Probe::tryToWriteCall {}));
}
