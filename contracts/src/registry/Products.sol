// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {ISubrosaGovernance} from "../interfaces/ISubrosaGovernance.sol";
import {SignerSlots} from "../libraries/SignerSlot.sol";
import {Generations} from "./Generations.sol";
import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Denying hardware products
/// @notice A product found broken is denied, of which signers already admitted hear at once. It can be allowed
/// again, as a vendor can mend one by microcode.
abstract contract Products is AccessManaged, ISubrosaGovernance {
    /// @inheritdoc ISubrosaGovernance
    function denyProduct(uint8 teeKind, bytes32 product) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if ($.denied[teeKind][product]) revert ProductIsDenied(teeKind, product);
        $.denied[teeKind][product] = true;
        ++$.productTags[teeKind][SignerSlots.tagOf(product)].denials;
        ++$.families[teeKind].denials;
        Generations.take(teeKind);
        emit ProductDenied(teeKind, product);
    }

    /// @inheritdoc ISubrosaGovernance
    function allowProduct(uint8 teeKind, bytes32 product) external restricted {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        if (!$.denied[teeKind][product]) revert ProductNotDenied(teeKind, product);
        $.denied[teeKind][product] = false;
        --$.productTags[teeKind][SignerSlots.tagOf(product)].denials;
        --$.families[teeKind].denials;
        emit ProductAllowed(teeKind, product);
    }

    /// @inheritdoc ISubrosaGovernance
    function isDenied(uint8 teeKind, bytes32 product) external view returns (bool) {
        return RegistryStorage.load().denied[teeKind][product];
    }
}
