// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What Intel publishes about its platforms, as served (PCS API v4) except that certificates
/// are DER instead of PEM. Every part but the root may be empty; a part needs what signs it:
/// `rootCrl` the root; `pckCrl` and `pckAuthority` each other; `tcbInfo` and `qeIdentity` the
/// `tcbSigner`.
struct DcapCollateral {
    /// X.509, DER. Its key must be one of the pinned roots.
    bytes rootCertificate;
    /// The root's revocation list, DER.
    bytes rootCrl;
    /// Certificate of the PCK Processor CA or PCK Platform CA, X.509, DER.
    bytes pckAuthority;
    /// Its revocation list, DER.
    bytes pckCrl;
    /// Certificate that signs TCB info and QE identity, X.509, DER.
    bytes tcbSigner;
    /// The value of `tcbInfo` in the answer to `GET /tcb` (version 3), byte for byte.
    bytes tcbInfo;
    /// r ‖ s.
    bytes tcbInfoSignature;
    /// The value of `enclaveIdentity` in the answer to `GET /qe/identity`, byte for byte.
    bytes qeIdentity;
    /// r ‖ s.
    bytes qeIdentitySignature;
}

/// @notice What a verified quote says.
struct DcapClaims {
    /// SHA-256 of the root key's SubjectPublicKeyInfo (DER).
    bytes32 rootId;
    /// 1 TDX, 2 SGX.
    uint8 teeKind;
    /// keccak256 of MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2, or of MRENCLAVE.
    bytes32 measurementHash;
    /// keccak256 of RTMR3; zero for SGX, which has no such register.
    bytes32 configRegisterHash;
    /// The two halves of the report data.
    bytes32 reportDataHigh;
    bytes32 reportDataLow;
    /// As in `SignerAdmission`: 1 UpToDate, 2 SWHardeningNeeded, 3 ConfigurationNeeded,
    /// 4 ConfigurationAndSWHardeningNeeded, 5 OutOfDate, 6 OutOfDateConfigurationNeeded,
    /// 7 TDRelaunchAdvised, 8 TDRelaunchAdvisedConfigurationNeeded.
    uint8 tcbStatus;
    /// The lower one of TCB info's and QE identity's.
    uint32 tcbEvaluation;
    /// H["machine"](rootId, keccak256(PPID)), the same for every kind of TEE that the machine has.
    bytes32 machineId;
    /// What kind of platform it is, of Intel's making: as in the PCK certificate.
    bytes6 fmspc;
    /// keccak256 of the signed part of the quote.
    bytes32 evidenceHash;
    /// Unix seconds at which the first piece of collateral runs out: nothing later was verified.
    uint40 expires;
}

/// @title Verification of Intel DCAP quotes
/// @notice Certificates, revocation lists, TCB info and QE identities are verified once, when anyone
/// submits them, and kept in packed form until they run out or newer ones replace them. A quote is
/// then verified with three signatures. Nobody governs this contract: trust is in the pinned roots.
///
/// Verdicts are those of Intel's quote verification library, with the debug mode of enclaves and TDs,
/// migratable TDs, service TDs and revoked TCB levels always refused.
interface ISubrosaDcap {
    /// @notice Collateral was verified and kept.
    /// @param key What `collateralOf` takes: for TCB info and QE identities, for the latest.
    /// @param edition Which TCB info or QE identity it is, as `verifyQuote` takes it; zero for
    /// revocation lists.
    /// @param digest SHA-256 of the part that was signed.
    /// @param issued Unix seconds.
    /// @param expires Unix seconds; the last at which it serves.
    event CollateralStored(bytes32 indexed key, bytes32 edition, bytes32 digest, uint40 issued, uint40 expires);

