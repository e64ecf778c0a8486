// SPDX-License-Identifier: Apache-2.0
//! Sound evidence of a kind, with a policy that accepts it and a time at which it holds.

use subrosa_attestation::{Policy, PolicyFile, bundle_of_files, verify_genuine};
use subrosa_evidence::{EvidenceBundle, EvidencePart, Product};
use subrosa_tee::forge::Forge;
use subrosa_types::id::TeeKind;

use super::{nitro, sgx, snp};

/// Evidence that is accepted.
#[derive(Clone)]
pub(crate) struct Sample {
    /// What it is, in a word: `forged`, or the vector's name.
    pub(crate) name: String,
    pub(crate) bundle: EvidenceBundle,
    pub(crate) policy: Policy,
    /// Unix seconds.
    pub(crate) now: u64,
}

/// Evidence made on the spot; none for a kind that nothing here forges. Keys of SEV-SNP and Nitro
/// are drawn anew in every process.
pub(crate) fn forged(kind: TeeKind) -> Vec<Sample> {
    match kind {
        TeeKind::Tdx => {
            let evidence = Forge::new().report_data([0x5a; 64]).evidence();
            vec![development("forged", evidence)]
        }
        TeeKind::Sgx => vec![development("forged", sgx::bundle(&[0x5a; 64]))],
        TeeKind::Snp => forged_snp(),
        TeeKind::Nitro => [false, true].map(forged_nitro).to_vec(),
        _ => Vec::new(),
    }
}

/// Evidence of real hardware from the directory that `SUBROSA_VECTORS` names, as far as its
/// manifest expects it to be accepted; none without that variable.
pub(crate) fn genuine(kind: TeeKind) -> Vec<Sample> {
    let policy = include_str!("../../../../fixtures/policies/vectors.toml");
    let policy = PolicyFile::parse(policy).unwrap().policy;
    let vectors = subrosa_vectors::all().unwrap_or_default();
    vectors
        .into_iter()
        .filter(subrosa_vectors::Vector::is_accepted)
        .filter_map(|vector| {
            let (evidence, beside) = vector.evidence()?;
            let sample = Sample {
                bundle: bundle_of_files(&evidence, &beside).ok()?,
                now: vector.now()?,
                name: vector.id,
                policy: policy.clone(),
            };
            // Some are accepted only under a root of their own, or under none.
            let accepted = verify_genuine(&sample.bundle, &sample.policy, sample.now).is_ok();
            (sample.bundle.kind() == kind && accepted).then_some(sample)
        })
        .collect()
}

/// 2026-06-01T00:00:00Z.
pub(crate) const DEVELOPMENT_NOW: u64 = 1_780_272_000;

fn development(name: &str, bundle: EvidenceBundle) -> Sample {
    Sample {
        name: name.to_owned(),
        bundle,
        policy: Policy::development(),
        now: DEVELOPMENT_NOW,
    }
}

/// Under a VCEK, in a certificate table, under a VLEK, and of the generation with another TCB.
fn forged_snp() -> Vec<Sample> {
    let (genoa, turin) = (snp::Pki::new(Product::Genoa), snp::Pki::new(Product::Turin));
    let mut policy = Policy::strict();
    policy.pin(genoa.root());
    policy.pin(turin.root());
    let evidence = [
        ("forged", genoa.evidence(|_| {})),
        ("forged-table", genoa.evidence(|_| {}).into_table()),
        ("forged-vlek", genoa.vlek(|_| {})),
        ("forged-turin", turin.evidence(|_| {})),
    ];
    let sample = |(name, evidence): (&str, snp::Evidence)| Sample {
        name: name.to_owned(),
        bundle: evidence.bundle(),
        policy: policy.clone(),
        now: evidence.now,
    };
    evidence.map(sample).to_vec()
}

fn forged_nitro(open_map: bool) -> Sample {
    let mut blueprint = nitro::Blueprint::genuine();
    blueprint.open_map = open_map;
    let forged = blueprint.build();
    let mut policy = Policy::strict();
    policy.pin(forged.root);
    let parts = [(EvidencePart::Quote, forged.document)];
    Sample {
        name: if open_map {
            "forged-open-map"
        } else {
            "forged"
        }
        .to_owned(),
        bundle: EvidenceBundle::from_parts(TeeKind::Nitro, parts).unwrap(),
        policy,
        now: blueprint.now,
    }
}
