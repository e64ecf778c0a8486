// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaMachines} from "../src/interfaces/ISubrosaMachines.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {SignerAdmission} from "../src/interfaces/SubrosaTypes.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @notice Denied machines and families restricted to some, for who comes and for who is there. By quotes:
/// `DcapRegistry.t.sol`.
contract MachinesTests is RegistryTest {
    bytes32 private constant MACHINE = keccak256("machine");
    bytes32 private constant OTHER = keccak256("another machine");

    address private signer;

    function setUp() public override {
        super.setUp();
        signer = vm.addr(signerKey);
    }

    function test_a_denied_machine_does_not_return_with_a_new_key() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaMachines.MachineDenied(MACHINE, true);
        registry.denyMachine(MACHINE, true);
        assertTrue(registry.isMachineDenied(MACHINE));
        bytes memory denied = abi.encodeWithSelector(ISubrosaTrust.MachineIsDenied.selector, bytes32(bytes7(MACHINE)));
        vm.expectRevert(denied);
        registry.checkSigner(signer, KEY_GROUP, 1);
        for (uint256 key = 1; key < 4; ++key) {
            _expectRefused(_on(vm.addr(key), MACHINE), denied);
        }
        _expectRefused(_on(signer, MACHINE), denied);
        // Nor by saying that it is another: a signer stays on its machine.
        _expectRefused(_on(signer, OTHER), abi.encodeWithSelector(ISubrosaTrust.SignerExists.selector, signer));
        _admitOn(vm.addr(4), OTHER);
        assertEq(_groupOf(vm.addr(4)), KEY_GROUP);

        registry.denyMachine(MACHINE, false);
        assertFalse(registry.isMachineDenied(MACHINE));
        assertEq(_groupOf(signer), KEY_GROUP);
        _admitOn(vm.addr(5), MACHINE);
    }

    function test_a_machine_denied_before_a_family_has_measurements_is_denied_in_it() public {
        registry.denyMachine(OTHER, true);
        SignerAdmission memory a = _on(address(99), OTHER);
        a.teeKind = TEE_KIND + 1;
        a.measurementId = registry.addMeasurement(ROOT, TEE_KIND + 1, MEASUREMENT_HASH);
        _expectRefused(a, abi.encodeWithSelector(ISubrosaTrust.MachineIsDenied.selector, bytes32(bytes7(OTHER))));
    }

    function test_a_restricted_family_has_machines_on_its_list_alone() public {
        registry.allowMachine(TEE_KIND, OTHER, true);
        _admitOn(vm.addr(1), 0);
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaMachines.MachinesRestricted(TEE_KIND, true);
        registry.restrictMachines(TEE_KIND, true);
        assertTrue(registry.isRestrictedToMachines(TEE_KIND));
        assertFalse(registry.isRestrictedToMachines(TEE_KIND + 1));

        bytes memory unlisted = _notAllowed(MACHINE);
        vm.expectRevert(unlisted);
        registry.checkSigner(signer, KEY_GROUP, 1);
        _expectRefused(_on(address(98), MACHINE), unlisted);
        _expectRefused(_on(signer, MACHINE), unlisted);
        // Who has no identity is on no list.
        vm.expectRevert(_notAllowed(0));
        registry.checkSigner(vm.addr(1), KEY_GROUP, 1);
        _expectRefused(_on(address(98), 0), _notAllowed(0));
        _admitOn(address(99), OTHER);
        assertEq(_groupOf(address(99)), KEY_GROUP);

        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaMachines.MachineAllowed(TEE_KIND, MACHINE, true);
        registry.allowMachine(TEE_KIND, MACHINE, true);
        assertTrue(registry.isMachineAllowed(TEE_KIND, MACHINE));
        assertFalse(registry.isMachineAllowed(TEE_KIND + 1, MACHINE));
        assertEq(_groupOf(signer), KEY_GROUP);
        registry.allowMachine(TEE_KIND, OTHER, false);
        vm.expectRevert(_notAllowed(OTHER));
        registry.checkSigner(address(99), KEY_GROUP, 1);

        registry.restrictMachines(TEE_KIND, false);
        assertEq(_groupOf(address(99)), KEY_GROUP);
        _admitOn(address(100), 0);
    }

    function test_a_listed_machine_can_be_denied() public {
        registry.allowMachine(TEE_KIND, MACHINE, true);
        registry.restrictMachines(TEE_KIND, true);
        registry.denyMachine(MACHINE, true);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.MachineIsDenied.selector, bytes32(bytes7(MACHINE))));
        registry.checkSigner(signer, KEY_GROUP, 1);
    }

    function test_zero_names_no_machine() public {
        vm.expectRevert(ISubrosaMachines.MachineUnidentified.selector);
        registry.denyMachine(0, true);
        vm.expectRevert(ISubrosaMachines.MachineUnidentified.selector);
        registry.allowMachine(TEE_KIND, bytes32(uint256(1)), true);
    }

    function testFuzz_a_denial_concerns_the_machine_alone(bytes32 denied, bytes32 other) public {
        vm.assume(bytes7(denied) != 0);
        registry.denyMachine(denied, true);
        SignerAdmission memory a = _on(address(99), other);
        bytes[] memory signatures = _vouch(a, verifierKey);
        if (bytes7(denied) == bytes7(other)) vm.expectRevert();
        registry.admit(a, signatures);
    }

    function _on(address account, bytes32 machine) private view returns (SignerAdmission memory a) {
        a = _admission(account);
        a.machineId = machine;
    }

    function _admitOn(address account, bytes32 machine) private {
        SignerAdmission memory a = _on(account, machine);
        registry.admit(a, _vouch(a, verifierKey));
    }

    function _notAllowed(bytes32 machine) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISubrosaTrust.MachineNotAllowed.selector, TEE_KIND, bytes32(bytes7(machine)));
    }

    function _expectRefused(SignerAdmission memory a, bytes memory why) private {
        bytes[] memory signatures = _vouch(a, verifierKey);
        vm.expectRevert(why);
        registry.admit(a, signatures);
    }
}
