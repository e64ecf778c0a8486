// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {RegistryStorage} from "./RegistryStorage.sol";

/// @title What makes a revocation or suspension take effect on signers already admitted
/// @notice A family's generation counts what was taken from it. A signer keeps the one it was admitted
/// in; where they differ, `checkSigner` looks up everything that the signer rests on. So a revocation
/// costs the others, which it does not concern, some gas until they renew, and nobody anything before.
library Generations {
    /// @notice Something was taken from one family.
    function take(uint256 teeKind) internal {
        ++RegistryStorage.load().families[teeKind].generation;
    }

    /// @notice Something was taken that signers of any family may rest on. A family that never had a
    /// measurement has no signers.
    function takeFromAll() internal {
        uint256 kinds = RegistryStorage.load().kinds;
        for (uint256 kind = 0; kinds >> kind != 0; ++kind) {
            if (kinds >> kind & 1 != 0) take(kind);
        }
    }

    /// @notice A machine was taken. Admissions look machines up from now on, those of later families too.
    function takeMachine() internal {
        RegistryStorage.Layout storage $ = RegistryStorage.load();
        $.machinesBarred = true;
        uint256 kinds = $.kinds;
        for (uint256 kind = 0; kinds >> kind != 0; ++kind) {
            if (kinds >> kind & 1 == 0) continue;
            $.families[kind].machinesBarred = true;
            take(kind);
        }
    }
}
