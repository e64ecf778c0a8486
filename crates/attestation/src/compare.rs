// SPDX-License-Identifier: Apache-2.0
//! Claims, from evidence or from an attestation result, against policy and expectations.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use alloy_primitives::hex;
use subrosa_evidence::{
    CHALLENGE_BYTES, Check, CheckId, Product, config_register, is_development, report_data,
};

use subrosa_types::Challenge;

use crate::policy::why;
use crate::roots::Roots;
use crate::{Claims, Expectations, Measurements, Policy, Stated};

/// What [`platform_checks`] makes, in order.
pub(crate) const PLATFORM: [CheckId; 13] = [
    CheckId::Root,
    CheckId::Kind,
    CheckId::Product,
    CheckId::Debug,
    CheckId::Migration,
    CheckId::Vmpl,
    CheckId::TcbStatus,
    CheckId::TcbMinimum,
    CheckId::TcbEvaluation,
    CheckId::TcbAdvisories,
    CheckId::Revocation,
    CheckId::Machine,
    CheckId::Age,
];

/// What [`bound_checks`] makes.
pub(crate) const BOUND: [CheckId; 4] = [
    CheckId::Measurement,
    CheckId::Config,
    CheckId::ReportData,
    CheckId::Challenge,
];

/// What [`stated_checks`] makes.
pub(crate) const STATED: [CheckId; 2] = [CheckId::Measurement, CheckId::ReportData];

/// Is this hardware, in this state, trusted at all?
pub(crate) fn platform_checks(claims: &Claims, policy: &Policy, now: u64) -> Vec<Check> {
    let mut checks = trust_checks(claims, policy);
    checks.extend(tcb_checks(claims, policy, now));
    checks.push(revocation_check(claims, policy));
    checks.push(match &policy.machines {
        Some(machines) => Check::compare(
            CheckId::Machine,
            // Who has no identity is on no list.
            !claims.machine_id.is_zero() && machines.contains(&claims.machine_id),
            format_args!("one of {} listed machines", machines.len()),
            claims.machine_id,
        ),
        None => Check::compare(CheckId::Machine, true, "any machine", claims.machine_id),
    });
    checks.push(age_check(claims, policy, now));
    checks
}

fn revocation_check(claims: &Claims, policy: &Policy) -> Check {
    Check::compare(
        CheckId::Revocation,
        claims.revocation_checked || !policy.require_revocation_lists,
        if policy.require_revocation_lists {
            "revocation lists consulted, where the vendor's procedure has them"
        } else {
            "revocation lists consulted, if there are any"
        },
        match (claims.revocation_checked, claims.product) {
            (_, Product::Nitro) => "not consulted: the vendor's procedure leaves them out",
            (true, _) => "consulted",
            (false, _) => "no revocation list with the evidence",
        },
    )
}

fn trust_checks(claims: &Claims, policy: &Policy) -> Vec<Check> {
    let roots = Roots::with(&policy.certificates);
    let accepted_roots = policy
        .roots
        .iter()
        .copied()
        .filter(|root| !is_development(*root))
        .chain(
            policy
                .allow_development
                .then_some(subrosa_evidence::DEVELOPMENT_ROOT_ID),
        );
    let denied = policy.denied_products.contains(&claims.product);
    vec![
        Check::compare(
            CheckId::Root,
            policy.accepts_root(claims.root_id),
            OneOf(accepted_roots.map(|root| roots.name(root)).collect()),
            roots.name(claims.root_id),
        ),
        Check::compare(
            CheckId::Kind,
            policy.kinds.contains(&claims.tee),
            OneOf(policy.kinds.iter().collect()),
            claims.tee,
        ),
        Check::compare(
            CheckId::Product,
            !denied,
            if policy.denied_products.is_empty() {
                "any product".to_owned()
            } else {
                format!("not {}", OneOf(policy.denied_products.iter().collect()))
            },
            if denied {
                format!("{}: {}", claims.product, why(claims.product))
            } else {
                claims.product.to_string()
            },
        ),
        Check::compare(
            CheckId::Debug,
            claims.debug == 0 || policy.dangerous_accept_debug,
            if policy.dangerous_accept_debug {
                "anything"
            } else {
                "attributes 0x00"
            },
            format_args!("attributes {:#04x}", claims.debug),
        ),
        Check::compare(
            CheckId::Migration,
            !claims.migratable || policy.dangerous_accept_migration,
            if policy.dangerous_accept_migration {
                "anything"
            } else {
                "not migratable"
            },
            if claims.migratable {
                "migratable"
            } else {
                "not migratable"
            },
        ),
        vmpl_check(claims, policy),
    ]
}

