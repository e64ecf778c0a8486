// SPDX-License-Identifier: Apache-2.0
//! Named negatives of policy, expectations and collateral: each is refused by the check it was
//! made for. Those of SEV-SNP, Nitro and Azure stand beside their own forges.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use serde_json::Value;
use subrosa_attestation::{Expectations, Firmware, Measurements, Policy, appraise, verify};
use subrosa_evidence::{
    CheckId as C, CheckOutcome, DEVELOPMENT_ROOT_ID, EvidenceBundle, EvidencePart, Product,
    TcbStatus, VerdictStatus,
};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::{Challenge, id::TeeKind};

use crate::fixture::{NOW, expectations, forge, sound};

/// What is wrong, and the check that must say so.
struct Negative {
    name: &'static str,
    check: C,
    bundle: EvidenceBundle,
    expectations: Expectations,
    now: u64,
}

#[test]
fn every_negative_is_refused_by_the_check_it_was_made_for() {
    // The original is sound, so that each negative fails for its own reason alone.
    verify(&sound(), &expectations(), NOW).unwrap();
    let negatives: Vec<Negative> = [faults(), swaps(), policies(), unmet(), times()]
        .into_iter()
        .flatten()
        .collect();
    let mut refused = BTreeMap::<C, usize>::new();
    for negative in &negatives {
        let Negative {
            name,
            check,
            bundle,
            expectations,
            now,
        } = negative;
        let error = verify(bundle, expectations, *now).expect_err(name);
        assert_eq!(error.check(), *check, "{name}: {error}");
        let appraisal = appraise(bundle, expectations, *now);
        assert_eq!(appraisal.verdict.status, VerdictStatus::Rejected, "{name}");
        let failed = appraisal.verdict.check(*check).unwrap();
        assert_eq!(failed.outcome, CheckOutcome::Failed, "{name}");
        assert!(
            !failed.expected.is_empty() && !failed.found.is_empty(),
            "{name}"
        );
        assert_ne!(failed.expected, failed.found, "{name}");
        assert!(appraisal.bound.is_err(), "{name}");
        *refused.entry(*check).or_default() += 1;
    }
    for (check, count) in &refused {
        println!("negatives: {check} {count}");
    }
    let names: BTreeSet<&str> = negatives.iter().map(|negative| negative.name).collect();
    assert_eq!(names.len(), negatives.len(), "two negatives have one name");
    println!(
        "negatives: {} of {} refused",
        negatives.len(),
        negatives.len()
    );
    assert!(negatives.len() >= 60, "only {}", negatives.len());
}

/// Faults of the platform and of its collateral, signed by the development authority.
fn faults() -> Vec<Negative> {
    [
        ("debugged TD", Fault::DebugTd, C::Debug),
        ("profiled TD", Fault::ProfilingTd, C::Debug),
        ("migratable TD", Fault::MigratableTd, C::Migration),
        (
            "SEPT_VE_DISABLE cleared",
            Fault::SeptVeEnabled,
            C::TdxAttributes,
        ),
        (
            "reserved TD attribute",
            Fault::ReservedTdAttribute,
            C::TdxAttributes,
        ),
        ("foreign root", Fault::ForeignRoot, C::Root),
        (
            "root of the same name and another key",
            Fault::ImpostorRoot,
            C::Root,
        ),
        ("expired certificates", Fault::ExpiredCertificates, C::Root),
        ("expired TCB info", Fault::ExpiredTcbInfo, C::DcapCollateral),
        (
            "TCB info of the future",
            Fault::FutureTcbInfo,
            C::DcapCollateral,
        ),
        (
            "expired QE identity",
            Fault::ExpiredQeIdentity,
            C::DcapCollateral,
        ),
        (
            "expired revocation lists",
            Fault::ExpiredRevocationLists,
            C::DcapRevocation,
        ),
        (
            "revoked PCK certificate",
            Fault::RevokedPck,
            C::DcapRevocation,
        ),
        ("revoked PCK CA", Fault::RevokedPckCa, C::DcapRevocation),
        (
            "revoked TCB signer",
            Fault::RevokedTcbSigner,
            C::DcapRevocation,
        ),
        ("forged TCB info", Fault::TamperedTcbInfo, C::DcapCollateral),
        (
            "forged QE identity",
            Fault::TamperedQeIdentity,
            C::DcapCollateral,
        ),
        (
            "TCB info of other hardware",
            Fault::ForeignFmspc,
            C::TcbLevel,
        ),
        ("downgraded TCB", Fault::OutOfDate, C::TcbStatus),
        (
            "configuration needed",
            Fault::ConfigurationNeeded,
            C::TcbStatus,
        ),
        (
            "software hardening needed",
            Fault::SwHardeningNeeded,
            C::TcbStatus,
        ),
        ("revoked TCB level", Fault::RevokedTcbLevel, C::TcbLevel),
        ("outdated quoting enclave", Fault::OutOfDateQe, C::TcbStatus),
        (
            "debugged quoting enclave",
            Fault::DebugQe,
            C::DcapQuotingEnclave,
        ),
        (
            "quoting enclave of another signer",
            Fault::ForeignQe,
            C::DcapQuotingEnclave,
        ),
        (
            "attestation key nobody vouched for",
            Fault::ForeignAttestationKey,
            C::DcapQuotingEnclave,
        ),
    ]
    .into_iter()
    .map(|(name, fault, check)| Negative {
        bundle: forge().fault(fault).evidence(),
        ..negative(name, check)
    })
    .collect()
}

