// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// The one definition of everything that crosses languages: Solidity compiles this file, Rust reads
// it with `alloy::sol!`, TypeScript reads the ABI. Changing a layout here changes the protocol.
//
// Hashing convention: H(x, y, …) is keccak256(abi.encode(DOMAIN, x, y, …)), where DOMAIN is
// keccak256("subrosa.v1.<name>"). Every field is a static word, so no two preimages collide.
//
// A *digest* is the top 248 bits of its hash (low byte zero): the oracle keeps it in one slot with
// eight bits of settlement status. A *commitment* is the top 208 bits of its HMAC (low six bytes
// zero): the oracle keeps it in one slot with a 48-bit sequence number.

/// @notice One entry of a confidential contract's log: everything that decides what executing it
/// means. The oracle assigns it, stores only its digest, and emits the rest.
///
/// digest = H["entry"](chainId, oracle, contractId, previousDigest, executionHash, settlement,
/// payment) & ~0xff, with executionHash = keccak256(abi.encode(context, inputHash, execution, refundTo)).
struct Entry {
    /// Identifies the confidential contract.
    bytes32 contractId;
    /// Digest of the entry before; zero for entry 0 and for every entry of a stateless contract.
    bytes32 previousDigest;
    /// What the requester asserts about on whose behalf it asks. `SubrosaConsumer` sets
    /// address (160 bits) ‖ nonce (96 bits).
    bytes32 context;
    /// keccak256 of the input bytes; for entry 0 and upgrades the code commitment.
    bytes32 inputHash;
    /// Packed, high to low: kind 8 ‖ flags 16 ‖ fuelLimit 64 ‖ codeVersion 16 ‖
    /// runtimeGeneration 16 ‖ finalityClass 8 ‖ blockNumber 48 ‖ blockTimestamp 48 ‖ outputLimit 32.
    ///
    /// Kinds: 0 deploy, 1 call, 2 upgrade, 3 epoch, 4 runtime. Flags of a call: bit 0 the input is an
    /// envelope, bit 1 its key opens a session. Flags of a deployment: bit 2 a world, bits 8 to 11 the
    /// profile (see `Registration`). outputLimit: bytes of public and sealed output together; a call that
    /// yields more is a failed one.
    uint256 execution;
    /// Packed, high to low: requester 160 ‖ callbackGasLimit 32 ‖ flags 16 ‖ deadline 48.
    /// The callback's target is the requester. A gas limit of zero asks for no callback. Flag bit 0: no
    /// callback once the deadline has passed. Bit 1: an epoch entry, whose callbackGasLimit is the number
    /// of the epoch that is left; no callback.
    uint256 settlement;
    /// Packed, high to low: landing 48 ‖ callback 48 ‖ charge 48 ‖ keyGroup 32 ‖ keyEpoch 32 ‖ seq 48.
    /// The three parts of the fee, in gwei, whose keys the entry needs, and its position in the log,
    /// from 0 (the deployment).
    uint256 payment;
    /// Whom refunds go to; zero for the requester.
    address refundTo;
}

/// @notice What executing an entry yields, as far as anyone but the recipient may know it.
/// outcomeHash = keccak256(abi.encode(outputHash, sealedOutputHash, sealedLogsHash, tag)) with tag = the
/// first 240 bits of keccak256("subrosa.v1.outcome") ‖ status 8 ‖ fuelBucket 8: one block of Keccak.
struct Outcome {
    /// 1 succeeded, 2 failed (the guest reverted, ran out of fuel or yielded more than the output limit),
    /// 3 rejected (the input did not open or decode under the key that the entry names).
    uint8 status;
    /// keccak256 of the public output; of the empty string if there is none.
    bytes32 outputHash;
    /// keccak256 of the sealed output; of the empty string if there is none.
    bytes32 sealedOutputHash;
    /// keccak256 of the sealed logs; zero for a contract without a log key. Whoever relays a result of none may say
    /// that it has logs with the hash zero, which is the same result: there is nothing to fetch.
    bytes32 sealedLogsHash;
    /// Smallest b with fuel used <= 2^b.
    uint8 fuelBucket;
}

