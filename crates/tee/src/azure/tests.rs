// SPDX-License-Identifier: Apache-2.0

use std::iter::repeat_n;

use subrosa_evidence::AMD_GENOA_ROOT_ID;

use super::*;
use crate::tpm::ResponseCode;
use crate::tpm::fake::{Fault, Vtpm};

const NV_READ_PUBLIC: u32 = 0x169;
const NV_READ: u32 = 0x14e;
const NV_WRITE: u32 = 0x137;
const NV_DEFINE: u32 = 0x12a;
const QUOTE: u32 = 0x158;
const PCR_READ: u32 = 0x17e;

fn try_open(vtpm: &Vtpm) -> Result<AzureVtpm, TeeError> {
    let tpm = Tpm::new(Box::new(vtpm.clone()), Patience::IMPATIENT);
    AzureVtpm::open(tpm, Patience::IMPATIENT, Patience::IMPATIENT)
}

fn open(vtpm: &Vtpm) -> AzureVtpm {
    try_open(vtpm).unwrap()
}

fn user_data_of(evidence: &EvidenceBundle) -> String {
    let report = evidence.part(EvidencePart::HclReport).unwrap();
    user_data(HclReport::parse(report).unwrap().claims).unwrap()
}

#[test]
fn the_evidence_is_a_quote_its_signature_its_pcrs_and_a_report_renewed_for_it() {
    for (hardware, kind, root) in [
        (HclHardware::Snp, TeeKind::AzureSnp, Some(AMD_GENOA_ROOT_ID)),
        (HclHardware::Tdx, TeeKind::AzureTdx, Some(INTEL_SGX_ROOT_ID)),
    ] {
        let vtpm = Vtpm::new(hardware);
        let azure = open(&vtpm);
        assert_eq!((azure.kind(), azure.root_id()), (kind, root));
        let evidence = azure.quote(&[9; 64]).unwrap();
        assert_eq!(evidence.kind(), kind);
        assert_eq!(
            evidence.parts().map(|(part, _)| part).collect::<Vec<_>>(),
            [
                EvidencePart::Quote,
                EvidencePart::TpmSignature,
                EvidencePart::TpmPcrs,
                EvidencePart::HclReport
            ]
        );
        let attest = Attest::parse(evidence.quote()).unwrap();
        let pcrs = evidence.part(EvidencePart::TpmPcrs).unwrap();
        assert_eq!(attest.extra_data, [9; 64]);
        assert_eq!(pcrs, vtpm.state().pcrs.concat());
        assert!(attest.is_over(pcrs));
        let signature = evidence.part(EvidencePart::TpmSignature).unwrap();
        assert_eq!(signature[..4], [0, 0x14, 0, 0x0b]);
        assert_eq!(user_data_of(&evidence), "09".repeat(64));
    }
}

#[test]
fn the_measurement_is_the_launch_measurement_and_seven_pcrs() {
    let azure = open(&Vtpm::new(HclHardware::Snp));
    let pcrs = [4, 7, 8, 9, 11, 12, 13].map(|index| [index; 32]);
    assert_eq!(
        azure.measurement(),
        [&[0x11; 48][..], &pcrs.concat()].concat()
    );
    assert_eq!(azure.measurement().len(), 272);
}

#[test]
fn the_index_for_user_data_is_defined_once() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    let azure = open(&vtpm);
    azure.quote(&[1; 64]).unwrap();
    azure.quote(&[2; 64]).unwrap();
    let state = vtpm.state();
    let defined = state.commands.iter().filter(|code| **code == NV_DEFINE);
    assert_eq!(defined.count(), 1);
    assert_eq!(state.nv[&0x0140_0002], [2; 64]);
}

#[test]
fn an_index_that_somebody_else_made_for_something_else_is_left_alone() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    vtpm.state().nv.insert(0x0140_0002, vec![7; 32]);
    let error = open(&vtpm).quote(&[1; 64]).unwrap_err();
    assert!(matches!(error, TeeError::Malformed { .. }), "{error}");
    assert_eq!(vtpm.state().nv[&0x0140_0002], [7; 32]);
}

#[test]
fn a_renewal_is_waited_for_and_done_without_in_the_end() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    let azure = open(&vtpm);
    vtpm.state().renewal_in = Some(2);
    assert_eq!(
        user_data_of(&azure.quote(&[9; 64]).unwrap()),
        "09".repeat(64)
    );
    vtpm.state().renewal_in = None;
    let evidence = azure.quote(&[8; 64]).unwrap();
    assert_eq!(user_data_of(&evidence), "09".repeat(64));
    let attest = Attest::parse(evidence.quote()).unwrap();
    assert_eq!(attest.extra_data, [8; 64]);
}

#[test]
fn a_report_renewed_between_two_reads_is_read_again() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    let azure = open(&vtpm);
    // The first of six reads of the report is answered, then the report changes under them.
    let vtpm = vtpm.failing(NV_READ, [Fault::RenewReport]);
    let evidence = azure.quote(&[9; 64]).unwrap();
    let report = evidence.part(EvidencePart::HclReport).unwrap();
    assert!(HclReport::parse(report).unwrap().binds_claims);
    let torn = vtpm.failing(NV_READ, repeat_n(Fault::RenewReport, 200));
    torn.state().renewal_in = Some(0);
    assert!(matches!(
        azure.quote(&[9; 64]),
        Err(TeeError::Raced {
            what: "the HCL report",
            attempts: 4
        })
    ));
}

