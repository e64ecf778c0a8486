// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {ConfidentialScore, CreditCheck} from "../examples/EncryptedInput.sol";
import {TokenGate} from "../examples/Erc20Gate.sol";
import {ConfidentialDraw, PrizeDraw} from "../examples/PublicInput.sol";
import {ConfidentialNotes, Notebook} from "../examples/SealedOutput.sol";
import {SubrosaConsumer} from "../src/SubrosaConsumer.sol";
import {Entries} from "../src/consumer/Entries.sol";
import {RefundingConsumer} from "../src/consumer/RefundingConsumer.sol";
import {ResultStatus, Results} from "../src/consumer/Results.sol";
import {SubrosaGuest} from "../src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "../src/interfaces/ISubrosaOracle.sol";
import {Entry, FulfillmentGroup} from "../src/interfaces/SubrosaTypes.sol";
import {OracleTest} from "./support/OracleTest.sol";

contract Token is ERC20 {
    constructor() ERC20("Token", "TKN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice Stands for a wallet that does not take money.
contract Unpayable {
    function pass(Notebook notebook) external payable {
        notebook.pass{value: msg.value}("envelope", 0, 0);
    }
}

/// @notice The examples against the real oracle: what they ask, what the confidential side makes of it,
/// and what its signed answer does on chain.
contract ExamplesTest is OracleTest {
    using Entries for ISubrosaOracle;

    uint8 private constant SUCCEEDED = uint8(ResultStatus.Succeeded);
    uint8 private constant FAILED = uint8(ResultStatus.Failed);
    uint256 private constant PRICE = 5e18;
    uint40 private constant CHARGE_GWEI = uint40(CHARGE / 1 gwei);

    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    address private treasury = makeAddr("treasury");

    // Public input.

    function test_a_prize_draw_pays_attention_to_the_enclaves_draw() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful);
        vm.prank(alice);
        house.enter();
        vm.prank(bob);
        house.enter();

        vm.recordLogs();
        house.draw{value: FEE}();
        Entry memory entry = _appendedNow();
        assertEq(entry.inputHash, keccak256(abi.encodeCall(ConfidentialDraw.draw, (2))));
        assertEq(uint16(entry.execution >> 232), 0, "input in the clear");

        ConfidentialDraw enclave = new ConfidentialDraw();
        _randomness(bytes32(uint256(7)));
        _answer(entry, SUCCEEDED, abi.encode(enclave.draw(2)), "");
        assertEq(house.winner(), bob);
    }

    function test_a_prize_is_drawn_once() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful);
        vm.expectRevert(PrizeDraw.NobodyEntered.selector);
        house.draw{value: FEE}();
        house.enter();
        house.draw{value: FEE}();
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.draw{value: FEE}();
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.enter();
    }

    function test_a_failed_draw_has_no_winner() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful);
        house.enter();
        vm.recordLogs();
        house.draw{value: FEE}();
        _answer(_appendedNow(), FAILED, "", "");
        assertEq(house.winner(), address(0));
    }

    function test_a_failed_draw_can_be_repeated_and_a_late_one_is_awaited() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful);
        vm.prank(alice);
        house.enter();
        vm.recordLogs();
        house.draw{value: FEE}();
        _answer(_appendedNow(), FAILED, "", "");
        assertEq(house.drawing(), 0);
        vm.prank(bob);
        house.enter();

        vm.recordLogs();
        house.draw{value: FEE}();
        Entry memory again = _appendedNow();
        skip(2 hours);
        vm.expectRevert(PrizeDraw.AlreadyDrawn.selector);
        house.draw{value: FEE}();
        _answer(again, SUCCEEDED, abi.encode(uint256(1)), "");
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
        house.submit{value: FEE}("copied from somebody else", 0, 0);
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
        emit Notebook.Answered(asked.seq, ResultStatus.Succeeded);
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
        vm.expectRevert(abi.encodeWithSelector(TokenGate.NoDeposit.selector, entry.seq));
        gate.reclaim(entry.seq);
    }

    function test_without_tokens_nothing_is_asked() public {
        (TokenGate gate,) = _gate();
        uint256 before = _nextSeq();
        hoax(alice, FEE);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        gate.ask{value: FEE}("envelope", 1, CHARGE_GWEI);
        assertEq(_nextSeq(), before);
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
        uint256 deadline = uint48(entry.settlement);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(TokenGate.StillDue.selector, deadline));
        gate.reclaim(entry.seq);
        vm.warp(deadline + 1);
        gate.reclaim(entry.seq);
        assertEq(gate.owed(alice), PRICE);

        _answer(entry, SUCCEEDED, "", "sealed");
        assertEq(gate.owed(treasury), 0);
        assertEq(_status(entry), 0, "no callback was made that could have failed");
        vm.prank(alice);
        gate.collect();
        assertEq(token.balanceOf(alice), PRICE);
    }

    function test_a_question_that_pays_relayers_too_little_is_not_asked() public {
        (TokenGate gate,) = _gate();
        hoax(alice, FEE);
        vm.expectRevert(abi.encodeWithSelector(TokenGate.FeeTooSmall.selector, FEE - 1, FEE));
        gate.ask{value: FEE - 1}("envelope", 0, 0);
    }

    // Refunds to users.

    function test_no_example_keeps_a_late_refund_from_whoever_paid() public {
        PrizeDraw draw = new PrizeDraw(oracle, stateful);
        draw.enter();
        CreditCheck check = new CreditCheck(oracle, stateful);
        Notebook notebook = new Notebook(oracle, stateful);
        (TokenGate gate, Token token) = _gate();

        vm.recordLogs();
        hoax(alice, FEE);
        draw.draw{value: FEE}();
        Entry memory drawn = _appendedNow();
        vm.recordLogs();
        hoax(alice, FEE);
        check.submit{value: FEE}("envelope", 0, 0);
        Entry memory submitted = _appendedNow();
        Entry memory passed = _pass(notebook, alice);
        Entry memory asked = _ask(gate, token, alice);

        skip(2 hours);
        vm.deal(alice, 0);
        _reclaim(draw, drawn);
        _reclaim(check, submitted);
        _reclaim(notebook, passed);
        _reclaim(gate, asked);
        assertEq(alice.balance, 4 * (FEE - CHARGE));
    }

    function test_an_example_asks_for_no_other_charge_and_epoch_than_its_user_says() public {
        CreditCheck check = new CreditCheck(oracle, stateful);
        Notebook notebook = new Notebook(oracle, stateful);
        (TokenGate gate, Token token) = _gate();
        token.mint(alice, PRICE);
        startHoax(alice);
        token.approve(address(gate), PRICE);
        bytes memory otherEpoch = abi.encodeWithSelector(ISubrosaOracle.OtherEpoch.selector, stateful, 1);
        bytes memory charge = abi.encodeWithSelector(ISubrosaOracle.ChargeTooHigh.selector, CHARGE, CHARGE - 1 gwei);
        vm.expectRevert(otherEpoch);
        check.submit{value: FEE}("envelope", 2, 0);
        vm.expectRevert(charge);
        check.submit{value: FEE}("envelope", 1, CHARGE_GWEI - 1);
        vm.expectRevert(otherEpoch);
        notebook.pass{value: FEE}("envelope", 2, 0);
        vm.expectRevert(charge);
        notebook.pass{value: FEE}("envelope", 1, CHARGE_GWEI - 1);
        vm.expectRevert(otherEpoch);
        gate.ask{value: FEE}("envelope", 2, 0);
        vm.expectRevert(charge);
        gate.ask{value: FEE}("envelope", 1, CHARGE_GWEI - 1);
    }

    function test_a_refund_reaches_whoever_paid() public {
        Notebook house = new Notebook(oracle, stateful);
        Entry memory hers = _pass(house, alice);
        Entry memory his = _pass(house, bob);
        (address payer, uint256 refundable) = house.paymentOf(stateful, hers.seq);
        assertEq(payer, alice);
        assertEq(refundable, FEE - CHARGE);
        skip(2 hours);
        _expectNoRefund(house, hers);

        oracle.refund(hers);
        assertTrue(oracle.isRefunded(stateful, hers.seq));
        // The money is there, but it is hers.
        _expectNoRefund(house, his);
        assertEq(house.claimRefund(stateful, hers.seq), FEE - CHARGE);
        assertEq(alice.balance, FEE - CHARGE);
        _expectNoRefund(house, hers);
        assertEq(address(house).balance, 0);
    }

    function test_an_answered_request_has_no_refund() public {
        Notebook house = new Notebook(oracle, stateful);
        Entry memory entry = _pass(house, alice);
        _answer(entry, SUCCEEDED, "", "sealed");
        assertTrue(oracle.isExecuted(stateful, entry.seq));
        _expectNoRefund(house, entry);
    }

    function test_a_refund_that_the_oracle_kept_is_fetched() public {
        Notebook house = new Notebook(oracle, stateful);
        Entry memory entry = _pass(house, alice);
        skip(2 hours);
        bytes memory code = address(house).code;
        vm.etch(address(house), hex"fe");
        oracle.refund(entry);
        vm.etch(address(house), code);
        assertEq(oracle.balanceOf(address(house)), FEE - CHARGE);
        house.claimRefund(stateful, entry.seq);
        assertEq(alice.balance, FEE - CHARGE);
    }

    function test_a_payer_that_takes_nothing_can_come_back() public {
        Notebook house = new Notebook(oracle, stateful);
        Unpayable wallet = new Unpayable();
        vm.recordLogs();
        wallet.pass{value: FEE}(house);
        Entry memory entry = _appendedNow();
        skip(2 hours);
        oracle.refund(entry);
        vm.expectRevert(abi.encodeWithSelector(RefundingConsumer.PayerRefused.selector, address(wallet)));
        house.claimRefund(stateful, entry.seq);
        (address payer,) = house.paymentOf(stateful, entry.seq);
        assertEq(payer, address(wallet));
    }

    function test_a_fee_that_is_all_charge_leaves_nothing_to_remember() public {
        Notebook house = new Notebook(oracle, stateful);
        hoax(alice, CHARGE);
        uint48 seq = house.pass{value: CHARGE}("envelope", 0, 0);
        (address payer, uint256 refundable) = house.paymentOf(stateful, seq);
        assertEq(payer, address(0));
        assertEq(refundable, 0);
    }

    function test_a_fee_below_the_charge_is_refused_by_the_oracle() public {
        Notebook house = new Notebook(oracle, stateful);
        hoax(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaOracle.FeeTooLow.selector, 1, CHARGE));
        house.pass{value: 1}("envelope", 0, 0);
    }

    function test_money_comes_from_the_oracle_only() public {
        Notebook house = new Notebook(oracle, stateful);
        hoax(alice, 1);
        (bool sent, bytes memory reason) = address(house).call{value: 1}("");
        assertFalse(sent);
        assertEq(reason, abi.encodeWithSelector(RefundingConsumer.NotFromOracle.selector, alice));
    }

    // Reading states and statuses.

    function test_entries_of_stateless_contracts_are_executed_one_by_one() public {
        Entry memory first = _request(stateless, alice, 0);
        Entry memory second = _request(stateless, alice, 0);
        _execute(_list(second));
        assertFalse(oracle.isExecuted(stateless, first.seq));
        assertTrue(oracle.isExecuted(stateless, second.seq));
    }

    function test_a_failed_callback_is_seen() public {
        PrizeDraw house = new PrizeDraw(oracle, stateful);
        house.enter();
        vm.recordLogs();
        house.draw{value: FEE}();
        Entry memory entry = _appendedNow();
        _answer(entry, SUCCEEDED, abi.encode(uint256(1)), "");
        assertTrue(oracle.isCallbackFailed(stateful, entry.seq), "there is one entrant only");
        assertEq(oracle.executionCharge(stateful), CHARGE);
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
        gate = new TokenGate(oracle, stateful, token, PRICE, treasury, FEE);
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

    function _reclaim(RefundingConsumer house, Entry memory entry) private {
        oracle.refund(entry);
        assertEq(house.claimRefund(stateful, entry.seq), FEE - CHARGE);
    }

    function _expectNoRefund(Notebook house, Entry memory entry) private {
        vm.expectRevert(abi.encodeWithSelector(RefundingConsumer.NoRefund.selector, stateful, entry.seq));
        house.claimRefund(stateful, entry.seq);
    }

    function _nextSeq() private view returns (uint256) {
        return uint48(oracle.logOf(stateful));
    }

    function _appendedNow() private returns (Entry memory entry) {
        entry = _appended();
        _note(entry);
    }

    /// @dev What the enclave tells a confidential contract that executes this entry.
    function _invocation(Entry memory entry) private {
        bytes memory answer = abi.encode(entry.context, entry.contractId, uint256(entry.seq), bytes16("envelope"));
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
