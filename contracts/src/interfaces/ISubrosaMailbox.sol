// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISubrosaOracle} from "./ISubrosaOracle.sol";
import {ISubrosaRegistry} from "./ISubrosaRegistry.sol";

/// @notice A challenge as it was put.
struct MailboxChallenge {
    address asker;
    /// The enclave's signer that is to answer.
    address signer;
    /// Fresh random bytes of the asker's. A challenge that was put before has an answer already, which
    /// anybody can show again and be paid for.
    bytes32 challenge;
}

/// @title What passes through the chain instead of through a node's RPC
/// @notice For clients that reach the chain and no node: envelopes with code are published here, and
/// enclaves challenged and their answers given. All of it is in events; what is kept is one word for each
/// challenge that has no answer yet. Nothing here is believed by anybody: enclaves open envelopes, and
/// clients verify evidence, as they do wherever it comes from.
interface ISubrosaMailbox {
    /// @notice A part of a code envelope was published by the contract's owner.
    /// @param envelopeHash keccak256 of the whole envelope, by which its parts are found.
    /// @param index Which part, from 0.
    /// @param count How many parts there are.
    event CodePublished(
        bytes32 indexed contractId, bytes32 indexed envelopeHash, uint16 index, uint16 count, bytes chunk
    );

    /// @notice A signer was challenged.
    /// @param id keccak256(abi.encode(`MailboxChallenge`)).
    /// @param deadline Unix seconds. From then on it is not answered, and the escrow can be taken back.
    event ChallengeAsked(
        bytes32 indexed id,
        address indexed signer,
        address indexed asker,
        bytes32 challenge,
        uint256 escrow,
        uint256 deadline
    );

    /// @notice A challenge was answered. `statement` and `signature` are the signer's as long as `evidence`
    /// verifies and binds it: who asked checks that, the contract does not.
    /// @param evidence An evidence bundle.
    /// @param statement ABI encoding of a `PresentedAttestation`.
    /// @param payee See `AttestationAnswer`.
    /// @param signature Over the `AttestationAnswer`; r ‖ s ‖ v.
    event ChallengeAnswered(
        bytes32 indexed id, address indexed signer, bytes evidence, bytes statement, address payee, bytes signature
    );

    /// @notice Nobody answered in time, and the escrow was taken back.
    event ChallengeReclaimed(bytes32 indexed id, address indexed recipient, uint256 escrow);

    /// @notice Only the contract's owner publishes its code.
    /// @custom:remedy Send from the account that the oracle's `ownerOf` names.
    error NotTheOwner(bytes32 contractId, address caller);
    /// @notice There is no such part.
    /// @custom:remedy Count from 0, and publish no empty part.
    error NoSuchPart(uint256 index, uint256 count);
    /// @notice The registry does not let the signer act for its key group's current epoch: it does not know it, its
    /// lease has ended, or it, or something that it rests on, is suspended or was taken away.
    /// @custom:remedy Name one that may act; `checkSigner` of the registry says what this one lacks.
    error SignerNotAdmitted(address signer);
    /// @notice The same challenge was put and is not answered yet.
    /// @custom:remedy Wait for the answer, or draw another challenge.
    error AlreadyAsked(bytes32 id);
    /// @notice The challenge was never put, or was answered or reclaimed already.
    /// @custom:remedy Pass it as `ChallengeAsked` tells it; look for `ChallengeAnswered`.
    error NotAsked(bytes32 id);
    /// @notice It is too late to answer.
    /// @custom:remedy Answer within `PATIENCE`; the asker can put another challenge.
    error TooLateToAnswer(bytes32 id, uint256 deadline);
    /// @notice It is too early to take the escrow back.
    /// @custom:remedy Wait until the deadline.
    error TooEarlyToReclaim(bytes32 id, uint256 deadline);
    /// @notice The signature is not one over this answer by the signer that was challenged.
    /// @custom:remedy Have the enclave answer this challenge, and pass on what it gave byte for byte.
    error NotTheSigners(address signer);
    /// @notice Only who put a challenge takes its escrow back.
    /// @custom:remedy Send from that account; it can name any recipient.
    error NotTheAsker(address asker, address caller);
    /// @notice More than the escrow's field holds.
    /// @custom:remedy Send what an answer costs.
    error EscrowTooLarge(uint256 escrow);
    /// @notice The recipient did not take the ether.
    /// @custom:remedy Name one that does.
    error PaymentRefused(address recipient);

    /// @notice Publishes a part of a code envelope. Only the contract's owner, so that nodes need not
    /// collect what strangers send.
    /// @param envelopeHash keccak256 of the whole envelope.
    /// @param index Which part, from 0.
    /// @param count How many parts there are.
    function publishCode(bytes32 contractId, bytes32 envelopeHash, uint16 index, uint16 count, bytes calldata chunk)
        external;

    /// @notice Challenges the enclave with this signer. The value sent is held for whoever brings the answer
    /// within `PATIENCE`: what the transaction costs that holds the evidence, and something for the trouble.
    /// @param fresh Random bytes; see `MailboxChallenge`.
    /// @return id keccak256(abi.encode(`MailboxChallenge`)).
    function challenge(address signer, bytes32 fresh) external payable returns (bytes32 id);

    /// @notice Answers a challenge: pays its escrow to the payee that the signer names, or to the sender if it
    /// names none.
    /// @param asked What was put.
    /// @param evidence The bundle that the enclave made for this challenge, byte for byte.
    /// @param statement ABI encoding of the `PresentedAttestation` that it made with it.
    /// @param payee See `AttestationAnswer`.
    /// @param signature Over the `AttestationAnswer`; r ‖ s ‖ v.
    function answerChallenge(
        MailboxChallenge calldata asked,
        bytes calldata evidence,
        bytes calldata statement,
        address payee,
        bytes calldata signature
    ) external;

    /// @notice Takes back the escrow of a challenge that nobody answered in time. Only the asker.
    /// @param recipient Who gets it.
    function reclaim(MailboxChallenge calldata asked, address recipient) external;

    /// @notice The escrow and the deadline of a challenge that waits for its answer; zeros for any other.
    /// @param id keccak256(abi.encode(`MailboxChallenge`)).
    function pending(bytes32 id) external view returns (uint96 escrow, uint40 deadline);

    /// @notice Seconds within which a challenge is answered, 3,600.
    function PATIENCE() external view returns (uint40);

    /// @notice The oracle that says who owns a contract, and under whose EIP-712 domain answers are signed.
    function oracle() external view returns (ISubrosaOracle);

    /// @notice The registry that says who is admitted.
    function registry() external view returns (ISubrosaRegistry);
}
