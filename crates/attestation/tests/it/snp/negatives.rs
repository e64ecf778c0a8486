// SPDX-License-Identifier: Apache-2.0
//! One fault each, by name, with the check that must find it.

use std::collections::BTreeSet;

use subrosa_attestation::VerifyError;
use subrosa_evidence::{CheckId, Product};

use super::{GENOA, MILAN, STRANGER, TURIN, verify};
use crate::forge::snp::{
    ASK_SERIAL, ASVK_SERIAL, DAY, Evidence, LIST_URI, List, NOW, Scenario, extension, integer,
    scope, tcb, tlv,
};

type Negative = (&'static str, CheckId, fn() -> Evidence);

#[test]
fn every_named_fault_is_found_by_its_check() {
    let mut names = BTreeSet::new();
    for (name, expected, evidence) in NEGATIVES.iter().chain(STALE) {
        assert!(names.insert(*name), "{name} twice");
        match verify(&evidence()) {
            Err(VerifyError::Rejected { check, .. } | VerifyError::Stale { check, .. })
                if check == *expected => {}
            other => panic!("{name}: expected {expected}, found {other:?}"),
        }
    }
    println!("{} named negatives", names.len());
    assert!(names.len() >= 60);
}

#[test]
fn exactly_what_fresh_collateral_could_mend_is_stale() {
    for (name, _, evidence) in STALE {
        let verdict = verify(&evidence());
        assert!(
            matches!(verdict, Err(VerifyError::Stale { .. })),
            "{name}: {verdict:?}"
        );
    }
    for (name, _, evidence) in NEGATIVES {
        let verdict = verify(&evidence());
        assert!(
            matches!(verdict, Err(VerifyError::Rejected { .. })),
            "{name}: {verdict:?}"
        );
    }
}

const NEGATIVES: &[Negative] = &[
    ("empty report", CheckId::EvidenceFormat, || {
        after(|evidence| evidence.report.clear())
    }),
    ("truncated report", CheckId::EvidenceFormat, || {
        after(|evidence| evidence.report.truncate(0x49F))
    }),
    ("trailing byte", CheckId::EvidenceFormat, || {
        after(|evidence| evidence.report.push(0))
    }),
    ("report of version 1", CheckId::EvidenceFormat, || {
        put(0, &[1])
    }),
    ("report of version 6", CheckId::EvidenceFormat, || {
        put(0, &[6])
    }),
    ("no certificates", CheckId::EvidenceFormat, || {
        after(|evidence| evidence.certificates.clear())
    }),
    (
        "no report-signing certificate",
        CheckId::EvidenceFormat,
        || after(|evidence| drop(evidence.certificates.remove(0))),
    ),
    (
        "certificates that are no DER",
        CheckId::EvidenceFormat,
        || after(|evidence| evidence.certificates.push(vec![0x30, 0x82, 0xff])),
    ),
    ("nine certificates", CheckId::EvidenceFormat, || {
        after(|evidence| {
            let ark = evidence.certificates[2].clone();
            evidence.certificates.extend(vec![ark; 6]);
        })
    }),
    ("nine revocation lists", CheckId::EvidenceFormat, || {
        after(|evidence| {
            let list = evidence.lists[0].clone();
            evidence.lists = vec![list; 9];
        })
    }),
    ("table without end", CheckId::EvidenceFormat, || {
        after(|evidence| evidence.table = Some(vec![0; 23]))
    }),
    ("root of a stranger", CheckId::Root, || {
        STRANGER.evidence(|_| {})
    }),
    (
        "root of a stranger, not brought",
        CheckId::SnpCertificates,
        || {
            let mut evidence = STRANGER.evidence(|_| {});
            evidence.certificates.pop();
            evidence.lists.clear();
            evidence
        },
    ),
    ("root of another product", CheckId::Root, || {
        after(|evidence| evidence.certificates[2] = TURIN.ark.certificate.clone())
    }),
    ("ASK of a stranger", CheckId::SnpCertificates, || {
        after(|evidence| evidence.certificates[1] = STRANGER.ask.certificate.clone())
    }),
    ("ASK of another product", CheckId::SnpCertificates, || {
        after(|evidence| evidence.certificates[1] = TURIN.ask.certificate.clone())
    }),
    ("ASVK in place of the ASK", CheckId::SnpCertificates, || {
        after(|evidence| evidence.certificates[1] = GENOA.asvk.certificate.clone())
    }),
    ("ASK missing", CheckId::SnpCertificates, || {
        after(|evidence| drop(evidence.certificates.remove(1)))
    }),
    ("VCEK of a stranger", CheckId::SnpCertificates, || {
        after(|evidence| {
            evidence.certificates[0] = STRANGER.evidence(|_| {}).certificates[0].clone()
        })
    }),
    ("VCEK changed", CheckId::SnpCertificates, || {
        after(|evidence| {
            let spoiled = flip_last(&evidence.certificates[0]);
            evidence.certificates[0] = spoiled;
        })
    }),
    ("ASK changed", CheckId::SnpCertificates, || {
        after(|evidence| {
            let spoiled = flip_last(&evidence.certificates[1]);
            evidence.certificates[1] = spoiled;
        })
    }),
    (
        "VCEK of a foreign subject",
        CheckId::SnpCertificates,
        || GENOA.evidence(|scenario| scenario.common_name = "SEV-XCEK".to_owned()),
    ),
    ("VCEK under the ASVK", CheckId::SnpCertificates, || {
        GENOA.evidence(|scenario| scenario.vlek = true)
    }),
    ("VLEK under the ASK", CheckId::SnpCertificates, || {
        GENOA.vlek(|scenario| scenario.vlek = false)
    }),
    ("VCEK without hwID", CheckId::SnpCertificates, || {
        without("4")
    }),
    ("VCEK with csp_id", CheckId::SnpCertificates, || {
        certified("5", tlv(0x16, b"CN=provider.example"))
    }),
    ("VLEK without csp_id", CheckId::SnpCertificates, || {
        GENOA.vlek(|scenario| drop(scenario.extensions.remove("5")))
    }),
    ("VLEK with hwID", CheckId::SnpCertificates, || {
        GENOA.vlek(|scenario| drop(scenario.extensions.insert("4", vec![0; 64])))
    }),
    (
        "hwID of eight bytes before Turin",
        CheckId::SnpCertificates,
        || certified("4", vec![0xc1; 8]),
    ),
    (
        "hwID of 64 bytes on Turin",
        CheckId::SnpCertificates,
        || TURIN.evidence(|scenario| drop(scenario.extensions.insert("4", vec![0xc1; 64]))),
    ),
    (
        "productName of another product",
        CheckId::SnpCertificates,
        || certified("2", tlv(0x16, b"Milan-B0")),
    ),
    (
        "productName that nobody knows",
        CheckId::SnpCertificates,
        || certified("2", tlv(0x16, b"Venice")),
    ),
    ("productName missing", CheckId::SnpCertificates, || {
        without("2")
    }),
    (
        "structVersion of the future",
        CheckId::SnpCertificates,
        || certified("1", integer(2)),
    ),
    ("SPL missing", CheckId::SnpCertificates, || without("3.3")),
    ("SPL of two bytes", CheckId::SnpCertificates, || {
        certified("3.8", integer(256 + 219))
    }),
    ("reserved SPL", CheckId::SnpCertificates, || {
        certified("3.5", integer(1))
    }),
    ("fmcSPL before Turin", CheckId::SnpCertificates, || {
        certified("3.9", integer(0))
    }),
    ("fmcSPL missing on Turin", CheckId::SnpCertificates, || {
        TURIN.evidence(|scenario| drop(scenario.extensions.remove("3.9")))
    }),
    ("ASK revoked", CheckId::SnpRevocation, || {
        listed(|list| list.revoked.push(ASK_SERIAL))
    }),
    ("ASVK revoked", CheckId::SnpRevocation, || {
        GENOA.vlek(|scenario| {
            scenario.list.as_mut().unwrap().revoked = vec![ASVK_SERIAL];
        })
    }),
    (
        "ASK revoked in the second of two lists",
        CheckId::SnpRevocation,
        || {
            after(|evidence| {
                let second = listed(|list| list.revoked = vec![ASK_SERIAL]).lists;
                evidence.lists.extend(second);
            })
        },
    ),
    (
        "ASK revoked out of the list's declared scope",
        CheckId::SnpRevocation,
        || {
            listed(|list| {
                list.scope = Some(scope("https://lists.example/other", None));
                list.revoked = vec![ASK_SERIAL];
            })
        },
    ),
    (
        "ASK revoked in the list of the host's table",
        CheckId::SnpRevocation,
        || listed(|list| list.revoked = vec![ASK_SERIAL]).into_table(),
    ),
    ("list changed", CheckId::SnpRevocation, || {
        after(|evidence| {
            let spoiled = flip_last(&evidence.lists[0]);
            evidence.lists[0] = spoiled;
        })
    }),
    (
        "list that a stranger signed",
        CheckId::SnpRevocation,
        || after(|evidence| evidence.lists = STRANGER.evidence(|_| {}).lists),
    ),
    ("list that the ASK signed", CheckId::SnpRevocation, || {
        after(|evidence| {
            evidence.lists = vec![GENOA.ask.list(&List::harmless())];
        })
    }),
    ("list that is none", CheckId::SnpRevocation, || {
        after(|evidence| evidence.lists = vec![evidence.certificates[2].clone()])
    }),
    ("list about other lists", CheckId::SnpRevocation, || {
        listed(|list| list.extra = extension("2.5.29.27", false, &integer(1)))
    }),
    (
        "list with a critical extension that nobody knows",
        CheckId::SnpRevocation,
        || listed(|list| list.extra = extension("2.5.29.99", true, &integer(1))),
    ),
    (
        "list of other people's certificates",
        CheckId::SnpRevocation,
        || listed(|list| list.scope = Some(tlv(0x30, &[0x84, 1, 0xff]))),
    ),
    (
        "list that revokes for some reasons only",
        CheckId::SnpRevocation,
        || listed(|list| list.scope = Some(tlv(0x30, &[0x83, 2, 6, 0x40]))),
    ),
    (
        "ASK revoked in a list without extensions",
        CheckId::SnpRevocation,
        || {
            listed(|list| {
                list.bare = true;
                list.revoked = vec![ASK_SERIAL];
            })
        },
    ),
    ("no list", CheckId::Revocation, || {
        GENOA.evidence(|scenario| scenario.list = None)
    }),
    ("list of another product", CheckId::Revocation, || {
        after(|evidence| evidence.lists = TURIN.evidence(|_| {}).lists)
    }),
    (
        "list of end-entity certificates only",
        CheckId::Revocation,
        || listed(|list| list.scope = Some(scope(LIST_URI, Some(1)))),
    ),
    ("list published elsewhere", CheckId::Revocation, || {
        listed(|list| list.scope = Some(scope("https://lists.example/other", None)))
    }),
    (
        "report said to be signed with a VLEK",
        CheckId::SnpKey,
        || put(0x48, &[4]),
    ),
    (
        "VLEK's report said to be signed with a VCEK",
        CheckId::SnpKey,
        || GENOA.vlek(|scenario| scenario.put(0x48, &[0])),
    ),
    ("report said not to be signed", CheckId::SnpKey, || {
        put(0x48, &[7 << 2])
    }),
    ("signing key that is reserved", CheckId::SnpKey, || {
        put(0x48, &[2 << 2])
    }),
    ("VCEK used although masked", CheckId::SnpKey, || {
        put(0x48, &[2])
    }),
    ("report data changed", CheckId::SnpSignature, || {
        damage(0x50, 0x01)
    }),
    ("measurement changed", CheckId::SnpSignature, || {
        damage(0x90, 0x80)
    }),
    ("signature of another report", CheckId::SnpSignature, || {
        after(|evidence| {
            let other = GENOA.evidence(|_| {}).report;
            evidence.report[0x2A0..].copy_from_slice(&other[0x2A0..]);
        })
    }),
    ("R of 49 bytes", CheckId::SnpSignature, || {
        damage(0x2A0 + 48, 1)
    }),
    ("S of 49 bytes", CheckId::SnpSignature, || {
        damage(0x2E8 + 48, 1)
    }),
    ("bytes after the signature", CheckId::SnpSignature, || {
        damage(0x49F, 1)
    }),
    ("R and S of zero", CheckId::SnpSignature, || {
        after(|evidence| evidence.report[0x2A0..].fill(0))
    }),
    ("R and S big-endian", CheckId::SnpSignature, || {
        after(|evidence| {
            evidence.report[0x2A0..0x2D0].reverse();
            evidence.report[0x2E8..0x318].reverse();
        })
    }),
    (
        "signature algorithm that is reserved",
        CheckId::SnpSignature,
        || put(0x34, &[2]),
    ),
    ("VCEK of another boot loader", CheckId::SnpTcb, || {
        certified("3.1", integer(5))
    }),
    ("VCEK of another TEE", CheckId::SnpTcb, || {
        certified("3.2", integer(0))
    }),
    ("VCEK of another SNP firmware", CheckId::SnpTcb, || {
        certified("3.3", integer(25))
    }),
    ("VCEK of other microcode", CheckId::SnpTcb, || {
        certified("3.8", integer(218))
    }),
    ("VCEK of another FMC on Turin", CheckId::SnpTcb, || {
        TURIN.evidence(|scenario| scenario.certify("3.9", 3))
    }),
    ("TCB in Milan's order on Turin", CheckId::SnpTcb, || {
        TURIN.evidence(|scenario| scenario.put(0x180, &tcb(Product::Milan)))
    }),
    ("TCB in Turin's order on Milan", CheckId::SnpTcb, || {
        MILAN.evidence(|scenario| scenario.put(0x180, &tcb(Product::Turin)))
    }),
    ("TCB with a reserved byte", CheckId::SnpTcb, || {
        put(0x183, &[1])
    }),
    ("another chip", CheckId::SnpChip, || put(0x1A0, &[0xc2])),
    ("another chip in the last byte", CheckId::SnpChip, || {
        put(0x1DF, &[0xc2])
    }),
    ("another chip on Turin", CheckId::SnpChip, || {
        TURIN.evidence(|scenario| scenario.put(0x1A0, &[0xc2]))
    }),
    ("bytes after Turin's chip id", CheckId::SnpChip, || {
        TURIN.evidence(|scenario| scenario.put(0x1A8, &[1]))
    }),
    ("masked chip id under a VCEK", CheckId::SnpChip, || {
        put(0x1A0, &[0; 64])
    }),
    ("policy without bit 17", CheckId::SnpPolicy, || {
        put(0x0A, &[1])
    }),
    ("policy with a reserved bit", CheckId::SnpPolicy, || {
        put(0x0B, &[4])
    }),
    ("policy with bit 63", CheckId::SnpPolicy, || {
        put(0x0F, &[0x80])
    }),
    (
        "key information with a reserved bit",
        CheckId::SnpPolicy,
        || put(0x48, &[0x20]),
    ),
    ("reserved byte at 0x4c", CheckId::SnpPolicy, || {
        put(0x4C, &[1])
    }),
    ("reserved byte at 0x18b", CheckId::SnpPolicy, || {
        put(0x18B, &[1])
    }),
    ("reserved byte at 0x29f", CheckId::SnpPolicy, || {
        put(0x29F, &[1])
    }),
    ("author key without its bit", CheckId::SnpPolicy, || {
        put(0x110, &[1; 48])
    }),
    (
        "author key's bit without the key",
        CheckId::SnpPolicy,
        || put(0x48, &[1]),
    ),
    ("processor of another product", CheckId::SnpPolicy, || {
        put(0x188, &[0x19, 0x01])
    }),
    ("processor that nobody knows", CheckId::SnpPolicy, || {
        put(0x188, &[0x19, 0x20])
    }),
    (
        "firmware committed above the current",
        CheckId::SnpPolicy,
        || put(0x1E6, &[25]),
    ),
    (
        "firmware reported above the current",
        CheckId::SnpPolicy,
        || put(0x3E, &[23]),
    ),
    ("VMPL 4", CheckId::SnpPolicy, || put(0x30, &[4])),
    ("VMPL 256", CheckId::SnpPolicy, || put(0x31, &[1])),
    ("report that the host asked for", CheckId::SnpPolicy, || {
        put(0x30, &[0xff; 4])
    }),
    ("VMPL 3 under a policy for 0", CheckId::Vmpl, || {
        put(0x30, &[3])
    }),
    ("debugging allowed", CheckId::Debug, || put(0x0A, &[0b1011])),
    ("migration allowed", CheckId::Migration, || {
        put(0x0A, &[0b0111])
    }),
];

/// Faults that fresh certificates or lists could mend.
const STALE: &[Negative] = &[
    ("VCEK expired", CheckId::SnpCertificates, || {
        dated(|scenario| scenario.vek_in_force = (NOW - 2 * DAY, NOW - 1))
    }),
    ("VCEK not yet valid", CheckId::SnpCertificates, || {
        dated(|scenario| scenario.vek_in_force = (NOW + 1, NOW + DAY))
    }),
    ("VLEK expired", CheckId::SnpCertificates, || {
        GENOA.vlek(|scenario| scenario.vek_in_force = (NOW - 2 * DAY, NOW - 1))
    }),
    ("ASK expired", CheckId::SnpCertificates, || {
        dated(|scenario| scenario.ask_in_force = Some((NOW - 2 * DAY, NOW - 1)))
    }),
    ("ASK not yet valid", CheckId::SnpCertificates, || {
        dated(|scenario| scenario.ask_in_force = Some((NOW + 1, NOW + DAY)))
    }),
    ("ARK expired", CheckId::SnpCertificates, || {
        // The root alone is out of date: it was valid for a year about NOW.
        let mut evidence = dated(|scenario| {
            scenario.vek_in_force = (NOW - DAY, NOW + 800 * DAY);
            scenario.ask_in_force = Some((NOW - DAY, NOW + 800 * DAY));
        });
        evidence.now = NOW + 366 * DAY;
        evidence
    }),
    ("ARK not yet valid", CheckId::SnpCertificates, || {
        let mut evidence = dated(|scenario| {
            scenario.vek_in_force = (NOW - 800 * DAY, NOW + DAY);
            scenario.ask_in_force = Some((NOW - 800 * DAY, NOW + DAY));
        });
        evidence.now = NOW - 366 * DAY;
        evidence
    }),
    ("list expired", CheckId::SnpRevocation, || {
        listed(|list| list.in_force = (NOW - 2 * DAY, NOW))
    }),
    ("list not yet in force", CheckId::SnpRevocation, || {
        listed(|list| list.in_force = (NOW + 1, NOW + DAY))
    }),
];

fn after(spoil: impl FnOnce(&mut Evidence)) -> Evidence {
    let mut evidence = GENOA.evidence(|_| {});
    spoil(&mut evidence);
    evidence
}

fn put(offset: usize, bytes: &[u8]) -> Evidence {
    GENOA.evidence(|scenario| scenario.put(offset, bytes))
}

fn damage(offset: usize, mask: u8) -> Evidence {
    after(|evidence| evidence.report[offset] ^= mask)
}

fn certified(extension: &'static str, value: Vec<u8>) -> Evidence {
    GENOA.evidence(|scenario| drop(scenario.extensions.insert(extension, value)))
}

fn without(extension: &'static str) -> Evidence {
    GENOA.evidence(|scenario| drop(scenario.extensions.remove(extension)))
}

fn dated(spoil: impl FnOnce(&mut Scenario)) -> Evidence {
    GENOA.evidence(spoil)
}

fn listed(spoil: impl FnOnce(&mut List)) -> Evidence {
    GENOA.evidence(|scenario| spoil(scenario.list.as_mut().unwrap()))
}

fn flip_last(bytes: &[u8]) -> Vec<u8> {
    let mut spoiled = bytes.to_vec();
    if let Some(last) = spoiled.last_mut() {
        *last ^= 1;
    }
    spoiled
}
