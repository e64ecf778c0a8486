// SPDX-License-Identifier: Apache-2.0
//! One line in the log for each appraisal.

use subrosa_evidence::{CheckOutcome, Verdict};
use subrosa_types::id::TeeKind;

use super::metrics::outcome;

/// Logs the verdict on evidence of `kind`, whole, as JSON, and what one looks for first beside it.
///
/// Of the request there is nothing but what the verdict repeats of it. That need not have been
/// verified: where a check fails, `found` may quote names, dates and parsers' complaints from the
/// evidence, which its sender chose. They are JSON strings within one line, and no reader may take
/// them for more than quotations.
pub(super) fn appraised(what: &'static str, kind: TeeKind, verdict: &Verdict) {
    let failed = verdict
        .checks
        .iter()
        .find(|check| check.outcome == CheckOutcome::Failed)
        .map_or("none", |check| check.id.as_str());
    let product = verdict
        .subject
        .as_ref()
        .map_or("unverified", |subject| subject.product.as_str());
    tracing::info!(
        what,
        status = outcome(verdict.status),
        failed,
        kind = kind.as_str(),
        product,
        policy = %verdict.policy,
        development = verdict.development,
        verdict = serde_json::to_string(verdict).unwrap_or_default(),
        "evidence appraised"
    );
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use subrosa_attestation::{Policy, Stated, inspect};
    use subrosa_evidence::EvidenceBundle;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_verdict_is_one_structured_line_without_payload() {
        let payload = b"PAYLOAD PAYLOAD PAYLOAD".to_vec();
        let bundle = EvidenceBundle::new(TeeKind::Sgx, payload.clone(), payload).unwrap();
        let policy = Policy::development();
        let (verdict, _) = inspect(&bundle, &policy, &Stated::default(), 0);
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            appraised("appraise", bundle.kind(), &verdict);
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let fields = &line["fields"];
        for (field, expected) in [
            ("what", "appraise"),
            ("status", "rejected"),
            ("failed", "evidence.format"),
            ("kind", "sgx"),
            ("product", "unverified"),
            ("policy", &policy.hash().to_string()),
        ] {
            assert_eq!(fields[field], expected, "{field}");
        }
        let logged: Verdict = serde_json::from_str(fields["verdict"].as_str().unwrap()).unwrap();
        assert_eq!(logged, verdict);
        assert!(logged.relaxations[0].contains("software evidence is accepted"));
        assert!(!text.contains("PAYLOAD"));
    }
}
