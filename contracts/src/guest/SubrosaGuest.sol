// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title SubrosaGuest
/// @notice What a confidential contract can ask of the enclave that runs it. Outside of one, on a
/// public chain, every function reverts with `NotConfidential`.
library SubrosaGuest {
    /// @notice This contract does not run inside a Subrosa enclave.
    /// @custom:remedy Register the contract with the oracle and call it there; on a public chain it has
    /// no secrets to keep.
    error NotConfidential();

    /// @notice More random bytes were asked for than one call yields (1,024).
    /// @custom:remedy Draw in several calls, or expand a seed.
    error TooManyRandomBytes(uint256 asked);

    /// @notice Where the enclave answers who asked for this invocation.
    address internal constant INVOCATION = 0x0200000000000000000000000000000000000001;

    /// @notice Where the enclave answers with random bytes, as on Oasis Sapphire.
    address internal constant RANDOM_BYTES = 0x0100000000000000000000000000000000000001;

    /// @notice Everything about the invocation at once, for one host call.
    /// @return context_ what the requester asserts about on whose behalf it asks
    /// @return contractId_ this contract's identifier on chain
    /// @return seq_ position of the request in this contract's log
    /// @return envelopeId_ identifier of the envelope the input came in, zero if it came in none
    function invocation()
        internal
        view
        returns (bytes32 context_, bytes32 contractId_, uint256 seq_, bytes16 envelopeId_)
    {
        (bool ok, bytes memory answer) = INVOCATION.staticcall("");
        if (!ok || answer.length != 128) revert NotConfidential();
        return abi.decode(answer, (bytes32, bytes32, uint256, bytes16));
    }

    /// @notice What the requester asserts about on whose behalf it asks. It is only as good as the
    /// requester, which is `msg.sender`: trust it if you trust the contract that set it.
    function context() internal view returns (bytes32 context_) {
        (context_,,,) = invocation();
    }

    /// @notice The account in the context's first 20 bytes, where `SubrosaConsumer` puts its own
    /// `msg.sender`.
    function contextAccount() internal view returns (address) {
        return address(bytes20(context()));
    }

    /// @notice This contract's identifier on chain.
    function contractId() internal view returns (bytes32 contractId_) {
        (, contractId_,,) = invocation();
    }

    /// @notice Position of the request in this contract's log.
    function seq() internal view returns (uint256 seq_) {
        (,, seq_,) = invocation();
    }

    /// @notice Identifier of the envelope the input came in; zero if it came in none. The same
    /// envelope is never executed twice.
    function envelopeId() internal view returns (bytes16 envelopeId_) {
        (,,, envelopeId_) = invocation();
    }

    /// @notice Random bytes that nobody outside the enclave can foresee.
    /// @dev Fixed by the request once it is in the log: whoever can submit requests can submit
    /// another one to draw again, so act on a draw in the request that made it.
    /// @param n how many, at most 1,024
    /// @param personalization separates draws by their purpose; may be empty
    /// @return random the bytes
    function randomBytes(uint256 n, bytes memory personalization) internal view returns (bytes memory random) {
        if (n > 1024) revert TooManyRandomBytes(n);
        bool ok;
        (ok, random) = RANDOM_BYTES.staticcall(abi.encode(n, personalization));
        if (!ok || random.length != n) revert NotConfidential();
    }
}
