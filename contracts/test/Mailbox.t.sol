// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaGovernance} from "../src/interfaces/ISubrosaGovernance.sol";
import {ISubrosaMachines} from "../src/interfaces/ISubrosaMachines.sol";
import {ISubrosaMailbox, MailboxChallenge} from "../src/interfaces/ISubrosaMailbox.sol";
import {ISubrosaSuspensions} from "../src/interfaces/ISubrosaSuspensions.sol";
import {DuoTest} from "./support/DuoTest.sol";
import {Reference} from "./support/Reference.sol";

/// @notice What passes through the chain: who publishes, who answers, and who is paid.
contract MailboxTest is DuoTest {
    bytes32 private constant FRESH = keccak256("fresh");
    uint256 private constant ESCROW = 0.01 ether;
    bytes private constant EVIDENCE = "a bundle";
    bytes private constant STATEMENT = "an encoded statement";

    ISubrosaMailbox private mailbox;
    address private asker = makeAddr("asker");
    address private answerer = makeAddr("answerer");
    address private signer;

    function setUp() public override {
        super.setUp();
        mailbox = ISubrosaMailbox(deployCode("SubrosaMailbox.sol:SubrosaMailbox", abi.encode(oracle, registry)));
        signer = vm.addr(signerKey);
        vm.deal(asker, 1 ether);
    }

    function test_it_knows_its_oracle_and_registry() public view {
        assertEq(address(mailbox.oracle()), address(oracle));
        assertEq(address(mailbox.registry()), address(registry));
    }

    // Code.

    function test_the_owner_publishes_code_in_parts() public {
        bytes memory chunk = new bytes(1000);
        bytes32 envelope = keccak256("envelope");
        for (uint16 index = 0; index < 3; ++index) {
            vm.expectEmit(address(mailbox));
            emit ISubrosaMailbox.CodePublished(stateful, envelope, index, 3, chunk);
            vm.prank(owner);
            mailbox.publishCode(stateful, envelope, index, 3, chunk);
        }
    }

    function test_nobody_else_publishes() public {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 contractId = i == 0 ? stateful : keccak256("no contract");
            vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheOwner.selector, contractId, address(this)));
            mailbox.publishCode(contractId, keccak256("envelope"), 0, 1, "chunk");
        }
    }

    function test_a_part_that_is_none_is_refused() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NoSuchPart.selector, 3, 3));
        mailbox.publishCode(stateful, keccak256("envelope"), 3, 3, "chunk");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NoSuchPart.selector, 0, 0));
        mailbox.publishCode(stateful, keccak256("envelope"), 0, 0, "chunk");
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NoSuchPart.selector, 0, 1));
        mailbox.publishCode(stateful, keccak256("envelope"), 0, 1, "");
    }

    // Challenges.

    function test_an_answer_is_shown_and_its_sender_paid() public {
        bytes32 id = keccak256(abi.encode(_asked()));
        uint256 deadline = block.timestamp + 1 hours;
        vm.expectEmit(address(mailbox));
        emit ISubrosaMailbox.ChallengeAsked(id, signer, asker, FRESH, ESCROW, deadline);
        assertEq(_ask(), id);
        _checkPending(id, ESCROW, deadline);
        assertEq(address(mailbox).balance, ESCROW);

        bytes memory signature = _answer(signerKey, address(0));
        vm.expectEmit(address(mailbox));
        emit ISubrosaMailbox.ChallengeAnswered(id, signer, EVIDENCE, STATEMENT, address(0), signature);
        vm.prank(answerer);
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, address(0), signature);
        assertEq(answerer.balance, ESCROW);
        assertEq(address(mailbox).balance, 0);
        _checkPending(id, 0, 0);
    }

    function test_what_is_pending_lies_where_the_namespace_says() public {
        bytes32 id = _ask();
        bytes32 namespace =
            keccak256(abi.encode(uint256(keccak256("subrosa.storage.Mailbox")) - 1)) & ~bytes32(uint256(0xff));
        uint256 word = uint256(vm.load(address(mailbox), keccak256(abi.encode(id, namespace))));
        assertEq(word, (block.timestamp + 1 hours) << 96 | ESCROW);
    }

    function test_whoever_copies_an_answer_earns_nothing_if_it_names_a_payee() public {
        _ask();
        address payee = makeAddr("payee");
        bytes memory signature = _answer(signerKey, payee);
        vm.prank(answerer);
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, payee, signature);
        assertEq(answerer.balance, 0);
        assertEq(payee.balance, ESCROW);
    }

    function test_a_challenge_may_promise_nothing() public {
        vm.prank(asker);
        mailbox.challenge(signer, FRESH);
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, _answer(signerKey, answerer));
        assertEq(answerer.balance, 0);
    }

    function test_an_answer_is_paid_once() public {
        _ask();
        bytes memory signature = _answer(signerKey, answerer);
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        bytes32 id = keccak256(abi.encode(_asked()));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotAsked.selector, id));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        skip(1 days);
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotAsked.selector, id));
        mailbox.reclaim(_asked(), asker);
    }

    function test_a_payee_that_calls_back_is_not_paid_twice() public {
        _ask();
        // Another asker's escrow is there to be taken.
        hoax(makeAddr("another asker"), ESCROW);
        mailbox.challenge{value: ESCROW}(signer, FRESH);
        Reenterer payee = new Reenterer(mailbox);
        bytes memory signature = _answer(signerKey, address(payee));
        payee.prepare(
            abi.encodeCall(mailbox.answerChallenge, (_asked(), EVIDENCE, STATEMENT, address(payee), signature))
        );
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, address(payee), signature);
        assertTrue(payee.tried());
        assertEq(address(payee).balance, ESCROW);
        assertEq(address(mailbox).balance, ESCROW);
    }

    function testFuzz_everything_in_an_answer_is_signed(uint8 field) public {
        _ask();
        bytes memory signature = _answer(signerKey, answerer);
        (bytes memory evidence, bytes memory statement, address payee) = (EVIDENCE, STATEMENT, answerer);
        MailboxChallenge memory asked = _asked();
        field %= 5;
        if (field == 0) evidence = "another bundle";
        if (field == 1) statement = "another statement";
        if (field == 2) payee = address(this);
        if (field == 3) signature = _answer(uint256(keccak256("stranger")), answerer);
        if (field == 4) {
            asked.challenge = keccak256("another");
            vm.prank(asker);
            mailbox.challenge(signer, asked.challenge);
        }
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheSigners.selector, signer));
        mailbox.answerChallenge(asked, evidence, statement, payee, signature);
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, _answer(signerKey, answerer));
    }

    function test_an_answer_for_another_chain_or_oracle_is_none() public {
        _ask();
        bytes memory signature = _answer(signerKey, answerer);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheSigners.selector, signer));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        signature = _sign(signerKey, _registryMessage(_structHash(FRESH, answerer)));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheSigners.selector, signer));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheSigners.selector, signer));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, "no signature");
    }

    function test_only_who_is_admitted_is_asked_and_answers() public {
        address stranger = makeAddr("stranger");
        vm.startPrank(asker);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.SignerNotAdmitted.selector, stranger));
        mailbox.challenge(stranger, FRESH);
        mailbox.challenge{value: ESCROW}(signer, FRESH);
        vm.stopPrank();

        bytes memory signature = _answer(signerKey, answerer);
        registry.revokeSigner(signer);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.SignerNotAdmitted.selector, signer));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        // What nobody can answer any more is not lost.
        skip(1 hours);
        vm.prank(asker);
        mailbox.reclaim(_asked(), asker);
        assertEq(asker.balance, 1 ether);
    }

    function test_whom_the_registry_trusts_no_more_earns_nothing() public {
        _ask();
        bytes memory signature = _answer(signerKey, answerer);
        bytes memory refusal = abi.encodeWithSelector(ISubrosaMailbox.SignerNotAdmitted.selector, signer);
        bytes[6] memory taken = [
            abi.encodeCall(ISubrosaMachines.denyMachine, (keccak256("machine"), true)),
            abi.encodeCall(ISubrosaGovernance.revokeMeasurement, (measurement, 0)),
            abi.encodeCall(ISubrosaGovernance.removeConfig, (CONFIG)),
            abi.encodeCall(ISubrosaGovernance.setFamily, (TEE_KIND, 1, true)),
            abi.encodeCall(ISubrosaGovernance.revokeVerifier, (vm.addr(verifierKey))),
            abi.encodeCall(ISubrosaSuspensions.suspend, (ISubrosaSuspensions.Subject.Machine, 0, keccak256("machine")))
        ];
        for (uint256 i = 0; i < taken.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (bool done,) = address(registry).call(taken[i]);
            assertTrue(done);
            vm.expectRevert(refusal);
            mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
            vm.expectRevert(refusal);
            mailbox.challenge(signer, keccak256("later"));
            vm.revertToStateAndDelete(snapshot);
        }
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
    }

    function test_a_signer_whose_lease_has_ended_is_not_asked() public {
        (uint40 leaseUntil,,,,,) = registry.signerOf(signer);
        vm.warp(leaseUntil - 1);
        _ask();
        bytes memory signature = _answer(signerKey, answerer);
        vm.warp(leaseUntil);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.SignerNotAdmitted.selector, signer));
        mailbox.challenge(signer, keccak256("later"));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.SignerNotAdmitted.selector, signer));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
    }

    function test_the_same_challenge_is_not_put_twice_while_it_waits() public {
        bytes32 id = _ask();
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.AlreadyAsked.selector, id));
        mailbox.challenge{value: ESCROW}(signer, FRESH);
        // By another account it is another one.
        mailbox.challenge(signer, FRESH);
    }

    function test_either_an_answer_in_time_or_the_escrow_back() public {
        bytes32 id = _ask();
        uint256 deadline = block.timestamp + 1 hours;
        bytes memory signature = _answer(signerKey, answerer);
        vm.warp(deadline - 1);
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.TooEarlyToReclaim.selector, id, deadline));
        mailbox.reclaim(_asked(), asker);
        uint256 snapshot = vm.snapshotState();
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        vm.revertToState(snapshot);

        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.TooLateToAnswer.selector, id, deadline));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, answerer, signature);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.NotTheAsker.selector, asker, address(this)));
        mailbox.reclaim(_asked(), address(this));
        address recipient = makeAddr("recipient");
        vm.expectEmit(address(mailbox));
        emit ISubrosaMailbox.ChallengeReclaimed(id, recipient, ESCROW);
        vm.prank(asker);
        mailbox.reclaim(_asked(), recipient);
        assertEq(recipient.balance, ESCROW);
        _checkPending(id, 0, 0);
    }

    function test_a_recipient_that_takes_no_ether_loses_nobodys() public {
        bytes32 id = _ask();
        // The oracle takes none.
        bytes memory signature = _answer(signerKey, address(oracle));
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.PaymentRefused.selector, address(oracle)));
        mailbox.answerChallenge(_asked(), EVIDENCE, STATEMENT, address(oracle), signature);
        skip(1 hours);
        vm.startPrank(asker);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.PaymentRefused.selector, address(oracle)));
        mailbox.reclaim(_asked(), address(oracle));
        _checkPending(id, ESCROW, block.timestamp);
        mailbox.reclaim(_asked(), asker);
        assertEq(asker.balance, 1 ether);
    }

    function test_an_escrow_that_does_not_fit_is_refused() public {
        uint256 escrow = uint256(type(uint96).max) + 1;
        hoax(asker, escrow);
        vm.expectRevert(abi.encodeWithSelector(ISubrosaMailbox.EscrowTooLarge.selector, escrow));
        mailbox.challenge{value: escrow}(signer, FRESH);
        hoax(asker, escrow);
        mailbox.challenge{value: escrow - 1}(signer, FRESH);
    }

    function _asked() private view returns (MailboxChallenge memory) {
        return MailboxChallenge({asker: asker, signer: signer, challenge: FRESH});
    }

    function _ask() private returns (bytes32 id) {
        vm.prank(asker);
        return mailbox.challenge{value: ESCROW}(signer, FRESH);
    }

    function _answer(uint256 key, address payee) private view returns (bytes memory) {
        return _sign(key, Reference.typed("Subrosa", block.chainid, address(oracle), _structHash(FRESH, payee)));
    }

    function _structHash(bytes32 fresh, address payee) private pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "AttestationAnswer(bytes32 challengeHash,bytes32 evidenceHash,bytes32 statementHash,address payee)"
        );
        bytes32 challengeHash = sha256(abi.encode(Reference.domain("client-challenge"), fresh));
        return keccak256(abi.encode(typeHash, challengeHash, keccak256(EVIDENCE), keccak256(STATEMENT), payee));
    }

    function _checkPending(bytes32 id, uint256 escrow, uint256 deadline) private view {
        (uint96 foundEscrow, uint40 foundDeadline) = mailbox.pending(id);
        assertEq(foundEscrow, escrow);
        assertEq(foundDeadline, deadline);
    }
}

/// @notice Asks for the same again when it is paid.
contract Reenterer {
    ISubrosaMailbox private immutable MAILBOX;
    bytes private message;
    bool public tried;

    constructor(ISubrosaMailbox mailbox) {
        MAILBOX = mailbox;
    }

    function prepare(bytes calldata message_) external {
        message = message_;
    }

    receive() external payable {
        (bool done,) = address(MAILBOX).call(message);
        require(!done, "paid twice");
        tried = true;
    }
}
