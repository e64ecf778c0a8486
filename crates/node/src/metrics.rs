// SPDX-License-Identifier: Apache-2.0
//! What is measured, one struct per component; the fields' documentation is the help text.
//!
//! Nothing is labelled by contract, user or input. Durations are in seconds.

use metrics::{Counter, Gauge, Histogram, counter, describe_counter, describe_gauge};
use metrics::{describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Every component's metrics, and the handle that renders them.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) enclave: EnclaveMetrics,
    pub(crate) bringup: BringupMetrics,
    pub(crate) loading: LoadingMetrics,
    pub(crate) follow: FollowMetrics,
    pub(crate) execute: ExecuteMetrics,
    pub(crate) relay: RelayMetrics,
    pub(crate) mailbox: MailboxMetrics,
    pub(crate) rpc: RpcMetrics,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Fresh metrics, kept in a recorder of their own: nothing is global.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the buckets are refused.
    pub(crate) fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(SECONDS)?
            .build_recorder();
        let handle = recorder.handle();
        Ok(metrics::with_local_recorder(&recorder, || Self {
            enclave: EnclaveMetrics::register(),
            bringup: BringupMetrics::register(),
            loading: LoadingMetrics::register(),
            follow: FollowMetrics::register(),
            execute: ExecuteMetrics::register(),
            relay: RelayMetrics::register(),
            mailbox: MailboxMetrics::register(),
            rpc: RpcMetrics::register(),
            handle,
        }))
    }

    /// Prometheus text.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Bounds the memory of histograms; to be called now and then.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// Declares a metrics struct whose field documentation becomes the help text.