fn vmpl_check(claims: &Claims, policy: &Policy) -> Check {
    match claims.vmpl {
        Some(level) => Check::compare(
            CheckId::Vmpl,
            level <= policy.maximum_vmpl,
            format_args!("at most {}", policy.maximum_vmpl),
            level,
        ),
        None => Check::compare(CheckId::Vmpl, true, "none", "none"),
    }
}

fn tcb_checks(claims: &Claims, policy: &Policy, now: u64) -> Vec<Check> {
    vec![
        status_check(claims, policy, now),
        firmware_check(claims, policy),
        match claims.tcb_evaluation {
            Some(number) => Check::compare(
                CheckId::TcbEvaluation,
                number >= policy.minimum_tcb_evaluation,
                format_args!("at least {}", policy.minimum_tcb_evaluation),
                number,
            ),
            None => Check::compare(CheckId::TcbEvaluation, true, NOT_PUBLISHED, NOT_PUBLISHED),
        },
        advisory_check(claims, policy),
    ]
}

fn status_check(claims: &Claims, policy: &Policy, now: u64) -> Check {
    let Some(status) = claims.tcb_status else {
        return Check::compare(CheckId::TcbStatus, true, NOT_PUBLISHED, NOT_PUBLISHED);
    };
    let in_grace = policy.tcb_grace.get(&status).is_some_and(|grace| {
        claims
            .tcb_date
            .is_some_and(|date| now <= date.saturating_add(*grace))
    });
    let mut accepted: Vec<String> = policy
        .tcb_statuses
        .iter()
        .map(ToString::to_string)
        .collect();
    accepted.extend(
        policy
            .tcb_grace
            .iter()
            .map(|(status, grace)| format!("{status} until {grace} s after its tcbDate")),
    );
    let mut found = status.to_string();
    if let (Some(date), false) = (claims.tcb_date, policy.tcb_grace.is_empty()) {
        found.push_str(&format!(" of tcbDate {date}, at {now}"));
    }
    Check::compare(
        CheckId::TcbStatus,
        policy.tcb_statuses.contains(&status) || in_grace,
        OneOf(accepted),
        found,
    )
}

fn firmware_check(claims: &Claims, policy: &Policy) -> Check {
    let id = CheckId::TcbMinimum;
    let minimum = policy.minimum_firmware.get(&claims.product);
    match (claims.firmware, minimum) {
        (Some(found), Some(minimum)) => Check::compare(
            id,
            found.meets(minimum),
            format_args!("at least {minimum}"),
            found,
        ),
        (Some(found), None) => Check::compare(id, true, "any firmware", found),
        (None, Some(minimum)) => Check::compare(id, false, minimum, "no firmware versions"),
        (None, None) => Check::compare(id, true, NOT_PUBLISHED, NOT_PUBLISHED),
    }
}

fn advisory_check(claims: &Claims, policy: &Policy) -> Check {
    let bad = claims.advisories.iter().any(|advisory| {
        policy.denied_advisories.contains(advisory)
            || policy
                .tolerated_advisories
                .as_ref()
                .is_some_and(|tolerated| !tolerated.contains(advisory))
    });
    let mut expected = match &policy.tolerated_advisories {
        Some(tolerated) => format!("none but {}", OneOf(tolerated.iter().collect())),
        None => "any that the status tolerates".to_owned(),
    };
    if !policy.denied_advisories.is_empty() {
        let denied = OneOf(policy.denied_advisories.iter().collect());
        expected.push_str(&format!(", not {denied}"));
    }
    let found = if claims.advisories.is_empty() {
        "none".to_owned()
    } else {
        claims.advisories.join(", ")
    };
    Check::compare(CheckId::TcbAdvisories, !bad, expected, found)
}

fn age_check(claims: &Claims, policy: &Policy, now: u64) -> Check {
    let Some(issued) = claims.issued else {
        return Check::compare(
            CheckId::Age,
            true,
            "no time in the evidence",
            "no time in the evidence",
        );
    };
    let young = issued <= now.saturating_add(CLOCK_SKEW)
        && now <= issued.saturating_add(policy.maximum_age);
    Check::compare(
        CheckId::Age,
        young,
        format_args!("signed at most {} s before {now}", policy.maximum_age),
        format_args!("signed at {issued}"),
    )
}

