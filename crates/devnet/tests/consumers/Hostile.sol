// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "subrosa/SubrosaConsumer.sol";
import {Asks} from "subrosa/consumer/Asks.sol";
import {ISubrosaOracle} from "subrosa/interfaces/ISubrosaOracle.sol";

/// Asks for as little as it can, and does to whoever lands the answers what it can.
contract Hostile is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;

    error No();

    mapping(uint256 seq => uint256) private _behaviours;
    uint256 public answers;

    constructor(ISubrosaOracle oracle_) payable SubrosaConsumer(oracle_) {}

    receive() external payable {}

    /// Asks `count` times, each in another way that follows from `seed`, for exactly what that costs.
    function ask(bytes32 contractId, uint256 count, uint256 seed) external {
        for (uint256 i; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            SubrosaConsumer.Ask memory asked = Asks.inTheClear(contractId).fuel(1_000_000).output(32)
                .within(random & 0xf == 0 ? 70 : 1 days);
            uint32[4] memory gasLimits = [uint32(0), 100_000, 400_000, 400_000];
            uint32 gasLimit = gasLimits[(random >> 8) % 4];
            if (gasLimit != 0) asked = asked.callback(gasLimit);
            bytes memory input = abi.encodeWithSignature("add(uint256)", 1);
            uint256 seq = _requestFor(address(this), address(this), _quote(asked, input.length), asked, input);
            _behaviours[seq] = (random >> 16) % 16;
        }
    }

    function _onResult(bytes32, uint256 seq, uint8, bytes calldata) internal override {
        uint256 behaviour = _behaviours[seq];
        if (behaviour == 1) {
            revert No();
        } else if (behaviour == 2) {
            assembly {
                revert(0, 30000)
            }
        } else if (behaviour == 3) {
            for (uint256 left = gasleft() / 2; gasleft() > left;) {}
        } else if (behaviour != 4) {
            // Most burn all there is.
            while (true) {}
        }
        answers += 1;
    }
}
