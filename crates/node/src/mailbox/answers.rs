// SPDX-License-Identifier: Apache-2.0
//! Challenges to this node's enclave, answered on chain if their escrow pays for it.

use std::{sync::Arc, time::Duration};

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use subrosa_chain::{
    bindings::SubrosaMailbox::answerChallengeCall,
    mailbox::{AskedChallenge, MAX_TRANSACTION_BYTES, answer_gas, answer_gas_of},
    send::SendError,
};
use tracing::{debug, info, warn};

use super::{budget::Budget, needs::Needs};
use crate::{
    backoff::Backoff, chain::ChainAccessError, enclave::EnclaveError, serving::Serving,
    settings::Mailbox, shutdown::Shutdown,
};

/// Answers challenges until shutdown.
pub(super) async fn run(needs: Arc<Needs>, mut shutdown: Shutdown) {
    let Some(settings) = needs.settings.mailbox else {
        return;
    };
    if settings.answers_per_minute == 0 {
        return;
    }
    let mut answers = Answers {
        budget: Budget::a_minute(settings.answers_per_minute),
        settings,
        needs,
        usual: 0,
    };
    let mut stop = shutdown.clone();
    shutdown.cancel(answers.run(&mut stop)).await;
}

struct Answers {
    needs: Arc<Needs>,
    settings: Mailbox,
    budget: Budget,
    /// Bytes of the last evidence and statement: the next ones' will be as many.
    usual: u64,
}

