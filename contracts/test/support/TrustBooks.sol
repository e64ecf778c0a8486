// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DcapClaims} from "../../src/interfaces/ISubrosaDcap.sol";
import {ISubrosaSuspensions} from "../../src/interfaces/ISubrosaSuspensions.sol";
import {DcapRegistration, ReportBinding, SignerAdmission} from "../../src/interfaces/SubrosaTypes.sol";
import {DuoTest} from "./DuoTest.sol";
import {Reference} from "./Reference.sol";

/// @notice An own account of whom to trust, and why: nothing here asks the registry what it thinks.
abstract contract TrustBooks is DuoTest {
    struct Signer {
        uint256 key;
        address account;
        uint256 build;
        bytes32 configHash;
        bytes32 product;
        uint40 leaseUntil;
        uint32 tcbEvaluation;
        /// Bit n: `vouchers[n]` vouched for the lease.
        uint256 vouchers;
        bool revoked;
        bytes32 machine;
    }

    struct Build {
        bytes32 id;
        bytes32 hash;
        uint8 family;
        bool revoked;
    }

    struct Family {
        uint32 minimum;
        bool stopped;
    }

    struct Voucher {
        /// Zero for a contract that verifies quotes.
        uint256 key;
        address account;
        bool trusted;
        bool revoked;
        /// When it last stopped vouching.
        uint40 left;
    }

    /// Why a signer may not sign now; the first that applies.
    enum Trust {
        Trusted,
        Revoked,
        LeaseEnded,
        BuildRevoked,
        ConfigRemoved,
        ProductDenied,
        VoucherRevoked,
        FamilyDenied,
        MachineDenied,
        Suspended,
        NotOfEpoch
    }

    uint256 internal constant TRUSTS = 11;
    /// Longer than any lease here, and short enough that places of vouchers pass on.
    uint40 internal constant LONGEST = 8 days;
    uint256 internal constant PLACES = 16;
    uint256 internal constant NONE = type(uint256).max;

    Signer[] internal signers;
    Build[] internal builds;
    Voucher[] internal vouchers;
    bytes32[] internal configs;
    mapping(uint256 family => Family) internal families;
    mapping(bytes32 configHash => bool) internal removed;
    mapping(bytes32 product => bool) internal denied;
    mapping(bytes32 machine => bool) internal deniedMachine;
    /// Whether only the first of the machines may be used of a family.
    mapping(uint256 family => bool) internal restrictedFamily;
    mapping(bytes32 subject => bool) internal suspended;
    /// The members of each epoch that is or was current.
    mapping(uint256 epoch => mapping(bytes32 pair => bool)) internal isMember;
    uint256 internal threshold = 1;
    /// Which of the vouchers verifies quotes.
    uint256 internal dcapInUse = NONE;
    /// Whether the TCB status that all quotes here have is refused.
    bool internal statusRefused;

    function _maximumLease() internal pure override returns (uint40) {
        return LONGEST;
    }

    function _trust(Signer memory s) internal view returns (Trust) {
        if (s.revoked) return Trust.Revoked;
        if (block.timestamp >= s.leaseUntil) return Trust.LeaseEnded;
        if (_revokedOf(s.vouchers) != 0) return Trust.VoucherRevoked;
        if (_machineDenies(s)) return Trust.MachineDenied;
        if (builds[s.build].revoked) return Trust.BuildRevoked;
        if (removed[s.configHash]) return Trust.ConfigRemoved;
        if (denied[s.product]) return Trust.ProductDenied;
        if (_familyDenies(s)) return Trust.FamilyDenied;
        if (
            suspended[_subject(ISubrosaSuspensions.Subject.Signer, 0, _id(s.account))]
                || _restsOnSuspended(s, s.vouchers)
        ) {
            return Trust.Suspended;
        }
        return Trust.Trusted;
    }

    /// @dev And whether it may sign for this epoch.
    function _trustIn(Signer memory s, uint32 epoch) internal view returns (Trust trust) {
        trust = _trust(s);
        if (trust == Trust.Trusted && !isMember[epoch][_pair(builds[s.build].id, s.configHash)]) {
            return Trust.NotOfEpoch;
        }
    }

    function _pair(bytes32 measurementId, bytes32 configHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(measurementId, configHash));
    }

    function _subject(ISubrosaSuspensions.Subject subject, uint8 kind, bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(subject, kind, id));
    }

    /// @dev Whether anything is suspended that a signer would rest on with these vouchers.
    function _restsOnSuspended(Signer memory s, uint256 mask) internal view returns (bool) {
        uint8 family = builds[s.build].family;
        return _suspendedOf(mask) != 0
            || suspended[_subject(ISubrosaSuspensions.Subject.Measurement, 0, builds[s.build].id)]
            || suspended[_subject(ISubrosaSuspensions.Subject.Configuration, 0, s.configHash)]
            || suspended[_subject(ISubrosaSuspensions.Subject.Product, family, s.product)]
            || suspended[_subject(ISubrosaSuspensions.Subject.Machine, 0, s.machine)]
            || suspended[_subject(ISubrosaSuspensions.Subject.Family, family, 0)];
    }

    /// @dev Those of some vouchers that are suspended.
    function _suspendedOf(uint256 mask) internal view returns (uint256 found) {
        for (uint256 i = 0; i < vouchers.length; ++i) {
            bytes32 name = _subject(ISubrosaSuspensions.Subject.Voucher, 0, _id(vouchers[i].account));
            if (mask >> i & 1 != 0 && suspended[name]) found |= 1 << i;
        }
    }

    function _revokedOf(uint256 mask) internal view returns (uint256 found) {
        for (uint256 i = 0; i < vouchers.length; ++i) {
            if (mask >> i & 1 != 0 && vouchers[i].revoked) found |= 1 << i;
        }
    }

    function _machineDenies(Signer memory s) internal view returns (bool) {
        return deniedMachine[s.machine] || (restrictedFamily[builds[s.build].family] && s.machine != _machine(0));
    }

    /// @dev The last of them gives no identity.
    function _machine(uint256 which) internal pure returns (bytes32) {
        return which % 4 == 3 ? bytes32(0) : keccak256(abi.encode("machine", which % 4));
    }

    /// @dev Whether everything is trusted that an admission says of a signer.
    function _isAcceptable(Signer memory s) internal view returns (bool) {
        return !builds[s.build].revoked && !removed[s.configHash] && !denied[s.product] && !_familyDenies(s)
            && !_machineDenies(s);
    }

    function _familyDenies(Signer memory s) private view returns (bool) {
        Family memory family = families[builds[s.build].family];
        return family.stopped || s.tcbEvaluation < family.minimum;
    }

    /// @dev Whether one more voucher finds a place.
    function _hasPlace() internal view returns (bool) {
        uint256 taken;
        for (uint256 i = 0; i < vouchers.length; ++i) {
            if (vouchers[i].trusted || _leftLately(vouchers[i])) ++taken;
        }
        return taken < PLACES;
    }

    /// @dev Whether a lease that the voucher vouched for may still run.
    function _leftLately(Voucher memory v) internal view returns (bool) {
        return v.left != 0 && block.timestamp < v.left + LONGEST;
    }

    function _product(uint8 family, uint256 which) internal pure returns (bytes32) {
        return keccak256(abi.encode(Reference.domain("product"), family, keccak256(abi.encodePacked(_fmspc(which)))));
    }

    function _fmspc(uint256 which) internal pure returns (bytes6) {
        return bytes6(uint48(which % 3 + 1));
    }

    /// @dev What verifiers would say of a signer.
    function _statement(Signer memory s) internal view returns (SignerAdmission memory a) {
        a = _admission(s.account);
        a.measurementId = builds[s.build].id;
        a.teeKind = builds[s.build].family;
        a.configHash = s.configHash;
        a.product = s.product;
        a.machineId = s.machine;
        a.tcbEvaluation = s.tcbEvaluation;
        a.notAfter = s.leaseUntil;
    }

    /// @dev A quote that says the same, for `QuoteStub` to find genuine.
    function _quoteOf(Signer memory s) internal view returns (DcapRegistration memory r) {
        DcapClaims memory claims;
        claims.rootId = ROOT;
        claims.teeKind = builds[s.build].family;
        claims.measurementHash = builds[s.build].hash;
        ReportBinding memory binding = ReportBinding(
            Reference.domain("report-data"), 1, s.account, keccak256("transfer key"), s.configHash, START
        );
        claims.reportDataHigh = sha256(abi.encode(binding));
        claims.reportDataLow = sha256(
            bytes.concat(
                Reference.domain("registration-challenge"), blockhash(block.number - 1), bytes20(address(this))
            )
        );
        claims.tcbStatus = 1;
        claims.machineId = s.machine;
        claims.tcbEvaluation = s.tcbEvaluation;
        claims.expires = s.leaseUntil;
        for (uint256 i = 0; i < 3; ++i) {
            if (_product(claims.teeKind, i) == s.product) claims.fmspc = _fmspc(i);
        }
        r.quote = abi.encode(claims);
        r.rootId = ROOT;
        r.signer = s.account;
        r.transferKeyHash = binding.transferKeyHash;
        r.configHash = s.configHash;
        r.startHash = START;
        r.challengeBlock = uint64(block.number - 1);
    }
}

/// @notice Takes the claims for the quote.
contract QuoteStub {
    function verifyQuote(bytes calldata quote, bytes calldata, bytes32, bytes32, bytes32, bytes32)
        external
        pure
        returns (DcapClaims memory)
    {
        return abi.decode(quote, (DcapClaims));
    }
}
