// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

/// @notice EIP-2935's history of block hashes, which tests' chains lack: the hash of block n is in slot
/// n mod 8191 of one contract.
library History {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant PLACE = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice From now on the chain keeps its history, with this hash of this block in it.
    function keep(uint256 number, bytes32 hash) internal {
        vm.etch(
            PLACE,
            hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
        );
        vm.store(PLACE, bytes32(number % 8191), hash);
    }
}
