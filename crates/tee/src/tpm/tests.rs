// SPDX-License-Identifier: Apache-2.0
//! The commands against a real TPM implementation, `swtpm`, if it is installed.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command as Process, Stdio};

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use subrosa_evidence::EvidencePart;

use super::*;
use crate::azure::AzureVtpm;
use crate::layout::HclHardware;
use crate::layout::tests::hcl_report;
use crate::producer::Producer;

const HCL_REPORT: u32 = 0x0140_0001;
const USER_DATA: u32 = 0x0140_0002;
const AK: u32 = 0x8100_0003;

/// A software TPM as a guest on Azure finds its vTPM, but for the paravisor behind it: an
/// attestation key (P-256, where Azure's is RSA) at 0x81000003, and something in NV index
/// 0x01400001. Both are put there with the same commands and over the same transport.
struct SoftwareTpm {
    process: Child,
    stream: UnixStream,
    key: VerifyingKey,
    _state: tempfile::TempDir,
}

impl SoftwareTpm {
    /// `None`, said aloud, where there is no `swtpm`.
    fn start(report: &[u8]) -> Option<Self> {
        let state = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        if let Err(error) = Process::new("swtpm").arg("--version").output() {
            println!("vTPM: NOT RUN (swtpm: {error})");
            return None;
        }
        // swtpm takes no descriptor below 3, so the shell moves it. A connected socket needs no
        // waiting for a server to come up.
        let process = Process::new("sh")
            .args([
                "-c",
                "exec swtpm socket --fd 3 \"$@\" 3<&0 0</dev/null",
                "sh",
            ])
            .args(["--tpm2", "--terminate"])
            .args(["--flags", "not-need-init,startup-clear", "--tpmstate"])
            .arg(format!("dir={}", state.path().display()))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stream = Stream(ours.try_clone().unwrap());
        let key = create_attestation_key(&mut stream);
        let mut tpm = Tpm::new(Box::new(stream), Patience::KERNEL);
        tpm.nv_define(HCL_REPORT, report.len().try_into().unwrap())
            .unwrap();
        for (index, chunk) in report.chunks(512).enumerate() {
            let command = Command::new("TPM2_NV_Write", NV_WRITE)
                .handle(RH_OWNER)
                .handle(HCL_REPORT)
                .password()
                .sized(chunk)
                .u16((512 * index).try_into().unwrap());
            tpm.run(command).unwrap();
        }
        for pcr in [4, 11] {
            let command = Command::new("TPM2_PCR_Extend", 0x182)
                .handle(pcr)
                .password()
                .raw(&[0, 0, 0, 1, 0, 0x0b])
                .raw(&[7; 32]);
            tpm.run(command).unwrap();
        }
        Some(Self {
            process,
            stream: ours,
            key,
            _state: state,
        })
    }

    fn tpm(&self) -> Tpm {
        let stream = Stream(self.stream.try_clone().unwrap());
        Tpm::new(Box::new(stream), Patience::KERNEL)
    }

    /// Whether `signature`, a TPMT_SIGNATURE, is of `attest` by the attestation key.
    fn signed(&self, attest: &[u8], signature: &[u8]) -> bool {
        let mut reader = Reader::new(signature);
        assert_eq!(
            (reader.u16(), reader.u16()),
            (Some(0x0018), Some(ALG_SHA256))
        );
        let [r, s] = [(); 2].map(|()| scalar(reader.sized().unwrap()));
        assert!(reader.rest().is_empty());
        let signature = Signature::from_scalars(r, s).unwrap();
        self.key.verify(attest, &signature).is_ok()
    }
}

impl Drop for SoftwareTpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// TPM2_CreatePrimary of a restricted signing key, and TPM2_EvictControl to its handle.
fn create_attestation_key(stream: &mut impl Transport) -> VerifyingKey {
    // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign.
    let mut public = vec![0x00, 0x23, 0x00, 0x0b, 0x00, 0x05, 0x04, 0x72, 0, 0];
    // No symmetric cipher, ECDSA with SHA-256, P-256, no KDF, empty point.
    public.extend([0, 0x10, 0, 0x18, 0, 0x0b, 0, 3, 0, 0x10, 0, 0, 0, 0]);
    let create = Command::new("TPM2_CreatePrimary", 0x131)
        .handle(RH_OWNER)
        .password()
        .sized(&[0; 4])
        .sized(&public)
        .sized(&[])
        .raw(&[0; 4]);
    let response = stream.transmit(&create.to_bytes()).unwrap();
    assert_eq!(response[6..10], [0; 4], "{response:x?}");
    let mut reader = Reader::new(&response[10..]);
    let handle = reader.u32().unwrap();
    let _parameter_size = reader.u32().unwrap();
    let public = reader.sized().unwrap();
    let mut point = Reader::new(&public[20..]);
    let [x, y] = [(); 2].map(|()| scalar(point.sized().unwrap()));
    let evict = Command::new("TPM2_EvictControl", 0x120)
        .handle(RH_OWNER)
        .handle(handle)
        .password()
        .raw(&AK.to_be_bytes());
    let response = stream.transmit(&evict.to_bytes()).unwrap();
    assert_eq!(response[6..10], [0; 4], "{response:x?}");
    VerifyingKey::from_sec1_bytes(&[&[4][..], &x, &y].concat()).unwrap()
}

