// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";
import {Terms} from "./Terms.sol";

/// @title Whose word admits signers
/// @notice Verifiers' keys and the contract that verifies DCAP quotes are vouchers. Each has one of 16
/// indices, and every signer keeps the set of those that vouched for it, so that what a voucher did
/// can be undone. An index passes to another voucher once no lease that it stands for can run.
abstract contract Vouchers is AccessManaged, ISubrosaGovernance, Terms {
    uint256 private constant INDICES = 16;

    /// @inheritdoc ISubrosaGovernance
    function setVerifier(address verifier, bool trusted) external restricted {
        if (verifier == address(0)) revert ZeroSigner();
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Voucher storage voucher = $.vouchers[verifier];
        bool known = voucher.threshold != 0;
        if (trusted && !known) {
            if (verifier == $.dcap) revert VoucherInUse(verifier);
            _seat(verifier);
            voucher.threshold = $.verifierThreshold;
        }
        if (!trusted && known) {
            _vacate(verifier);
            voucher.threshold = 0;
        }
        emit VerifierChanged(verifier, trusted);
    }

    /// @inheritdoc ISubrosaGovernance
    function revokeVerifier(address verifier) external restricted {
        if (verifier == address(0)) revert ZeroSigner();
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if (verifier == $.dcap) revert VoucherInUse(verifier);
        _revoke(verifier);
        $.vouchers[verifier].threshold = 0;
        emit VerifierRevoked(verifier);
    }

    /// @inheritdoc ISubrosaGovernance
    function setVerifierThreshold(uint16 threshold) external restricted {
        _setVerifierThreshold(threshold);
    }

    /// @inheritdoc ISubrosaGovernance
    function setDcap(address dcap, uint16 acceptedTcbStatuses) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        address former = $.dcap;
        if (dcap != former) {
            if (former != address(0)) _vacate(former);
            if (dcap != address(0)) {
                if ($.vouchers[dcap].threshold != 0) revert VoucherInUse(dcap);
                $.dcapIndex = _seat(dcap);
            }
            $.dcap = dcap;
        }
        $.acceptedTcbStatuses = acceptedTcbStatuses;
        emit DcapChanged(dcap, acceptedTcbStatuses);
    }

    /// @inheritdoc ISubrosaGovernance
    function revokeDcap(address dcap) external restricted {
        if (dcap == address(0)) revert DcapNotAccepted();
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if ($.vouchers[dcap].threshold != 0) revert VoucherInUse(dcap);
        _revoke(dcap);
        if (dcap == $.dcap) $.dcap = address(0);
        emit DcapRevoked(dcap);
    }

    /// @inheritdoc ISubrosaGovernance
    function isVerifier(address verifier) external view returns (bool) {
        return RegistryStorage.load().vouchers[verifier].threshold != 0;
    }

    /// @inheritdoc ISubrosaGovernance
    function verifierThreshold() external view returns (uint16) {
        return RegistryStorage.load().verifierThreshold;
    }

    /// @inheritdoc ISubrosaGovernance
    function dcapVerification() external view returns (address dcap, uint16 acceptedTcbStatuses) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        return ($.dcap, $.acceptedTcbStatuses);
    }

    /// @inheritdoc ISubrosaGovernance
    function voucherOf(address voucher)
        external
        view
        returns (bool seated, uint8 index, uint40 vacated, bool revoked, bool suspended)
    {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Voucher memory v = $.vouchers[voucher];
        (revoked, suspended) = (v.revoked, v.suspended);
        RegistryStorage.Seat memory seat = $.seats[v.index];
        if (voucher != address(0) && seat.holder == voucher) (seated, index, vacated) = (true, v.index, seat.vacated);
    }

    function _setVerifierThreshold(uint16 threshold) private {
        if (threshold == 0) revert ZeroThreshold();
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.verifierThreshold = threshold;
        for (uint256 index = 0; index < INDICES; ++index) {
            RegistryStorage.Voucher storage voucher = $.vouchers[$.seats[index].holder];
            if (voucher.threshold != 0) voucher.threshold = threshold;
        }
        emit VerifierThresholdChanged(threshold);
    }

    /// @dev Gives a voucher the index it had, if nobody else has it since: leases that it vouched for then
    /// may still run. Otherwise the lowest free one.
    function _seat(address account) private returns (uint8 index) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Voucher storage voucher = $.vouchers[account];
        if (voucher.revoked) revert VoucherIsRevoked(account);

        index = voucher.index;
        if ($.seats[index].holder != account) {
            index = _freeIndex();
            voucher.index = index;
            // Its last holder's, of which no lease is left.
            uint16 bit = uint16(1) << index;
            $.revokedVouchers &= ~bit;
            $.suspendedVouchers = voucher.suspended ? $.suspendedVouchers | bit : $.suspendedVouchers & ~bit;
        }
        $.seats[index] = RegistryStorage.Seat({holder: account, vacated: 0});
    }

    /// @dev From now on the voucher vouches for nobody.
    function _vacate(address account) private {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.seats[$.vouchers[account].index].vacated = uint40(block.timestamp);
    }

    /// @dev Nor counts any more what it vouched for before.
    function _revoke(address account) private {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        RegistryStorage.Voucher storage voucher = $.vouchers[account];
        if (voucher.revoked) revert VoucherIsRevoked(account);
        voucher.revoked = true;

        uint8 index = voucher.index;
        // Another's index, or none: no lease is left that rests on this voucher.
        if ($.seats[index].holder != account) return;
        if ($.seats[index].vacated == 0) _vacate(account);
        $.revokedVouchers |= uint16(1) << index;
        Generations.takeFromAll();
    }

    /// @dev A lease is never longer than the maximum, so what was vacated that long ago stands for none.
    function _freeIndex() private view returns (uint8) {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        for (uint8 index = 0; index < INDICES; ++index) {
            RegistryStorage.Seat memory seat = $.seats[index];
            if (seat.holder == address(0)) return index;
            if (seat.vacated != 0 && block.timestamp >= uint256(seat.vacated) + _maximumLease) return index;
        }
        revert NoVoucherIndex();
    }
}