#[test]
fn pcrs_that_change_under_a_quote_cost_attempts_and_then_the_evidence() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    let azure = open(&vtpm);
    let vtpm = vtpm.failing(QUOTE, [Fault::ExtendPcr]);
    let evidence = azure.quote(&[9; 64]).unwrap();
    let pcrs = evidence.part(EvidencePart::TpmPcrs).unwrap();
    assert!(Attest::parse(evidence.quote()).unwrap().is_over(pcrs));
    // Between the reads of one third and the next, every time.
    let vtpm = vtpm.failing(PCR_READ, repeat_n(Fault::ExtendPcr, 99));
    assert!(matches!(
        azure.quote(&[9; 64]),
        Err(TeeError::Raced {
            what: "the TPM's PCRs",
            attempts: 4
        })
    ));
    drop(vtpm);
}

#[test]
fn a_tpm_that_takes_no_64_bytes_is_named_as_such() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    vtpm.state().data_limit = 50;
    assert!(matches!(
        open(&vtpm).quote(&[9; 64]),
        Err(TeeError::QualifyingData)
    ));
}

#[test]
fn a_tpm_that_asks_to_come_back_is_asked_again() {
    for code in [0x908, 0x90a, 0x920, 0x922] {
        let vtpm = Vtpm::new(HclHardware::Snp);
        let azure = open(&vtpm);
        let vtpm = vtpm.failing(QUOTE, repeat_n(Fault::Code(code), 3));
        azure.quote(&[9; 64]).unwrap();
        let _vtpm = vtpm.failing(QUOTE, repeat_n(Fault::Code(code), 99));
        assert!(matches!(
            azure.quote(&[9; 64]),
            Err(TeeError::Busy {
                what: "the TPM",
                attempts: 4
            })
        ));
    }
}

#[test]
fn a_refusal_names_the_command_and_the_code() {
    for (command, code, name, text) in [
        (NV_WRITE, 0x9a2, "TPM2_NV_Write", "TPM_RC_BAD_AUTH"),
        (NV_DEFINE, 0x14b, "TPM2_NV_DefineSpace", "TPM_RC_NV_SPACE"),
        (NV_READ, 0x149, "TPM2_NV_Read", "TPM_RC_NV_AUTHORIZATION"),
        (QUOTE, 0x18b, "TPM2_Quote", "TPM_RC_HANDLE"),
        (PCR_READ, 0x101, "TPM2_PCR_Read", "TPM_RC_FAILURE"),
        (
            NV_READ_PUBLIC,
            0x143,
            "TPM2_NV_ReadPublic",
            "TPM_RC_COMMAND_CODE",
        ),
    ] {
        let vtpm = Vtpm::new(HclHardware::Snp);
        let azure = open(&vtpm);
        let _vtpm = vtpm.failing(command, [Fault::Code(code)]);
        let error = azure.quote(&[9; 64]).unwrap_err();
        assert!(
            matches!(error, TeeError::Tpm { command, code: ResponseCode(found) }
                if command == name && found == code),
            "{error}"
        );
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn every_truncation_of_every_answer_is_refused() {
    for (command, length) in [
        (NV_READ_PUBLIC, 26),
        (NV_READ, 528),
        (QUOTE, 440),
        (PCR_READ, 296),
    ] {
        for cut in 0..length {
            let vtpm = Vtpm::new(HclHardware::Snp);
            let azure = open(&vtpm);
            azure.quote(&[9; 64]).unwrap();
            let _vtpm = vtpm.failing(command, [Fault::Cut(cut)]);
            let error = azure.quote(&[9; 64]).err();
            assert!(
                matches!(error, Some(TeeError::Malformed { .. })),
                "{command:#x} cut to {cut}: {error:?}"
            );
        }
    }
}

#[test]
fn a_broken_transport_is_passed_on() {
    let vtpm = Vtpm::new(HclHardware::Snp).failing(NV_READ, [Fault::Errno(5)]);
    assert!(matches!(
        try_open(&vtpm),
        Err(TeeError::Kernel { action: "call", source, .. }) if source.raw_os_error() == Some(5)
    ));
}

#[test]
fn a_tpm_without_an_hcl_report_or_with_an_endless_one_is_not_azures() {
    let vtpm = Vtpm::new(HclHardware::Snp);
    vtpm.state().nv.remove(&0x0140_0001);
    assert!(matches!(
        try_open(&vtpm),
        Err(TeeError::Kernel { source, .. }) if source.kind() == ErrorKind::NotFound
    ));
    vtpm.state().renewal_in = None;
    vtpm.state().nv.insert(0x0140_0001, vec![0; 20_000]);
    assert!(matches!(
        try_open(&vtpm),
        Err(TeeError::TooLong { limit: 16_384, .. })
    ));
    vtpm.state().nv.insert(0x0140_0001, vec![0; 2600]);
    assert!(matches!(try_open(&vtpm), Err(TeeError::Malformed { .. })));
}

#[test]
fn there_is_no_sealing_key_and_one_configuration() {
    let mut azure = open(&Vtpm::new(HclHardware::Tdx));
    assert!(azure.sealing_key(b"a").unwrap().is_none());
    azure.extend_config(&[1; 32]).unwrap();
    assert!(matches!(
        azure.extend_config(&[1; 32]),
        Err(TeeError::AlreadyConfigured)
    ));
}
