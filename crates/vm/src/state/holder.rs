// SPDX-License-Identifier: Apache-2.0
//! To whom envelopes seen and sessions belong.

use alloy_primitives::{Address, B256};

/// A user of a contract: who called the oracle, and for whom it says it did.
///
/// The requester of an entry is known; the user is what it asserts in the first 20 bytes of the
/// context. So users behind one requester are told apart as far as that requester can be trusted,
/// and nobody speaks for another requester's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The account or consumer contract that made the entry.
    pub requester: Address,
    /// The user it made the entry for; zero if it asserts none.
    pub user: Address,
}

impl Holder {
    /// The holder that an entry's requester and context name.
    pub fn new(requester: Address, context: B256) -> Self {
        let mut user = Address::ZERO;
        let (first, _) = context.split_at(Address::len_bytes());
        user.copy_from_slice(first);
        Self { requester, user }
    }
}