/// @notice EIP-712 message (domain "Subrosa", "1", chainId, oracle) that the first signer of a batch signs.
/// Each element of the list: resultHash = keccak256(abi.encode(digest, outcomeHash, previousCommitment | tag,
/// newCommitment)) with tag = the first 48 bits of keccak256("subrosa.v1.result"), in the 48 bits that a
/// commitment leaves free. It says nothing of who computed it: every enclave computes the same one.
struct SignedResults {
    bytes32[] resultHashes;
    /// Who earns the fees; zero for whoever sends the transaction.
    address payee;
}

/// @notice EIP-712 message (same domain) that every further signer of a batch signs, for contracts that ask
/// for more than one. A type of its own, so that nobody can put its signer first and name another payee.
struct CosignedResults {
    bytes32[] resultHashes;
}

/// @notice What is left to be done about an executed entry: a callback that failed or was late, a refund of
/// one that was late. The oracle stores outstandingHash = keccak256(abi.encode(digest, status,
/// outputHash, held, since)) & ~0xff, and two flags.
struct Outstanding {
    /// As in `Outcome`.
    uint8 status;
    /// keccak256 of the public output.
    bytes32 outputHash;
    /// Gwei: what is held for whoever makes the callback, or for the refund's recipient.
    uint48 held;
    /// Unix seconds: when the entry was executed.
    uint48 since;
}

/// @notice EIP-712 message (domain "Subrosa Registry", "1", chainId, registry) by which a verifier
/// vouches for an enclave's signer. It admits a signer on chain; it never authorizes key release.
struct SignerAdmission {
    address signer;
    bytes32 transferKeyHash;
    bytes32 measurementId;
    bytes32 configHash;
    /// As in `ReportBinding`.
    bytes32 startHash;
    /// SHA-256 of the root key's SubjectPublicKeyInfo (DER).
    bytes32 rootId;
    uint8 teeKind;
    /// H["product"](teeKind, keccak256(name)). The name is the FMSPC (6 bytes) for Intel; "Milan", "Genoa"
    /// or "Turin" for SEV-SNP; empty for Nitro.
    bytes32 product;
    bytes32 machineId;
    uint8 tcbStatus;
    /// Below 2^24.
    uint32 tcbEvaluation;
    bytes32 policyHash;
    /// keccak256 of the evidence that was appraised.
    bytes32 evidenceHash;
    /// The evidence answers challengeBlockHash ‖ registrant, as `DcapRegistration` does. The block is one
    /// of the last 256; where EIP-2935 is active, of the last 8,191.
    uint64 challengeBlock;
    bytes32 challengeBlockHash;
    address registrant;
    /// Unix seconds; never later than the collateral's expiry.
    uint64 notAfter;
}

/// @notice What registers a signer by its enclave's DCAP quote. The second half of its report data is
/// SHA-256(keccak256("subrosa.v1.registration-challenge") ‖ hash of the challenge block ‖ the account that
/// sends the transaction).
struct DcapRegistration {
    /// As `ISubrosaDcap.verifyQuote` takes them.
    bytes quote;
    bytes pckCertificate;
    bytes32 rootId;
    bytes32 pckAuthority;
    bytes32 tcbInfo;
    bytes32 qeIdentity;
    /// What the report data binds; see `ReportBinding`.
    address signer;
    bytes32 transferKeyHash;
    bytes32 configHash;
    bytes32 startHash;
    /// One of the last 256 blocks; where EIP-2935 is active, of the last 8,191.
    uint64 challengeBlock;
}

/// @notice Who may hold an epoch's secret: a build under a configuration.
struct EpochMember {
    bytes32 measurementId;
    bytes32 configHash;
}

