// SPDX-License-Identifier: Apache-2.0
//! What every way to an enclave must do.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use async_trait::async_trait;
use futures::future::join_all;
use subrosa_types::frame::{
    ErrorCode, HelloReply, MAX_FRAME_BYTES, Request, Response, WIRE_VERSION,
};

use super::patience::soon;
use crate::enclave::{EnclaveError, EnclaveLink, Enclaves, hello};

/// An enclave that no configuration was given to, and the way to it.
#[async_trait]
pub trait EnclaveHarness: Send {
    /// The way to it. A connection made after the last one was lost reaches another boot.
    fn enclaves(&mut self) -> &mut dyn Enclaves;

    /// Has the enclave vanish without a word, as if it was killed.
    async fn lose(&mut self);
}

/// Runs every case.
pub async fn enclave(harness: &mut impl EnclaveHarness) {
    let (link, greeting) = connect(harness).await;
    assert_eq!(greeting.wire_version, WIRE_VERSION);
    assert_eq!(greeting.started, None, "a fresh enclave is not started");
    assert!(!link.is_closed());
    a_refusal_is_an_answer_and_no_disconnect(&link).await;
    each_request_has_its_own_answer(&link, &greeting).await;
    what_fits_no_frame_is_not_sent(&link, &greeting).await;
    an_answer_that_nobody_waits_for_is_given_to_nobody_else(&link, &greeting).await;
    what_is_not_ours_is_left_running(harness, &link, &greeting).await;
    what_is_lost_fails_at_once_and_for_good(harness, &link).await;
    drop(link);
    another_boot_shows_in_its_greeting(harness, &greeting).await;
}

async fn connect(harness: &mut impl EnclaveHarness) -> (Arc<dyn EnclaveLink>, HelloReply) {
    let connected = soon("connecting", harness.enclaves().connect()).await;
    connected.expect("an enclave listens")
}

/// An enclave that was not started quotes nothing.
fn quote() -> Request {
    Request::Quote {
        block_hash: B256::repeat_byte(7),
        registrant: Address::ZERO,
    }
}

fn is_refusal(answer: &Result<Response, EnclaveError>) -> bool {
    matches!(answer, Ok(Response::Error(refusal)) if refusal.code == ErrorCode::OutOfOrder)
}

fn is_greeting(answer: &Result<Response, EnclaveError>, greeting: &HelloReply) -> bool {
    matches!(answer, Ok(Response::Hello(reply)) if reply.boot_id == greeting.boot_id)
}

async fn a_refusal_is_an_answer_and_no_disconnect(link: &Arc<dyn EnclaveLink>) {
    for _ in 0..2 {
        let answer = soon("a refusal", link.ask(quote())).await;
        assert!(is_refusal(&answer), "{answer:?}");
        assert!(!link.is_closed(), "closed by a refusal");
    }
}

async fn each_request_has_its_own_answer(link: &Arc<dyn EnclaveLink>, greeting: &HelloReply) {
    let ask = |index: usize| async move {
        let request = if index.is_multiple_of(2) {
            hello()
        } else {
            quote()
        };
        (index, link.ask(request).await)
    };
    let answers = soon("answers", join_all((0..16).map(ask))).await;
    for (index, answer) in answers {
        let own = if index.is_multiple_of(2) {
            is_greeting(&answer, greeting)
        } else {
            is_refusal(&answer)
        };
        assert!(own, "request {index} is answered by {answer:?}");
    }
}

async fn what_fits_no_frame_is_not_sent(link: &Arc<dyn EnclaveLink>, greeting: &HelloReply) {
    let request = Request::Query {
        contract: B256::ZERO,
        envelope: Bytes::from(vec![0; MAX_FRAME_BYTES + 1]),
    };
    let answer = soon("a refusal", link.ask(request)).await;
    assert!(
        matches!(answer, Err(EnclaveError::Oversized(_))),
        "an oversized request is answered"
    );
    let answer = soon("an answer", link.ask(hello())).await;
    assert!(is_greeting(&answer, greeting), "{answer:?}");
}

async fn an_answer_that_nobody_waits_for_is_given_to_nobody_else(
    link: &Arc<dyn EnclaveLink>,
    greeting: &HelloReply,
) {
    for _ in 0..4 {
        tokio::select! {
            biased;
            _ = link.ask(quote()) => {}
            () = tokio::task::yield_now() => {}
        }
    }
    let answer = soon("an answer", link.ask(hello())).await;
    assert!(is_greeting(&answer, greeting), "{answer:?}");
}

async fn what_is_not_ours_is_left_running(
    harness: &mut impl EnclaveHarness,
    link: &Arc<dyn EnclaveLink>,
    greeting: &HelloReply,
) {
    if harness.enclaves().is_ours() {
        return;
    }
    soon("ending nothing", harness.enclaves().end()).await;
    let answer = soon("an answer", link.ask(hello())).await;
    assert!(is_greeting(&answer, greeting), "{answer:?}");
}

async fn what_is_lost_fails_at_once_and_for_good(
    harness: &mut impl EnclaveHarness,
    link: &Arc<dyn EnclaveLink>,
) {
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let link = Arc::clone(link);
            tokio::spawn(async move { link.ask(quote()).await })
        })
        .collect();
    harness.lose().await;
    for asked in soon("whoever asked", join_all(asking)).await {
        let answer = asked.unwrap();
        let is_gone = matches!(answer, Err(EnclaveError::Disconnected));
        assert!(is_gone || is_refusal(&answer), "{answer:?}");
    }
    soon("noticing the loss", link.closed()).await;
    assert!(link.is_closed());
    for _ in 0..2 {
        let answer = soon("an answer", link.ask(hello())).await;
        assert!(
            matches!(answer, Err(EnclaveError::Disconnected)),
            "{answer:?}"
        );
    }
}

async fn another_boot_shows_in_its_greeting(
    harness: &mut impl EnclaveHarness,
    before: &HelloReply,
) {
    let (link, greeting) = connect(harness).await;
    assert_ne!(greeting.boot_id, before.boot_id);
    let answer = soon("an answer", link.ask(quote())).await;
    assert!(is_refusal(&answer), "{answer:?}");
    if harness.enclaves().is_ours() {
        soon("ending the enclave", harness.enclaves().end()).await;
        soon("noticing the end", link.closed()).await;
    }
}
