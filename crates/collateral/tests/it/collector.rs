// SPDX-License-Identifier: Apache-2.0
//! Evidence that is completed, and who is charged for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use subrosa_collateral::testing::{Fault, Vendor};
use subrosa_collateral::{CollateralConfig, CollateralMetrics, Collector, Shortage};
use subrosa_evidence::{EvidenceBundle, EvidencePart};
use subrosa_types::id::TeeKind;

use crate::forged::{NOW, bare, collateral, forge, policy, vendor};

struct Scene {
    vendor: Vendor,
    collector: Collector,
    now: Arc<AtomicU64>,
}

async fn scene() -> Scene {
    let forge = forge();
    let vendor = vendor(&forge).await;
    let config = CollateralConfig {
        intel_url: vendor.url.clone(),
        timeout_seconds: 1,
        ..CollateralConfig::default()
    };
    let now = Arc::new(AtomicU64::new(NOW));
    let clock = Arc::clone(&now);
    let collector = Collector::new(
        &config,
        &policy(&forge),
        Arc::new(move || clock.load(Ordering::SeqCst)),
        CollateralMetrics::new(Arc::new(PrometheusBuilder::new().build_recorder())),
    );
    Scene {
        vendor,
        collector: collector.unwrap(),
        now,
    }
}

impl Scene {
    /// Completes bare evidence, and says how often its sender was charged.
    async fn complete(&self) -> (Result<EvidenceBundle, Shortage>, u32) {
        let mut charged = 0;
        let charge = || {
            charged += 1;
            Ok(())
        };
        let completed = self.collector.complete(bare(&forge()), charge).await;
        (completed, charged)
    }
}

#[tokio::test]
async fn whoever_causes_fetches_is_charged_once_and_others_are_not() {
    let scene = scene().await;
    let (completed, charged) = scene.complete().await;
    let completed: Value = serde_json::from_slice(completed.unwrap().collateral()).unwrap();
    let published = collateral(&forge());
    for field in ["tcb_info", "qe_identity", "pck_crl", "root_ca_crl"] {
        assert_eq!(completed[field], published[field], "{field}");
    }
    assert_eq!((charged, scene.vendor.asked().len()), (1, 4));
    let (completed, charged) = scene.complete().await;
    assert!(completed.is_ok());
    assert_eq!((charged, scene.vendor.asked().len()), (0, 4));
}

#[tokio::test]
async fn whoever_may_not_cause_fetches_causes_none() {
    let scene = scene().await;
    let refused = scene.collector.complete(bare(&forge()), || Err(7)).await;
    assert_eq!(refused, Err(Shortage::TooMany(7)));
    assert_eq!(scene.vendor.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn evidence_that_needs_nothing_costs_nothing() {
    let scene = scene().await;
    let quote = (EvidencePart::Quote, b"no quote".to_vec());
    let bundle = EvidenceBundle::from_parts(TeeKind::Tdx, [quote]).unwrap();
    let same = scene.collector.complete(bundle.clone(), || Err(7)).await;
    assert_eq!(same, Ok(bundle));
}

#[tokio::test]
async fn a_shortage_says_how_long_to_wait_and_is_remembered() {
    let scene = scene().await;
    scene.vendor.fail("/tcb?", Fault::NotFound);
    let (completed, charged) = scene.complete().await;
    assert_eq!(completed, Err(Shortage::Unavailable(10)));
    assert_eq!((charged, scene.vendor.asked().len()), (1, 4));
    scene.vendor.heal();
    scene.now.store(NOW + 9, Ordering::SeqCst);
    let (completed, charged) = scene.complete().await;
    assert_eq!(completed, Err(Shortage::Unavailable(1)));
    assert_eq!((charged, scene.vendor.asked().len()), (0, 4));
    scene.now.store(NOW + 10, Ordering::SeqCst);
    let (completed, charged) = scene.complete().await;
    assert!(completed.is_ok());
    assert_eq!((charged, scene.vendor.asked().len()), (1, 5));
}