/// Collateral that is sound by itself and does not belong, and parts that are missing.
fn swaps() -> Vec<Negative> {
    type Change = fn(&mut Value, &Value);
    let foreign = collateral_of(&forge().fault(Fault::ForeignRoot).evidence());
    let table: [(&str, C, Change); 19] = [
        (
            "TCB info with the signature of QE identity",
            C::DcapCollateral,
            |own, _| {
                own["tcb_info_signature"] = own["qe_identity_signature"].clone();
            },
        ),
        (
            "QE identity with the signature of TCB info",
            C::DcapCollateral,
            |own, _| {
                own["qe_identity_signature"] = own["tcb_info_signature"].clone();
            },
        ),
        (
            "TCB info chain of another authority",
            C::DcapCertificates,
            |own, other| {
                own["tcb_info_issuer_chain"] = other["tcb_info_issuer_chain"].clone();
            },
        ),
        (
            "QE identity chain of another authority",
            C::DcapCertificates,
            |own, other| {
                own["qe_identity_issuer_chain"] = other["qe_identity_issuer_chain"].clone();
            },
        ),
        (
            "root CRL of another authority",
            C::DcapRevocation,
            |own, other| {
                own["root_ca_crl"] = other["root_ca_crl"].clone();
            },
        ),
        (
            "PCK CRL of another authority",
            C::DcapRevocation,
            |own, other| {
                own["pck_crl"] = other["pck_crl"].clone();
            },
        ),
        (
            "PCK CRL in place of the root's",
            C::DcapRevocation,
            |own, _| {
                own["root_ca_crl"] = own["pck_crl"].clone();
            },
        ),
        (
            "root CRL in place of the PCK's",
            C::DcapRevocation,
            |own, _| {
                own["pck_crl"] = own["root_ca_crl"].clone();
            },
        ),
        ("empty PCK CRL", C::DcapRevocation, |own, _| {
            own["pck_crl"] = "".into()
        }),
        ("empty root CRL", C::DcapRevocation, |own, _| {
            own["root_ca_crl"] = "".into()
        }),
        (
            "QE identity in place of TCB info",
            C::DcapCollateral,
            |own, _| {
                own["tcb_info"] = own["qe_identity"].clone();
                own["tcb_info_signature"] = own["qe_identity_signature"].clone();
            },
        ),
        (
            "TCB info in place of QE identity",
            C::DcapCollateral,
            |own, _| {
                own["qe_identity"] = own["tcb_info"].clone();
                own["qe_identity_signature"] = own["tcb_info_signature"].clone();
            },
        ),
        ("zero TCB info signature", C::DcapCollateral, |own, _| {
            own["tcb_info_signature"] = "00".repeat(64).into();
        }),
        ("TCB info with a space more", C::DcapCollateral, |own, _| {
            own["tcb_info"] = format!("{} ", own["tcb_info"].as_str().unwrap()).into();
        }),
        ("empty TCB info chain", C::DcapCertificates, |own, _| {
            own["tcb_info_issuer_chain"] = "".into();
        }),
        (
            "TCB info chain without its leaf",
            C::DcapCertificates,
            |own, _| {
                let chain = own["tcb_info_issuer_chain"].as_str().unwrap();
                let second = chain.rfind("-----BEGIN").unwrap();
                own["tcb_info_issuer_chain"] = chain[second..].into();
            },
        ),
        ("no TCB info", C::EvidenceFormat, |own, _| {
            remove(own, "tcb_info")
        }),
        ("no QE identity", C::EvidenceFormat, |own, _| {
            remove(own, "qe_identity")
        }),
        ("no PCK CRL", C::EvidenceFormat, |own, _| {
            remove(own, "pck_crl")
        }),
    ];
    let mut negatives: Vec<Negative> = table
        .into_iter()
        .map(|(name, check, change)| {
            let mut own = collateral_of(&sound());
            change(&mut own, &foreign);
            with_part(
                name,
                check,
                EvidencePart::Collateral,
                serde_json::to_vec(&own).unwrap(),
            )
        })
        .collect();
    let foreign = forge().fault(Fault::ForeignRoot).evidence();
    negatives.push(with_part(
        "all collateral of another authority",
        C::DcapRevocation,
        EvidencePart::Collateral,
        foreign.collateral().to_vec(),
    ));
    negatives.push(with_part(
        "no collateral",
        C::EvidenceFormat,
        EvidencePart::Collateral,
        vec![],
    ));
    negatives.push(with_part(
        "collateral nested without end",
        C::EvidenceFormat,
        EvidencePart::Collateral,
        [b"{\"tcb_info\":".as_slice(), &[b'['; 100_000]].concat(),
    ));
    negatives.push(with_part(
        "no quote",
        C::EvidenceFormat,
        EvidencePart::Quote,
        vec![],
    ));
    negatives.push(with_part(
        "half a quote",
        C::EvidenceFormat,
        EvidencePart::Quote,
        sound().quote()[..2500].to_vec(),
    ));
    negatives.push(Negative {
        bundle: EvidenceBundle::from_parts(
            TeeKind::Sgx,
            sound().parts().map(|(part, bytes)| (part, bytes.to_vec())),
        )
        .unwrap(),
        ..negative("TDX quote said to be SGX", C::EvidenceFormat)
    });
    negatives
}

