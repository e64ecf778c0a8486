// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {ConfidentialScore, CreditCheck} from "../examples/EncryptedInput.sol";
import {TokenGate} from "../examples/Erc20Gate.sol";
import {ConfidentialDraw, PrizeDraw} from "../examples/PublicInput.sol";
import {ConfidentialNotes, Notebook} from "../examples/SealedOutput.sol";
import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {ResultStatus, Results} from "../src/consumer/Results.sol";
import {SubrosaGuest} from "../src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, Outstanding} from "../src/interfaces/SubrosaTypes.sol";
import {FulfillmentGroup} from "./support/Batches.sol";
import {OracleTest} from "./support/OracleTest.sol";

contract Token is ERC20 {
    constructor() ERC20("Token", "TKN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice The examples against the real oracle: what they ask, what the confidential side makes of it,
/// and what its signed answer does on chain.
contract ExamplesTest is OracleTest {
    uint8 private constant SUCCEEDED = uint8(ResultStatus.Succeeded);
    uint8 private constant FAILED = uint8(ResultStatus.Failed);
    uint256 private constant PRICE = 5e18;
    uint64 private constant CHARGE_GWEI = uint64(CHARGE / 1 gwei);

    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    address private carol = makeAddr("carol");
    address private treasury = makeAddr("treasury");

    // Public input.

    function test_a_prize_draw_pays_attention_to_the_enclaves_draw() public {
        PrizeDraw house = _draw();
        Entry memory entry = _drawn(house);
        assertEq(entry.inputHash, keccak256(abi.encodeCall(ConfidentialDraw.draw, (2))));
        assertEq(uint16(entry.execution >> 232), 0, "input in the clear");

        ConfidentialDraw enclave = new ConfidentialDraw();
        _randomness(bytes32(uint256(7)));
        _answer(entry, SUCCEEDED, abi.encode(enclave.draw(2)), "");
        assertEq(house.winner(), bob);
    }

    function test_a_prize_is_drawn_once_after_entries_are_closed_and_among_enough() public {
        uint48 closesAt = uint48(block.timestamp + 1 days);
        PrizeDraw house = new PrizeDraw(oracle, stateful, closesAt, 3);
        vm.deal(address(this), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(PrizeDraw.EntriesOpen.selector, closesAt));
        house.draw{value: FEE}();
        house.enter();
        vm.expectRevert(abi.encodeWithSelector(PrizeDraw.AlreadyEntered.selector, address(this)));
        house.enter();
        vm.prank(alice);
        house.enter();
        uint256 snapshot = vm.snapshotState();
        vm.warp(closesAt);
        vm.expectRevert(abi.encodeWithSelector(PrizeDraw.TooFewEntrants.selector, 2, 3));
        house.draw{value: FEE}();
        vm.revertToState(snapshot);
        vm.prank(bob);
        house.enter();
        vm.warp(closesAt);
        vm.expectRevert(abi.encodeWithSelector(PrizeDraw.EntriesClosed.selector, closesAt));
        house.enter();
        _drawn(house);
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.draw{value: FEE}();
    }

    /// @dev Whoever is alone knows who wins.
    function test_a_sole_participant_draws_nothing() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful, uint48(block.timestamp + 1), 0);
        house.enter();
        skip(1);
        vm.deal(address(this), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(PrizeDraw.TooFewEntrants.selector, 1, 2));
        house.draw{value: FEE}();
    }

    function test_an_underpaying_participant_asks_for_nothing() public {
        PrizeDraw house = _draw();
        vm.deal(address(this), 1 ether);
        vm.expectPartialRevert(SubrosaConsumer.ValueTooLow.selector);
        house.draw{value: 1 gwei}();
        assertFalse(house.asked());
        _drawn(house);
    }

    function test_a_failed_draw_has_no_winner_and_can_be_repeated_and_a_late_one_is_awaited() public {
        PrizeDraw house = _draw();
        _answer(_drawn(house), FAILED, "", "");
        assertEq(house.winner(), address(0));

        Entry memory again = _drawn(house);
        skip(2 hours);
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.draw{value: FEE}();
        vm.recordLogs();
        _answer(again, SUCCEEDED, abi.encode(uint256(1)), "");
        Outstanding memory left = _lastOutstanding();
        assertEq(house.winner(), address(0), "what is late is told when somebody asks for it");
        oracle.retryCallback(again, left, abi.encode(uint256(1)));
        assertEq(house.winner(), bob);
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.draw{value: FEE}();
    }

    function test_drawing_from_nothing_fails() public {
        ConfidentialDraw enclave = new ConfidentialDraw();
        vm.expectRevert(ConfidentialDraw.NothingToDraw.selector);
        enclave.draw(0);
    }

    // Encrypted input.

    function testFuzz_a_credit_check_approves_whom_the_context_names(uint128 income, uint128 debt) public {
        CreditCheck house = new CreditCheck(oracle, stateful);
        bytes32 context = house.nextContext(alice);
        vm.recordLogs();
        hoax(alice, FEE);
        house.submit{value: FEE}("envelope", 1, CHARGE_GWEI);
        Entry memory entry = _appendedNow();
        assertEq(entry.context, context);
        assertEq(uint16(entry.execution >> 232), 1, "input is an envelope");

        ConfidentialScore enclave = new ConfidentialScore(address(house), 3);
        _invocation(entry);
        vm.prank(address(house));
        (address applicant, bool passed) = enclave.assess(income, debt);
        _answer(entry, SUCCEEDED, abi.encode(applicant, passed), "");
        assertEq(house.approved(alice), income >= 3 * uint256(debt));
        assertFalse(house.approved(bob));
    }

    function test_an_envelope_that_does_not_open_approves_nobody() public {
        CreditCheck house = new CreditCheck(oracle, stateful);
        vm.recordLogs();
        hoax(alice, FEE);
        house.submit{value: FEE}("copied from somebody else", 0, CHARGE_GWEI);
        _answer(_appendedNow(), uint8(ResultStatus.Rejected), "", "");
        assertFalse(house.approved(alice));
    }

    function test_the_assessor_listens_to_its_house_only() public {
        ConfidentialScore enclave = new ConfidentialScore(address(1), 3);
        vm.expectRevert(ConfidentialScore.NotTheHouse.selector);
        enclave.assess(1, 0);
    }

    // Sealed output.

    function test_a_note_is_read_by_its_author_alone_and_never_on_chain() public {
        Notebook house = new Notebook(oracle, stateful);
        ConfidentialNotes enclave = new ConfidentialNotes(address(house));

        Entry memory written = _pass(house, alice);
        _invocation(written);
        vm.prank(address(house));
        enclave.write("a secret");
        _answer(written, SUCCEEDED, "", "sealed nothing");

        Entry memory asked = _pass(house, alice);
        _invocation(asked);
        vm.prank(address(house));
        assertEq(enclave.read(), "a secret");
        vm.expectEmit(address(house));
        emit Notebook.Answered(_seq(asked), ResultStatus.Succeeded);
        _answer(asked, SUCCEEDED, "", "sealed to alice's key");

        _invocation(_pass(house, bob));
        vm.prank(address(house));
        assertEq(enclave.read(), "", "somebody else's notes are empty");
        vm.expectRevert(ConfidentialNotes.NotTheHouse.selector);
        enclave.read();
    }

    // ERC-20 gate.

    function test_an_answer_earns_the_price() public {
        (TokenGate gate, Token token) = _gate();
        Entry memory entry = _ask(gate, token, alice);
        _answer(entry, SUCCEEDED, "", "sealed");
        assertEq(gate.owed(treasury), PRICE);
        assertEq(gate.owed(alice), 0);
        vm.prank(treasury);
        assertEq(gate.collect(), PRICE);
        assertEq(token.balanceOf(treasury), PRICE);
        assertEq(token.balanceOf(address(gate)), 0);
        skip(2 hours);
        vm.expectRevert(abi.encodeWithSelector(TokenGate.NoDeposit.selector, _seq(entry)));
        gate.reclaim(_seq(entry));
    }

    function test_without_tokens_nothing_is_asked() public {
        (TokenGate gate,) = _gate();
        uint256 before = _nextSeq(stateful);
        hoax(alice, FEE);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        gate.ask{value: FEE}("envelope", 1, CHARGE_GWEI);
        assertEq(_nextSeq(stateful), before);
    }

    function test_a_failed_request_returns_the_price() public {
        (TokenGate gate, Token token) = _gate();
        _answer(_ask(gate, token, alice), FAILED, "", "");
        assertEq(gate.owed(alice), PRICE);
        assertEq(gate.owed(treasury), 0);
    }

    function test_a_missed_deadline_returns_the_price_and_a_late_answer_changes_nothing() public {
        (TokenGate gate, Token token) = _gate();
        Entry memory entry = _ask(gate, token, alice);
        uint256 over = uint48(entry.settlement) + GRACE;
        vm.warp(over);
        vm.expectRevert(abi.encodeWithSelector(TokenGate.StillDue.selector, over));
        gate.reclaim(_seq(entry));
        vm.warp(over + 1);
        gate.reclaim(_seq(entry));
        assertEq(gate.owed(alice), PRICE);

        _answer(entry, SUCCEEDED, "", "sealed");
        assertEq(gate.owed(treasury), 0);
        assertEq(_outstandingFlags(entry), FOR_REQUESTER, "no callback was made that could have failed");
        vm.prank(alice);
        gate.collect();
        assertEq(token.balanceOf(alice), PRICE);
    }

    // Refunds to users.

    function test_every_example_refunds_whoever_paid() public {
        PrizeDraw draw = _draw();
        CreditCheck check = new CreditCheck(oracle, stateful);
        Notebook notebook = new Notebook(oracle, stateful);
        (TokenGate gate, Token token) = _gate();
        Entry[4] memory all;
        vm.recordLogs();
        hoax(alice, FEE);
        draw.draw{value: FEE}();
        all[0] = _appendedNow();
        vm.recordLogs();
        hoax(alice, FEE);
        check.submit{value: FEE}("envelope", 0, CHARGE_GWEI);
        all[1] = _appendedNow();
        all[2] = _pass(notebook, alice);
        all[3] = _ask(gate, token, alice);

        skip(2 hours);
        vm.deal(alice, 0);
        uint256 due;
        for (uint256 i = 0; i < 4; ++i) {
            oracle.refund(all[i]);
            due += _callbackPart(all[i]) + CHARGE;
        }
        assertEq(alice.balance, due);
    }

    function test_an_example_asks_for_no_other_charge_and_epoch_than_its_user_says() public {
        CreditCheck check = new CreditCheck(oracle, stateful);
        Notebook notebook = new Notebook(oracle, stateful);
        (TokenGate gate, Token token) = _gate();
        token.mint(alice, PRICE);
        startHoax(alice);
        token.approve(address(gate), PRICE);
        bytes memory otherEpoch = abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1);
        bytes memory charge =
            abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE_GWEI, CHARGE_GWEI - 10);
        vm.expectRevert(otherEpoch);
        check.submit{value: FEE}("envelope", 2, CHARGE_GWEI);
        vm.expectRevert(charge);
        check.submit{value: FEE}("envelope", 1, CHARGE_GWEI - 10);
        vm.expectRevert(otherEpoch);
        notebook.pass{value: FEE}("envelope", 2, CHARGE_GWEI);
        vm.expectRevert(charge);
        notebook.pass{value: FEE}("envelope", 1, CHARGE_GWEI - 10);
        vm.expectRevert(otherEpoch);
        gate.ask{value: FEE}("envelope", 2, CHARGE_GWEI);
        vm.expectRevert(charge);
        gate.ask{value: FEE}("envelope", 1, CHARGE_GWEI - 10);
    }

    function test_statuses_have_names() public {
        assertTrue(Results.named(1) == ResultStatus.Succeeded);
        assertTrue(Results.named(2) == ResultStatus.Failed);
        assertTrue(Results.named(3) == ResultStatus.Rejected);
        for (uint256 status = 0; status < 256; status == 0 ? status = 4 : ++status) {
            vm.expectRevert(abi.encodeWithSelector(Results.UnknownStatus.selector, status));
            this.named(uint8(status));
        }
    }

    function named(uint8 status) external pure returns (ResultStatus) {
        return Results.named(status);
    }

    function _gate() private returns (TokenGate gate, Token token) {
        token = new Token();
        gate = new TokenGate(oracle, stateful, token, PRICE, treasury);
    }

    function _ask(TokenGate gate, Token token, address from) private returns (Entry memory) {
        token.mint(from, PRICE);
        vm.prank(from);
        token.approve(address(gate), PRICE);
        vm.recordLogs();
        hoax(from, FEE);
        gate.ask{value: FEE}("envelope", 1, CHARGE_GWEI);
        assertEq(token.balanceOf(from), 0);
        return _appendedNow();
    }

    function _pass(Notebook house, address from) private returns (Entry memory) {
        vm.recordLogs();
        hoax(from, FEE);
        house.pass{value: FEE}("envelope", 1, CHARGE_GWEI);
        return _appendedNow();
    }

    /// @dev Alice and Bob take part, and nobody any more.
    function _draw() private returns (PrizeDraw house) {
        house = new PrizeDraw(oracle, stateful, uint48(block.timestamp + 1), 2);
        vm.prank(alice);
        house.enter();
        vm.prank(bob);
        house.enter();
        skip(1);
    }

    function _drawn(PrizeDraw house) private returns (Entry memory) {
        vm.recordLogs();
        hoax(carol, FEE);
        house.draw{value: FEE}();
        return _appendedNow();
    }

    function _appendedNow() private returns (Entry memory entry) {
        entry = _appended();
        _note(entry);
    }

    /// @dev What the enclave tells a confidential contract that executes this entry.
    function _invocation(Entry memory entry) private {
        bytes memory answer = abi.encode(entry.context, entry.contractId, uint256(_seq(entry)), bytes16("envelope"));
        vm.mockCall(SubrosaGuest.INVOCATION, bytes(""), answer);
    }

    function _randomness(bytes32 random) private {
        vm.mockCall(SubrosaGuest.RANDOM_BYTES, abi.encode(uint256(32), bytes("prize draw")), abi.encode(random));
    }

    /// @dev Submits a signed result.
    function _answer(Entry memory entry, uint8 status, bytes memory output, bytes memory sealedOutput) private {
        FulfillmentGroup memory group = _groupOnHead(_list(entry));
        uint256 commitment = group.items[0].result >> 48 << 48;
        group.items[0].result = commitment | uint256(status) << 40 | uint256(12) << 32 | output.length;
        group.items[0].data = bytes.concat(output, sealedOutput);
        assertEq(_fulfill(_batch(group)), 1, "the result is applied");
    }
}
