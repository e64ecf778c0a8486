// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JsonReference} from "./JsonReference.sol";

/// @notice See `IDocuments`. The layout of quotes (Intel SGX DCAP Quoting Library API, appendix A), as
/// a list of fields cut off one after the other.
contract References is JsonReference {
    struct ReferenceQuote {
        bool tdx;
        bool td15;
        uint256 body;
        uint256 signedLength;
        uint256 qeReport;
    }

    function quote(bytes calldata data) external pure returns (bytes memory) {
        ReferenceQuote memory q;
        uint256 version = _little(data[:2]);
        uint256 tee = _little(data[4:8]);
        require(_little(data[2:4]) == 2);
        require(bytes16(data[12:28]) == 0x939a7233f79c4ca9940a0db3957f0607);
        q.body = 48;
        uint256 size = 384;
        if (version == 3) {
            require(tee == 0);
        } else {
            require(tee == 0x81);
            q.tdx = true;
            size = 584;
            if (version == 5) {
                q.body = 54;
                uint256 kind = _little(data[48:50]);
                require(kind >= 2 && kind <= 4);
                size = [uint256(584), 648, 885][kind - 2];
                q.td15 = kind > 2;
                require(_little(data[50:54]) == size);
            } else {
                require(version == 4);
            }
        }
        q.signedLength = q.body + size;
        bytes calldata rest = _counted(data[q.signedLength:], 4)[128:];
        if (q.tdx) rest = _counted(rest[2:], 4);
        uint256 place;
        assembly ("memory-safe") {
            place := sub(rest.offset, data.offset)
        }
        q.qeReport = place;
        rest = rest[384 + 64:];
        require(_little(rest[:2]) == 32);
        _counted(rest[2 + 32 + 2:], 4);
        return abi.encode(q);
    }

    /// @dev As many bytes as the number before them says, in `width` bytes.
    function _counted(bytes calldata data, uint256 width) private pure returns (bytes calldata) {
        return data[width:width + _little(data[:width])];
    }

    function _little(bytes calldata data) private pure returns (uint256 value) {
        for (uint256 i = data.length; i > 0; --i) {
            value = value * 256 + uint8(data[i - 1]);
        }
    }
}
