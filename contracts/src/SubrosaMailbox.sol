// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {ISubrosaMailbox, MailboxChallenge} from "./interfaces/ISubrosaMailbox.sol";
import {ISubrosaOracle} from "./interfaces/ISubrosaOracle.sol";
import {ISubrosaRegistry} from "./interfaces/ISubrosaRegistry.sol";
import {Digests} from "./libraries/Digests.sol";

/// @title SubrosaMailbox
/// @notice See `ISubrosaMailbox`. It has no administrator, and neither oracle nor registry knows of it.
contract SubrosaMailbox is ISubrosaMailbox {
    /// @notice A challenge that waits for its answer.
    struct Pending {
        /// Wei.
        uint96 escrow;
        /// Unix seconds; zero if there is none.
        uint40 deadline;
    }

    /// @custom:storage-location erc7201:subrosa.storage.Mailbox
    struct Layout {
        mapping(bytes32 id => Pending) pending;
    }

    /// keccak256(abi.encode(uint256(keccak256("subrosa.storage.Mailbox")) - 1)) & ~0xff (ERC-7201)
    bytes32 private constant LOCATION = 0x857829b89bc3f0504f2c9e5075ee89d6d8f68a3e3b32496866eaf2874185a100;

    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ANSWER_TYPE_HASH =
        keccak256("AttestationAnswer(bytes32 challengeHash,bytes32 evidenceHash,bytes32 statementHash,address payee)");

    /// @inheritdoc ISubrosaMailbox
    uint40 public constant PATIENCE = 1 hours;
    /// @inheritdoc ISubrosaMailbox
    ISubrosaOracle public immutable oracle;
    /// @inheritdoc ISubrosaMailbox
    ISubrosaRegistry public immutable registry;

    /// @param oracle_ Says who owns a contract.
    /// @param registry_ Says who is admitted.
    constructor(ISubrosaOracle oracle_, ISubrosaRegistry registry_) {
        (oracle, registry) = (oracle_, registry_);
    }

    /// @inheritdoc ISubrosaMailbox
    function publishCode(bytes32 contractId, bytes32 envelopeHash, uint16 index, uint16 count, bytes calldata chunk)
        external
    {
        if (oracle.ownerOf(contractId) != msg.sender) revert NotTheOwner(contractId, msg.sender);
        if (index >= count || chunk.length == 0) revert NoSuchPart(index, count);
        emit CodePublished(contractId, envelopeHash, index, count, chunk);
    }

    /// @inheritdoc ISubrosaMailbox
    function challenge(address signer, bytes32 fresh) external payable returns (bytes32 id) {
        _checkAdmitted(signer);
        if (msg.value > type(uint96).max) revert EscrowTooLarge(msg.value);
        id = keccak256(abi.encode(MailboxChallenge({asker: msg.sender, signer: signer, challenge: fresh})));
        Pending storage place = _load().pending[id];
        if (place.deadline != 0) revert AlreadyAsked(id);
        uint40 deadline = uint40(block.timestamp) + PATIENCE;
        (place.escrow, place.deadline) = (uint96(msg.value), deadline);
        emit ChallengeAsked(id, signer, msg.sender, fresh, msg.value, deadline);
    }

    /// @inheritdoc ISubrosaMailbox
    function answerChallenge(
        MailboxChallenge calldata asked,
        bytes calldata evidence,
        bytes calldata statement,
        address payee,
        bytes calldata signature
    ) external {
        (bytes32 id, uint256 escrow, uint256 deadline) = _take(asked);
        if (block.timestamp >= deadline) revert TooLateToAnswer(id, deadline);
        // Whom the registry no longer trusts no asker believes, so there is nothing to pay for.
        _checkAdmitted(asked.signer);
        bytes32 structHash = keccak256(
            abi.encode(
                ANSWER_TYPE_HASH,
                Digests.clientChallenge(abi.encode(asked.challenge)),
                keccak256(evidence),
                keccak256(statement),
                payee
            )
        );
        (address found, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(_typed(structHash), signature);
        if (failure != ECDSA.RecoverError.NoError || found != asked.signer) revert NotTheSigners(asked.signer);
        emit ChallengeAnswered(id, asked.signer, evidence, statement, payee, signature);
        _pay(payee == address(0) ? msg.sender : payee, escrow);
    }

    /// @inheritdoc ISubrosaMailbox
    function reclaim(MailboxChallenge calldata asked, address recipient) external {
        if (asked.asker != msg.sender) revert NotTheAsker(asked.asker, msg.sender);
        (bytes32 id, uint256 escrow, uint256 deadline) = _take(asked);
        if (block.timestamp < deadline) revert TooEarlyToReclaim(id, deadline);
        emit ChallengeReclaimed(id, recipient, escrow);
        _pay(recipient, escrow);
    }

    /// @inheritdoc ISubrosaMailbox
    function pending(bytes32 id) external view returns (uint96 escrow, uint40 deadline) {
        Pending storage place = _load().pending[id];
        return (place.escrow, place.deadline);
    }

    /// @dev Strikes a challenge off, before anything is paid. What reverts later leaves it where it was.
    function _take(MailboxChallenge calldata asked) private returns (bytes32 id, uint256 escrow, uint256 deadline) {
        id = keccak256(abi.encode(asked));
        Pending storage place = _load().pending[id];
        (escrow, deadline) = (place.escrow, place.deadline);
        if (deadline == 0) revert NotAsked(id);
        delete _load().pending[id];
    }

    /// @dev That the registry lets the signer act now, for its group's current epoch.
    function _checkAdmitted(address signer) private view {
        (,,, uint32 keyGroup,,) = registry.signerOf(signer);
        try registry.checkSigner(signer, keyGroup, registry.currentEpoch(keyGroup)) returns (uint256) {}
        catch {
            revert SignerNotAdmitted(signer);
        }
    }

    /// @dev What is signed: enclaves know the oracle and not the mailbox.
    function _typed(bytes32 structHash) private view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(DOMAIN_TYPE_HASH, keccak256("Subrosa"), keccak256("1"), block.chainid, address(oracle))
        );
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    function _pay(address recipient, uint256 amount) private {
        (bool taken,) = recipient.call{value: amount}("");
        if (!taken) revert PaymentRefused(recipient);
    }

    function _load() private pure returns (Layout storage $) {
        bytes32 location = LOCATION;
        assembly ("memory-safe") {
            $.slot := location
        }
    }
}
