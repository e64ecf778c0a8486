// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "../interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../interfaces/SubrosaTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {OracleStorage} from "./OracleStorage.sol";

/// @title What is left to be done about executed entries
/// @notice Their slots may be other entries' by then, so this has a slot of its own: a hash of everything that
/// matters, and flags. Only exceptions write one: a callback that failed, an entry that was late.
abstract contract Unsettled is ISubrosaOracle {
    /// @dev Flag: a callback is due.
    uint256 internal constant CALLBACK_DUE = 1;
    /// @dev Flag: what is held is for whom refunds go to, and not for whoever makes the callback.
    uint256 internal constant FOR_REQUESTER = 2;

    uint256 private constant FLAGS = 0xff;

    /// @inheritdoc ISubrosaOracle
    function outstandingOf(bytes32 contractId, uint256 seq) external view returns (bytes32 word) {
        return OracleStorage.load().outstanding[contractId][seq];
    }

    /// @dev Keeps what is left to be done about an entry; nothing, if there are no flags.
    function _leave(bytes32 contractId, uint256 seq, bytes32 digest, Outstanding memory left, uint256 flags) internal {
        bytes32 word = flags == 0 ? bytes32(0) : Digests.outstanding(digest, left) | bytes32(flags);
        OracleStorage.load().outstanding[contractId][seq] = word;
        if (flags != 0) emit EntryOutstanding(contractId, seq, uint8(flags), left);
    }

    /// @dev The flags of what is outstanding, and the entry's digest. Reverts unless it is this of this entry.
    function _outstandingOf(Entry calldata entry, uint256 seq, Outstanding memory claimed)
        internal
        view
        returns (uint256 flags, bytes32 digest)
    {
        digest = Digests.entry(entry);
        bytes32 word = OracleStorage.load().outstanding[entry.contractId][seq];
        flags = uint256(word) & FLAGS;
        if (flags == 0 || Digests.outstanding(digest, claimed) | bytes32(flags) != word) {
            revert NothingOutstanding(entry.contractId, seq);
        }
    }
}
