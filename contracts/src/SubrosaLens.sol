// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EntryStatus, ISubrosaLens, ThresholdView, Versions} from "./interfaces/ISubrosaLens.sol";
import {Chain} from "./chain/Chain.sol";
import {ISubrosaOracle, Policy, PriceTable, Registration} from "./interfaces/ISubrosaOracle.sol";
import {Digests} from "./libraries/Digests.sol";
import {HeadSlot} from "./libraries/HeadSlot.sol";
import {LogSlot, LogSlots} from "./libraries/LogSlot.sol";
import {PriceSlot} from "./libraries/PriceSlot.sol";
import {Prices} from "./libraries/Prices.sol";
import {OracleStorage} from "./oracle/OracleStorage.sol";

/// @title SubrosaLens
/// @notice See `ISubrosaLens`.
contract SubrosaLens is Chain, ISubrosaLens {
    uint256 private constant RING = 64;
    uint256 private constant APART = 1 << 48;

    /// Fields of `OracleStorage.Layout`, in order.
    uint256 private constant ENTRIES = 0;
    uint256 private constant CANDIDATES = 4;
    uint256 private constant CALLERS = 5;
    uint256 private constant NONCES = 6;
    uint256 private constant UPGRADES = 9;
    uint256 private constant THRESHOLDS = 10;
    uint256 private constant ADDED = 11;
    uint256 private constant CONTRACTS = 12;
    uint256 private constant WAITING = 13;

    /// @inheritdoc ISubrosaLens
    ISubrosaOracle public immutable oracle;

    /// @param oracle_ The oracle to look at.
    constructor(ISubrosaOracle oracle_) {
        oracle = oracle_;
    }

    /// @inheritdoc ISubrosaLens
    function statusOf(bytes32 contractId, uint256 seq) external view returns (EntryStatus memory status) {
        HeadSlot head = _head(contractId);
        status.exists = seq < _log(contractId).nextSeq();
        if (!status.exists) return status;
        bytes32 slot = slotOf(contractId, seq | APART);
        if (slot == 0) slot = slotOf(contractId, seq % RING);
        // Of a stateless contract: what took the slot of an executed entry is a round younger, or more. An entry that
        // is pending has its slot.
        status.executed = head.isStateless() ? _executedStateless(contractId, seq, slot) : seq < head.seq();
        if (status.executed) {
            uint256 flags = uint256(oracle.outstandingOf(contractId, seq)) & 0xff;
            status.callbackDue = flags & 1 != 0;
            status.refundDue = flags & 2 != 0;
            return status;
        }
        status.digest = slot & ~bytes32(uint256(0xff));
        uint256 bits = uint256(slot) & 0xff;
        status.refunded = bits & 1 != 0;
        status.cancelled = bits & 2 != 0;
        status.reclaimed = bits & 16 != 0;
        status.addedFee = uint256(_load(_key(_key(_field(ADDED), contractId), bytes32(seq))));
    }

    /// @inheritdoc ISubrosaLens
    function pendingOf(bytes32 contractId) external view returns (uint256 from, uint256 to) {
        return (_head(contractId).seq(), _log(contractId).nextSeq());
    }

    /// @inheritdoc ISubrosaLens
    function pendingIn(bytes32 contractId, uint32 keyEpoch) external view returns (uint256) {
        HeadSlot head = _head(contractId);
        if (!head.isStateless()) return 0;
        if (head.keyEpoch() == keyEpoch) return head.pending();
        uint256 keys = uint256(_log(contractId).keyGroup()) << 32 | keyEpoch;
        return uint256(_load(_key(_key(_field(WAITING), contractId), bytes32(keys))));
    }

    /// @inheritdoc ISubrosaLens
    function policyOf(bytes32 contractId) external view returns (Policy memory) {
        return _log(contractId).policy();
    }

    /// @inheritdoc ISubrosaLens
    function versionsOf(bytes32 contractId) external view returns (Versions memory) {
        LogSlot log = _log(contractId);
        return Versions({
            keyGroup: log.keyGroup(),
            keyEpoch: log.keyEpoch(),
            codeVersion: log.codeVersion(),
            runtimeGeneration: log.runtimeGeneration(),
            finalityClass: log.finalityClass(),
            stateless: log.isStateless(),
            world: log.isWorld(),
            abandonedOnRetirement: log.isAbandonable(),
            abandoned: log.isAbandoned()
        });
    }

    /// @inheritdoc ISubrosaLens
    function thresholdOf(bytes32 contractId) external view returns (ThresholdView memory threshold) {
        uint256 word = uint256(_load(_key(_field(THRESHOLDS), contractId)));
        threshold = ThresholdView({
            signers: uint8(word),
            kinds: uint8(word >> 8),
            nextSigners: uint8(word >> 16),
            nextKinds: uint8(word >> 24),
            from: uint48(word >> 32)
        });
        if (threshold.from != 0 && block.timestamp >= threshold.from) {
            threshold = ThresholdView(threshold.nextSigners, threshold.nextKinds, 0, 0, 0);
        }
    }

    /// @inheritdoc ISubrosaLens
    function upgradeOf(bytes32 contractId)
        external
        view
        returns (uint32 delay, bytes32 codeCommitment, uint48 readyAt)
    {
        bytes32 slot = _key(_field(UPGRADES), contractId);
        uint256 word = uint256(_load(slot));
        return (uint32(word), _load(bytes32(uint256(slot) + 1)), uint48(word >> 32));
    }

    /// @inheritdoc ISubrosaLens
    function slotOf(bytes32 contractId, uint256 position) public view returns (bytes32 slot) {
        return _load(_key(_key(_field(ENTRIES), contractId), bytes32(position)));
    }

    /// @inheritdoc ISubrosaLens
    function contractsIn(uint32 keyGroup, uint32 keyEpoch) external view returns (uint256) {
        return uint256(_load(_key(_field(CONTRACTS), bytes32(uint256(keyGroup) << 32 | keyEpoch))));
    }

    /// @inheritdoc ISubrosaLens
    function candidateOf(bytes32 contractId) external view returns (address) {
        return address(uint160(uint256(_load(_key(_field(CANDIDATES), contractId)))));
    }

    /// @inheritdoc ISubrosaLens
    function isCaller(bytes32 contractId, address account) external view returns (bool) {
        bytes32 slot = _key(_key(_field(CALLERS), contractId), bytes32(uint256(uint160(account))));
        return _load(slot) != 0 || (account != address(0) && oracle.ownerOf(contractId) == account);
    }

    /// @inheritdoc ISubrosaLens
    function nonceOf(address deployer) external view returns (uint256) {
        return uint256(_load(_key(_field(NONCES), bytes32(uint256(uint160(deployer))))));
    }

    /// @inheritdoc ISubrosaLens
    function contractIdOf(address deployer, uint256 nonce) external view returns (bytes32) {
        return Digests.contractId(address(oracle), deployer, nonce);
    }

    /// @inheritdoc ISubrosaLens
    function quoteAt(
        uint256 baseFee,
        bytes32 contractId,
        uint256 inputLength,
        uint256 outputLength,
        uint256 callbackGas,
        uint256 fuelLimit
    ) external view returns (uint256 fee) {
        LogSlot log = _log(contractId);
        if (!log.exists()) revert ISubrosaOracle.UnknownContract(contractId);
        (uint256 landing, uint256 callback, uint256 charge) =
            _price(log, baseFee, inputLength, outputLength, callbackGas, fuelLimit);
        return (landing + callback + charge) * 1 gwei;
    }

    /// @inheritdoc ISubrosaLens
    function quoteRegistration(uint256 baseFee, Registration calldata registration)
        external
        view
        returns (uint256 fee)
    {
        LogSlot log = LogSlots.create(registration).uncharged().withSigners(registration.signers);
        (uint256 landing,,) = _price(log, baseFee, 32, 0, 0, registration.fuelLimit);
        return landing * 1 gwei;
    }

    /// @inheritdoc ISubrosaLens
    function prices() external view returns (PriceTable memory) {
        PriceSlot table = PriceSlot.wrap(oracle.prices());
        return PriceTable({
            landing: uint32(table.landing()),
            record: uint32(table.record()),
            callback: uint32(table.callback()),
            signature: uint16(table.signature()),
            inputByte: uint16(table.inputByte()),
            outputByte: uint16(table.outputByte()),
            includedFuel: uint48(table.includedFuel()),
            fuelPerGas: uint32(table.fuelPerGas()),
            grace: uint32(table.grace())
        });
    }

    /// @dev The three parts of a fee, in gwei, as the oracle prices them.
    function _price(
        LogSlot log,
        uint256 baseFee,
        uint256 inputLength,
        uint256 outputLimit,
        uint256 callbackGas,
        uint256 fuel
    ) private view returns (uint256 landing, uint256 callback, uint256 charge) {
        PriceSlot table = PriceSlot.wrap(oracle.prices());
        uint256 dataFee = _dataFee(Prices.dataLength(log, outputLimit));
        return Prices.parts(table, log, baseFee, dataFee, inputLength, outputLimit, callbackGas, fuel);
    }

    /// @dev Whether a stateless contract's entry was executed, given what lies in its slot. A pending one is never
    /// written over, so whatever is not its own pending slot says that it was.
    function _executedStateless(bytes32 contractId, uint256 seq, bytes32 slot) private view returns (bool) {
        if (uint256(slot) & 4 != 0) return true;
        // A slot of its own is nobody else's.
        if (slotOf(contractId, seq | APART) != 0) return false;
        // The youngest entry of this place in the ring, if it is not apart, is the one that lies there.
        uint256 last = uint256(_log(contractId).nextSeq()) - 1;
        for (uint256 n = last - (last - seq) % RING; n > seq; n -= RING) {
            if (slotOf(contractId, n | APART) == 0) return true;
        }
        return false;
    }

    function _head(bytes32 contractId) private view returns (HeadSlot) {
        return HeadSlot.wrap(oracle.head(contractId));
    }

    function _log(bytes32 contractId) private view returns (LogSlot) {
        return LogSlot.wrap(oracle.logOf(contractId));
    }

    function _load(bytes32 slot) private view returns (bytes32) {
        return oracle.extsload(slot);
    }

    function _field(uint256 index) private pure returns (bytes32) {
        return bytes32(uint256(OracleStorage.LOCATION) + index);
    }

    function _key(bytes32 mapping_, bytes32 key) private pure returns (bytes32) {
        return keccak256(abi.encode(key, mapping_));
    }
}