/// @notice What governance decides of an epoch before anyone draws its secret.
struct EpochSchedule {
    uint32 keyGroup;
    uint32 keyEpoch;
    /// One to eight, ascending by measurement and then by configuration.
    EpochMember[] members;
    /// As in `EpochOpening`.
    uint256 recovery;
    /// Ascending, as many as there are shares; none if recovery is not by custodians.
    address[] custodians;
    /// Whether the epoch before has contracts, whose state has to be carried over: one of those who
    /// acknowledge this one must hold both secrets.
    bool continues;
    /// Unix seconds before which it is not opened.
    uint40 notBefore;
}

/// @notice EIP-712 message (registry's domain) by which an admitted signer opens an epoch.
/// The registry stores H["epoch"](all fields) under (keyGroup, keyEpoch) once the epoch is current.
struct EpochOpening {
    uint32 keyGroup;
    uint32 keyEpoch;
    /// H["epoch-key"](keccak256(X-Wing public key), X25519 public key).
    bytes32 publicKeyHash;
    /// The configuration of whoever opens it.
    bytes32 configHash;
    /// H["epoch-set"](keccak256(abi.encode(members))), where members are `EpochMember[]`, ascending.
    bytes32 setHash;
    /// Packed, high to low: kind 8 ‖ threshold 8 ‖ shares 8 ‖ zero 232. Kinds: 1 replicas
    /// (threshold = k), 2 sealed by the platform, 3 custodians, 4 sealed(development).
    uint256 recovery;
}

/// @notice EIP-712 message (registry's domain) by which an admitted signer says that its enclave holds an
/// epoch's secret, and a custodian that it holds its share.
struct EpochAcknowledgement {
    uint32 keyGroup;
    uint32 keyEpoch;
    /// H["epoch"](opening).
    bytes32 record;
    /// Whether it holds the secret of the epoch before as well.
    bool holdsPrevious;
}

/// @notice Everything fixed when an enclave starts. configHash = keccak256(abi.encode(DOMAIN
/// ["config"], this struct)), bound into evidence, admissions, epochs and fulfillments.
struct EnclaveConfig {
    uint16 version;
    uint256 chainId;
    address registry;
    bytes32 registryCodeHash;
    address oracle;
    bytes32 oracleCodeHash;
    /// 1 host-asserted, 2 header-signers, 3 ethereum (sync committee), 4 bft.
    uint8 headerTrust;
    /// What that kind needs and never changes (signers, …), ABI-encoded; empty for host-asserted. Where it
    /// starts from is `startHash` of `ReportBinding`.
    bytes headerTrustParameters;
    /// Ids of the evidence roots accepted from peers, ascending.
    bytes32[] evidenceRoots;
    /// keccak256 of the appraisal policy this enclave applies to peers.
    bytes32 policyHash;
    uint32 keyGroup;
    uint256 recovery;
}

/// @notice First half of report_data: sha256(abi.encode(this struct)). The second half is
/// sha256(domain ‖ challenge), with domain = keccak256("subrosa.v1.client-challenge") for the bytes that a
/// client chose and keccak256("subrosa.v1.registration-challenge") for registrations: no client obtains
/// evidence that registers or renews a signer.
struct ReportBinding {
    /// keccak256("subrosa.v1.report-data").
    bytes32 domain;
    uint16 version;
    address signer;
    /// keccak256 of the node transfer key (X-Wing public key).
    bytes32 transferKeyHash;
    bytes32 configHash;
    /// H["start"](keccak256(checkpoint)), where the checkpoint is what the enclave's header trust started
    /// from; empty for host-asserted.
    bytes32 startHash;
}

/// @notice EIP-712 message (oracle's domain) that an enclave's signer signs in the same request that makes its
/// evidence for a client: what to encrypt to, as of when. The evidence binds the signer, so whoever has
/// verified both need not take the epoch's keys from anybody's view of the chain.
struct AttestationStatement {
    /// The second half of that evidence's report data: sha256(domain ‖ the client's challenge).
    bytes32 challengeHash;
    uint32 keyGroup;
    uint32 keyEpoch;
    /// H["epoch-key"](keccak256(X-Wing public key), X25519 public key) of the epoch whose secret is held.
    bytes32 publicKeyHash;
    /// As the registry is proven to have recorded it; see `EpochOpening`.
    uint256 recovery;
    bytes32 configHash;
    /// As in `ReportBinding`.
    bytes32 startHash;
    /// Where the enclave's header trust stands. With host-asserted headers it is the host's word.
    uint64 headerNumber;
    bytes32 headerHash;
    /// Unix seconds.
    uint64 headerTime;
}

