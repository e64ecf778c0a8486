// SPDX-License-Identifier: Apache-2.0
//! The parts of evidence.

/// What a part of an evidence bundle is, as numbered on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum EvidencePart {
    /// What the platform signed: for TDX and SGX a DCAP quote, for SEV-SNP the attestation report
    /// (1,184 bytes), for Nitro the attestation document (COSE_Sign1), for an Azure vTPM the
    /// TPMS_ATTEST structure of TPM2_Quote.
    Quote = 1,
    /// Intel's collateral for the DCAP quote, JSON.
    Collateral = 2,
    /// X.509 certificates: PEM, or DER one after the other, in any order. For SEV-SNP the VCEK or
    /// VLEK and, unless built in, ASK or ASVK and ARK.
    Certificates = 3,
    /// Certificate revocation lists: PEM, or DER one after the other.
    RevocationLists = 4,
    /// The certificate table that the SEV-SNP host hands to its guest (GHCB specification 2.03,
    /// MSG_REPORT_REQ extended guest request): instead of, or beside, `Certificates`.
    CertificateTable = 5,
    /// The TPM's signature over `Quote`: TPMT_SIGNATURE.
    TpmSignature = 6,
    /// PCR 0 to 23 of the SHA-256 bank, 768 bytes.
    TpmPcrs = 7,
    /// Azure's HCL report: the SEV-SNP or TDX report and the runtime claims it binds.
    HclReport = 8,
    /// The DCAP quote of the TD under an Azure vTPM.
    TdQuote = 9,
}

impl EvidencePart {
    /// Every part, ascending by number.
    pub const ALL: [Self; 9] = [
        Self::Quote,
        Self::Collateral,
        Self::Certificates,
        Self::RevocationLists,
        Self::CertificateTable,
        Self::TpmSignature,
        Self::TpmPcrs,
        Self::HclReport,
        Self::TdQuote,
    ];

    /// The part with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|part| *part as u8 == number)
    }

    /// Most bytes that it may have. Real quotes have 4 to 8 KiB, Intel's collateral 14 to 25 KiB.
    pub const fn max_bytes(self) -> usize {
        const KIB: usize = 1024;
        match self {
            Self::Quote | Self::TdQuote => 32 * KIB,
            Self::Collateral | Self::RevocationLists => 256 * KIB,
            Self::Certificates | Self::CertificateTable => 64 * KIB,
            Self::TpmSignature => 2 * KIB,
            Self::TpmPcrs => 768,
            Self::HclReport => 16 * KIB,
        }
    }
}