macro_rules! metrics_struct {
    ($(#[$outer:meta])* $name:ident { $(#[doc = $help:literal] $field:ident: $kind:ident = $metric:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone)]
        pub(crate) struct $name {
            $(#[doc = $help] pub(crate) $field: metrics_struct!(@type $kind),)*
        }

        impl $name {
            /// Registers every metric with the current recorder.
            fn register() -> Self {
                Self {
                    $($field: {
                        metrics_struct!(@describe $kind, $metric, $help);
                        metrics_struct!(@register $kind, $metric)
                    },)*
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
    (@type counter) => { Counter };
    (@type gauge) => { Gauge };
    (@type histogram) => { Histogram };
    (@describe counter, $metric:literal, $help:literal) => { describe_counter!($metric, $help.trim()) };
    (@describe gauge, $metric:literal, $help:literal) => { describe_gauge!($metric, $help.trim()) };
    (@describe histogram, $metric:literal, $help:literal) => { describe_histogram!($metric, $help.trim()) };
    (@register counter, $metric:literal) => { counter!($metric) };
    (@register gauge, $metric:literal) => { gauge!($metric) };
    (@register histogram, $metric:literal) => { histogram!($metric) };
}

metrics_struct! {
    /// The stream to the enclave.
    EnclaveMetrics {
        #[doc = " Time from sending a frame to having its answer."]
        request_seconds: histogram = "subrosa_enclave_request_seconds",
        #[doc = " Requests that the enclave refused."]
        refusals: counter = "subrosa_enclave_refusals_total",
    }
}

metrics_struct! {
    /// Getting an enclave to serve.
    BringupMetrics {
        #[doc = " 1 while an enclave is admitted and serves."]
        serving: gauge = "subrosa_enclave_serving",
        #[doc = " Enclaves that were brought up since the node started."]
        completed: counter = "subrosa_bringups_total",
        #[doc = " Attempts to bring up an enclave that failed."]
        failed: counter = "subrosa_bringup_failures_total",
        #[doc = " Unix time at which the signer's lease ends."]
        lease_until: gauge = "subrosa_signer_lease_until_seconds",
        #[doc = " 1 while the signer's lease is about to end and renewing it has failed."]
        lease_ending: gauge = "subrosa_signer_lease_ending",
    }
}

metrics_struct! {
    /// Contracts in the enclave that serves.
    LoadingMetrics {
        #[doc = " Contracts that the node believes to be in the enclave's memory."]
        loaded: gauge = "subrosa_contracts_loaded",
        #[doc = " Contracts that are being loaded, or wait for their turn."]
        waiting: gauge = "subrosa_contracts_waiting",
        #[doc = " Contracts that could not be loaded when that was tried last."]
        failed: gauge = "subrosa_contracts_failed",
    }
}

metrics_struct! {
    /// Following the oracle.
    FollowMetrics {
        #[doc = " Last block whose entries are stored."]
        block: gauge = "subrosa_follow_block",
        #[doc = " Log entries seen."]
        entries: counter = "subrosa_follow_entries_total",
        #[doc = " Reorganizations seen."]
        reorgs: counter = "subrosa_follow_reorgs_total",
        #[doc = " Failures of the chain endpoint while following."]
        failures: counter = "subrosa_follow_failures_total",
    }
}

metrics_struct! {
    /// Executing entries.
    ExecuteMetrics {
        #[doc = " Entries executed and stored."]
        executed: counter = "subrosa_execute_entries_total",
        #[doc = " Executions without a result, to be tried again."]
        retries: counter = "subrosa_execute_retries_total",
        #[doc = " Contracts whose log cannot go on: code, key or build are missing, or the engine broke."]
        stopped: gauge = "subrosa_execute_stopped_contracts",
        #[doc = " Snapshots stored."]
        snapshots: counter = "subrosa_execute_snapshots_total",
        #[doc = " Time from reading a batch of entries to having its results stored."]
        batch_seconds: histogram = "subrosa_execute_batch_seconds",
    }
}

metrics_struct! {
    /// Sending results.
    RelayMetrics {
        #[doc = " Transactions sent."]
        sent: counter = "subrosa_relay_transactions_total",
        #[doc = " Transactions that reverted or could not be sent."]
        failed: counter = "subrosa_relay_failures_total",
        #[doc = " Results fulfilled by this node's transactions."]
        fulfilled: counter = "subrosa_relay_fulfilled_total",
        #[doc = " Results that the oracle passed over."]
        skipped: counter = "subrosa_relay_skipped_total",
        #[doc = " Results held back as their fees do not cover what they cost."]
        underpaid: gauge = "subrosa_relay_underpaid",
        #[doc = " Results left aside as their contracts ask for several enclaves' signatures."]
        cosigned: gauge = "subrosa_relay_cosigned",
        #[doc = " Results that the operator's budget paid for in part."]
        subsidized: counter = "subrosa_relay_subsidized_total",
        #[doc = " Transactions in flight."]
        in_flight: gauge = "subrosa_relay_in_flight",
        #[doc = " Results stored but not seen fulfilled."]
        outstanding: gauge = "subrosa_relay_outstanding",
        #[doc = " Time from seeing an entry to having its fulfillment sent."]
        latency_seconds: histogram = "subrosa_relay_latency_seconds",
    }
}

metrics_struct! {
    /// What passes through the chain.
    MailboxMetrics {
        #[doc = " Code envelopes that were published on chain and taken in."]
        code_taken: counter = "subrosa_mailbox_code_taken_total",
        #[doc = " Published code that is incomplete, not what its hash says, or refused by the enclave."]
        code_refused: counter = "subrosa_mailbox_code_refused_total",
        #[doc = " Published code that could not be handed in for want of an enclave or of the chain."]
        code_failed: counter = "subrosa_mailbox_code_failures_total",
        #[doc = " Challenges answered on chain."]
        challenges_answered: counter = "subrosa_mailbox_answers_total",
        #[doc = " Challenges not answered: their escrow does not cover, it was too late, or no transaction carries the evidence."]
        challenges_skipped: counter = "subrosa_mailbox_skipped_total",
    }
}

metrics_struct! {
    /// JSON-RPC.
    RpcMetrics {
        #[doc = " Calls answered."]
        calls: counter = "subrosa_rpc_calls_total",
        #[doc = " Calls answered with an error."]
        errors: counter = "subrosa_rpc_errors_total",
        #[doc = " Calls refused because their address asks too often, or has too many under way."]
        limited: counter = "subrosa_rpc_limited_total",
        #[doc = " Time to answer a call."]
        call_seconds: histogram = "subrosa_rpc_call_seconds",
    }
}

/// From a tenth of a millisecond to a minute; half milliseconds where the aims are.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035, 0.004, 0.0045, 0.005,
    0.0055, 0.006, 0.0065, 0.007, 0.0075, 0.008, 0.009, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.05,
    0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nodes_in_one_process_do_not_share_metrics() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.relay.fulfilled.increment(3);
        one.relay.latency_seconds.record(0.004);
        let text = one.render();
        assert!(text.contains("subrosa_relay_fulfilled_total 3"), "{text}");
        assert!(text.contains("# HELP subrosa_relay_fulfilled_total Results fulfilled by"));
        assert!(text.contains("subrosa_relay_latency_seconds_bucket{le=\"0.005\"} 1"));
        assert!(other.render().contains("subrosa_relay_fulfilled_total 0"));
    }
}
