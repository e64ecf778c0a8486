// SPDX-License-Identifier: Apache-2.0
//! Work has a limit beside fuel, and nothing in a guest goes on past it.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};

use super::{
    guest::{Guest, Ledger, Probe, call},
    subject::Subject,
};
use crate::{Call, Execution, Halt, RUNTIME, State};

/// Rounds of `toil` that no fuel limit comes with the work for.
const ENDLESS: U256 = U256::MAX;

fn toil(rounds: u64) -> Probe::toilCall {
    Probe::toilCall {
        rounds: U256::from(rounds),
    }
}

fn try_to_toil(rounds: U256, fuel: u64) -> Probe::tryToToilCall {
    Probe::tryToToilCall {
        rounds,
        gasLimit: U256::from(fuel),
    }
}

fn call_to_toil(rounds: U256, fuel: u64) -> Probe::callToToilCall {
    Probe::callToToilCall {
        rounds,
        gasLimit: U256::from(fuel),
    }
}

fn under(guest: &Guest, fuel_limit: u64, is_static: bool, request: &impl SolCall) -> Execution {
    let input = request.abi_encode();
    let call = Call {
        fuel_limit,
        is_static,
        ..call(&input)
    };
    guest.vm.call(&guest.state, &call)
}

fn assert_exhausted(execution: &Execution, fuel_limit: u64) {
    assert_eq!(execution.halt, Halt::OutOfWork);
    assert_eq!(execution.fuel_used, fuel_limit);
    assert!(execution.output.is_empty() && execution.writes.is_empty());
    let limit = RUNTIME.limits.work_limit(fuel_limit);
    assert!(execution.work_used >= limit, "{}", execution.work_used);
    // What goes past the limit is one instruction.
    assert!(execution.work_used < limit + limit / 10);
}

pub fn exhausted_work_ends_the_execution(subject: &Subject) {
    let guest = subject.probe();
    for fuel_limit in [5_000_000, 10_000_000] {
        for is_static in [false, true] {
            let request = Probe::toilCall { rounds: ENDLESS };
            let execution = under(&guest, fuel_limit, is_static, &request);
            assert_exhausted(&execution, fuel_limit);
        }
    }
}

pub fn no_frame_catches_exhausted_work(subject: &Subject) {
    const FUEL: u64 = 10_000_000;
    let guest = subject.probe();
    let inner = FUEL / 10 * 9;
    assert_exhausted(
        &under(&guest, FUEL, false, &try_to_toil(ENDLESS, inner)),
        FUEL,
    );
    assert_exhausted(
        &under(&guest, FUEL, false, &call_to_toil(ENDLESS, inner)),
        FUEL,
    );
    // One frame further down, whose callers would all have gone on.
    let nested = Probe::forwardCall {
        target: call(&[]).contract,
        input: try_to_toil(ENDLESS, FUEL / 2).abi_encode().into(),
        gasLimit: U256::from(inner),
    };
    assert_exhausted(&under(&guest, FUEL, false, &nested), FUEL);
}

pub fn a_frame_that_is_out_of_fuel_is_caught_as_ever(subject: &Subject) {
    let mut guest = subject.probe();
    assert!(guest.run(&try_to_toil(U256::ONE, 100_000)));
    assert!(guest.run(&call_to_toil(U256::ONE, 100_000)));
    assert!(!guest.run(&try_to_toil(ENDLESS, 100_000)));
    assert!(!guest.run(&call_to_toil(ENDLESS, 100_000)));
    assert_eq!(guest.view(&Probe::writesCall {}), U256::ONE);
}

pub fn more_fuel_comes_with_more_work(subject: &Subject) {
    let guest = subject.probe();
    let enough = under(&guest, 20_000_000, false, &toil(300));
    assert_eq!(enough.halt, Halt::Succeeded);
    let too_little = enough.fuel_used + 1_000_000;
    assert_exhausted(&under(&guest, too_little, false, &toil(300)), too_little);
}

pub fn work_grows_with_what_is_executed(subject: &Subject) {
    let guest = subject.probe();
    let work = |request: &Probe::toilCall| guest.execute(request).work_used;
    assert!(work(&toil(1)) > work(&toil(0)));
    // The first round is also the one that makes the memory.
    let one = work(&toil(2)) - work(&toil(1));
    assert!(one > 0);
    for rounds in 2..6 {
        assert_eq!(work(&toil(rounds + 1)) - work(&toil(rounds)), one);
    }
    let short = guest.execute(&Probe::returnBytesCall { n: U256::from(32) });
    let long = guest.execute(&Probe::returnBytesCall {
        n: U256::from(100_000),
    });
    assert!(short.work_used < long.work_used);
}

pub fn what_failed_counts_as_work(subject: &Subject) {
    let guest = subject.probe();
    let failing = |fuel| {
        let execution = guest.execute(&try_to_toil(ENDLESS, fuel));
        assert_eq!(execution.halt, Halt::Succeeded);
        execution.work_used
    };
    assert!(failing(1_000_000) > 5 * failing(100_000));

    let ledger = subject.ledger(1);
    let set = |value| Ledger::setCall { value };
    let fail = |value| Ledger::setAndFailCall { value };
    let reverted = ledger.execute(&fail(U256::from(7)));
    assert_eq!(reverted.halt, Halt::Reverted);
    let read = ledger.execute(&Ledger::totalCall {}).work_used;
    let written = ledger.execute(&set(U256::from(7))).work_used;
    // The write is most of the difference, and is not given back.
    assert!(reverted.work_used - read > (written - read) / 2);

    let nothing_ran = subject.engine().call(&State::new(), &call(&[]));
    assert_eq!(nothing_ran.work_used, 0);
}

pub fn work_depends_on_nothing_but_the_call(subject: &Subject) {
    let guest = subject.probe();
    let random = Probe::randomCall {
        n: U256::from(100),
        personalization: Bytes::from("p"),
    };
    let work = |fuel_limit, is_static| {
        [
            under(&guest, fuel_limit, is_static, &toil(3)).work_used,
            under(&guest, fuel_limit, is_static, &random).work_used,
        ]
    };
    let first = work(10_000_000, false);
    assert_eq!(first, work(10_000_000, false), "whatever ran before");
    assert_eq!(first, work(1_000_000, false), "whatever was allowed");
    assert_eq!(first, work(1_000_000, true), "whatever was forbidden");
    let elsewhere = Guest {
        vm: subject.engine(),
        state: State::decode(&guest.state.encode()).unwrap(),
    };
    let again = under(&elsewhere, 10_000_000, false, &toil(3)).work_used;
    assert_eq!(first[0], again, "whoever runs it");
}

pub fn a_constructor_has_a_limit_too(subject: &Subject) {
    let construct = |length: usize| {
        let label = alloc::string::String::from_utf8(alloc::vec![b'x'; length]).unwrap();
        let arguments = (U256::ONE, label).abi_encode_params();
        let engine = subject.engine();
        engine.construct(&State::new(), &call(&[]), &subject.ledger, &arguments)
    };
    let (short, long) = (construct(10), construct(3_000));
    assert_eq!((short.halt, long.halt), (Halt::Succeeded, Halt::Succeeded));
    // A slot for every 32 bytes.
    assert!(short.work_used > 0 && long.work_used > short.work_used + 90);
}
