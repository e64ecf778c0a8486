// SPDX-License-Identifier: Apache-2.0
//! What an engine is given and what it gives back.

use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::{Address, B256};
use subrosa_types::ContractId;

use crate::{Runtime, State, WriteSet};

/// An engine that runs confidential contracts.
///
/// Every function is total and deterministic: the result depends on the arguments alone, and
/// every failure of the guest is a [`Halt`].
pub trait Vm: fmt::Debug + Send + Sync {
    /// Runs a constructor: `code` (the init code) on `init` (its encoded arguments).
    ///
    /// On success the contract lives at `call.contract` and the output is empty: runtime code is
    /// state, never output. `call.input` is not read.
    fn construct(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution;

    /// Replaces the contract's code: runs `code` on `init` as [`construct`](Self::construct) does,
    /// at the same price and under the same limits, but in the contract's own account. What is
    /// stored stays and can be read and written, the account's nonce goes on from where it is, and
    /// while the new constructor runs the account has no code, as in a construction. The old code
    /// leaves the state unless another account has it too.
    ///
    /// `call.input` is not read. The output is empty on success; any other end leaves the state
    /// and the old code as they are. A contract whose constructor failed, so that there is no
    /// account, gets one.
    fn upgrade(&self, state: &State, call: &Call<'_>, code: &[u8], init: &[u8]) -> Execution;

    /// Calls the contract at `call.contract` with `call.input`.
    fn call(&self, state: &State, call: &Call<'_>) -> Execution;
}

/// Everything that decides what one execution means, apart from state and code.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Chain whose oracle logged the entry; what the guest sees as its chain id.
    pub chain_id: u64,
    /// Address of the confidential contract inside the machine.
    pub contract: Address,
    /// Who asked; `msg.sender` and `tx.origin` in the guest.
    pub caller: Address,
    /// What the caller asserts about on whose behalf it asks.
    pub context: B256,
    /// The contract's identifier on chain.
    pub contract_id: ContractId,
    /// Position of the entry in the log; for a query, the number of entries executed.
    pub seq: u64,
    /// Identifier of the envelope that carried the input, if one did.
    pub envelope_id: Option<[u8; 16]>,
    /// Block that appended the entry.
    pub block_number: u64,
    /// That block's timestamp, Unix seconds.
    pub block_timestamp: u64,
    /// Runtime generation, and the table that applies.
    pub runtime: Runtime,
    /// Fuel the execution may use; more than the generation allows counts as what it allows.
    pub fuel_limit: u64,
    /// Secret seed of everything random: PRF(contract root, digest).
    pub randomness: B256,
    /// Whether state may not change. An attempt to change it halts.
    pub is_static: bool,
    /// ABI-encoded call of the contract.
    pub input: &'a [u8],
}

/// Shows what is public on chain; never input or randomness.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("contract_id", &self.contract_id)
            .field("seq", &self.seq)
            .field("fuel_limit", &self.fuel_limit)
            .field("is_static", &self.is_static)
            .finish_non_exhaustive()
    }
}

/// What an execution yields.
#[derive(Clone, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub halt: Halt,
    /// Fuel used, at most the limit. An end other than success and revert uses all of it, except
    /// [`Halt::NoContract`], where nothing ran.
    pub fuel_used: u64,
    /// Work done, also in frames that reverted; a caller pays for fuel alone, this is for whoever plans
    /// what else fits into the time. At most [`Limits::work_limit`](crate::limits::Limits::work_limit)
    /// and the instruction that went past it.
    pub work_used: u64,
    /// What the guest returned or, if it reverted, the revert data; otherwise empty.
    pub output: Vec<u8>,
    /// What changes. Empty unless the guest succeeded, and empty if the call was static.
    pub writes: WriteSet,
}

impl Execution {
    /// An execution that ended without output or effect, and without work.
    pub fn failed(halt: Halt, fuel_used: u64) -> Self {
        Self {
            halt,
            fuel_used,
            work_used: 0,
            output: Vec::new(),
            writes: WriteSet::default(),
        }
    }
}

/// Shows sizes; never output or writes.
impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("halt", &self.halt)
            .field("fuel_used", &self.fuel_used)
            .field("work_used", &self.work_used)
            .field("output_bytes", &self.output.len())
            .field("writes", &self.writes)
            .finish()
    }
}

/// How an execution ended: a verdict, for every enclave alike. The chain learns only whether it succeeded; the rest is for the
/// recipient of a sealed output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Halt {
    /// The guest returned.
    Succeeded,
    /// The guest gave up and said why in the output.
    Reverted,
    /// The fuel limit was reached, or did not cover starting.
    OutOfFuel,
    /// More work than the fuel limit comes with. Ends the whole execution wherever it happens: no
    /// frame of the guest goes on.
    OutOfWork,
    /// More memory than the generation allows.
    OutOfMemory,
    /// An instruction that does not exist, or a jump to where none is.
    InvalidInstruction,
    /// An operand stack over- or underflowed.
    StackViolation,
    /// A read beyond the end of return data.
    OutOfBounds,
    /// A write in a static call.
    StaticViolation,
    /// Code larger than the generation allows, or of a form it refuses.
    CodeRefused,
    /// There is a contract at the address already.
    AddressCollision,
    /// There is no contract at the address; nothing ran.
    NoContract,
    /// A host call or precompiled contract refused its input.
    HostCallFailed,
    /// More output than the generation allows.
    OutputTooLarge,
    /// The state would be larger than the generation allows.
    StateTooLarge,
}
