// SPDX-License-Identifier: Apache-2.0
//! What executing one entry yields, and how the virtual machine is asked for it.

use alloc::vec::Vec;

use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, keccak256};
use subrosa_crypto::{
    Subject,
    reply::{self, ReplyBinding},
};
use subrosa_types::{
    abi::Outcome,
    result::{Status, fuel_bucket},
};
use subrosa_vm::{Call, WriteSet};

use super::{input::ReplyTo, proven::Proven};
use crate::{contract::Contract, fixed::Place, limits::MAX_OUTPUT_BYTES};

/// What came out of an entry, before it is hashed and sealed.
pub(super) struct EntryResult {
    pub(super) status: Status,
    pub(super) fuel_used: u64,
    pub(super) work_used: u64,
    pub(super) output: Bytes,
    pub(super) sealed_output: Bytes,
    pub(super) writes: WriteSet,
}

impl EntryResult {
    /// Nothing ran: the input is executable for no enclave.
    pub(super) fn rejected() -> Self {
        Self::without_code(Status::Rejected, WriteSet::default())
    }

    /// An end for which no code ran, and what it changes all the same.
    pub(super) fn without_code(status: Status, writes: WriteSet) -> Self {
        Self {
            status,
            fuel_used: 0,
            work_used: 0,
            output: Bytes::new(),
            sealed_output: Bytes::new(),
            writes,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            status: self.status as u8,
            outputHash: hash(&self.output),
            sealedOutputHash: hash(&self.sealed_output),
            sealedLogsHash: B256::ZERO,
            fuelBucket: fuel_bucket(self.fuel_used),
        }
    }

    /// Turns an execution into a result: output public or sealed, writes only on success. An output
    /// that is longer than the entry pays for, once it is padded and sealed, is a failure without any;
    /// so is a failure whose reason is.
    pub(super) fn of_execution(
        place: Place,
        contract: &Contract,
        proven: &Proven,
        reply: &ReplyTo,
        execution: subrosa_vm::Execution,
    ) -> Self {
        let result = Self::unlimited(place, contract, proven, reply, execution);
        let length = result.output.len() + result.sealed_output.len();
        if length <= proven.execution.output_limit as usize {
            return result;
        }
        Self {
            status: Status::Failed,
            output: Bytes::new(),
            sealed_output: Bytes::new(),
            writes: WriteSet::default(),
            ..result
        }
    }

    /// The same, whatever the entry pays for.
    fn unlimited(
        place: Place,
        contract: &Contract,
        proven: &Proven,
        reply: &ReplyTo,
        execution: subrosa_vm::Execution,
    ) -> Self {
        let fits = execution.output.len() <= MAX_OUTPUT_BYTES;
        let succeeded = execution.halt == subrosa_vm::Halt::Succeeded && fits;
        let output = if fits { execution.output } else { Vec::new() };
        let mut result = Self {
            status: if succeeded {
                Status::Succeeded
            } else {
                Status::Failed
            },
            fuel_used: execution.fuel_used,
            work_used: execution.work_used,
            output: Bytes::new(),
            sealed_output: Bytes::new(),
            writes: if succeeded {
                execution.writes
            } else {
                WriteSet::default()
            },
        };
        let binding = ReplyBinding {
            chain_id: place.chain_id,
            oracle: place.oracle,
            contract_id: contract.id,
            subject: Subject::Entry(proven.digest),
        };
        let sealed = match reply {
            ReplyTo::Key(key) => reply::seal(&contract.root, &binding, key, &output),
            ReplyTo::Session(session) => reply::seal_in_session(session, &binding, &output),
            ReplyTo::Public => {
                // Why a guest failed is for whom an output is sealed to only.
                if succeeded {
                    result.output = output.into();
                }
                return result;
            }
        };
        match sealed {
            Ok(sealed) => {
                result.sealed_output = sealed.into();
                result
            }
            // A reply key that shares no secret: for every enclave alike.
            Err(_) => Self::rejected(),
        }
    }
}

/// keccak256. Of an output, public or sealed, there is mostly one.
fn hash(output: &[u8]) -> B256 {
    if output.is_empty() {
        KECCAK256_EMPTY
    } else {
        keccak256(output)
    }
}

/// What the virtual machine is told of an entry.
pub(super) fn machine_call<'a>(
    place: Place,
    contract: &Contract,
    proven: &Proven,
    input: &'a [u8],
    envelope_id: Option<[u8; 16]>,
) -> Call<'a> {
    let mut randomness = B256::ZERO;
    contract
        .root
        .randomness(Subject::Entry(proven.digest))
        .fill(randomness.as_mut_slice());
    Call {
        chain_id: place.chain_id,
        contract: contract.address(),
        caller: proven.requester,
        context: proven.entry.context,
        contract_id: contract.id,
        seq: proven.entry.seq(),
        envelope_id,
        block_number: proven.execution.block_number,
        block_timestamp: proven.execution.block_timestamp,
        runtime: proven.runtime,
        fuel_limit: proven.execution.fuel_limit,
        randomness,
        is_static: false,
        input,
    }
}