/// Does it run what is expected, and is it bound to these keys, this configuration and challenge?
pub(crate) fn bound_checks(claims: &Claims, expectations: &Expectations) -> Vec<Check> {
    let binding = &expectations.binding;
    let challenge = &expectations.challenge;
    let expected = report_data(binding, challenge);
    let (expected_binding, expected_challenge) = expected.split_at(BINDING_BYTES);
    // Anything but 64 bytes is not report data of ours, and has neither half.
    let halves = claims.report_data.split_at_checked(BINDING_BYTES);
    let (found_binding, found_challenge) = halves
        .filter(|(_, challenge)| challenge.len() == BINDING_BYTES)
        .unwrap_or_default();
    let long_enough = match challenge {
        Challenge::Client(bytes) => CHALLENGE_BYTES.contains(&bytes.len()),
        Challenge::Registration { .. } => true,
    };
    vec![
        measurement_check(claims, &expectations.measurements),
        config_check(claims, expectations, found_binding == expected_binding),
        Check::compare(
            CheckId::ReportData,
            found_binding == expected_binding,
            format_args!(
                "{} (signer {})",
                hex::encode(expected_binding),
                binding.signer
            ),
            hex::encode(found_binding),
        ),
        Check::compare(
            CheckId::Challenge,
            long_enough && found_challenge == expected_challenge,
            if long_enough {
                hex::encode(expected_challenge)
            } else {
                format!(
                    "a challenge of {} to {} bytes",
                    CHALLENGE_BYTES.start(),
                    CHALLENGE_BYTES.end()
                )
            },
            hex::encode(found_challenge),
        ),
    ]
}

fn config_check(claims: &Claims, expectations: &Expectations, bound: bool) -> Check {
    let config_hash = expectations.binding.config_hash;
    let expected = config_register(config_hash);
    match claims.config_register {
        Some(register) => Check::compare(
            CheckId::Config,
            register == expected,
            format_args!("{} (configuration {config_hash})", hex::encode(expected)),
            hex::encode(register),
        ),
        None => Check::compare(
            CheckId::Config,
            bound,
            format_args!("configuration {config_hash}, bound by the report data"),
            if bound { "bound" } else { "not bound" },
        ),
    }
}

/// Is it what a person states?
pub(crate) fn stated_checks(claims: &Claims, stated: &Stated) -> Vec<Check> {
    let judged_elsewhere = Measurements::JudgedElsewhere;
    let measurements = stated.measurements.as_ref().unwrap_or(&judged_elsewhere);
    let report_data = match &stated.report_data {
        Some(expected) if !expected.is_empty() => Check::compare(
            CheckId::ReportData,
            *expected == claims.report_data,
            expected,
            &claims.report_data,
        ),
        // Evidence that binds nothing is anybody's.
        _ => Check::not_appraised(CheckId::ReportData, &claims.report_data),
    };
    vec![measurement_check(claims, measurements), report_data]
}

fn measurement_check(claims: &Claims, expected: &Measurements) -> Check {
    let id = CheckId::Measurement;
    match expected {
        Measurements::AnyOf(ids) => Check::compare(
            id,
            ids.contains(&claims.measurement_id),
            OneOf(ids.iter().collect()),
            claims.measurement_id,
        ),
        Measurements::Stated(stated) => {
            let whole = *stated == claims.measurement || stated[..] == claims.measurement_id[..];
            let first = stated.len() == LAUNCH_BYTES && claims.measurement.starts_with(stated);
            // PCR 0 of a Nitro enclave covers the whole image; elsewhere anybody's system may
            // have started after it.
            let covered = first && claims.product == Product::Nitro;
            if first && !whole && !covered {
                let found = format!("{}, which begins with it", claims.measurement);
                return Check::not_appraised(id, found);
            }
            let found = format!("{} (id {})", claims.measurement, claims.measurement_id);
            Check::compare(id, whole || covered, stated, found)
        }
        Measurements::JudgedElsewhere => Check::not_appraised(id, claims.measurement_id),
    }
}

/// Alternatives, for people.
struct OneOf<T>(Vec<T>);

impl<T: fmt::Display> fmt::Display for OneOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0.as_slice() else {
            return f.write_str("none");
        };
        if rest.len() >= MAX_ALTERNATIVES {
            return write!(f, "one of {}", self.0.len());
        }
        write!(f, "{first}")?;
        for other in rest {
            write!(f, " or {other}")?;
        }
        Ok(())
    }
}

