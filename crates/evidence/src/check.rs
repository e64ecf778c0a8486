// SPDX-License-Identifier: Apache-2.0
//! Named checks and how they went.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The stable name of a check. Error messages, verdicts, the command line and the documentation
/// all use [`CheckId::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckId {
    /// `evidence.format`: every part is there, parses and is of a supported kind.
    EvidenceFormat,
    /// `ear.format`: the attestation result parses, is signed with ES256 and is of this profile.
    EarFormat,
    /// `ear.key`: it names a key of a trusted verifier.
    EarKey,
    /// `ear.signature`: that key signed it.
    EarSignature,
    /// `ear.issuer`: it is issued by the verifier whose key it is.
    EarIssuer,
    /// `ear.fresh`: it is in force.
    EarFresh,
    /// `ear.status`: the verifier affirms.
    EarStatus,
    /// `azure.report`: the hardware's report binds the HCL report's runtime claims.
    AzureReport,
    /// `azure.ak`: those name one attestation key.
    AzureAk,
    /// `tpm.signature`: the attestation key signed this TPM quote.
    TpmSignature,
    /// `tpm.pcrs`: the PCR values are those whose digest is quoted, the required ones among them.
    TpmPcrs,
    /// `dcap.certificates`: every certificate chain ends in the root and is in force.
    DcapCertificates,
    /// `dcap.revocation`: the revocation lists are signed and in force, and list none of them.
    DcapRevocation,
    /// `dcap.collateral`: TCB info and QE identity are signed, in force and of this kind of TEE.
    DcapCollateral,
    /// `dcap.quoting-enclave`: the quoting enclave is Intel's and vouches for the attestation key.
    DcapQuotingEnclave,
    /// `dcap.signature`: the attestation key signed this report.
    DcapSignature,
    /// `tcb.level`: the TCB info is about this platform and lists a level it meets, not revoked.
    TcbLevel,
    /// `tdx.attributes`: no service TD, no reserved attribute, SEPT_VE_DISABLE set.
    TdxAttributes,
    /// `snp.certificates`: VCEK or VLEK, ASK or ASVK and ARK are a chain to the root and in force.
    SnpCertificates,
    /// `snp.revocation`: AMD's revocation list, where there is one, is signed, in force and lists none of them.
    SnpRevocation,
    /// `snp.key`: the report is signed with the kind of key that the certificate is for.
    SnpKey,
    /// `snp.signature`: that key signed this report.
    SnpSignature,
    /// `snp.tcb`: the certificate is for the firmware that the report states.
    SnpTcb,
    /// `snp.chip`: the certificate is for the chip that the report states.
    SnpChip,
    /// `snp.policy`: the guest policy and the platform's fields are as the ABI defines them.
    SnpPolicy,
    /// `nitro.certificates`: the certificate chain ends in the root and is in force.
    NitroCertificates,
    /// `nitro.signature`: the leaf certificate's key signed this document.
    NitroSignature,
    /// `nitro.pcrs`: PCR 0, 1 and 2 are present.
    NitroPcrs,
    /// `root`: the chain ends in a pinned root that the policy accepts. The development root is accepted only if development evidence is.
    Root,
    /// `kind`: the policy accepts this kind of TEE.
    Kind,
    /// `product`: the policy does not deny this family of hardware.
    Product,
    /// `debug`: neither debugging nor profiling is enabled.
    Debug,
    /// `migration`: the guest cannot be migrated.
    Migration,
    /// `vmpl`: the report was asked for at a privilege level that the policy accepts.
    Vmpl,
    /// `tcb.status`: the status of the platform's level is one that the policy accepts, or still does.
    TcbStatus,
    /// `tcb.minimum`: the firmware is not older than the policy's minimum.
    TcbMinimum,
    /// `tcb.evaluation`: the collateral is of a recent enough TCB recovery.
    TcbEvaluation,
    /// `tcb.advisories`: no advisory applies that the policy does not tolerate.
    TcbAdvisories,
    /// `revocation`: revocation lists were consulted, if the policy asks for it.
    Revocation,
    /// `machine`: the machine is on the policy's list, if it has one.
    Machine,
    /// `age`: the evidence is not older than the policy's maximum, where it says when it was signed.
    Age,
    /// `measurement`: what runs is what was expected to run.
    Measurement,
    /// `config`: it was started with the expected configuration.
    Config,
    /// `report-data`: it binds the expected keys and configuration.
    ReportData,
    /// `challenge`: it answers the expected challenge.
    Challenge,
}

