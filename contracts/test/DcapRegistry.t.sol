// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {DcapClaims, ISubrosaDcap} from "../src/interfaces/ISubrosaDcap.sol";
import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaRegistry} from "../src/interfaces/ISubrosaRegistry.sol";
import {ISubrosaSigners} from "../src/interfaces/ISubrosaSigners.sol";
import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {ISubrosaTrust} from "../src/interfaces/ISubrosaTrust.sol";
import {DcapRegistration} from "../src/interfaces/SubrosaTypes.sol";
import {Digests} from "../src/libraries/Digests.sol";
import {DcapTest} from "./support/DcapTest.sol";
import {History} from "./support/History.sol";

/// @notice Registering signers by their quotes.
contract DcapRegistryTests is DcapTest {
    uint8 private constant TDX = 1;
    uint8 private constant SGX = 2;
    uint32 private constant KEY_GROUP = 7;
    uint40 private constant MAXIMUM_LEASE = 60 days;
    uint16 private constant ONLY_UP_TO_DATE = 1 << 1;
    /// As `test/support/fixtures.mjs` has it.
    bytes6 private constant FMSPC = 0x00a06f4c0000;

    ISubrosaRegistry private registry;
    address private registrant;
    bytes32 private config;
    bytes32 private measurement;

    function setUp() public override {
        super.setUp();
        AccessManager authority = new AccessManager(address(this));
        registry = ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(authority, uint40(0), MAXIMUM_LEASE, uint40(0), uint40(0))
            )
        );
        registrant = vm.parseJsonAddress(json, ".registration.registrant");
        config = vm.parseJsonBytes32(json, ".registration.configHash");
        vm.roll(1000);
        vm.setBlockhash(999, vm.parseJsonBytes32(json, ".registration.challengeBlockHash"));
        registry.addConfig(config, KEY_GROUP);
        measurement = registry.addMeasurement(rootId, TDX, vm.parseJsonBytes32(json, ".registration.tdxMeasurement"));
        registry.addMeasurement(rootId, SGX, vm.parseJsonBytes32(json, ".registration.sgxMeasurement"));
        registry.setDcap(address(dcap), ONLY_UP_TO_DATE);
        registry.setFamily(TDX, 1, false);
        registry.setFamily(SGX, 1, false);
        dcap.putCollateral(_collateral("tdx"));
    }

    function test_a_td_with_a_genuine_quote_is_admitted() public {
        DcapRegistration memory r = _registration("tdx");
        DcapClaims memory claims = _verify(r.quote);
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaSigners.SignerAdmitted(
            r.signer,
            measurement,
            claims.machineId,
            _product(),
            config,
            r.startHash,
            r.transferKeyHash,
            claims.evidenceHash,
            0,
            1,
            19,
            claims.expires
        );
        _register(r);
        assertEq(_groupOf(r.signer), KEY_GROUP);
        (uint40 leaseUntil, uint32 tcb, uint8 kind, uint32 keyGroup, bool revoked,) = registry.signerOf(r.signer);
        assertEq(leaseUntil, claims.expires);
        assertEq(tcb, 19);
        assertEq(kind, TDX);
        assertEq(keyGroup, KEY_GROUP);
        assertFalse(revoked);
    }

    function test_an_enclave_with_a_genuine_quote_is_admitted() public {
        dcap.putCollateral(_collateral("sgx"));
        DcapRegistration memory r = _registration("sgx");
        _register(r);
        (,, uint8 kind,,,) = registry.signerOf(r.signer);
        assertEq(kind, SGX);
    }

    /// @dev Its key group, unless it may not act; no epoch is open here.
    function _groupOf(address signer) private returns (uint32) {
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.SignerNotOfEpoch.selector, signer, KEY_GROUP, 1));
        registry.checkSigner(signer, KEY_GROUP, 1);
        return KEY_GROUP;
    }

    function test_a_kept_configuration_register_changes_nothing() public {
        dcap.putConfigRegister(config);
        _register(_registration("tdx"));
    }

    function test_a_lease_is_never_longer_than_the_maximum() public {
        ISubrosaRegistry other = ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(new AccessManager(address(this)), uint40(0), uint40(1 days), uint40(0), uint40(0))
            )
        );
        other.addConfig(config, KEY_GROUP);
        other.addMeasurement(rootId, TDX, vm.parseJsonBytes32(json, ".registration.tdxMeasurement"));
        other.setDcap(address(dcap), ONLY_UP_TO_DATE);
        other.setFamily(TDX, 1, false);
        DcapRegistration memory r = _registration("tdx");
        vm.prank(registrant);
        other.registerSignerDcap(r);
        (uint40 leaseUntil,,,,,) = other.signerOf(r.signer);
        assertEq(leaseUntil, block.timestamp + 1 days);
    }

    function test_a_quote_shown_again_changes_nothing() public {
        DcapRegistration memory r = _registration("tdx");
        _register(r);
        (uint40 leaseUntil,,,,,) = registry.signerOf(r.signer);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.LeaseNotRenewed.selector, r.signer, leaseUntil));
    }

    function test_a_lease_is_renewed_by_a_quote_until_it_ends() public {
        registry = ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(new AccessManager(address(this)), uint40(0), uint40(1 days), uint40(0), uint40(0))
            )
        );
        registry.addConfig(config, KEY_GROUP);
        registry.addMeasurement(rootId, TDX, vm.parseJsonBytes32(json, ".registration.tdxMeasurement"));
        registry.setDcap(address(dcap), ONLY_UP_TO_DATE);
        registry.setFamily(TDX, 1, false);
        DcapRegistration memory r = _registration("tdx");
        _register(r);
        skip(20 hours);
        _register(r);
        (uint40 leaseUntil,,,,,) = registry.signerOf(r.signer);
        assertEq(leaseUntil, block.timestamp + 1 days);
        assertEq(_groupOf(r.signer), KEY_GROUP);
        skip(1 days);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.LeaseEnded.selector, r.signer, leaseUntil));
    }

    function test_the_product_is_the_platforms_fmspc() public {
        DcapRegistration memory r = _registration("tdx");
        assertEq(_verify(r.quote).fmspc, FMSPC);
        _register(r);
        (,, uint16 vouchers, uint16 product,) = registry.foundationOf(r.signer);
        assertEq(bytes2(product), bytes2(_product()));
        assertEq(vouchers, 1, "the contract that verified the quote");
    }

    function test_a_denied_product_is_neither_admitted_nor_kept() public {
        DcapRegistration memory r = _registration("tdx");
        _register(r);
        registry.denyProduct(TDX, _product());
        vm.expectRevert(
            abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TDX, bytes32(bytes2(_product())))
        );
        registry.checkSigner(r.signer, KEY_GROUP, 1);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ProductIsDenied.selector, TDX, _product()));
        registry.allowProduct(TDX, _product());
        assertEq(_groupOf(r.signer), KEY_GROUP);
    }

    function test_leases_by_a_revoked_verification_are_void_and_it_never_comes_back() public {
        DcapRegistration memory r = _registration("tdx");
        _register(r);
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.DcapRevoked(address(dcap));
        registry.revokeDcap(address(dcap));
        (address named,) = registry.dcapVerification();
        assertEq(named, address(0));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, r.signer, 1));
        registry.checkSigner(r.signer, KEY_GROUP, 1);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.DcapNotAccepted.selector));

        bytes memory revoked = abi.encodeWithSelector(ISubrosaGovernance.VoucherIsRevoked.selector, address(dcap));
        vm.expectRevert(revoked);
        registry.setDcap(address(dcap), ONLY_UP_TO_DATE);
        vm.expectRevert(revoked);
        registry.revokeDcap(address(dcap));
        vm.expectRevert(ISubrosaTrust.DcapNotAccepted.selector);
        registry.revokeDcap(address(0));
    }

    function test_a_verification_that_was_replaced_is_retired_and_can_still_be_revoked() public {
        DcapRegistration memory r = _registration("tdx");
        _register(r);
        ISubrosaDcap other = _deploy();
        other.putCollateral(_collateral("tdx"));
        registry.setDcap(address(other), ONLY_UP_TO_DATE);
        assertEq(_groupOf(r.signer), KEY_GROUP, "its leases run on");
        (bool seated, uint8 index, uint40 vacated, bool isRevoked,) = registry.voucherOf(address(dcap));
        assertTrue(seated);
        assertEq(index, 0);
        assertEq(vacated, block.timestamp);
        assertFalse(isRevoked);

        registry.revokeDcap(address(dcap));
        (address named,) = registry.dcapVerification();
        assertEq(named, address(other), "the one in use stays");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, r.signer, 1));
        registry.checkSigner(r.signer, KEY_GROUP, 1);
        // The other vouches instead.
        _register(r);
        assertEq(_groupOf(r.signer), KEY_GROUP);
        (,, uint16 vouchers,,) = registry.foundationOf(r.signer);
        assertEq(vouchers, 1 << 1);
        registry.revokeDcap(address(other));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaTrust.VouchersRevoked.selector, r.signer, 2));
        registry.checkSigner(r.signer, KEY_GROUP, 1);
    }

    function test_accepting_other_statuses_retires_nothing() public {
        registry.setDcap(address(dcap), 1 << 2);
        (bool seated,, uint40 vacated,,) = registry.voucherOf(address(dcap));
        assertTrue(seated);
        assertEq(vacated, 0);
    }

    function test_nobody_else_can_use_the_quote() public {
        DcapRegistration memory r = _registration("tdx");
        registrant = makeAddr("thief");
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
    }

    function test_every_bound_field_must_be_the_quotes() public {
        DcapRegistration memory r = _registration("tdx");
        r.signer = makeAddr("another signer");
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
        r = _registration("tdx");
        r.transferKeyHash = keccak256("another key");
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
        r = _registration("tdx");
        r.configHash = keccak256("another configuration");
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
        r = _registration("tdx");
        r.startHash = keccak256("another checkpoint");
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
        r = _registration("tdx");
        r.challengeBlock = 998;
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
    }

    function test_a_challenge_block_that_is_forgotten_or_to_come_is_stale() public {
        DcapRegistration memory r = _registration("tdx");
        r.challengeBlock = 1000;
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ChallengeStale.selector, 1000, bytes32(0)));
        r.challengeBlock = 999;
        vm.roll(999 + 257);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ChallengeStale.selector, 999, bytes32(0)));
    }

    function test_where_the_chain_keeps_more_hashes_an_older_challenge_block_is_taken() public {
        DcapRegistration memory r = _registration("tdx");
        vm.roll(999 + 8191);
        History.keep(999, keccak256("another block"));
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));
        History.keep(999, vm.parseJsonBytes32(json, ".registration.challengeBlockHash"));
        uint256 snapshot = vm.snapshotState();
        _register(r);

        vm.revertToState(snapshot);
        vm.roll(999 + 8192);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ChallengeStale.selector, 999, bytes32(0)));
    }

    function test_a_quote_made_for_a_client_registers_nobody() public {
        // The enclave answers whatever bytes a client sends, those of a registration too.
        DcapRegistration memory r = _registration("tdx");
        DcapClaims memory claims = _verify(r.quote);
        bytes memory wanted = bytes.concat(blockhash(999), bytes20(registrant));
        claims.reportDataLow = Digests.clientChallenge(wanted);
        vm.mockCall(address(dcap), abi.encodeWithSelector(ISubrosaDcap.verifyQuote.selector), abi.encode(claims));
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.ReportDataMismatch.selector));

        claims.reportDataLow = Digests.registrationChallenge(blockhash(999), registrant);
        vm.mockCall(address(dcap), abi.encodeWithSelector(ISubrosaDcap.verifyQuote.selector), abi.encode(claims));
        _register(r);
    }

    function test_a_td_started_with_another_configuration_is_refused() public {
        // As if the register's value were another one's.
        vm.mockCall(
            address(dcap), abi.encodeCall(ISubrosaDcap.configRegisterHash, (config)), abi.encode(keccak256("another"))
        );
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.ConfigRegisterMismatch.selector, config));
    }

    function test_governance_says_which_tcb_statuses_are_accepted() public {
        registry.setDcap(address(dcap), 1 << 2);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.TcbStatusRefused.selector, 1));
        registry.setDcap(address(dcap), 1 << 2 | 1 << 1);
        _register(_registration("tdx"));
    }

    function test_a_suspended_verification_admits_nobody_new_and_renews() public {
        DcapRegistration memory r = _registration("tdx");
        bytes32 id = bytes32(uint256(uint160(address(dcap))));
        registry.suspend(ISubrosaSuspensions.Subject.Voucher, 0, id);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.VouchersSuspended.selector, r.signer, 1));
        registry.lift(ISubrosaSuspensions.Subject.Voucher, 0, id);
        _register(r);
        assertEq(_groupOf(r.signer), KEY_GROUP);
    }

    function test_a_denied_machine_is_not_admitted_by_its_quote_and_a_restricted_family_wants_it_listed() public {
        DcapRegistration memory r = _registration("tdx");
        bytes32 machine = _verify(r.quote).machineId;
        registry.denyMachine(machine, true);
        bytes memory denied = abi.encodeWithSelector(ISubrosaTrust.MachineIsDenied.selector, bytes32(bytes7(machine)));
        _refused(r, denied);
        // Nor does it come back as another kind.
        dcap.putCollateral(_collateral("sgx"));
        _refused(_registration("sgx"), denied);
        registry.denyMachine(machine, false);
        registry.restrictMachines(TDX, true);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.MachineNotAllowed.selector, TDX, bytes32(bytes7(machine))));
        registry.allowMachine(TDX, machine, true);
        _register(r);
        assertEq(_groupOf(r.signer), KEY_GROUP);
    }

    function test_a_registry_without_verification_registers_nobody() public {
        registry.setDcap(address(0), ONLY_UP_TO_DATE);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.DcapNotAccepted.selector));
    }

    function test_evaluation_numbers_and_stops_of_the_family_count() public {
        registry.setFamily(TDX, 20, false);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.TcbTooOld.selector, TDX, 19, 20));
        registry.setFamily(TDX, 19, true);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.FamilyIsStopped.selector, TDX));
        registry.setFamily(TDX, 19, false);
        _register(_registration("tdx"));
    }

    /// @dev Who registers chooses by which TCB info.
    function test_a_family_without_a_minimum_registers_nobody_by_quote() public {
        registry.setFamily(TDX, 0, false);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.TcbMinimumUnset.selector, TDX));
        registry.setFamily(TDX, 1, false);
        _register(_registration("tdx"));
    }

    function test_a_quote_is_judged_by_the_editions_that_are_named() public {
        DcapRegistration memory r = _registration("tdx");
        bytes32 key = dcap.tcbInfoKey(rootId, TDX, FMSPC);
        r.tcbInfo = keccak256("an edition of TCB info");
        _refused(r, abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, dcap.editionKey(key, r.tcbInfo)));
        r.tcbInfo = _edition(_collateral("tdx").tcbInfo, _collateral("tdx").tcbSigner);
        r.qeIdentity = keccak256("an edition of the identity");
        key = dcap.qeIdentityKey(rootId, TDX);
        _refused(r, abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, dcap.editionKey(key, r.qeIdentity)));
        r.qeIdentity = _edition(_collateral("tdx").qeIdentity, _collateral("tdx").tcbSigner);
        _register(r);
    }

    function test_a_measurement_nobody_added_or_that_was_revoked_is_refused() public {
        registry.revokeMeasurement(measurement, 0);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.MeasurementIsRevoked.selector, measurement));
        ISubrosaRegistry other = ISubrosaRegistry(
            deployCode(
                "SubrosaRegistry.sol:SubrosaRegistry",
                abi.encode(new AccessManager(address(this)), uint40(0), MAXIMUM_LEASE, uint40(0), uint40(0))
            )
        );
        other.addConfig(config, KEY_GROUP);
        other.setDcap(address(dcap), ONLY_UP_TO_DATE);
        other.setFamily(TDX, 1, false);
        registry = other;
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.MeasurementUnknown.selector, measurement));
    }

    function test_a_configuration_that_was_removed_is_refused() public {
        registry.removeConfig(config);
        _refused(_registration("tdx"), abi.encodeWithSelector(ISubrosaTrust.ConfigUnknown.selector, config));
    }

    function test_a_signer_revoked_beforehand_stays_revoked() public {
        DcapRegistration memory r = _registration("tdx");
        registry.revokeSigner(r.signer);
        _refused(r, abi.encodeWithSelector(ISubrosaTrust.SignerIsRevoked.selector, r.signer));
    }

    function test_what_verification_refuses_is_refused() public {
        DcapRegistration memory r = _registration("tdx");
        r.quote[200] ^= 0x01;
        _refused(r, abi.encodeWithSelector(ISubrosaDcap.SignatureInvalid.selector));
        r = _registration("tdx");
        r.rootId = keccak256("another root");
        _refused(
            r,
            abi.encodeWithSelector(ISubrosaDcap.CollateralMissing.selector, dcap.rootCrlKey(keccak256("another root")))
        );
    }

    function test_only_governance_names_the_verification() public {
        vm.expectEmit(true, true, true, true, address(registry));
        emit ISubrosaGovernance.DcapChanged(address(dcap), 6);
        registry.setDcap(address(dcap), 6);
        (address named, uint16 accepted) = registry.dcapVerification();
        assertEq(named, address(dcap));
        assertEq(accepted, 6);
        assertEq(registry.verifierThreshold(), 1);

        vm.prank(registrant);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, registrant));
        registry.setDcap(address(1), 6);
    }

    function _registration(string memory base) private view returns (DcapRegistration memory) {
        return DcapRegistration({
            quote: _quote(base),
            pckCertificate: _pck(base),
            rootId: rootId,
            pckAuthority: pckAuthority,
            tcbInfo: 0,
            qeIdentity: 0,
            signer: vm.parseJsonAddress(json, ".registration.signer"),
            transferKeyHash: vm.parseJsonBytes32(json, ".registration.transferKeyHash"),
            configHash: config,
            startHash: vm.parseJsonBytes32(json, ".registration.startHash"),
            challengeBlock: 999
        });
    }

    function _product() private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("subrosa.v1.product"), TDX, keccak256(abi.encodePacked(FMSPC))));
    }

    function _register(DcapRegistration memory registration) private {
        vm.prank(registrant);
        registry.registerSignerDcap(registration);
    }

    function _refused(DcapRegistration memory registration, bytes memory reason) private {
        vm.prank(registrant);
        vm.expectRevert(reason);
        registry.registerSignerDcap(registration);
    }
}
