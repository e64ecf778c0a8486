// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {FakeArbGasInfo, FakeArbSys} from "./support/Arbitrum.sol";
import {OracleTest} from "./support/OracleTest.sol";

/// @notice On a chain whose `block.number` is its parent's, entries count the chain's own blocks, which is what its
/// headers do and so what proofs are made against.
contract ArbitrumTest is OracleTest {
    FakeArbSys private constant SYSTEM = FakeArbSys(0x0000000000000000000000000000000000000064);
    FakeArbGasInfo private constant GAS = FakeArbGasInfo(0x000000000000000000000000000000000000006C);
    uint256 private constant PARENT = 21_000_000;
    uint256 private constant OWN = 290_000_000;

    function setUp() public override {
        vm.etch(address(SYSTEM), type(FakeArbSys).runtimeCode);
        vm.etch(address(GAS), type(FakeArbGasInfo).runtimeCode);
        SYSTEM.mine(OWN);
        super.setUp();
        vm.roll(PARENT);
    }

    function _oracleArtifact() internal view override returns (string memory) {
        bool one = keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("default")))) == keccak256("coverage");
        string memory name = "SubrosaOracleArbitrum";
        return one ? string.concat(name, ".sol:", name) : string.concat("out/", name, ".sol/", name, ".json");
    }

    function test_entriesNameTheChainsOwnBlocks() public {
        SYSTEM.mine(OWN + 7);
        Entry memory entry = _request(stateful, makeAddr("user"), 0);
        assertEq(uint48(entry.execution >> 80), OWN + 7);
        assertEq(_execute(_list(entry)), 1);
    }

    function test_landingPaysForTheParentChainsData() public {
        uint256 before = oracle.quote(stateful, 10, 32, 0);
        GAS.set(20 gwei);
        uint256 with = oracle.quote(stateful, 10, 32, 0);
        // 420 bytes of a transaction, and the output, at 16 gas a byte.
        assertEq(with - before, 20 gwei * 16 * (420 + 32));
        GAS.set(40 gwei);
        assertEq(oracle.quote(stateful, 10, 32, 0) - before, 2 * (with - before));
    }

    function test_aRequestThatDoesNotPayForTheDataIsRefused() public {
        GAS.set(20 gwei);
        uint256 fee = oracle.quote(stateful, 10, 64, 0, 500_000);
        address user = makeAddr("user");
        uint256 terms = _terms(0);
        vm.deal(user, fee);
        vm.expectPartialRevert(bytes4(keccak256("FeeTooLow(uint256,uint256)")));
        vm.prank(user);
        oracle.request{value: fee - 100_000 gwei}(stateful, 0, terms, address(0), "some input");
    }
}