impl CheckId {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 45] = [
        Self::EvidenceFormat,
        Self::EarFormat,
        Self::EarKey,
        Self::EarSignature,
        Self::EarIssuer,
        Self::EarFresh,
        Self::EarStatus,
        Self::AzureReport,
        Self::AzureAk,
        Self::TpmSignature,
        Self::TpmPcrs,
        Self::DcapCertificates,
        Self::DcapRevocation,
        Self::DcapCollateral,
        Self::DcapQuotingEnclave,
        Self::DcapSignature,
        Self::TcbLevel,
        Self::TdxAttributes,
        Self::SnpCertificates,
        Self::SnpRevocation,
        Self::SnpKey,
        Self::SnpSignature,
        Self::SnpTcb,
        Self::SnpChip,
        Self::SnpPolicy,
        Self::NitroCertificates,
        Self::NitroSignature,
        Self::NitroPcrs,
        Self::Root,
        Self::Kind,
        Self::Product,
        Self::Debug,
        Self::Migration,
        Self::Vmpl,
        Self::TcbStatus,
        Self::TcbMinimum,
        Self::TcbEvaluation,
        Self::TcbAdvisories,
        Self::Revocation,
        Self::Machine,
        Self::Age,
        Self::Measurement,
        Self::Config,
        Self::ReportData,
        Self::Challenge,
    ];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EvidenceFormat => "evidence.format",
            Self::EarFormat => "ear.format",
            Self::EarKey => "ear.key",
            Self::EarSignature => "ear.signature",
            Self::EarIssuer => "ear.issuer",
            Self::EarFresh => "ear.fresh",
            Self::EarStatus => "ear.status",
            Self::AzureReport => "azure.report",
            Self::AzureAk => "azure.ak",
            Self::TpmSignature => "tpm.signature",
            Self::TpmPcrs => "tpm.pcrs",
            Self::DcapCertificates => "dcap.certificates",
            Self::DcapRevocation => "dcap.revocation",
            Self::DcapCollateral => "dcap.collateral",
            Self::DcapQuotingEnclave => "dcap.quoting-enclave",
            Self::DcapSignature => "dcap.signature",
            Self::TcbLevel => "tcb.level",
            Self::TdxAttributes => "tdx.attributes",
            Self::SnpCertificates => "snp.certificates",
            Self::SnpRevocation => "snp.revocation",
            Self::SnpKey => "snp.key",
            Self::SnpSignature => "snp.signature",
            Self::SnpTcb => "snp.tcb",
            Self::SnpChip => "snp.chip",
            Self::SnpPolicy => "snp.policy",
            Self::NitroCertificates => "nitro.certificates",
            Self::NitroSignature => "nitro.signature",
            Self::NitroPcrs => "nitro.pcrs",
            Self::Root => "root",
            Self::Kind => "kind",
            Self::Product => "product",
            Self::Debug => "debug",
            Self::Migration => "migration",
            Self::Vmpl => "vmpl",
            Self::TcbStatus => "tcb.status",
            Self::TcbMinimum => "tcb.minimum",
            Self::TcbEvaluation => "tcb.evaluation",
            Self::TcbAdvisories => "tcb.advisories",
            Self::Revocation => "revocation",
            Self::Machine => "machine",
            Self::Age => "age",
            Self::Measurement => "measurement",
            Self::Config => "config",
            Self::ReportData => "report-data",
            Self::Challenge => "challenge",
        }
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CheckId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CheckId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|check| check.as_str() == name)
            .ok_or_else(|| serde::de::Error::custom("unknown check"))
    }
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// There was no expectation to compare with.
    NotAppraised,
    /// An earlier failure left nothing trustworthy to look at.
    NotEvaluated,
}

/// A check and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The check's stable name.
    pub id: CheckId,
    /// How it went.
    pub outcome: CheckOutcome,
    /// What would have passed, for people.
    pub expected: String,
    /// What was there, for people.
    pub found: String,
}

impl Check {
    /// A check that passed or failed, with both sides as people see them.
    pub fn compare(
        id: CheckId,
        passed: bool,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            id,
            outcome: if passed {
                CheckOutcome::Passed
            } else {
                CheckOutcome::Failed
            },
            expected: shown(expected),
            found: shown(found),
        }
    }

    /// A check that passed, where what was expected is what was found.
    pub fn passed(id: CheckId, what: &str) -> Self {
        Self::compare(id, true, what, what)
    }

    /// A check that had no expectation to compare with.
    pub fn not_appraised(id: CheckId, found: impl fmt::Display) -> Self {
        Self {
            id,
            outcome: CheckOutcome::NotAppraised,
            expected: String::new(),
            found: shown(found),
        }
    }

    /// A check that an earlier failure left nothing to look at for.
    pub fn not_evaluated(id: CheckId) -> Self {
        Self {
            id,
            outcome: CheckOutcome::NotEvaluated,
            expected: String::new(),
            found: String::new(),
        }
    }
}

/// A text as verdicts show it: whoever wrote the evidence may have written some of it, and it ends
/// up on terminals and in logs. Control characters are escaped, and what is too long is cut off.
pub fn shown(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let mut shown = String::with_capacity(text.len().min(MAX_SHOWN_CHARS));
    for (index, character) in text.chars().enumerate() {
        if index == MAX_SHOWN_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Enough for the longest measurement and its id.
const MAX_SHOWN_CHARS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for id in CheckId::ALL {
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<CheckId>(&json).unwrap(), id);
            let same = CheckId::ALL
                .iter()
                .filter(|other| other.as_str() == id.as_str());
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn a_text_is_shown_on_one_line_without_control_characters_and_of_bounded_length() {
        assert_eq!(shown("a\n\u{1b}[8mb"), "a\\n\\u{1b}[8mb");
        let long = shown("x".repeat(200_000));
        assert_eq!(long.chars().count(), MAX_SHOWN_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
