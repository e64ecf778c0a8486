// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {FulfillmentGroup} from "../support/Batches.sol";
import {AdmittingRegistry, OracleUnderProof} from "./OracleUnderProof.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice A head moves by compare-and-swap: from the very head that a group continues, along the
/// group's own items, and nothing is executed or paid for otherwise.
///
/// Bounds: any storage whatever to start from, reachable or not; batches of one group of one or two
/// items, or of two groups of one item each over the same log; without callbacks and public output
/// where there are two. The requester has no code (callbacks that reenter are in
/// `PaymentOutcomeProof`). Stateful logs, unless a theorem says otherwise.
contract CompareAndSwapProof is Symbolic {
    OracleUnderProof private oracle;
    address private constant REQUESTER = address(0xcafe);

    function setUp() public {
        oracle = new OracleUnderProof(ISubrosaRegistry(address(new AdmittingRegistry())));
        vm.deal(address(oracle), 1 << 127);
        svm.enableSymbolicStorage(address(oracle));
    }

    function check_one_item_moves_the_head_from_its_start_or_not_at_all(bytes32 contractId) public {
        FulfillmentGroup memory group = _anyGroup(_stateful(contractId), 1, REQUESTER);
        uint256 before = oracle.headWord(contractId);
        uint256 wealth = _wealth();
        uint256 executed = _fulfill(_anyBatch(group));
        uint256 moved = oracle.headWord(contractId);

        if (group.start == _bare(before)) {
            assert(moved == before || _bare(moved) == _advance(_bare(before), group.items[0].result));
            assert(executed == (moved == before ? 0 : 1));
        } else {
            // Stale, of the future, or of another history.
            assert(moved == before);
            assert(executed == 0);
        }
        if (executed == 0) assert(_wealth() == wealth);
    }

    function check_two_items_move_the_head_along_themselves(bytes32 contractId) public {
        FulfillmentGroup memory group = _plainGroup(_stateful(contractId), 2, REQUESTER);
        uint256 before = oracle.headWord(contractId);
        uint256 wealth = _wealth();
        uint256 executed = _fulfill(_anyBatch(group));
        uint256 moved = oracle.headWord(contractId);

        uint256 first = group.start;
        uint256 second = _advance(first, group.items[0].result);
        uint256 last = _advance(second, group.items[1].result);
        if (executed == 0) {
            assert(moved == before);
            assert(_wealth() == wealth);
            return;
        }
        (before, moved) = (_bare(before), _bare(moved));
        if (executed == 1) {
            assert((before == first && moved == second) || (before == second && moved == last));
        } else {
            assert(executed == 2 && before == first && moved == last);
        }
    }

    function check_two_groups_of_one_log_move_its_head_one_after_the_other(bytes32 contractId) public {
        FulfillmentGroup memory a = _plainGroup(_stateful(contractId), 1, REQUESTER);
        FulfillmentGroup memory b = _plainGroup(contractId, 1, REQUESTER);
        uint256 before = oracle.headWord(contractId);
        uint256 executed = _fulfill(_anyBatch(a, b));
        uint256 moved = oracle.headWord(contractId);

        uint256 afterA = _advance(a.start, a.items[0].result);
        uint256 afterB = _advance(b.start, b.items[0].result);
        if (executed == 0) assert(moved == before);
        (before, moved) = (_bare(before), _bare(moved));
        if (executed == 1) assert((before == a.start && moved == afterA) || (before == b.start && moved == afterB));
        if (executed == 2) assert(before == a.start && b.start == afterA && moved == afterB);
        assert(executed <= 2);
    }

    function check_another_logs_head_stays(bytes32 contractId, bytes32 other) public {
        vm.assume(other != contractId);
        uint256 before = oracle.headWord(other);
        _fulfill(_anyBatch(_anyGroup(contractId, 1, REQUESTER)));
        assert(oracle.headWord(other) == before);
    }

    /// @dev Of its slots only the one that holds the entry changes, by the one bit.
    function check_a_stateless_log_has_no_head_and_executes_an_entry_once(bytes32 contractId, uint256 position) public {
        // Above the number and the flags stands what is pending, if anything.
        oracle.putHead(contractId, STATELESS | 1 << 80);
        FulfillmentGroup memory group = _plainGroup(contractId, 1, REQUESTER);
        uint256 before = uint256(oracle.slotAt(contractId, position));
        uint256 wealth = _wealth();
        uint256 executed = _fulfill(_anyBatch(group));
        uint256 slot = uint256(oracle.slotAt(contractId, position));

        assert(uint48(oracle.headWord(contractId)) == STATELESS);
        assert(slot == before || (executed == 1 && before & EXECUTED == 0 && slot == before | EXECUTED));
        if (executed == 0) assert(_wealth() == wealth);
    }

    function check_a_head_that_moves_by_one_is_reachable(bytes32 contractId) public {
        assert(_fulfill(_anyBatch(_plainGroup(_stateful(contractId), 1, REQUESTER))) != 1);
    }

    function check_a_head_that_moves_by_two_is_reachable(bytes32 contractId) public {
        assert(_fulfill(_anyBatch(_plainGroup(_stateful(contractId), 2, REQUESTER))) != 2);
    }

    function check_a_head_that_is_half_way_is_reachable(bytes32 contractId) public {
        FulfillmentGroup memory group = _plainGroup(_stateful(contractId), 2, REQUESTER);
        uint256 before = oracle.headWord(contractId);
        assert(_fulfill(_anyBatch(group)) != 1 || _bare(before) == group.start);
    }

    function check_a_stateless_execution_is_reachable(bytes32 contractId) public {
        oracle.putHead(contractId, STATELESS);
        assert(_fulfill(_anyBatch(_plainGroup(contractId, 1, REQUESTER))) == 0);
    }

    /// @dev Status bit, and flags of a head.
    uint256 private constant EXECUTED = 4;
    uint256 private constant STATELESS = 4 << 40;
    uint256 private constant FLAGS = 0xff << 40;

    function _stateful(bytes32 contractId) private returns (bytes32) {
        oracle.putHead(contractId, svm.createUint256("head") & ~STATELESS);
        vm.assume(uint40(oracle.headWord(contractId)) < type(uint40).max - 2);
        return contractId;
    }

    /// @dev A head without its flags, as batches name it.
    function _bare(uint256 head) private pure returns (uint256) {
        return head & ~FLAGS;
    }

    function _fulfill(bytes memory batch) private returns (uint256) {
        vm.prank(RELAYER);
        return oracle.fulfill(batch);
    }

    function _wealth() private view returns (uint256) {
        unchecked {
            return RELAYER.balance + oracle.balanceOf(RELAYER);
        }
    }
}