/// Sound evidence under a policy that does not accept it.
fn policies() -> Vec<Negative> {
    type Change = fn(&mut Policy);
    let table: [(&str, C, Change); 10] = [
        ("strict policy, software evidence", C::Root, |policy| {
            policy.allow_development = false;
        }),
        (
            "development root listed, development not allowed",
            C::Root,
            |policy| {
                policy.allow_development = false;
                policy.roots.insert(DEVELOPMENT_ROOT_ID);
            },
        ),
        ("kind not accepted", C::Kind, |policy| {
            policy.kinds.remove(&TeeKind::Tdx);
        }),
        ("product denied", C::Product, |policy| {
            policy.denied_products.insert(Product::IntelTdx);
        }),
        ("no status accepted", C::TcbStatus, |policy| {
            policy.tcb_statuses.clear()
        }),
        ("evaluation number too low", C::TcbEvaluation, |policy| {
            policy.minimum_tcb_evaluation = 18;
        }),
        (
            "firmware minimum where there is no firmware number",
            C::TcbMinimum,
            |policy| {
                policy
                    .minimum_firmware
                    .insert(Product::IntelTdx, Firmware::default());
            },
        ),
        ("machine not listed", C::Machine, |policy| {
            policy.machines = Some(BTreeSet::from([B256::repeat_byte(0xee)]));
        }),
        ("no machine listed", C::Machine, |policy| {
            policy.machines = Some(BTreeSet::new())
        }),
        (
            "no policy of ours: nothing is accepted",
            C::Root,
            |policy| {
                policy.roots.clear();
                policy.kinds.clear();
                policy.allow_development = false;
            },
        ),
    ];
    let mut negatives: Vec<Negative> = table
        .into_iter()
        .map(|(name, check, change)| {
            let mut expectations = expectations();
            change(&mut expectations.policy);
            Negative {
                expectations,
                ..negative(name, check)
            }
        })
        .collect();
    // A grace period that has run out, and one for another status.
    for (name, status, grace) in [
        ("grace period over", TcbStatus::OutOfDate, 0),
        (
            "grace period of another status",
            TcbStatus::ConfigurationNeeded,
            u64::MAX,
        ),
    ] {
        let mut expectations = expectations();
        expectations.policy.tcb_grace = BTreeMap::from([(status, grace)]);
        negatives.push(Negative {
            bundle: forge().fault(Fault::OutOfDate).evidence(),
            expectations,
            ..negative(name, C::TcbStatus)
        });
    }
    negatives
}

