// SPDX-License-Identifier: Apache-2.0
//! One engine used by several threads.

use subrosa_vm::conformance::repeat::history;

use crate::guest::subject;

#[test]
fn engines_are_shared_between_threads() {
    let subject = subject();
    let engine = subject.engine();
    let expected = history(&subject, engine.as_ref());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(history(&subject, engine.as_ref()), expected));
        }
    });
}
