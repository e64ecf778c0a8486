// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle, Policy, PriceTable} from "../src/interfaces/ISubrosaOracle.sol";
import {PriceSlot, PriceSlots} from "../src/libraries/PriceSlot.sol";
import {Entry} from "../src/interfaces/SubrosaTypes.sol";
import {GasBurner} from "./consumers/GasTricks.sol";
import {Batches} from "./support/Batches.sol";
import {Recorder} from "./support/Consumers.sol";
import {OracleTest} from "./support/OracleTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice What a request costs: quoted, asked for to the gwei, and enough for whoever lands it.
contract FeesTest is OracleTest {
    address private user = makeAddr("user");

    struct Case {
        uint64 baseFee;
        uint8 multiple;
        uint64 floor;
        uint64 charge;
        uint16 inputLength;
        uint24 outputLimit;
        uint32 callbackGas;
        uint64 fuel;
    }

    /// @dev The three parts, from the comments in the ADR and on `PriceTable`, in plain arithmetic.
    function _parts(Case memory c) private view returns (uint256 landing, uint256 callback, uint256 charge) {
        PriceTable memory t = _table();
        uint256 price = _ceil(uint256(c.baseFee) * c.multiple, 16);
        uint256 floor = _kept(c.floor, 0x7ff);
        if (price < floor) price = floor;
        charge = _kept(c.charge, 0x7fff) * 1 gwei;
        uint256 gas = uint256(t.landing) + uint256(c.inputLength) * t.inputByte + uint256(c.outputLimit) * t.outputByte;
        if (c.fuel > t.includedFuel) gas += _ceil(c.fuel - t.includedFuel, t.fuelPerGas);
        if (c.callbackGas != 0) {
            callback = _toGwei((uint256(c.callbackGas) + c.callbackGas / 63 + 1 + t.callback) * price);
        }
        if (c.callbackGas != 0 || charge != 0) gas += t.record;
        landing = _toGwei(gas * price);
    }

    function testFuzz_a_quote_is_the_least_that_is_taken_and_is_split_in_three(Case memory c) public {
        _bind(c);
        uint256 quoted = oracle.quote(stateful, c.inputLength, c.outputLimit, c.callbackGas, c.fuel);
        (uint256 landing, uint256 callback, uint256 charge) = _parts(c);
        assertEq(quoted, landing + callback + charge);
        if (landing > uint256(type(uint48).max) * 1 gwei || callback > uint256(type(uint48).max) * 1 gwei) return;

        uint256 terms = Reference.terms(0, 0, c.fuel, c.callbackGas, _deadline(), c.outputLimit);
        bytes memory input = new bytes(c.inputLength);
        if (quoted != 0) {
            hoax(user, quoted);
            vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, quoted - 1 gwei, quoted));
            oracle.request{value: quoted - 1 gwei}(stateful, 0, terms, address(0), input);
        }
        vm.recordLogs();
        hoax(user, quoted);
        oracle.request{value: quoted}(stateful, 0, terms, address(0), input);
        Entry memory entry = _appended();
        assertEq(_landing(entry), landing);
        assertEq(_callbackPart(entry), callback);
        assertEq(_charge(entry), charge);
    }

    function test_the_base_fee_moves_the_price_and_the_floor_holds_it() public {
        uint256 atOne = oracle.quote(stateful, 100, 100, 100_000);
        vm.fee(2 gwei);
        uint256 atTwo = oracle.quote(stateful, 100, 100, 100_000);
        assertApproxEqAbs(atTwo - CHARGE, 2 * (atOne - CHARGE), 4 gwei);
        vm.fee(0);
        // The floor: half a gwei.
        uint256 atFloor = oracle.quote(stateful, 100, 100, 100_000);
        assertApproxEqAbs(3 * (atFloor - CHARGE), atOne - CHARGE, 6 gwei);
        vm.fee(0.3 gwei);
        assertEq(oracle.quote(stateful, 100, 100, 100_000), atFloor);
    }

    /// @dev A request made at one base fee is refused at a higher one, and pays the lander more at a lower one.
    function test_a_fee_of_yesterday_is_not_enough_once_the_base_fee_rose() public {
        uint256 fee = oracle.quote(stateful, 10, 64, 100_000, 500_000);
        uint256 terms = _terms(100_000);
        vm.fee(BASE_FEE * 9 / 8);
        uint256 risen = oracle.quote(stateful, 10, 64, 100_000, 500_000);
        hoax(user, fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, fee, risen));
        oracle.request{value: fee}(stateful, 0, terms, address(0), "some input");
        vm.fee(BASE_FEE * 7 / 8);
        Entry memory entry = _request(stateful, user, terms, fee);
        assertGt(_landing(entry) + _callbackPart(entry) + CHARGE, oracle.quote(stateful, 10, 64, 100_000, 500_000));
        assertEq(_paid(entry), fee, "what is too much is for landing");
    }

    function test_a_quote_without_fuel_is_one_up_to_the_included_fuel() public view {
        uint256 fee = oracle.quote(stateful, 10, 64, 0);
        assertEq(oracle.quote(stateful, 10, 64, 0, 1_000_000), fee);
        assertGt(oracle.quote(stateful, 10, 64, 0, 1_000_001), fee);
    }

    function test_promised_output_is_paid_for() public view {
        // 60 gas a byte, at one and a half gwei.
        assertEq(oracle.quote(stateful, 0, 1000, 0) - oracle.quote(stateful, 0, 0, 0), 1000 * 60 * 1.5 gwei);
    }

    function test_fees_are_whole_gwei_that_fit_their_parts() public {
        uint256 terms = _terms(0);
        uint256 most = uint256(type(uint48).max) * 1 gwei;
        vm.deal(user, type(uint128).max);
        vm.startPrank(user);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeNotInGwei.selector, FEE + 1));
        oracle.request{value: FEE + 1}(stateful, 0, terms, address(0), "");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooHigh.selector, most + CHARGE + 1 gwei));
        oracle.request{value: most + CHARGE + 1 gwei}(stateful, 0, terms, address(0), "");
        oracle.request{value: most + CHARGE}(stateful, 0, terms, address(0), "");
        vm.stopPrank();
    }

    /// @dev A late entry's callback part and charge are held together, in a field as large as that of each.
    function test_what_may_have_to_be_held_fits_its_field() public {
        Policy memory p = _policy();
        p.chargeGwei = uint64(200_000 ether / 1 gwei);
        p.gasPriceFloor = uint64(0.97e17);
        vm.prank(owner);
        oracle.setPolicy(stateful, p);
        uint256 fee = oracle.quote(stateful, 10, 64, 1_000_000, 500_000);
        uint256 terms = _terms(1_000_000);
        hoax(user, fee);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooHigh.selector, fee));
        oracle.request{value: fee}(stateful, 0, terms, address(0), "some input");
    }

    function test_prices_are_those_of_the_deployment() public {
        PriceSlot packed = PriceSlot.wrap(oracle.prices());
        assertEq(PriceSlot.unwrap(packed), PriceSlot.unwrap(PriceSlots.pack(_table())));
        assertEq(packed.landing(), _table().landing);
        assertEq(packed.signature(), _table().signature);
        assertEq(packed.includedFuel(), _table().includedFuel);
        assertEq(packed.grace(), _table().grace);
        PriceTable memory table = _table();
        table.fuelPerGas = 0;
        string memory artifact = _oracleArtifact();
        bytes memory arguments = abi.encode(registry, table);
        vm.expectRevert(ISubrosaOracle.ZeroFuelPerGas.selector);
        this.deploy(bytes.concat(vm.getCode(artifact), arguments));
    }

    function deploy(bytes memory code) external {
        assembly ("memory-safe") {
            if iszero(create(0, add(code, 0x20), mload(code))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    /// @dev By the shipped table's kind of numbers a relay's gas is covered at the base fee of the request, whatever the
    /// requester does: entries are landed alone, in time or late, with callbacks that work or burn.
    function test_whoever_lands_an_entry_has_its_gas_back() public {
        address[2] memory requesters = [address(new Recorder()), address(new GasBurner())];
        for (uint256 i = 0; i < 8; ++i) {
            uint32 callbackGas = i & 2 == 0 ? 0 : 300_000;
            uint256 fee = oracle.quote(stateful, 10, 64, callbackGas, 500_000);
            Entry memory entry = _request(stateful, requesters[i & 1], _terms(callbackGas), fee);
            if (i & 4 != 0) skip(2 hours);
            bytes memory batch = Batches.pack(_batch(_groupOnHead(_list(entry))));
            _cool(requesters[i & 1]);
            uint256 before = oracle.balanceOf(relayer);
            vm.prank(relayer);
            uint256 left = gasleft();
            assertEq(oracle.fulfill(batch), 1);
            uint256 used = left - gasleft() + 21_000 + 16 * batch.length;
            assertGe(oracle.balanceOf(relayer) - before, used * BASE_FEE, vm.toString(i));
        }
    }

    function _cool(address callee) private {
        vm.cool(address(oracle));
        vm.cool(address(registry));
        vm.cool(callee);
    }

    function _bind(Case memory c) private {
        c.baseFee = uint64(bound(c.baseFee, 0, 1e13));
        c.floor = uint64(bound(c.floor, 0, 1e13));
        c.charge = uint64(bound(c.charge, 0, 200_000 ether / 1 gwei));
        c.inputLength %= 4096;
        c.outputLimit %= 200_000;
        c.callbackGas %= 10_000_001;
        c.fuel %= 1e15;
        vm.fee(c.baseFee);
        Policy memory policy = _policy();
        policy.chargeGwei = c.charge;
        policy.baseFeeSixteenths = c.multiple;
        policy.gasPriceFloor = c.floor;
        policy.maximumCallbackGas = 10_000_000;
        vm.prank(owner);
        oracle.setPolicy(stateful, policy);
    }

    /// @dev As many decimal digits as fit, rounded up.
    function _kept(uint256 value, uint256 largest) private pure returns (uint256) {
        uint256 unit = 1;
        while (value > largest) {
            value = _ceil(value, 10);
            unit *= 10;
        }
        return value * unit;
    }

    function _toGwei(uint256 amount) private pure returns (uint256) {
        return _ceil(amount, 1 gwei) * 1 gwei;
    }

    function _ceil(uint256 a, uint256 b) private pure returns (uint256) {
        return a / b + (a % b == 0 ? 0 : 1);
    }
}
