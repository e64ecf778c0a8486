// SPDX-License-Identifier: Apache-2.0
//! What a family of platforms needs, fetched once.

use std::error::Error as _;

use serde_json::Value;
use subrosa_attestation::Policy;
use subrosa_collateral::testing::{Fault, Vendor};
use subrosa_collateral::{CollateralConfig, FamilyError, IntelCa, IntelFamily, IntelTee};

use crate::forged::{NOW, collateral, forge, policy, vendor};

/// The family that forged evidence is of.
fn family() -> IntelFamily {
    let info = collateral(&forge())["tcb_info"].clone();
    let info: Value = serde_json::from_str(info.as_str().unwrap()).unwrap();
    let mut fmspc = [0; 6];
    hex::decode_to_slice(info["fmspc"].as_str().unwrap(), &mut fmspc).unwrap();
    IntelFamily {
        tee: IntelTee::Tdx,
        fmspc,
        ca: IntelCa::Platform,
    }
}

fn sources(vendor: &Vendor) -> CollateralConfig {
    CollateralConfig {
        intel_url: vendor.url.clone(),
        timeout_seconds: 1,
        ..CollateralConfig::default()
    }
}

#[tokio::test]
async fn a_family_gets_what_is_published_about_it() {
    let forge = forge();
    let vendor = vendor(&forge).await;
    let fetched = family()
        .fetch(&sources(&vendor), &policy(&forge), NOW)
        .await
        .unwrap();
    let fetched: Value = serde_json::from_slice(&fetched).unwrap();
    let published = collateral(&forge);
    for field in [
        "tcb_info",
        "tcb_info_signature",
        "tcb_info_issuer_chain",
        "qe_identity",
        "qe_identity_signature",
        "pck_crl",
        "root_ca_crl",
    ] {
        assert_eq!(fetched[field], published[field], "{field}");
    }
    assert_eq!(vendor.asked().len(), 4);
}

#[tokio::test]
async fn what_cannot_be_had_or_believed_is_named() {
    let forge = forge();
    let vendor = vendor(&forge).await;
    for (part, fault, what, why) in [
        ("/tcb?", Fault::NotFound, "tcb-info", "status 404"),
        ("/qe/identity", Fault::NoChain, "qe-identity", "no header"),
        ("/tcb?", Fault::Tampered, "tcb-info", "refused"),
        ("/pckcrl", Fault::Nonsense, "pck-crl", "refused"),
        ("/rootcacrl", Fault::Silent, "root-crl", "in time"),
        ("/pckcrl", Fault::Redirect, "pck-crl", "not followed"),
        (
            "/tcb?",
            Fault::Oversized { announced: false },
            "tcb-info",
            "larger than",
        ),
    ] {
        vendor.fail(part, fault);
        let refused = family()
            .fetch(&sources(&vendor), &policy(&forge), NOW)
            .await
            .unwrap_err();
        vendor.heal();
        assert!(refused.to_string().contains(what), "{fault:?}: {refused}");
        let source = refused.source().unwrap().to_string();
        assert!(source.contains(why), "{fault:?}: {source}");
    }
}

#[tokio::test]
async fn nothing_is_taken_under_another_root_or_out_of_its_time() {
    let forge = forge();
    let vendor = vendor(&forge).await;
    let own = policy(&forge);
    for (policy, now) in [(&Policy::strict(), NOW), (&own, 0), (&own, u64::MAX)] {
        let refused = family().fetch(&sources(&vendor), policy, now).await;
        assert!(matches!(refused, Err(FamilyError::Fetch { .. })), "{now}");
    }
}

#[tokio::test]
async fn addresses_that_may_not_be_asked_are_not() {
    let config = CollateralConfig {
        intel_url: "http://pccs.example".to_owned(),
        ..CollateralConfig::default()
    };
    let refused = family().fetch(&config, &Policy::strict(), NOW).await;
    assert!(matches!(refused, Err(FamilyError::Config(_))));
}
