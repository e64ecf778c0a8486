// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EntryStatus, ISubrosaLens, ThresholdView, Versions} from "../src/interfaces/ISubrosaLens.sol";
import {Policy, Registration} from "../src/interfaces/ISubrosaOracle.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice What the lens says is what the oracle does.
contract LensTest is OracleTest {
    ISubrosaLens private lens;
    address private user = makeAddr("user");

    function setUp() public override {
        super.setUp();
        bool one = keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("coverage");
        string memory artifact = one ? "SubrosaLens.sol:SubrosaLens" : "out/SubrosaLens.sol/SubrosaLens.json";
        lens = ISubrosaLens(deployCode(artifact, abi.encode(oracle)));
    }

    function test_aStatefulEntryIsFollowedThroughItsLife() public {
        assertFalse(lens.statusOf(stateful, 1).exists);
        Entry memory entry = _request(stateful, user, 50_000);
        EntryStatus memory status = lens.statusOf(stateful, 1);
        assertTrue(status.exists && !status.executed && !status.refunded && !status.cancelled);
        assertEq(status.digest, _digest(entry));

        hoax(user, 3 gwei);
        oracle.addFee{value: 3 gwei}(entry);
        assertEq(lens.statusOf(stateful, 1).addedFee, 3);
        vm.prank(user);
        oracle.cancel(entry);
        assertTrue(lens.statusOf(stateful, 1).cancelled);
        vm.warp(vm.getBlockTimestamp() + 2 hours);
        oracle.refund(entry);
        assertTrue(lens.statusOf(stateful, 1).refunded);
        vm.warp(vm.getBlockTimestamp() + 31 days);
        oracle.reclaim(entry);
        assertTrue(lens.statusOf(stateful, 1).reclaimed);

        _execute(_list(entry));
        status = lens.statusOf(stateful, 1);
        assertTrue(status.executed && !status.callbackDue && !status.refundDue);
    }

    function test_whatIsOutstandingIsSeen() public {
        Entry memory entry = _request(stateful, user, 50_000);
        vm.warp(vm.getBlockTimestamp() + 2 hours);
        _execute(_list(entry));
        EntryStatus memory status = lens.statusOf(stateful, 1);
        assertTrue(status.executed && status.callbackDue && status.refundDue);
    }

    function test_aStatelessContractsPendingEntriesAreCountedByEpoch() public {
        Entry memory entry = _request(stateless, user, 0);
        _request(stateless, user, 0);
        assertEq(lens.pendingIn(stateless, 1), 2);
        registry.openEpoch(KEY_GROUP);
        vm.deal(owner, FEE);
        vm.prank(owner);
        oracle.advanceEpoch{value: FEE}(stateless, 2);
        assertEq(lens.pendingIn(stateless, 1), 2);
        assertEq(lens.pendingIn(stateless, 2), 1);
        _execute(_list(entry));
        assertEq(lens.pendingIn(stateless, 1), 1);
        assertEq(lens.pendingIn(stateless, 3), 0);
        assertEq(lens.pendingIn(stateful, 1), 0, "it has a range");
    }

    function test_thePendingRangeIsWhatIsPending() public {
        Entry memory first = _request(stateful, user, 0);
        _request(stateful, user, 0);
        (uint256 from, uint256 to) = lens.pendingOf(stateful);
        assertEq(from, 1);
        assertEq(to, 3);
        _execute(_list(first));
        (from,) = lens.pendingOf(stateful);
        assertEq(from, 2);
    }

    /// @dev Entries of a stateless contract are executed in any order, and their slots taken by later ones.
    function testFuzz_statelessEntriesAreKnownExecutedOrNot(uint256 pattern) public {
        uint256 count = 150;
        Entry[] memory entries = new Entry[](count);
        bool[] memory executed = new bool[](count);
        for (uint256 i = 0; i < count; ++i) {
            entries[i] = _request(stateless, user, 0);
            // Any that is still pending, now and then.
            uint256 dice = uint256(keccak256(abi.encode(pattern, i)));
            uint256 chosen = dice % (i + 1);
            if (dice >> 128 & 3 != 0 && !executed[chosen]) {
                assertEq(_execute(_list(entries[chosen])), 1);
                executed[chosen] = true;
            }
        }
        for (uint256 i = 0; i < count; ++i) {
            EntryStatus memory status = lens.statusOf(stateless, _seq(entries[i]));
            assertEq(status.executed, executed[i]);
            if (!executed[i]) assertEq(status.digest, _digest(entries[i]));
        }
    }

    function testFuzz_policiesAreToldInTheirOwnUnits(uint64 charge, uint64 floor, uint8 multiple) public {
        Policy memory policy = _policy();
        policy.chargeGwei = uint64(bound(charge, 0, 2e14));
        policy.gasPriceFloor = uint64(bound(floor, 0, 1e18));
        policy.baseFeeSixteenths = multiple;
        policy.restricted = true;
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
        Policy memory told = lens.policyOf(stateful);
        assertGe(told.chargeGwei, policy.chargeGwei);
        assertLe(told.chargeGwei - policy.chargeGwei, policy.chargeGwei / 3276);
        assertGe(told.gasPriceFloor, policy.gasPriceFloor);
        assertLe(told.gasPriceFloor - policy.gasPriceFloor, policy.gasPriceFloor / 204);
        assertEq(told.baseFeeSixteenths, multiple);
        assertEq(told.minimumDeadline, policy.minimumDeadline);
        assertEq(told.maximumCallbackGas, policy.maximumCallbackGas);
        assertTrue(told.restricted && !told.paused);
    }

    function testFuzz_quotesAreTheOracles(uint64 baseFee, uint16 input, uint16 output, uint24 gas, uint32 fuel) public {
        // Above this a registration no longer fits the 48 bits of a part.
        baseFee = uint64(bound(baseFee, 0, 1e15));
        vm.fee(baseFee);
        assertEq(
            lens.quoteAt(baseFee, stateful, input, output, gas, fuel), oracle.quote(stateful, input, output, gas, fuel)
        );
        Registration memory r = _registration(false);
        uint256 fee = lens.quoteRegistration(baseFee, r);
        address deployer = makeAddr("deployer");
        vm.deal(deployer, fee);
        vm.startPrank(deployer);
        if (fee != 0) {
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, fee - 1 gwei, fee));
            oracle.register{value: fee - 1 gwei}(r);
        }
        assertEq(lens.contractIdOf(deployer, lens.nonceOf(deployer)), oracle.register{value: fee}(r));
        assertEq(lens.nonceOf(deployer), 1);
        vm.stopPrank();
    }

    function test_nothingIsQuotedForNoContract() public {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.UnknownContract.selector, bytes32(uint256(1))));
        lens.quoteAt(1, bytes32(uint256(1)), 0, 0, 0, 0);
    }

    function test_everythingElseIsTold() public {
        Versions memory versions = lens.versionsOf(stateful);
        assertEq(versions.keyGroup, KEY_GROUP);
        assertEq(versions.keyEpoch, 1);
        assertEq(versions.runtimeGeneration, 1);
        assertEq(versions.finalityClass, 3);
        assertTrue(!versions.stateless && !versions.world && !versions.abandoned && !versions.abandonedOnRetirement);
        assertTrue(lens.versionsOf(stateless).stateless);
        assertEq(lens.contractsIn(KEY_GROUP, 1), 2);

        vm.startPrank(owner);
        oracle.transferOwnership(stateful, user);
        oracle.setCaller(stateful, user, true);
        oracle.announceUpgrade(stateful, keccak256("other code"));
        oracle.setThreshold(stateful, 3, 2);
        oracle.setThreshold(stateful, 2, 1);
        vm.stopPrank();
        assertEq(lens.candidateOf(stateful), user);
        assertTrue(lens.isCaller(stateful, user) && lens.isCaller(stateful, owner));
        assertFalse(lens.isCaller(stateful, relayer) || lens.isCaller(bytes32(0), address(0)));
        (uint32 delay, bytes32 code, uint48 readyAt) = lens.upgradeOf(stateful);
        assertEq(delay, UPGRADE_DELAY);
        assertEq(code, keccak256("other code"));
        assertEq(readyAt, vm.getBlockTimestamp() + UPGRADE_DELAY);

        ThresholdView memory threshold = lens.thresholdOf(stateful);
        assertEq(abi.encode(threshold), abi.encode(ThresholdView(3, 2, 2, 1, readyAt)));
        vm.warp(readyAt);
        assertEq(abi.encode(lens.thresholdOf(stateful)), abi.encode(ThresholdView(2, 1, 0, 0, 0)));
        assertEq(lens.slotOf(stateful, 0), _slotAt(stateful, 0));
    }
}
