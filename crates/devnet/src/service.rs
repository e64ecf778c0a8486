// SPDX-License-Identifier: Apache-2.0
//! The names of what runs in a development network.

/// One of the processes of a development network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// anvil. Killed, it forgets the chain; terminated, it writes it down and takes it up again.
    Chain,
    /// `subrosa verifier`; not in a network that has none.
    Verifier,
    /// `subrosa-enclave`.
    Enclave,
    /// `subrosa node`: the host.
    Node,
}

impl Service {
    /// Every service, in the order in which they are started.
    pub const ALL: [Self; 4] = [Self::Chain, Self::Verifier, Self::Enclave, Self::Node];

    /// What its process and its log are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "anvil",
            Self::Verifier => "verifier",
            Self::Enclave => "enclave",
            Self::Node => "node",
        }
    }
}