/// @notice What an enclave presents beside its evidence in answer to a challenge that was put on chain: all that
/// a node's RPC tells a client of an enclave, for clients that reach none.
struct PresentedAttestation {
    AttestationStatement statement;
    /// The signer's, over the statement; r ‖ s ‖ v.
    bytes signature;
    /// As in `ReportBinding`.
    bytes32 transferKeyHash;
    /// Of the epoch that is stated; the registry records H["epoch"] of it.
    EpochOpening opening;
    /// The keys whose hash is stated.
    bytes xwingKey;
    bytes32 x25519Key;
}

/// @notice EIP-712 message (oracle's domain) by which an enclave's signer answers a challenge that was put on
/// chain, with evidence and statement that it made for it; see `ISubrosaMailbox`.
struct AttestationAnswer {
    /// As in `AttestationStatement`.
    bytes32 challengeHash;
    /// keccak256 of the evidence bundle.
    bytes32 evidenceHash;
    /// keccak256 of the ABI encoding of the `PresentedAttestation` that holds the statement.
    bytes32 statementHash;
    /// Whom the answer's escrow is paid to; zero for whoever brings it.
    address payee;
}

/// @notice codeCommitment = H["code"](salt, engine, keccak256(code), keccak256(init)).
/// The plaintext of a deployment envelope.
struct DeployPlaintext {
    /// 1 EVM, 2 Wasm (the host interface of Arbitrum Stylus).
    uint8 engine;
    bytes32 salt;
    bytes code;
    /// Constructor arguments.
    bytes init;
    bytes padding;
}

/// @notice The plaintext of a call envelope.
struct CallPlaintext {
    /// ABI-encoded call of the confidential contract.
    bytes input;
    /// Suite (1 byte) ‖ public key to which the output is sealed; empty: the output is public.
    bytes replyKey;
    bytes padding;
}

/// @notice The plaintext of a query envelope. `signature` is the caller's, over `Query`.
struct QueryPlaintext {
    bytes input;
    bytes replyKey;
    bytes32 nonce;
    /// Unix seconds; judged by the client's own clock only.
    uint64 expiry;
    address caller;
    bytes signature;
    bytes padding;
}

/// @notice EIP-712 message (domain "Subrosa", "1", chainId, oracle) a querying account signs.
struct Query {
    bytes32 contractId;
    bytes32 inputHash;
    bytes32 replyKeyHash;
    bytes32 nonce;
    /// Unix seconds. A state whose last entry is younger does not answer.
    uint64 expiry;
}

/// @notice EIP-712 message (oracle's domain) by which an enclave answers a query. Who asked and how it
/// ended is in the sealed reply only: see `QueryOutput`.
struct QueryReply {
    /// EIP-712 hash of the `Query`.
    bytes32 queryHash;
    bytes32 contractId;
    uint48 seq;
    /// The head's commitment after `seq` executed entries.
    bytes32 commitment;
    /// Block of the last executed entry.
    uint64 blockNumber;
    bytes32 nonce;
    /// keccak256 of the sealed reply.
    bytes32 replyHash;
    bytes32 configHash;
}

/// @notice What is sealed to a query's reply key.
struct QueryOutput {
    /// Who signed the query; zero if nobody did.
    address caller;
    /// As in `Outcome`.
    uint8 status;
    /// What the call returned, or reverted with.
    bytes output;
}

/// @notice EIP-712 message (oracle's domain): what code runs under a contract id.
struct ContractStatement {
    bytes32 contractId;
    bytes32 codeCommitment;
    uint48 seq;
    bytes32 commitment;
    bytes32 configHash;
    bytes32 nonce;
}
