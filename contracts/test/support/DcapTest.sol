// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {DcapClaims, DcapCollateral, ISubrosaDcap} from "../../src/interfaces/ISubrosaDcap.sol";

/// @notice Evidence and collateral from `test/fixtures/dcap.json`, which `fixtures.mjs` writes.
abstract contract DcapTest is Test {
    string internal json;
    ISubrosaDcap internal dcap;
    bytes32 internal rootId;
    bytes32 internal pckAuthority;

    function setUp() public virtual {
        json = vm.readFile("test/fixtures/dcap.json");
        rootId = vm.parseJsonBytes32(json, ".rootId");
        pckAuthority = vm.parseJsonBytes32(json, ".pckAuthority");
        vm.warp(vm.parseJsonUint(json, ".now"));
        dcap = _deploy();
    }

    function _deploy() internal returns (ISubrosaDcap) {
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = rootId;
        return ISubrosaDcap(deployCode("SubrosaDcap.sol:SubrosaDcap", abi.encode(roots)));
    }

    /// @dev The collateral of a base (`tdx`, `sgx`) with what a case replaces, if any.
    function _collateral(string memory base, string memory changes) internal view returns (DcapCollateral memory) {
        return DcapCollateral({
            rootCertificate: _part(base, changes, "rootCertificate"),
            rootCrl: _part(base, changes, "rootCrl"),
            pckAuthority: _part(base, changes, "pckAuthority"),
            pckCrl: _part(base, changes, "pckCrl"),
            tcbSigner: _part(base, changes, "tcbSigner"),
            tcbInfo: _part(base, changes, "tcbInfo"),
            tcbInfoSignature: _part(base, changes, "tcbInfoSignature"),
            qeIdentity: _part(base, changes, "qeIdentity"),
            qeIdentitySignature: _part(base, changes, "qeIdentitySignature")
        });
    }

    function _collateral(string memory base) internal view returns (DcapCollateral memory) {
        return _collateral(base, "");
    }

    function _quote(string memory base) internal view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(".bases.", base, ".quote"));
    }

    function _pck(string memory base) internal view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(".bases.", base, ".pck"));
    }

    function _verify(bytes memory quote) internal view returns (DcapClaims memory) {
        return dcap.verifyQuote(quote, _pck("tdx"), rootId, pckAuthority, 0, 0);
    }

    /// @dev As `verifyQuote` names TCB infos and QE identities.
    function _edition(bytes memory document, bytes memory signer) internal pure returns (bytes32) {
        // SEQUENCE of TBSCertificate and more, both with lengths of two bytes.
        uint256 length = 4 + (uint256(uint8(signer[6])) << 8 | uint8(signer[7]));
        bytes memory signed = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            signed[i] = signer[4 + i];
        }
        return keccak256(abi.encode(sha256(document), sha256(signed)));
    }

    function _part(string memory base, string memory changes, string memory field) private view returns (bytes memory) {
        string memory changed = string.concat(".collateral.", field);
        if (bytes(changes).length != 0 && vm.keyExistsJson(changes, changed)) {
            return vm.parseJsonBytes(changes, changed);
        }
        return vm.parseJsonBytes(json, string.concat(".bases.", base, ".collateral.", field));
    }
}