/// More are only counted.
const MAX_ALTERNATIVES: usize = 10;
/// Half of the report data.
const BINDING_BYTES: usize = 32;
/// MRTD, PCR 0, launch digest.
const LAUNCH_BYTES: usize = 48;
/// How far a platform's clock may be ahead, seconds.
const CLOCK_SKEW: u64 = 60;
const NOT_PUBLISHED: &str = "not published by the vendor";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use alloy_primitives::{B256, Bytes};
    use subrosa_types::id::TeeKind;

    use super::*;
    use crate::Firmware;
    use subrosa_evidence::{CheckOutcome, INTEL_SGX_ROOT_ID, TcbStatus};

    const NOW: u64 = 1_780_272_000;

    fn claims() -> Claims {
        Claims {
            tee: TeeKind::Tdx,
            product: Product::IntelTdx,
            root_id: INTEL_SGX_ROOT_ID,
            measurement: Bytes::from(vec![1; 192]),
            measurement_hash: B256::ZERO,
            measurement_id: B256::ZERO,
            config_register: None,
            report_data: Bytes::new(),
            registers: Vec::new(),
            debug: 0,
            migratable: false,
            vmpl: None,
            tcb_status: Some(TcbStatus::UpToDate),
            tcb_date: Some(NOW - 1000),
            firmware: None,
            advisories: vec!["INTEL-SA-00615".to_owned()],
            tcb_evaluation: Some(17),
            machine_id: B256::ZERO,
            issued: None,
            revocation_checked: true,
            collateral: Vec::new(),
            collateral_expires: NOW + 1,
            evidence_hash: B256::ZERO,
        }
    }

    fn failed(claims: &Claims, policy: &Policy) -> Vec<CheckId> {
        platform_checks(claims, policy, NOW)
            .into_iter()
            .filter(|check| check.outcome == CheckOutcome::Failed)
            .map(|check| check.id)
            .collect()
    }

    #[test]
    fn every_check_of_the_platform_is_made_once_and_in_order() {
        let made: Vec<CheckId> = platform_checks(&claims(), &Policy::strict(), NOW)
            .iter()
            .map(|check| check.id)
            .collect();
        assert_eq!(made, PLATFORM);
        assert!(failed(&claims(), &Policy::strict()).is_empty());
    }

    #[test]
    fn advisories_are_denied_by_name_or_for_not_being_tolerated() {
        let named = BTreeSet::from(["INTEL-SA-00615".to_owned()]);
        let other = BTreeSet::from(["INTEL-SA-00001".to_owned()]);
        let judge = |denied: &BTreeSet<String>, tolerated: Option<&BTreeSet<String>>| {
            let mut policy = Policy::strict();
            policy.denied_advisories = denied.clone();
            policy.tolerated_advisories = tolerated.cloned();
            failed(&claims(), &policy)
        };
        let none = BTreeSet::new();
        assert!(judge(&other, None).is_empty());
        assert!(judge(&none, Some(&named)).is_empty());
        for refused in [
            judge(&named, None),
            judge(&none, Some(&other)),
            judge(&none, Some(&none)),
            judge(&named, Some(&named)),
        ] {
            assert_eq!(refused, [CheckId::TcbAdvisories]);
        }
    }

    #[test]
    fn a_grace_period_ends_with_its_last_second() {
        let mut claims = claims();
        claims.tcb_status = Some(TcbStatus::OutOfDate);
        for (grace, refused) in [(999, true), (1000, false), (u64::MAX, false)] {
            let mut policy = Policy::strict();
            policy.tcb_grace = BTreeMap::from([(TcbStatus::OutOfDate, grace)]);
            assert_eq!(!failed(&claims, &policy).is_empty(), refused, "{grace}");
        }
    }

    #[test]
    fn what_a_platform_says_of_itself_is_held_against_the_policy() {
        type Spoil = fn(&mut Claims);
        let table: [(CheckId, Spoil); 9] = [
            (CheckId::Root, |claims| claims.root_id = B256::ZERO),
            (CheckId::Product, |claims| claims.product = Product::Milan),
            (CheckId::Debug, |claims| claims.debug = 1),
            (CheckId::Migration, |claims| claims.migratable = true),
            (CheckId::Vmpl, |claims| claims.vmpl = Some(1)),
            (CheckId::TcbStatus, |claims| {
                claims.tcb_status = Some(TcbStatus::OutOfDate);
            }),
            (CheckId::Revocation, |claims| {
                claims.revocation_checked = false
            }),
            (CheckId::Age, |claims| claims.issued = Some(NOW - 301)),
            (CheckId::Age, |claims| {
                claims.issued = Some(NOW + CLOCK_SKEW + 1)
            }),
        ];
        for (check, spoil) in table {
            let mut claims = claims();
            spoil(&mut claims);
            assert_eq!(failed(&claims, &Policy::strict()), [check]);
        }
        let mut old = claims();
        old.product = Product::Genoa;
        old.firmware = Some(Firmware::default());
        let mut policy = Policy::strict();
        let minimum = Firmware {
            microcode: 1,
            ..Firmware::default()
        };
        policy.minimum_firmware.insert(Product::Genoa, minimum);
        assert_eq!(failed(&old, &policy), [CheckId::TcbMinimum]);
        policy.minimum_firmware.clear();
        assert!(failed(&old, &policy).is_empty());
    }
}
