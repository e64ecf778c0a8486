// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {FakeArbSys, FakeHistory} from "./support/Arbitrum.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice Challenges on a chain whose `block.number` is its parent's, and whose `blockhash` is of no block.
contract ArbitrumRegistryTest is RegistryTest {
    FakeArbSys private constant SYSTEM = FakeArbSys(0x0000000000000000000000000000000000000064);
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 private constant OWN = 290_000_000;

    address private signer = vm.addr(uint256(keccak256("another signer")));

    function setUp() public override {
        vm.etch(address(SYSTEM), type(FakeArbSys).runtimeCode);
        SYSTEM.mine(OWN);
        super.setUp();
    }

    function _registryArtifact() internal pure override returns (string memory) {
        return "SubrosaRegistryArbitrum.sol:SubrosaRegistryArbitrum";
    }

    function _challenge() internal view override returns (uint64, bytes32) {
        uint64 number = uint64(SYSTEM.arbBlockNumber() - 1);
        return (number, SYSTEM.arbBlockHash(number));
    }

    function test_aSignerIsAdmittedByAChallengeOfTheChainsOwn() public {
        SignerAdmission memory a = _admission(signer);
        registry.admit(a, _vouch(a, verifierKey));
        assertEq(_groupOf(signer), KEY_GROUP);
    }

    function test_whatContractsSeeAsBlocksIsNoChallenge() public {
        SignerAdmission memory a = _admission(signer);
        a.challengeBlock = uint64(block.number - 1);
        a.challengeBlockHash = blockhash(block.number - 1);
        assertTrue(a.challengeBlockHash != 0);
        _assertStale(a);
        a.challengeBlock = uint64(OWN);
        a.challengeBlockHash = 0;
        _assertStale(a);
    }

    function test_aChallengeIsTakenForAsLongAsTheChainTellsItsHash() public {
        SignerAdmission memory a = _admission(signer);
        uint256 snapshot = vm.snapshotState();
        SYSTEM.mine(OWN + 255);
        registry.admit(a, _vouch(a, verifierKey));
        vm.revertToState(snapshot);
        SYSTEM.mine(OWN + 256);
        _assertStale(a);

        vm.etch(HISTORY, type(FakeHistory).runtimeCode);
        a.challengeBlockHash ^= bytes32(uint256(1));
        _assertStale(a);
        a.challengeBlockHash ^= bytes32(uint256(1));
        SYSTEM.mine(OWN + 393_167);
        registry.admit(a, _vouch(a, verifierKey));
        vm.revertToState(snapshot);
        vm.etch(HISTORY, type(FakeHistory).runtimeCode);
        SYSTEM.mine(OWN + 393_168);
        _assertStale(a);
    }

    function test_aHistoryThatAnswersOtherwiseTellsNothing() public {
        SignerAdmission memory a = _admission(signer);
        SYSTEM.mine(OWN + 1000);
        bytes memory known = abi.encode(a.challengeBlockHash);
        vm.mockCall(HISTORY, abi.encode(uint256(a.challengeBlock)), bytes.concat(known, known));
        _assertStale(a);
        vm.mockCall(HISTORY, abi.encode(uint256(a.challengeBlock)), abi.encodePacked(bytes31(a.challengeBlockHash)));
        _assertStale(a);
        vm.mockCall(HISTORY, abi.encode(uint256(a.challengeBlock)), known);
        registry.admit(a, _vouch(a, verifierKey));
    }

    function _assertStale(SignerAdmission memory a) private {
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaTrust.ChallengeStale.selector, a.challengeBlock, a.challengeBlockHash)
        );
        registry.admit(a, signatures);
    }
}