/// Sound evidence that is not what was asked for.
fn unmet() -> Vec<Negative> {
    type Change = fn(&mut Expectations);
    let other = B256::repeat_byte(0xee);
    let table: [(&str, C, Change); 11] = [
        ("wrong measurement", C::Measurement, |expected| {
            expected.measurements = Measurements::AnyOf(BTreeSet::from([B256::repeat_byte(0xee)]));
        }),
        ("no measurement allowed", C::Measurement, |expected| {
            expected.measurements = Measurements::AnyOf(BTreeSet::new());
        }),
        ("wrong measurement stated", C::Measurement, |expected| {
            expected.measurements = Measurements::Stated(vec![0xee; 192].into());
        }),
        ("empty measurement stated", C::Measurement, |expected| {
            expected.measurements = Measurements::Stated(vec![].into());
        }),
        ("wrong signer", C::ReportData, |expected| {
            expected.binding.signer = Address::repeat_byte(0x52);
        }),
        ("wrong transfer key", C::ReportData, |expected| {
            expected.binding.transfer_key_hash = B256::repeat_byte(0xee);
        }),
        ("wrong configuration", C::Config, |expected| {
            expected.binding.config_hash = B256::repeat_byte(0xee);
        }),
        ("wrong start", C::ReportData, |expected| {
            expected.binding.start_hash = B256::repeat_byte(0xee);
        }),
        ("wrong nonce", C::Challenge, |expected| {
            expected.challenge = Challenge::Client(vec![0xc5; 32]);
        }),
        ("a registration", C::Challenge, |expected| {
            expected.challenge = Challenge::Registration {
                block_hash: B256::repeat_byte(0xc4),
                registrant: Address::ZERO,
            };
        }),
        ("shorter nonce", C::Challenge, |expected| {
            expected.challenge = Challenge::Client(vec![0xc4; 31]);
        }),
    ];
    let mut negatives: Vec<Negative> = table
        .into_iter()
        .map(|(name, check, change)| {
            let mut expectations = expectations();
            change(&mut expectations);
            Negative {
                expectations,
                ..negative(name, check)
            }
        })
        .collect();
    let spoiled: [(&str, C, Forge); 5] = [
        (
            "wrong report data",
            C::ReportData,
            forge().report_data([0xee; 64]),
        ),
        (
            "no report data",
            C::ReportData,
            forge().report_data([0; 64]),
        ),
        ("wrong MRTD", C::Measurement, forge().mrtd([0xee; 48])),
        (
            "configured twice",
            C::Config,
            forge().config(expectations().binding.config_hash.0),
        ),
        ("another machine", C::Machine, forge().ppid([0x98; 16])),
    ];
    for (name, check, forge) in spoiled {
        let mut expectations = expectations();
        if check == C::Machine {
            let own = verify(&sound(), &expectations, NOW).unwrap();
            expectations.policy.machines = Some(BTreeSet::from([own.claims.machine_id, other]));
        }
        negatives.push(Negative {
            bundle: forge.evidence(),
            expectations,
            ..negative(name, check)
        });
    }
    negatives
}

/// Sound evidence at the wrong time.
fn times() -> Vec<Negative> {
    [
        ("before the collateral is in force", 1_767_225_599),
        ("after the collateral", 2_713_910_401),
        ("at the epoch", 0),
        ("at the end of time", u64::MAX / 4),
    ]
    .into_iter()
    .map(|(name, now)| Negative {
        now,
        check: verify(&sound(), &expectations(), now).unwrap_err().check(),
        ..negative(name, C::DcapCollateral)
    })
    .inspect(|negative| {
        let of_time = [C::DcapCollateral, C::DcapRevocation, C::DcapCertificates];
        assert!(of_time.contains(&negative.check), "{}", negative.name);
    })
    .collect()
}

fn negative(name: &'static str, check: C) -> Negative {
    Negative {
        name,
        check,
        bundle: sound(),
        expectations: expectations(),
        now: NOW,
    }
}

fn with_part(name: &'static str, check: C, part: EvidencePart, bytes: Vec<u8>) -> Negative {
    Negative {
        bundle: sound().with_part(part, bytes).unwrap(),
        ..negative(name, check)
    }
}

fn collateral_of(bundle: &EvidenceBundle) -> Value {
    serde_json::from_slice(bundle.collateral()).unwrap()
}

fn remove(collateral: &mut Value, field: &str) {
    collateral.as_object_mut().unwrap().remove(field);
}
