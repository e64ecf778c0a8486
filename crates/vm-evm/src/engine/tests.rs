// SPDX-License-Identifier: Apache-2.0
use revm::primitives::{CALL_STACK_LIMIT, eip170, eip3860};
use subrosa_vm::RUNTIME;

#[test]
fn the_table_says_what_the_machine_does() {
    let limits = RUNTIME.limits;
    assert_eq!(u64::from(limits.max_call_depth), CALL_STACK_LIMIT);
    assert_eq!(limits.max_code, eip170::MAX_CODE_SIZE);
    assert_eq!(limits.max_init_code, eip3860::MAX_INITCODE_SIZE);
}
