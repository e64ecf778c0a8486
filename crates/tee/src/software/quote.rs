// SPDX-License-Identifier: Apache-2.0
//! Quote version 4 with a TD report 1.0, byte for byte (Intel TDX DCAP Quoting Library API,
//! appendix A.3).

use sha2::{Digest, Sha256};

use super::blueprint::{Blueprint, QE_PRODUCT, QE_SVN, mr_seam};
use super::pki::{Key, pem_chain};

/// What the guest's own measurement registers hold.
#[derive(Clone, Debug)]
pub(crate) struct Registers {
    pub(crate) mrtd: [u8; 48],
    pub(crate) rtmr: [[u8; 48]; 4],
}

/// Header ‖ TD report ‖ signature data.
pub(crate) fn quote(
    blueprint: &Blueprint,
    registers: &Registers,
    report_data: &[u8; 64],
) -> Vec<u8> {
    let attestation_key = Key::named("attestation");
    let mut quote = header();
    quote.extend(td_report(blueprint, registers, report_data));
    let signature = attestation_key.sign(&quote);

    let pem = pem_chain(&[
        blueprint.authority.pck(&blueprint.machine),
        blueprint.authority.pck_ca(),
        blueprint.authority.root(),
    ]);
    let vouched = if blueprint.foreign_attestation_key {
        Key::named("foreign-attestation")
    } else {
        Key::named("attestation")
    };
    let qe_report = qe_report(blueprint, &vouched);
    let mut certification = Vec::new();
    certification.extend(&qe_report);
    certification.extend(blueprint.authority.pck_key().sign(&qe_report));
    certification.extend(length_u16(&QE_AUTHENTICATION_DATA));
    certification.extend(QE_AUTHENTICATION_DATA);
    certification.extend(PCK_CHAIN.to_le_bytes());
    certification.extend(length_u32(pem.as_bytes()));
    certification.extend(pem.as_bytes());

    let mut signature_data = Vec::new();
    signature_data.extend(signature);
    signature_data.extend(attestation_key.public_xy());
    signature_data.extend(QE_REPORT_CERTIFICATION.to_le_bytes());
    signature_data.extend(length_u32(&certification));
    signature_data.extend(certification);

    quote.extend(length_u32(&signature_data));
    quote.extend(signature_data);
    quote
}

fn header() -> Vec<u8> {
    let mut header = Vec::with_capacity(48);
    header.extend(4u16.to_le_bytes());
    header.extend(ECDSA_P256.to_le_bytes());
    header.extend(TEE_TYPE_TDX.to_le_bytes());
    // QE SVN and PCE SVN: zero in TDX quotes.
    header.extend([0; 4]);
    header.extend(INTEL_QE_VENDOR);
    header.extend([0; 20]);
    header
}

fn td_report(blueprint: &Blueprint, registers: &Registers, report_data: &[u8; 64]) -> Vec<u8> {
    let mut report = Vec::with_capacity(584);
    report.extend(blueprint.tee_tcb_svn);
    report.extend(mr_seam());
    // MRSIGNERSEAM and SEAMATTRIBUTES: zero for Intel's module.
    report.extend([0; 48]);
    report.extend([0; 8]);
    report.extend(blueprint.td_attributes);
    report.extend(XFAM.to_le_bytes());
    report.extend(registers.mrtd);
    // MRCONFIGID, MROWNER, MROWNERCONFIG.
    report.extend([0; 48 * 3]);
    for register in &registers.rtmr {
        report.extend(register);
    }
    report.extend(report_data);
    report
}

fn qe_report(blueprint: &Blueprint, attestation_key: &Key) -> Vec<u8> {
    let vouched = Sha256::new()
        .chain_update(attestation_key.public_xy())
        .chain_update(QE_AUTHENTICATION_DATA)
        .finalize();
    let mut report = Vec::with_capacity(384);
    report.extend(blueprint.machine.cpu_svn);
    // MISCSELECT and a reserved field.
    report.extend([0; 4 + 28]);
    report.extend(blueprint.qe_attributes);
    report.extend(Sha256::digest(
        b"subrosa.v1.development-quoting-enclave-code",
    ));
    report.extend([0; 32]);
    report.extend(blueprint.qe_mrsigner);
    report.extend([0; 96]);
    report.extend(QE_PRODUCT.to_le_bytes());
    report.extend(QE_SVN.to_le_bytes());
    report.extend([0; 60]);
    report.extend(vouched);
    report.extend([0; 32]);
    report
}

fn length_u16(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes()
}

fn length_u32(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

const ECDSA_P256: u16 = 2;
const TEE_TYPE_TDX: u32 = 0x81;
const PCK_CHAIN: u16 = 5;
const QE_REPORT_CERTIFICATION: u16 = 6;
/// x87, SSE, AVX, AVX-512, PKRU, AMX: what a current guest enables.
const XFAM: u64 = 0x0006_02e7;
const INTEL_QE_VENDOR: [u8; 16] = [
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
];
/// Intel's quoting enclave puts these same 32 bytes: 0, 1, …, 31.
const QE_AUTHENTICATION_DATA: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31,
];