    /// @notice No pinned root has this key.
    /// @custom:remedy Use evidence under a root that this contract pins.
    error RootUnknown(bytes32 rootId);
    /// @notice Not DER, or not of the expected form, from this byte on.
    /// @custom:remedy Pass certificates and lists as DER, exactly as Intel serves them.
    error DerMalformed(uint256 offset);
    /// @notice Not a date.
    /// @custom:remedy Pass collateral exactly as Intel serves it.
    error DateMalformed(bytes32 text);
    /// @notice Not JSON as Intel serializes it, from this byte on.
    /// @custom:remedy Pass the signed JSON byte for byte as Intel serves it, without reformatting.
    error JsonUnexpected(uint256 offset);
    /// @notice A critical extension that is not understood.
    /// @custom:remedy This certificate cannot be verified here; report it.
    error ExtensionUnknown(uint256 offset);
    /// @notice A certificate that may not be used for this.
    /// @custom:remedy Pass each certificate in its own place: root, intermediate, leaf.
    error CertificateRole();
    /// @notice A certificate or list names another issuer.
    /// @custom:remedy Pass the issuer of this very certificate or list.
    error IssuerMismatch();
    /// @notice A signature does not verify.
    /// @custom:remedy Pass collateral and quote unchanged, and the issuer that signed them.
    error SignatureInvalid();
    /// @notice Valid from `from` to `until` (Unix seconds) only.
    /// @custom:remedy Fetch current collateral; its validity begins at `from` and ends at `until`.
    error NotValidNow(uint256 from, uint256 until);
    /// @notice The PCK certificate's SGX extension lacks fields.
    /// @custom:remedy Pass the PCK certificate of an Intel platform.
    error PckFieldsMissing(uint256 seen);
    /// @notice No such collateral was submitted.
    /// @custom:remedy Submit this collateral first; `subrosa collateral push` does.
    error CollateralMissing(bytes32 key);
    /// @notice The collateral has run out, at `expires` (Unix seconds): submit newer.
    /// @custom:remedy Submit newer collateral; `subrosa collateral push` does.
    error CollateralExpired(bytes32 key, uint256 expires);
    /// @notice A certificate is on its issuer's revocation list. Low 64 bits of its serial number.
    /// @custom:remedy Replace the certificate: Intel revoked it.
    error CertificateRevoked(uint256 serial);
    /// @notice The quote's lengths do not fit.
    /// @custom:remedy Pass the quote exactly as the platform made it.
    error QuoteMalformed();
    /// @notice A version, TEE, key type, vendor or body that is not verified here.
    /// @custom:remedy Make a quote of a supported version, or register by a verifier's admission.
    error QuoteUnsupported();
    /// @notice The quoting enclave did not vouch for the attestation key.
    /// @custom:remedy Pass the quote exactly as the platform made it.
    error AttestationKeyUnvouched();
    /// @notice Not the quoting enclave that Intel's QE identity names.
    /// @custom:remedy Update the platform's quoting enclave, or submit its current identity.
    error QuotingEnclaveUnknown();
    /// @notice TCB info knows no identity for this version of the TDX module.
    /// @custom:remedy Submit TCB info that knows this TDX module.
    error TdxModuleUnknown(uint256 version);
    /// @notice The TDX module's signer or attributes are not those of its identity.
    /// @custom:remedy Update the platform's TDX module.
    error TdxModuleMismatch();
    /// @notice The platform is below every level.
    /// @custom:remedy Update the platform: no TCB level covers it.
    error TcbLevelNotFound();
    /// @notice The platform's TCB level, or that of its quoting enclave or TDX module, was revoked.
    /// @custom:remedy Replace or update the platform: its TCB level is revoked.
    error TcbRevoked();
    /// @notice An enclave in debug mode.
    /// @custom:remedy Start the enclave without debugging.
    error DebugMode();
    /// @notice A TD that is debugged, profiled or migratable, or has attributes not understood.
    /// @custom:remedy Start the TD without these attributes.
    error TdAttributesRefused(bytes8 attributes);
    /// @notice A TD with service TDs.
    /// @custom:remedy Start the TD without a service TD bound to it.
    error ServiceTdRefused();

