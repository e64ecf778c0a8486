// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A text with one change: of a character, or of what lies between two commas.
contract JsonMutations {
    function mutate(bytes calldata json, uint256 seed) external pure returns (bytes memory) {
        uint256 place = (seed >> 8) % json.length;
        uint256 way = uint8(seed) % 8;
        // Characters that mean something.
        bytes1 other = bytes('0123456789:,"{}[]\\ aAzTZ-')[(seed >> 128) % 25];
        if (way == 0) return bytes.concat(json[:place], json[place + 1:]);
        if (way == 1) return bytes.concat(json[:place], json[place], json[place:]);
        if (way == 2) return bytes.concat(json[:place], other, json[place + 1:]);
        if (way == 3) return bytes.concat(json[:place], other, json[place:]);
        if (way == 4) return bytes.concat(json[:place], bytes1(uint8(seed >> 136)), json[place + 1:]);

        uint256 from = place;
        while (from > 0 && json[from - 1] != ",") --from;
        uint256 to = _afterComma(json, place);
        if (way == 5) return bytes.concat(json[:from], json[to:]);
        if (way == 6) return bytes.concat(json[:to], json[from:]);
        // With the next one before it.
        uint256 next = to == json.length ? to : _afterComma(json, to);
        return bytes.concat(json[:from], json[to:next], json[from:to], json[next:]);
    }

    function _afterComma(bytes calldata json, uint256 place) private pure returns (uint256) {
        while (place < json.length && json[place] != ",") ++place;
        return place == json.length ? place : place + 1;
    }
}
