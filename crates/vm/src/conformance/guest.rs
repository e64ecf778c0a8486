// SPDX-License-Identifier: Apache-2.0
//! A contract under test, and the interfaces of those that the suite needs.

use alloc::sync::Arc;

use alloy_primitives::{Address, B256};
use alloy_sol_types::{SolCall, sol};

use crate::{Call, Execution, Halt, RUNTIME, State, Vm};

sol! {
    contract Ledger {
        error TooPoor(uint256 have, uint256 want);
        function keeper() external view returns (address);
        function total() external view returns (uint256);
        function balances(address account) external view returns (uint256);
        function label() external view returns (string);
        function history(uint256 index) external view returns (uint256);
        function give(address to, uint256 amount) external returns (uint256);
        function set(uint256 value) external;
        function setAndFail(uint256 value) external;
        function setAndRestore(uint256 value) external;
        function churn(uint256 rounds) external returns (bytes32);
        function spin() external;
        function hoard() external pure returns (uint256);
    }

    struct Environment {
        uint256 chainId;
        uint256 number;
        uint256 timestamp;
        bytes32 prevrandao;
        address coinbase;
        uint256 gasLimit;
        uint256 baseFee;
        uint256 blobBaseFee;
        bytes32 parentHash;
        address origin;
        address sender;
        address account;
        uint256 gasPrice;
        uint256 balance;
        uint256 senderBalance;
    }

    contract Probe {
        function writes() external view returns (uint256);
        function environment() external payable returns (Environment memory);
        function invocation() external view
            returns (bytes32 context, address account, bytes32 contractId, uint256 seq, bytes16 envelopeId);
        function random(uint256 n, bytes calldata personalization) external view
            returns (bytes memory first, bytes memory second);
        function randomTwiceRevertingFirst() external view
            returns (bytes memory first, bytes memory second);
        function forward(address target, bytes calldata input, uint256 gasLimit) external
            returns (bool ok, bytes memory answer, uint256 used);
        function write() external;
        function tryToWrite() external returns (bool ok);
        function returnBytes(uint256 n) external pure;
        function revertBytes(uint256 n) external pure;
        function deepen(uint256 depth) external returns (uint256);
        function hoardDeep(uint256 size) external view returns (uint256);
        function toil(uint256 rounds) external pure returns (bytes32 hash);
        function tryToToil(uint256 rounds, uint256 gasLimit) external returns (bool ok);
        function callToToil(uint256 rounds, uint256 gasLimit) external returns (bool ok);
    }
}

/// Where the contract under test lives.
pub const CONTRACT: Address = Address::repeat_byte(0xc0);
/// Who constructs and calls it.
pub const CALLER: Address = Address::repeat_byte(0xca);

/// A call with plenty of fuel and fixed everything else.
pub fn call(input: &[u8]) -> Call<'_> {
    Call {
        chain_id: 31_337,
        contract: CONTRACT,
        caller: CALLER,
        context: B256::repeat_byte(0xcc),
        contract_id: B256::repeat_byte(0x1d),
        seq: 5,
        envelope_id: None,
        block_number: 1_000,
        block_timestamp: 1_700_000_000,
        runtime: RUNTIME,
        fuel_limit: 10_000_000,
        randomness: B256::repeat_byte(0x5e),
        is_static: false,
        input,
    }
}

/// A constructed contract and what it remembers.
#[derive(Clone, Debug)]
pub struct Guest {
    /// What runs it.
    pub vm: Arc<dyn Vm>,
    /// What it remembers.
    pub state: State,
}

impl Guest {
    /// Constructs it, which must succeed.
    pub fn construct(vm: Arc<dyn Vm>, code: &[u8], init: &[u8]) -> Self {
        let mut state = State::new();
        let execution = vm.construct(&state, &call(&[]), code, init);
        assert_eq!(execution.halt, Halt::Succeeded);
        state.apply(&execution.writes);
        Self { vm, state }
    }

    /// Executes without keeping the writes.
    pub fn execute<C: SolCall>(&self, request: &C) -> Execution {
        self.vm.call(&self.state, &call(&request.abi_encode()))
    }

    /// Executes, keeps the writes, and reads the answer.
    pub fn run<C: SolCall>(&mut self, request: &C) -> C::Return {
        let execution = self.execute(request);
        assert_eq!(execution.halt, Halt::Succeeded);
        self.state.apply(&execution.writes);
        C::abi_decode_returns_validate(&execution.output).unwrap()
    }

    /// Reads in a static call.
    pub fn view<C: SolCall>(&self, request: &C) -> C::Return {
        let input = request.abi_encode();
        let execution = self.vm.call(
            &self.state,
            &Call {
                is_static: true,
                ..call(&input)
            },
        );
        assert_eq!(execution.halt, Halt::Succeeded);
        assert!(execution.writes.is_empty());
        C::abi_decode_returns_validate(&execution.output).unwrap()
    }
}
