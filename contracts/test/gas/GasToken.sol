// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SubrosaConsumer} from "../../src/SubrosaConsumer.sol";
import {Asks} from "../../src/consumer/Asks.sol";
import {Results} from "../../src/consumer/Results.sol";
import {SubrosaGuest} from "../../src/guest/SubrosaGuest.sol";
import {ISubrosaOracle} from "../../src/interfaces/ISubrosaOracle.sol";

/// @title A confidential token, on chain
/// @notice Balances and amounts are the confidential side's; here are handles, as ERC-7984 has them: a word for an
/// amount that nobody can read, and of each account the handle of its balance, which changes with it. Who transferred to
/// whom is public, once it is done. A transfer of more than the sender has moves nothing, and its handle does not tell.
/// Its transfers are measured.
contract GasToken is SubrosaConsumer {
    using Asks for SubrosaConsumer.Ask;

    uint64 private constant FUEL = 1_000_000;
    uint32 private constant CALLBACK_GAS = 60_000;
    uint48 private constant ANSWER_WITHIN = 1 hours;
    /// What `GasBalances.transfer` returns.
    uint24 private constant OUTPUT = 72;

    /// @notice The confidential contract that keeps the balances (`GasBalances`).
    bytes32 public immutable balances;

    /// @notice The handle of an account's balance; zero before its first transfer.
    mapping(address account => bytes32 handle) public confidentialBalanceOf;

    /// @notice A transfer was made; of how much only the two know.
    event ConfidentialTransfer(address indexed from, address indexed to, bytes32 indexed amount);

    constructor(ISubrosaOracle oracle_, bytes32 balances_) SubrosaConsumer(oracle_) {
        balances = balances_;
    }

    /// @notice Transfers what its sender encrypted for `nextContext(sender)`: a call of `GasBalances.transfer`. The value
    /// sent is the fee; what it is more goes to whoever lands the result, as finding out and returning it costs more gas.
    /// @param keyEpoch The epoch it is encrypted for.
    function confidentialTransfer(bytes calldata envelope, uint32 keyEpoch) external payable returns (uint48 seq) {
        Ask memory what = Asks.envelope(balances).fuel(FUEL).output(OUTPUT).callback(CALLBACK_GAS);
        what = what.within(ANSWER_WITHIN).inEpoch(keyEpoch);
        return _requestFor(msg.sender, msg.sender, msg.value, what, envelope);
    }

    function _onResult(bytes32, uint256, uint8 status, bytes calldata output) internal override {
        if (!Results.succeeded(status)) return;
        bytes32 amount = bytes32(output[:32]);
        address from = address(bytes20(output[32:52]));
        address to = address(bytes20(output[52:72]));
        confidentialBalanceOf[from] = keccak256(abi.encode(amount, from));
        confidentialBalanceOf[to] = keccak256(abi.encode(amount, to));
        emit ConfidentialTransfer(from, to, amount);
    }
}

/// @title The confidential side: balances
contract GasBalances {
    address private immutable _token;
    mapping(address account => uint256) private _balances;

    error NotTheToken();

    /// @param token The `GasToken` on chain.
    /// @param holder Who has all of it at first.
    constructor(address token, address holder, uint256 supply) {
        _token = token;
        _balances[holder] = supply;
    }

    /// @notice Moves `amount` from whoever asked, or nothing if that is more than there is: a failure would tell everybody
    /// about the balance. Its output is public: a handle of what was moved, 32 bytes, from and to. As long whatever
    /// happened, and not encoded: each byte of it is paid for on chain.
    function transfer(address to, uint256 amount) external {
        address from = _asker();
        if (amount > _balances[from]) amount = 0;
        _balances[from] -= amount;
        _balances[to] += amount;
        bytes memory output = abi.encodePacked(bytes32(SubrosaGuest.randomBytes(32, "handle")), from, to);
        assembly ("memory-safe") {
            return(add(output, 0x20), mload(output))
        }
    }

    /// @notice The asker's balance; asked in a query, which is no entry and costs nothing.
    function balance() external view returns (uint256) {
        return _balances[_asker()];
    }

    function _asker() private view returns (address) {
        if (msg.sender != _token) revert NotTheToken();
        return SubrosaGuest.contextAccount();
    }
}