/// A big-endian number in 32 bytes.
fn scalar(bytes: &[u8]) -> [u8; 32] {
    let mut scalar = [0; 32];
    scalar[32 - bytes.len()..].copy_from_slice(bytes);
    scalar
}

fn report() -> Vec<u8> {
    let claims = format!("{{\"user-data\":\"{}\"}}", "00".repeat(64));
    let mut report = hcl_report(HclHardware::Tdx, [0x55; 48], claims.as_bytes());
    report.resize(1700, 0);
    report
}

#[test]
fn a_real_tpm_understands_every_command_and_signs_what_we_ask_for() {
    let Some(swtpm) = SoftwareTpm::start(&report()) else {
        return;
    };
    let azure = AzureVtpm::open(swtpm.tpm(), Patience::KERNEL, Patience::IMPATIENT).unwrap();
    assert_eq!(azure.measurement()[..48], [0x55; 48]);
    let evidence = azure.quote(&[9; 64]).unwrap();
    let attest = Attest::parse(evidence.quote()).unwrap();
    assert_eq!(attest.extra_data, [9; 64]);
    let pcrs = evidence.part(EvidencePart::TpmPcrs).unwrap();
    assert_eq!(pcrs.len(), 768);
    assert!(attest.is_over(pcrs));
    // A PCR that was extended once from zero, and one that nobody extended.
    use sha2::{Digest, Sha256};
    let extended = Sha256::digest([[0; 32], [7; 32]].concat());
    assert_eq!(pcrs[4 * 32..5 * 32], *extended);
    assert_eq!(pcrs[10 * 32..11 * 32], [0; 32]);
    assert_eq!(azure.measurement()[48..80], *extended);
    let signature = evidence.part(EvidencePart::TpmSignature).unwrap();
    assert!(swtpm.signed(evidence.quote(), signature));
    let mut other = evidence.quote().to_vec();
    other[60] ^= 1;
    assert!(!swtpm.signed(&other, signature));
    assert_eq!(
        evidence.part(EvidencePart::HclReport),
        Some(report().as_slice())
    );
    assert_eq!(swtpm.tpm().nv_read(USER_DATA, 64).unwrap(), [9; 64]);
    azure.quote(&[8; 64]).unwrap();
    assert_eq!(swtpm.tpm().nv_read(USER_DATA, 64).unwrap(), [8; 64]);
}

#[test]
fn a_real_tpm_says_what_is_not_there() {
    let Some(swtpm) = SoftwareTpm::start(&report()) else {
        return;
    };
    let mut tpm = swtpm.tpm();
    assert_eq!(tpm.nv_size(HCL_REPORT).unwrap(), Some(1700));
    assert_eq!(tpm.nv_size(USER_DATA).unwrap(), None);
    let refusal = |error| match error {
        TeeError::Tpm { code, .. } => code.to_string(),
        other => panic!("{other}"),
    };
    let missing_index = refusal(tpm.nv_read(USER_DATA, 64).unwrap_err());
    assert!(
        missing_index.starts_with("TPM_RC_HANDLE"),
        "{missing_index}"
    );
    let missing_key = refusal(tpm.quote(0x8100_0009, &[0; 64]).unwrap_err());
    assert!(missing_key.starts_with("TPM_RC_HANDLE"), "{missing_key}");
    let too_far = refusal(tpm.nv_read(HCL_REPORT, 1701).unwrap_err());
    assert!(too_far.starts_with("TPM_RC_NV_RANGE"), "{too_far}");
    tpm.nv_define(USER_DATA, 64).unwrap();
    let again = refusal(tpm.nv_define(USER_DATA, 64).unwrap_err());
    assert!(again.starts_with("TPM_RC_NV_DEFINED"), "{again}");
    let unwritten = refusal(tpm.nv_read(USER_DATA, 64).unwrap_err());
    assert!(
        unwritten.starts_with("TPM_RC_NV_UNINITIALIZED"),
        "{unwritten}"
    );
}
