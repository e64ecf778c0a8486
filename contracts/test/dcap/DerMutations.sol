// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Well-formed DER with one element changed and the lengths around it made right again, so
/// that a reader meets the change and not merely a length that does not fit. What octet and bit
/// strings contain counts as elements where it is DER itself.
contract DerMutations {
    /// @notice How many ways of changing an element there are.
    uint256 public constant KINDS = 17;

    uint256 private constant DONE = type(uint256).max;

    /// @notice How many elements there are in `der`, which is one element.
    function count(bytes calldata der) public pure returns (uint256 total) {
        total = 1;
        (, bytes calldata inner) = _inner(der);
        while (inner.length != 0) {
            uint256 length = _length(inner);
            total += count(inner[:length]);
            inner = inner[length:];
        }
    }

    /// @notice `der` with element `target` (counted from zero, parents before what they contain) changed.
    function mutate(bytes calldata der, uint256 target, uint256 kind, uint256 seed)
        external
        pure
        returns (bytes memory result)
    {
        (result,) = _mutate(der, target, kind, seed);
    }

    function _mutate(bytes calldata der, uint256 target, uint256 kind, uint256 seed)
        private
        pure
        returns (bytes memory result, uint256 left)
    {
        if (target == 0) return (_change(der, kind, seed), DONE);
        left = target - 1;
        (uint256 before, bytes calldata inner) = _inner(der);
        if (inner.length == 0) return (der, left);
        uint256 header = _header(der);
        result = der[header:header + before];
        while (inner.length != 0) {
            uint256 length = _length(inner);
            if (left == DONE) {
                result = bytes.concat(result, inner[:length]);
            } else {
                bytes memory piece;
                (piece, left) = _mutate(inner[:length], left, kind, seed);
                result = bytes.concat(result, piece);
            }
            inner = inner[length:];
        }
        result = _element(der[0], result);
    }

    function _change(bytes calldata der, uint256 kind, uint256 seed) private pure returns (bytes memory) {
        bytes calldata content = der[_header(der):];
        uint256 length = content.length;
        bytes1 tag = der[0];
        bytes1 other = bytes1(uint8(seed));
        if (kind == 0) return "";
        if (kind == 1) return bytes.concat(der, der);
        if (kind == 2) return _element(other, content);
        if (kind == 3) return _element(tag, "");
        if (kind == 4) return _element(tag, length == 0 ? content : content[:length - 1]);
        if (kind == 5) return _element(tag, length == 0 ? content : content[1:]);
        if (kind == 6) return _element(tag, bytes.concat(content, other));
        if (kind == 7) return _element(tag, bytes.concat(other, content));
        if (kind == 8) return _element(tag, bytes.concat(hex"00", content));
        if (kind == 9) {
            bytes memory changed = content;
            if (length != 0) changed[(seed >> 8) % length] = other;
            return _element(tag, changed);
        }
        if (kind == 10) {
            bytes memory random = new bytes((seed >> 8) % 41);
            for (uint256 i = 0; i < random.length; ++i) {
                random[i] = keccak256(abi.encode(seed, i))[0];
            }
            return _element(tag, random);
        }
        // Lengths that are not the shortest, not definite, too long by one or too short.
        if (kind == 11) {
            if (length < 0x80) return bytes.concat(tag, hex"81", bytes1(uint8(length)), content);
            if (length < 0x100) return bytes.concat(tag, hex"82", bytes2(uint16(length)), content);
            return bytes.concat(tag, hex"83", bytes3(uint24(length)), content);
        }
        if (kind == 12) return bytes.concat(tag, hex"80", content, hex"0000");
        if (kind == 13) return bytes.concat(tag, hex"83", bytes3(uint24(length)), content);
        if (kind == 14) return bytes.concat(_head(tag, length + 1), content);
        if (kind == 15) return length == 0 ? bytes(der) : bytes.concat(_head(tag, length - 1), content);
        // A BOOLEAN before: that is how extensions are marked critical.
        return bytes.concat(hex"0101ff", der);
    }

    function _element(bytes1 tag, bytes memory content) private pure returns (bytes memory) {
        return bytes.concat(_head(tag, content.length), content);
    }

    function _head(bytes1 tag, uint256 length) private pure returns (bytes memory) {
        if (length < 0x80) return bytes.concat(tag, bytes1(uint8(length)));
        if (length < 0x100) return bytes.concat(tag, hex"81", bytes1(uint8(length)));
        return bytes.concat(tag, hex"82", bytes2(uint16(length)));
    }

    /// @dev The elements inside, and how many bytes of the content come before them.
    function _inner(bytes calldata der) private pure returns (uint256 before, bytes calldata inner) {
        bytes calldata content = der[_header(der):];
        if (der[0] == 0x03 && content.length != 0) before = 1;
        bool may = uint8(der[0]) & 0x20 != 0 || der[0] == 0x03 || der[0] == 0x04;
        if (may && _isDer(content[before:])) return (before, content[before:]);
        return (0, der[:0]);
    }

    /// @dev Whether elements are all there is, whatever is in them.
    function _isDer(bytes calldata data) private pure returns (bool) {
        while (data.length != 0) {
            if (data.length < 2 || (uint8(data[1]) > 0x7f && data.length < 4)) return false;
            // Tags of the universal class that certificates have, and context-specific ones.
            uint8 tag = uint8(data[0]);
            if (tag == 0 || (tag > 0x18 && tag & 0xe0 != 0x20 && tag & 0xc0 != 0x80)) return false;
            if (uint8(data[1]) > 0x82 || uint8(data[1]) == 0x80) return false;
            uint256 length = _length(data);
            if (length > data.length) return false;
            data = data[length:];
        }
        return true;
    }

    function _header(bytes calldata der) private pure returns (uint256) {
        return uint8(der[1]) == 0x82 ? 4 : uint8(der[1]) == 0x81 ? 3 : 2;
    }

    /// @dev Of the whole first element.
    function _length(bytes calldata der) private pure returns (uint256) {
        uint256 header = _header(der);
        if (header == 2) return 2 + uint8(der[1]);
        return header + (header == 3 ? uint256(uint8(der[2])) : uint256(uint16(bytes2(der[2:4]))));
    }
}