    /// @notice Verifies collateral and keeps it. Anyone may call it. What is kept already is left alone,
    /// and so is a revocation list that is older than the kept one; anything else that does not verify
    /// reverts everything.
    ///
    /// Of revocation lists the newest counts. TCB infos and QE identities are kept side by side until
    /// they run out, each under the hash of what was signed and by what (its edition), as Intel
    /// publishes several at a time: those of a higher evaluation number months before they are in common
    /// use. The latest is what was issued last, unless that has a lower evaluation number than one that
    /// was issued before it and has not run out.
    /// @return pckAuthority The id of `pckAuthority`, which `verifyQuote` takes; zero if there is none.
    function putCollateral(DcapCollateral calldata collateral) external returns (bytes32 pckAuthority);

    /// @notice Verifies a quote against the collateral kept, as of the block's time. Reverts unless it
    /// is genuine, in a TCB level that is not revoked; whether that level, the root and the
    /// measurement are acceptable is for the caller to say.
    /// @param quote Version 3 (SGX), 4 or 5 (TDX). Its certification data (the PCK certificate chain,
    /// PEM) is not signed and not read: what counts is that `pckCertificate` verifies the quoting
    /// enclave's report. It may be left away, with its length set to zero and the lengths around it
    /// set accordingly.
    /// @param pckCertificate The PCK certificate, X.509, DER.
    /// @param rootId Which root everything must hang from.
    /// @param pckAuthority The id of the PCK certificate's issuer; see `pckAuthorityId`.
    /// @param tcbInfo The edition of TCB info to go by: keccak256 of the SHA-256 of the JSON ‖ the SHA-256
    /// of the signer's certificate's signed part (TBSCertificate). Zero for the latest, which anyone may
    /// replace. How old an evaluation number may be is for the caller to say.
    /// @param qeIdentity The edition of the QE identity, likewise.
    function verifyQuote(
        bytes calldata quote,
        bytes calldata pckCertificate,
        bytes32 rootId,
        bytes32 pckAuthority,
        bytes32 tcbInfo,
        bytes32 qeIdentity
    ) external view returns (DcapClaims memory claims);

    /// @notice Keeps the value of the configuration register (RTMR3) of TDs started with a
    /// configuration, so that `configRegisterHash` need not compute it. Anyone may call it.
    function putConfigRegister(bytes32 configHash) external;

    /// @notice keccak256 of the configuration register of a TD that was started with a configuration:
    /// SHA-384(48 zero bytes ‖ SHA-384(configHash)).
    function configRegisterHash(bytes32 configHash) external view returns (bytes32);

    /// @notice Whether a root is pinned.
    function isRoot(bytes32 rootId) external view returns (bool);

    /// @notice The collateral kept under a key.
    /// @return blob The account whose code, after one zero byte, is the packed form; zero if there is
    /// nothing to keep.
    /// @return issued Unix seconds; zero if there is none.
    /// @return expires Unix seconds; the last at which it serves.
    /// @return evaluation TCB evaluation number, for TCB info and QE identities.
    function collateralOf(bytes32 key)
        external
        view
        returns (address blob, uint40 issued, uint40 expires, uint16 evaluation);

    /// @notice Key of a root's revocation list.
    function rootCrlKey(bytes32 rootId) external pure returns (bytes32);

    /// @notice Key of the latest TCB info. `fmspc` as in the PCK certificate.
    function tcbInfoKey(bytes32 rootId, uint8 teeKind, bytes6 fmspc) external pure returns (bytes32);

    /// @notice Key of the latest QE identity.
    function qeIdentityKey(bytes32 rootId, uint8 teeKind) external pure returns (bytes32);

    /// @notice Key of one edition of TCB info or a QE identity.
    /// @param key That of the latest.
    function editionKey(bytes32 key, bytes32 edition) external pure returns (bytes32);

    /// @notice Id of a PCK CA's certificate, and key of it with its revocation list.
    /// @param nameHash keccak256 of its distinguished name, DER.
    /// @param x Its key.
    /// @param serial The low 64 bits of its serial number.
    function pckAuthorityId(bytes32 rootId, bytes32 nameHash, uint256 x, uint256 y, uint64 serial)
        external
        pure
        returns (bytes32);

    /// @notice What verifies signatures: the precompile 0x100 (EIP-7951), or a contract in its stead.
    function p256() external view returns (address);
}
