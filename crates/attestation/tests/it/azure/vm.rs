// SPDX-License-Identifier: Apache-2.0
//! An Azure VM of our own: paravisor, virtual TPM and hardware, written independently of the code
//! under test. The hardware is the software TEE (TDX) or a forged SEV-SNP platform.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subrosa_attestation::Policy;
use subrosa_evidence::{EvidenceBundle, EvidencePart, Product};
use subrosa_tee::forge::Forge;
use subrosa_types::id::TeeKind;

use super::quote::{Attest, key, modulus, rsassa};
use crate::forge::snp::{self as forge_snp, Pki};

/// When a VM's evidence is judged, Unix seconds: 2026-06-01T00:00:00Z.
pub(crate) const TDX_NOW: u64 = 1_780_272_000;
pub(crate) const SNP_NOW: u64 = forge_snp::NOW;

/// What the hardware signs for runtime claims: their digest.
pub(crate) fn report_data(claims: &str) -> [u8; 64] {
    let mut data = [0; 64];
    data[..32].copy_from_slice(&Sha256::digest(claims));
    data
}

/// Runtime claims about the key `ak`, of a VM that has `serial` in its name.
pub(crate) fn claims(ak: usize, serial: u8) -> String {
    let (ak, ek) = (jwk("HCLAkPub", ak), jwk("HCLEkPub", 2));
    format!(
        "{{\"keys\":[{ak},{ek}],\"vm-configuration\":{{\"console-enabled\":true,\
         \"secure-boot\":true,\"tpm-enabled\":true,\"vmUniqueId\":\"{serial:08}\"}},\
         \"user-data\":\"{}\"}}",
        "00".repeat(64)
    )
}

pub(crate) fn jwk(kid: &str, index: usize) -> String {
    let n = URL_SAFE_NO_PAD.encode(modulus(key(index)));
    format!(
        "{{\"kid\":\"{kid}\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"{n}\"}}"
    )
}

/// HCL report: fields of header and request data in order, the hardware's report, the claims.
#[derive(Clone)]
pub(crate) struct Hcl {
    pub(crate) header: [u32; 8],
    pub(crate) hardware: Vec<u8>,
    pub(crate) request: [u32; 5],
    pub(crate) claims: String,
    pub(crate) padding: Vec<u8>,
}

impl Hcl {
    pub(crate) fn new(kind: u32, hardware: &[u8], claims: &str) -> Self {
        let length = u32::try_from(claims.len()).unwrap();
        let mut filled = hardware.to_vec();
        filled.resize(1184, 0);
        Self {
            header: [0x414c_4348, 2, 1236 + length, 2, 0, 0, 0, 0],
            hardware: filled,
            request: [20 + length, 1, kind, 1, length],
            claims: claims.to_owned(),
            padding: vec![0; 2600usize.saturating_sub(1236 + claims.len())],
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let parts: [Vec<u8>; 5] = [
            words(&self.header),
            self.hardware.clone(),
            words(&self.request),
            self.claims.as_bytes().to_vec(),
            self.padding.clone(),
        ];
        parts.concat()
    }
}

/// A VM on TDX whose every part can be spoiled before the next is made of it.
#[derive(Clone)]
pub(crate) struct TdVm {
    pub(crate) claims: String,
    pub(crate) forge: Forge,
    pub(crate) attest: Attest,
    /// Which key signs the quote.
    pub(crate) signer: usize,
}

impl TdVm {
    pub(crate) fn new() -> Self {
        Self {
            claims: claims(0, 1),
            forge: Forge::new().mrtd([0x3d; 48]),
            attest: Attest::new(&[0xc4; 64]),
            signer: 0,
        }
    }

    /// What the hardware and the paravisor hand out: HCL report, TD quote, collateral.
    pub(crate) fn hardware(&self) -> (Hcl, Vec<u8>, Vec<u8>) {
        let forge = self.forge.clone().report_data(report_data(&self.claims));
        let evidence = forge.evidence();
        let part = |part| evidence.part(part).unwrap().to_vec();
        let quote = part(EvidencePart::Quote);
        let hcl = Hcl::new(4, &td_report(&quote), &self.claims);
        (hcl, quote, part(EvidencePart::Collateral))
    }

    pub(crate) fn bundle(&self) -> EvidenceBundle {
        let (hcl, td_quote, collateral) = self.hardware();
        self.bundle_of(&hcl, td_quote, collateral)
    }

    pub(crate) fn bundle_of(
        &self,
        hcl: &Hcl,
        td_quote: Vec<u8>,
        collateral: Vec<u8>,
    ) -> EvidenceBundle {
        let attest = self.attest.encode();
        let parts = [
            (
                EvidencePart::TpmSignature,
                rsassa(key(self.signer), &attest),
            ),
            (EvidencePart::Quote, attest),
            (EvidencePart::TpmPcrs, self.attest.values()),
            (EvidencePart::HclReport, hcl.encode()),
            (EvidencePart::TdQuote, td_quote),
            (EvidencePart::Collateral, collateral),
        ];
        EvidenceBundle::from_parts(TeeKind::AzureTdx, parts).unwrap()
    }

    pub(crate) fn policy() -> Policy {
        Policy::development()
    }
}

/// The TDREPORT that a TD quote (version 4) was made of, as far as the quote repeats it.
fn td_report(quote: &[u8]) -> Vec<u8> {
    let body = &quote[48..48 + 584];
    let mut report = vec![0; 1024];
    report[0] = 0x81;
    report[128..192].copy_from_slice(&body[520..584]);
    report[512..912].copy_from_slice(&body[120..520]);
    report
}

/// A VM on SEV-SNP.
pub(crate) fn snp_bundle(spoil: impl FnOnce(&mut forge_snp::Scenario)) -> EvidenceBundle {
    let claims = claims(0, 1);
    let evidence = pki().evidence(|scenario| {
        scenario.put(0x50, &report_data(&claims));
        spoil(scenario);
    });
    let attest = Attest::new(&[0xc4; 64]);
    let encoded = attest.encode();
    let parts = [
        (EvidencePart::TpmSignature, rsassa(key(0), &encoded)),
        (EvidencePart::Quote, encoded),
        (EvidencePart::TpmPcrs, attest.values()),
        (
            EvidencePart::HclReport,
            Hcl::new(2, &evidence.report, &claims).encode(),
        ),
        (EvidencePart::Certificates, evidence.certificates.concat()),
        (EvidencePart::RevocationLists, evidence.lists.concat()),
    ];
    EvidenceBundle::from_parts(TeeKind::AzureSnp, parts).unwrap()
}

pub(crate) fn snp_policy() -> Policy {
    let mut policy = Policy::strict();
    policy.pin(pki().root());
    policy
}

fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| Pki::new(Product::Genoa))
}
