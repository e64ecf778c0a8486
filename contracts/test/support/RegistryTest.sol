// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import {ISubrosaRegistry} from "../../src/interfaces/ISubrosaRegistry.sol";
import {ISubrosaTrust} from "../../src/interfaces/ISubrosaTrust.sol";
import {EpochMember, EpochOpening, EpochSchedule, SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {Cast} from "./Cast.sol";
import {Reference} from "./Reference.sol";

/// @notice A registry with one verifier, one build, one configuration, one runtime generation and one admitted
/// signer, which opened the first epoch.
abstract contract RegistryTest is Cast {
    uint40 internal constant MAXIMUM_LEASE = 30 days;
    uint40 internal constant OPENING_TIMEOUT = 1 hours;
    uint40 internal constant COOLDOWN = 7 days;
    uint256 internal constant SEALED = 2 << 248;
    bytes32 internal constant ROOT = keccak256("root");
    bytes32 internal constant MEASUREMENT_HASH = keccak256("build");
    bytes32 internal constant CONFIG = keccak256("config");
    bytes32 internal constant START = keccak256("start");
    bytes32 internal constant PRODUCT = keccak256("product");

    AccessManager internal authority;
    ISubrosaRegistry internal registry;
    uint256 internal verifierKey = uint256(keccak256("verifier"));
    bytes32 internal measurement;

    function setUp() public virtual {
        _setUpChain();
        authority = new AccessManager(address(this));
        registry = ISubrosaRegistry(
            deployCode(
                _registryArtifact(),
                abi.encode(authority, _activationDelay(), _maximumLease(), OPENING_TIMEOUT, COOLDOWN)
            )
        );
        registry.setVerifier(vm.addr(verifierKey), true);
        measurement = registry.addMeasurement(ROOT, TEE_KIND, MEASUREMENT_HASH);
        registry.addConfig(CONFIG, KEY_GROUP);
        registry.addRuntime(1);
        skip(_activationDelay());
        _admit(signerKey);
        _openEpoch(1);
    }

    function _registryArtifact() internal view virtual returns (string memory) {
        return "SubrosaRegistry.sol:SubrosaRegistry";
    }

    /// @dev The chain's newest block whose hash it tells.
    function _challenge() internal view virtual returns (uint64 number, bytes32 hash) {
        return (uint64(block.number - 1), blockhash(block.number - 1));
    }

    function _activationDelay() internal virtual returns (uint40) {
        return 0;
    }

    function _maximumLease() internal virtual returns (uint40) {
        return MAXIMUM_LEASE;
    }

    function _admission(address signer) internal view returns (SignerAdmission memory) {
        (uint64 challengeBlock, bytes32 challengeBlockHash) = _challenge();
        return SignerAdmission({
            signer: signer,
            transferKeyHash: keccak256("transfer key"),
            measurementId: measurement,
            configHash: CONFIG,
            startHash: START,
            rootId: ROOT,
            teeKind: TEE_KIND,
            product: PRODUCT,
            machineId: keccak256("machine"),
            tcbStatus: 1,
            tcbEvaluation: 17,
            policyHash: keccak256("policy"),
            evidenceHash: keccak256("evidence"),
            challengeBlock: challengeBlock,
            challengeBlockHash: challengeBlockHash,
            registrant: address(this),
            notAfter: uint64(block.timestamp + 7 days)
        });
    }

    function _admit(uint256 key) internal {
        SignerAdmission memory admission = _admission(vm.addr(key));
        registry.admit(admission, _vouch(admission, verifierKey));
    }

    function _vouch(SignerAdmission memory a, uint256 key) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](1);
        signatures[0] = _vouchOne(a, key);
    }

    function _vouchOne(SignerAdmission memory a, uint256 key) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "SignerAdmission(address signer,bytes32 transferKeyHash,bytes32 measurementId,bytes32 configHash,bytes32 startHash,bytes32 rootId,uint8 teeKind,bytes32 product,bytes32 machineId,uint8 tcbStatus,uint32 tcbEvaluation,bytes32 policyHash,bytes32 evidenceHash,uint64 challengeBlock,bytes32 challengeBlockHash,address registrant,uint64 notAfter)"
        );
        return _sign(key, _registryMessage(keccak256(abi.encode(typeHash, a))));
    }

    /// @dev The key group of a signer that may act, whether or not the first epoch is its own.
    function _groupOf(address signer) internal view returns (uint32) {
        try registry.checkSigner(signer, KEY_GROUP, 1) returns (uint256 record) {
            return uint32(record);
        } catch (bytes memory why) {
            if (bytes4(why) == ISubrosaTrust.SignerNotOfEpoch.selector) return KEY_GROUP;
            assembly ("memory-safe") {
                revert(add(why, 0x20), mload(why))
            }
        }
    }

    /// @dev Who may hold the secret of an epoch.
    function _members() internal view virtual returns (EpochMember[] memory members) {
        members = new EpochMember[](1);
        members[0] = EpochMember(measurement, CONFIG);
    }

    function _setHash(EpochMember[] memory members) internal pure returns (bytes32) {
        return keccak256(abi.encode(Reference.domain("epoch-set"), keccak256(abi.encode(members))));
    }

    function _schedule(uint32 epoch) internal view returns (EpochSchedule memory) {
        return EpochSchedule(KEY_GROUP, epoch, _members(), SEALED, new address[](0), false, 0);
    }

    function _opening(uint32 epoch) internal view returns (EpochOpening memory) {
        return EpochOpening({
            keyGroup: KEY_GROUP,
            keyEpoch: epoch,
            publicKeyHash: keccak256(abi.encode("public key", epoch)),
            configHash: CONFIG,
            setHash: _setHash(_members()),
            recovery: SEALED
        });
    }

    /// @dev As scheduled, unless there is no such schedule yet.
    function _openEpoch(uint32 epoch) internal {
        (bytes32 scheduled,,,,) = registry.scheduleOf(KEY_GROUP, epoch);
        if (scheduled == 0) registry.scheduleEpoch(_schedule(epoch));
        EpochOpening memory opening = _opening(epoch);
        registry.openEpoch(opening, vm.addr(signerKey), _signOpening(opening, signerKey));
    }

    function _signOpening(EpochOpening memory opening, uint256 key) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "EpochOpening(uint32 keyGroup,uint32 keyEpoch,bytes32 publicKeyHash,bytes32 configHash,bytes32 setHash,uint256 recovery)"
        );
        return _sign(key, _registryMessage(keccak256(abi.encode(typeHash, opening))));
    }

    function _id(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _registryMessage(bytes32 structHash) internal view returns (bytes32) {
        return Reference.typed("Subrosa Registry", block.chainid, address(registry), structHash);
    }

    function _sign(uint256 key, bytes32 message) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, message);
        return abi.encodePacked(r, s, v);
    }
}