/// Why a challenge is not answered now.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// It is not answered at all.
    #[error("{0}")]
    Skipped(String),
    /// It is not answered at the present price of gas, at which an answer costs so many wei.
    #[error("its escrow does not cover {0} wei")]
    Underpaid(U256),
    /// The same again later.
    #[error("no answer yet")]
    Chain(#[from] ChainAccessError),
    /// Likewise.
    #[error("no answer yet")]
    Enclave(#[from] EnclaveError),
}

impl Answers {
    async fn run(&mut self, shutdown: &mut Shutdown) {
        let needs = Arc::clone(&self.needs);
        let mut stage = needs.stage.watch();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        let mut recalled = None;
        while !shutdown.is_requested() {
            let serving = stage.borrow_and_update().clone();
            if let Some(serving) = serving {
                match self.serve(&serving, &mut recalled).await {
                    Ok(None) => backoff.reset(),
                    Ok(Some(pause)) => {
                        needs.clock.sleep(pause).await;
                        continue;
                    }
                    Err(fault) => {
                        warn!(
                            error = &fault as &dyn std::error::Error,
                            "challenges are answered later"
                        );
                        backoff.wait(needs.clock.as_ref()).await;
                        continue;
                    }
                }
            }
            tokio::select! {
                () = needs.room.challenged() => {}
                changed = stage.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Answers what waits for this enclave. Returns how long to wait before going on.
    async fn serve(
        &mut self,
        serving: &Serving,
        recalled: &mut Option<alloy_primitives::Address>,
    ) -> Result<Option<Duration>, Fault> {
        let needs = Arc::clone(&self.needs);
        let signer = serving.started.signer;
        if *recalled != Some(signer) {
            // An answer of an earlier run may be on its way.
            needs.transactions.settle_leftovers().await?;
            let since = needs.clock.unix().saturating_sub(PATIENCE);
            let asked = needs.chain.asked(signer, since).await;
            for asked in asked.map_err(ChainAccessError::from)? {
                needs.room.recall(asked);
            }
            *recalled = Some(signer);
        }
        let mut price = None;
        while let Some(asked) = needs.room.next_challenge(signer) {
            let id = asked.id();
            let wei = match price {
                Some(wei) => wei,
                None => {
                    let wei = needs.chain.gas_price().await;
                    *price.insert(wei.map_err(ChainAccessError::from)?)
                }
            };
            match self.answer(serving, &asked, wei).await {
                // That took a while.
                Ok(None) => price = None,
                Ok(Some(pause)) => return Ok(Some(pause)),
                Err(fault @ Fault::Underpaid(_)) => {
                    if needs.room.put_off(id) {
                        needs.metrics.challenges_skipped.increment(1);
                        info!(%id, escrow = %asked.escrow, reason = %fault, "challenge is not answered");
                    }
                }
                Err(Fault::Skipped(reason)) => {
                    needs.room.drop_challenge(id);
                    needs.metrics.challenges_skipped.increment(1);
                    info!(%id, escrow = %asked.escrow, reason, "challenge is not answered");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(None)
    }

    /// Answers a challenge, or says how long to wait before that.
    async fn answer(
        &mut self,
        serving: &Serving,
        asked: &AskedChallenge,
        price: u128,
    ) -> Result<Option<Duration>, Fault> {
        // Before anybody is asked: nine tenths of the usual, as lengths vary a little.
        let least = answer_gas_of(self.usual * 9 / 10);
        self.covers(asked.escrow, least, price)?;
        let needs = Arc::clone(&self.needs);
        let id = asked.id();
        let chain = needs.chain.as_ref();
        let tip = chain.tip().await.map_err(ChainAccessError::from)?;
        let now = needs.clock.unix().max(tip.timestamp);
        // What comes out of the chain's state counts, not what an event said.
        let pending = chain.pending(id).await.map_err(ChainAccessError::from)?;
        let Some(pending) = pending else {
            debug!(%id, "challenge waits for no answer");
            if now < asked.deadline {
                // Unless the state is older than the event, it was answered or its block is gone.
                needs.room.put_off(id);
            } else {
                needs.room.drop_challenge(id);
            }
            return Ok(None);
        };
        if now.saturating_add(MINING_SECONDS) >= pending.deadline {
            return Err(Fault::Skipped("it is too late".to_owned()));
        }
        if needs.transactions.fulfilling() >= needs.settings.max_in_flight {
            return Ok(Some(ROOM));
        }
        if let Err(pause) = self.budget.draw(needs.clock.monotonic()) {
            return Ok(Some(pause));
        }
        let header = chain.header(tip.hash).await;
        let header = header.map_err(ChainAccessError::from)?;
        let challenge = asked.challenge.to_vec();
        let payee = chain.address();
        let epoch = serving.keys.epoch;
        let link = &serving.link;
        let attested = link.answer(challenge, epoch, header, payee).await?;
        let (bundle, answer) = attested;
        self.usual = (bundle.len() + answer.presented.len()) as u64;
        let call = answerChallengeCall {
            asked: asked.put(),
            evidence: bundle,
            statement: answer.presented,
            payee,
            signature: answer.signature,
        };
        let calldata = call.abi_encode();
        if calldata.len() > MAX_TRANSACTION_BYTES {
            let bytes = calldata.len();
            let reason = format!("the answer takes {bytes} bytes, more than a transaction carries");
            return Err(Fault::Skipped(reason));
        }
        self.covers(pending.escrow, answer_gas(&calldata), price)?;
        match needs.transactions.answer(self.settings.address, call).await {
            Ok(Some(transaction)) => {
                needs.metrics.challenges_answered.increment(1);
                info!(%id, %transaction, bytes = calldata.len(), "challenge is answered");
                needs.room.answered(asked.clone());
                Ok(None)
            }
            Ok(None) => Err(Fault::Skipped("its transaction reverted".to_owned())),
            Err(ChainAccessError::Send(SendError::Reverted(reason))) => {
                Err(Fault::Skipped(format!("the mailbox refuses: {reason}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an escrow covers so much gas.
    fn covers(&self, escrow: U256, gas: u64, price: u128) -> Result<(), Fault> {
        let percent = U256::from(self.settings.escrow_floor_percent);
        let cost = U256::from(gas) * U256::from(price) * percent / U256::from(100);
        if escrow >= cost {
            return Ok(());
        }
        Err(Fault::Underpaid(cost))
    }
}

/// The mailbox's `PATIENCE`, seconds.
const PATIENCE: u64 = 3_600;
/// For a transaction to be mined, seconds.
const MINING_SECONDS: u64 = 60;
/// When to look again for room beside results.
const ROOM: Duration = Duration::from_secs(1);
