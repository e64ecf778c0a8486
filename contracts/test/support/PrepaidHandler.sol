// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaPrepaid} from "../../src/SubrosaPrepaid.sol";
import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";
import {Entry} from "../../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./OracleTest.sol";
import {Reference} from "./Reference.sol";

/// @notice Draws what it is told, and takes or does not take what it is sent; asks with what it drew.
contract Drawer {
    bool private refuses;
    uint256 private again;
    /// Whether a draw from within a draw succeeded.
    bool public nested;

    function tell(bool refuses_, uint256 again_) external {
        (refuses, again) = (refuses_, again_);
        nested = false;
    }

    function draw(SubrosaPrepaid account, uint256 amount) external {
        account.draw(amount);
    }

    function ask(ISubrosaOracle oracle, SubrosaPrepaid account, bytes32 id, uint256 terms, uint256 fee) external {
        account.draw(fee);
        oracle.request{value: fee}(id, 0, terms, address(account), "some input");
    }

    receive() external payable {
        require(!refuses);
        if (again == 0) return;
        uint256 amount = again;
        again = 0;
        try SubrosaPrepaid(payable(msg.sender)).draw(amount) {
            nested = true;
        } catch {}
    }
}

/// @notice One account, its consumer, its owner, strangers and the oracle's refunds, in any order, beside books of
/// what came in, what went out and what was drawn on which day.
contract PrepaidHandler is OracleTest {
    SubrosaPrepaid private account;
    Drawer private drawer = new Drawer();
    address private keeper = makeAddr("keeper");
    address private heir = makeAddr("heir");
    Entry[] private entries;

    uint256 private deposited;
    uint256 private refunded;
    uint256 private drawn;
    uint256 private withdrawn;
    uint256 private perRequest = 1 ether;
    uint256 private perDay = 2 ether;
    mapping(uint256 day => uint256) private drawnOn;
    /// The largest limit that a day had.
    mapping(uint256 day => uint256) private mostOn;

    /// What went wrong first.
    string public fault;

    uint256 public draws;
    uint256 public nestedDraws;
    uint256 public refusals;
    uint256 public asks;
    uint256 public refunds;
    uint256 public withdrawals;
    uint256 public lowerings;
    uint256 public days_;
    uint256 public thefts;
    uint256 public successions;

    constructor() {
        setUp();
        account = new SubrosaPrepaid(oracle, address(drawer), keeper, uint128(perRequest), uint128(perDay));
        _noteLimit();
    }

    function deposit(uint256 seed) external {
        uint256 amount = seed % 3 ether;
        hoax(makeAddr("sponsor"), amount);
        (bool taken,) = address(account).call{value: amount}("");
        _check(taken, "a deposit was refused");
        deposited += amount;
    }

    /// @notice By the consumer: near or beyond what it may, perhaps once more from within, perhaps refusing it.
    function draw(uint256 seed) external {
        uint256 amount = _amount(seed);
        bool refuses = (seed >> 128) % 8 == 0;
        uint256 again = (seed >> 136) % 4 == 0 ? _amount(seed >> 8) : 0;
        drawer.tell(refuses, again);
        uint256 before = address(account).balance;
        bool may = _may(amount, before);
        try drawer.draw(account, amount) {
            _check(may && !refuses, "drew what it must not");
            _bookDraw(amount);
            if (again != 0) {
                bool twice = _may(again, before - amount);
                _check(drawer.nested() == twice, "drew from within what it must not, or could not");
                if (twice) {
                    _bookDraw(again);
                    ++nestedDraws;
                }
            }
            ++draws;
        } catch {
            _check(!may || refuses, "a draw was refused");
            ++refusals;
        }
        drawer.tell(false, 0);
    }

    /// @notice By whoever is not the consumer, for itself.
    function steal(uint256 seed) external {
        address thief = [keeper, address(oracle), relayer, heir][seed % 4];
        uint256 amount = _amount(seed >> 2);
        vm.prank(thief);
        try account.draw(amount) {
            _check(false, "a stranger drew");
        } catch {}
        if (thief != account.owner()) {
            vm.prank(thief);
            try account.withdraw(payable(thief), amount) {
                _check(false, "a stranger withdrew");
            } catch {}
            vm.prank(thief);
            try account.setLimits(type(uint128).max, type(uint128).max) {
                _check(false, "a stranger set limits");
            } catch {}
        }
        ++thefts;
    }

    /// @notice The consumer asks at the account's expense; what is returned returns to the account.
    function ask(uint256 seed) external {
        uint32 callbackGas = 100_000;
        uint256 terms = Reference.terms(0, 0, 1, callbackGas, uint48(block.timestamp + 60 + seed % 1 hours));
        uint256 fee = oracle.quote(stateful, 10, 64, callbackGas, 1);
        bool may = _may(fee, address(account).balance);
        vm.recordLogs();
        try drawer.ask(oracle, account, stateful, terms, fee) {
            _check(may, "asked at the expense of nobody");
            _bookDraw(fee);
            Entry memory entry = _appended();
            _check(_paid(entry) == fee && entry.refundTo == address(account), "asked for something else");
            entries.push(entry);
            ++asks;
        } catch {
            _check(!may, "asking was refused");
        }
    }

    function refund(uint256 seed) external {
        if (entries.length == 0) return;
        uint256 which = seed % entries.length;
        uint256 before = address(account).balance;
        try oracle.refund(entries[which]) {
            uint256 amount = _callbackPart(entries[which]) + _charge(entries[which]);
            _check(address(account).balance == before + amount, "a refund went elsewhere");
            refunded += amount;
            entries[which] = entries[entries.length - 1];
            entries.pop();
            ++refunds;
        } catch {}
    }

    function withdraw(uint256 seed) external {
        uint256 amount = seed % (address(account).balance + 2);
        uint256 before = heir.balance;
        bool may = amount <= address(account).balance;
        vm.prank(account.owner());
        try account.withdraw(payable(heir), amount) {
            _check(may && heir.balance == before + amount, "withdrew something else");
            withdrawn += amount;
            ++withdrawals;
        } catch {
            _check(!may, "the owner was refused");
        }
    }

    function limit(uint256 seed) external {
        uint256 day = (seed >> 128) % 4 ether;
        if (day < perDay) ++lowerings;
        (perRequest, perDay) = (seed % 2 ether, day);
        vm.prank(account.owner());
        account.setLimits(uint128(perRequest), uint128(perDay));
        _noteLimit();
    }

    /// @notice Owners follow each other; who was offered it and who was it have nothing to say.
    function succeed(uint256 seed) external {
        address former = account.owner();
        address next = former == keeper ? heir : keeper;
        vm.prank(former);
        account.transferOwnership(next);
        if (seed % 2 == 0) return;
        vm.prank(next);
        account.acceptOwnership();
        ++successions;
    }

    function wait(uint256 seed) external {
        uint256 today = block.timestamp / 1 days;
        skip(seed % 10 hours);
        if (block.timestamp / 1 days != today) ++days_;
        _noteLimit();
    }

    function inspect() external {
        _check(address(account).balance + drawn + withdrawn == deposited + refunded, "the balance is what came in less");
        uint256 today = block.timestamp / 1 days;
        _check(drawnOn[today] <= mostOn[today], "more was drawn on a day than it ever had");
        (uint128 request, uint128 day, uint256 left) = account.limits();
        _check(request == perRequest && day == perDay, "limits are those that were set");
        _check(left == _left(), "what is left today is what it had less what was drawn");
    }

    function _may(uint256 amount, uint256 balance) private view returns (bool) {
        return amount <= perRequest && amount <= _left() && amount <= balance;
    }

    function _left() private view returns (uint256) {
        uint256 today = drawnOn[block.timestamp / 1 days];
        return today < perDay ? perDay - today : 0;
    }

    function _bookDraw(uint256 amount) private {
        drawn += amount;
        drawnOn[block.timestamp / 1 days] += amount;
    }

    function _noteLimit() private {
        uint256 today = block.timestamp / 1 days;
        if (perDay > mostOn[today]) mostOn[today] = perDay;
    }

    /// @dev Anything, or a wei around one of the three limits.
    function _amount(uint256 seed) private view returns (uint256 amount) {
        uint256 about = seed % 5;
        if (about > 2) return (seed >> 8) % 1 ether;
        amount = about == 0 ? perRequest : about == 1 ? _left() : address(account).balance;
        amount += (seed >> 8) % 2;
        if (amount != 0 && (seed >> 16) % 2 == 0) --amount;
    }

    function _check(bool holds, string memory what) private {
        if (!holds && bytes(fault).length == 0) fault = what;
    }
}
