// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// The registry's authority is OpenZeppelin's AccessManager as it is. Importing it here is what makes
// the build produce its artifact.
// forge-lint: disable-next-line(unused-import)
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
