// SPDX-License-Identifier: Apache-2.0
//! What every chain must do.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use async_trait::async_trait;
use subrosa_chain::{
    Event,
    follow::{BlockRef, OracleEvent, OracleLog},
    mailbox::{AskedChallenge, CodePart, MailboxEvent, MailboxLog},
    send::SendError,
};
use subrosa_types::{
    ContractId,
    batch::Batch,
    entry::mask_digest,
    slot::{self, Place},
};
use tokio::sync::Mutex;

use super::patience::soon;
use crate::chain::{Chain, ChainEvents, Note, StartingPoint, Transaction};

/// A chain that a test can move, with one stateful contract that was registered and executed up to
/// its last entry.
#[async_trait(?Send)]
pub trait ChainHarness {
    /// The chain.
    fn chain(&self) -> Arc<dyn Chain>;

    /// Where its oracle is.
    fn oracle(&self) -> Address;

    /// The first block that can have logs of the oracle.
    fn first_block(&self) -> u64;

    /// The contract.
    fn contract(&self) -> ContractId;

    /// Appends an entry to the contract's log, and mines it.
    async fn append(&mut self);

    /// Has every entry of the contract fulfilled, and that mined.
    async fn fulfill(&mut self);

    /// Mines a block with nothing in it.
    async fn mine(&mut self);

    /// Replaces this block and those after it by a longer chain in which nothing happens.
    async fn reorganize(&mut self, from: u64);

    /// Has the contract's owner publish a part of a code envelope, and mines that.
    async fn publish(&mut self, part: CodePart);

    /// Challenges an admitted signer, and mines that; the deadline in what is returned is of no account.
    async fn challenge(&mut self) -> AskedChallenge;

    /// A transaction that the chain's account can send at any time and that changes nothing.
    fn harmless(&self) -> Transaction;
}

/// Runs every case.
pub async fn chain(harness: &mut impl ChainHarness) {
    entries_appear_in_order_with_their_proofs(harness).await;
    the_head_moves_with_what_is_fulfilled(harness).await;
    following_continues_after_what_is_known(harness).await;
    what_is_sent_is_noted_first_and_mined_once(harness).await;
    what_cannot_be_noted_is_not_sent(harness).await;
    a_mined_nonce_is_resumed_without_harm(harness).await;
    code_is_published_in_parts(harness).await;
    a_challenge_waits_for_its_answer(harness).await;
    a_reorganization_is_reported_before_what_replaces_it(harness).await;
    what_is_unknown_is_said_to_be(harness).await;
}

/// Follows, and remembers where it is.
struct Reader {
    events: Box<dyn ChainEvents>,
    last: Option<BlockRef>,
    logs: Vec<OracleLog>,
    mail: Vec<MailboxLog>,
    /// What reorganizations went back to.
    rewound: Vec<BlockRef>,
}

impl Reader {
    async fn start(harness: &impl ChainHarness, known: Vec<(u64, B256)>) -> Self {
        let first = harness.first_block();
        let chain = harness.chain();
        let events = chain.follow(StartingPoint { first, known }).await;
        Self {
            events: events.expect("the chain is followed"),
            last: None,
            logs: Vec::new(),
            mail: Vec::new(),
            rewound: Vec::new(),
        }
    }

    /// A reader that has followed to the tip.
    async fn at_tip(harness: &impl ChainHarness) -> Self {
        let mut reader = Self::start(harness, Vec::new()).await;
        reader.reach_tip(harness).await;
        reader
    }

    async fn reach_tip(&mut self, harness: &impl ChainHarness) {
        let tip = harness.chain().tip().await.expect("there is a tip");
        while self.last.is_none_or(|last| last.number < tip.number) {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let event = soon("the next event", self.events.next()).await;
        match event.expect("the oracle is known") {
            Event::Blocks { last, logs, mail } => {
                assert!(self.last.is_none_or(|before| before.number < last.number));
                for log in &logs {
                    let after = self
                        .last
                        .is_none_or(|before| before.number < log.block_number);
                    assert!(after && log.block_number <= last.number, "{log:?}");
                }
                let places = |log: &OracleLog| (log.block_number, log.log_index);
                assert!(logs.is_sorted_by_key(places), "logs out of order");
                for log in &mail {
                    assert!(log.block_number <= last.number, "{log:?}");
                }
                self.last = Some(last);
                self.logs.extend(logs);
                self.mail.extend(mail);
            }
            Event::Reorg { to } => {
                self.last = Some(to);
                self.logs.retain(|log| log.block_number <= to.number);
                self.mail.retain(|log| log.block_number <= to.number);
                self.rewound.push(to);
            }
        }
    }

    /// The entries of a contract so far, with the logs they came in.
    fn entries(&self, contract: ContractId) -> Vec<(u64, OracleLog)> {
        let entries = self.logs.iter().filter_map(|log| match &log.event {
            OracleEvent::EntryAppended(entry) if entry.contract == contract => {
                Some((entry.seq(), log.clone()))
            }
            _ => None,
        });
        entries.collect()
    }
}

async fn entries_appear_in_order_with_their_proofs(harness: &mut impl ChainHarness) {
    let (chain, contract) = (harness.chain(), harness.contract());
    let mut reader = Reader::at_tip(harness).await;
    let before = reader.entries(contract).len();
    assert!(before > 0, "the contract is registered");
    for _ in 0..3 {
        harness.append().await;
    }
    harness.mine().await;
    while reader.entries(contract).len() < before + 3 {
        reader.step().await;
    }
    let entries = reader.entries(contract);
    let numbers: Vec<u64> = entries.iter().map(|(seq, _)| *seq).collect();
    let expected: Vec<u64> = (0..numbers.len() as u64).collect();
    assert_eq!(numbers, expected, "entries have no gaps");
    assert!(chain.is_registered(contract).await.unwrap());
    several_slots_are_proved_at_once(harness, &entries).await;
    for (seq, log) in entries.iter().skip(before) {
        let proof = chain.proof(harness.oracle(), slot_of(contract, *seq), log.block_hash);
        let proof = proof.await.expect("a proof at inclusion");
        let header = proof.header.ancestors.last();
        let header = header.unwrap_or(&proof.header.trusted);
        assert_eq!(
            keccak256(header),
            log.block_hash,
            "a proof of another block"
        );
        assert!(!proof.account_proof.is_empty() && !proof.slot_proof.is_empty());
        let digest = digest_of(harness, *seq, log.block_hash).await;
        assert!(!digest.is_zero());
        let next = digest_of(harness, seq + 1, log.block_hash).await;
        assert!(next.is_zero(), "a digest before its entry");
    }
}

/// What the ring's slot of an entry holds; zero if nothing.
async fn digest_of(harness: &impl ChainHarness, seq: u64, block: B256) -> B256 {
    let slot = slot_of(harness.contract(), seq);
    let chain = harness.chain();
    let slots = chain.proofs(harness.oracle(), &[slot], block).await;
    let slots = slots.expect("a slot");
    slots
        .first()
        .map_or(B256::ZERO, |slot| mask_digest(B256::from(slot.value)))
}

/// The slot of an entry, in the ring.
fn slot_of(contract: ContractId, seq: u64) -> B256 {
    slot::entry(contract, Place::Ring.position(seq))
}

async fn several_slots_are_proved_at_once(
    harness: &impl ChainHarness,
    entries: &[(u64, OracleLog)],
) {
    let (chain, contract, oracle) = (harness.chain(), harness.contract(), harness.oracle());
    let (_, last) = entries.last().expect("entries");
    let slots: Vec<B256> = entries
        .iter()
        .rev()
        .map(|(seq, _)| slot_of(contract, *seq))
        .collect();
    let proofs = chain.proofs(oracle, &slots, last.block_hash).await.unwrap();
    assert_eq!(proofs.len(), slots.len());
    for (slot, proof) in slots.iter().zip(&proofs) {
        let alone = chain.proof(oracle, *slot, last.block_hash).await.unwrap();
        assert_eq!(proof.proof, alone, "proofs in another order than asked for");
    }
    let none = chain.proofs(oracle, &[], last.block_hash).await.unwrap();
    assert!(none.is_empty());
}

async fn the_head_moves_with_what_is_fulfilled(harness: &mut impl ChainHarness) {
    let (chain, contract) = (harness.chain(), harness.contract());
    harness.append().await;
    let before = chain.head(contract).await.unwrap();
    harness.fulfill().await;
    let head = chain.head(contract).await.unwrap();
    assert!(head.seq > before.seq, "{head:?} after {before:?}");
    assert_ne!(head.commitment, before.commitment);
    let reader = Reader::at_tip(harness).await;
    let fulfilled = reader.logs.iter().rev().find_map(|log| match log.event {
        OracleEvent::EntryFulfilled {
            contract: of,
            outcome,
            ..
        } if of == contract => Some((outcome, log.tx_hash)),
        _ => None,
    });
    let (outcome, transaction) = fulfilled.expect("an event of the fulfillment");
    assert_eq!(outcome.seq + 1, head.seq);
    assert!(outcome.begins(head.commitment));
    let carried = chain.carried(transaction).await.unwrap();
    let carried = Batch::decode(&carried.expect("a direct call of fulfill")).unwrap();
    let mut groups = carried.groups.iter();
    assert!(groups.any(|group| group.contract == contract));
}

async fn following_continues_after_what_is_known(harness: &mut impl ChainHarness) {
    let contract = harness.contract();
    let reader = Reader::at_tip(harness).await;
    let (last, entries) = (reader.last.unwrap(), reader.entries(contract).len() as u64);
    drop(reader);
    let mut reader = Reader::start(harness, vec![(last.number, last.hash)]).await;
    harness.append().await;
    while reader.entries(contract).is_empty() {
        reader.step().await;
    }
    assert_eq!(reader.entries(contract)[0].0, entries);
    assert!(reader.rewound.is_empty());
    harness.fulfill().await;
}

/// Nonces and signed transactions, as noted.
type Noted = Arc<Mutex<Vec<(u64, Bytes)>>>;

/// A note that keeps what it is given.
fn keeping() -> (Note, Noted) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let note: Note = Arc::new(move |nonce, raw| {
        let keep = Arc::clone(&keep);
        Box::pin(async move {
            keep.lock().await.push((nonce, raw));
            Ok(())
        })
    });
    (note, kept)
}

async fn what_is_sent_is_noted_first_and_mined_once(harness: &mut impl ChainHarness) {
    let chain = harness.chain();
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let (note, kept) = keeping();
        let sent = chain.send(harness.harmless(), note).await;
        let mut sent = sent.expect("a harmless transaction");
        let noted = kept.lock().await.clone();
        assert!(noted.iter().any(|(nonce, _)| *nonce == sent.nonce()));
        chain.wake();
        let mined = soon("a transaction", sent.mined()).await.unwrap();
        assert!(mined.succeeded && mined.events.is_empty());
        nonces.push(sent.nonce());
    }
    assert_eq!(nonces[0] + 1, nonces[1], "nonces are used in order");
}

async fn what_cannot_be_noted_is_not_sent(harness: &mut impl ChainHarness) {
    let chain = harness.chain();
    let tried = Arc::new(AtomicU64::new(0));
    let keep = Arc::clone(&tried);
    let failing: Note = Arc::new(move |nonce, _| {
        keep.store(nonce, Ordering::SeqCst);
        Box::pin(async { Err("no room".into()) })
    });
    let outcome = chain.send(harness.harmless(), failing).await;
    assert!(matches!(outcome, Err(SendError::Record(_))));
    let (note, _) = keeping();
    let mut sent = chain.send(harness.harmless(), note).await.unwrap();
    let nonce = tried.load(Ordering::SeqCst);
    assert_eq!(sent.nonce(), nonce, "the nonce is free again");
    soon("a transaction", sent.mined()).await.unwrap();
}

async fn a_mined_nonce_is_resumed_without_harm(harness: &mut impl ChainHarness) {
    let chain = harness.chain();
    let (note, kept) = keeping();
    let mut sent = chain.send(harness.harmless(), note).await.unwrap();
    soon("a transaction", sent.mined()).await.unwrap();
    let attempts = kept.lock().await.clone();
    let attempts: Vec<Bytes> = attempts.into_iter().map(|(_, raw)| raw).collect();
    for _ in 0..2 {
        let (note, kept) = keeping();
        let resumed = chain
            .resume(sent.nonce(), &attempts, note, false)
            .await
            .unwrap();
        assert!(resumed.is_none(), "a mined nonce is in flight again");
        assert!(kept.lock().await.is_empty());
    }
    let (note, _) = keeping();
    let mut next = chain.send(harness.harmless(), note).await.unwrap();
    assert_eq!(next.nonce(), sent.nonce() + 1);
    soon("a transaction", next.mined()).await.unwrap();
}

async fn code_is_published_in_parts(harness: &mut impl ChainHarness) {
    let (chain, contract) = (harness.chain(), harness.contract());
    let mut reader = Reader::at_tip(harness).await;
    let before = reader.mail.len();
    let part = |index: u16| CodePart {
        contract,
        envelope: B256::repeat_byte(0xc0),
        index,
        count: 3,
        chunk: Bytes::from(vec![index as u8 + 1; 100]),
    };
    for index in [2, 0] {
        harness.publish(part(index)).await;
    }
    while reader.mail.len() < before + 2 {
        reader.step().await;
    }
    let seen: Vec<MailboxLog> = reader.mail.iter().skip(before).cloned().collect();
    for (log, index) in seen.iter().zip([2, 0]) {
        assert_eq!(log.event, MailboxEvent::CodePublished(part(index)));
    }
    let (first, last) = (seen[0].block_number, seen[1].block_number);
    let published = async |envelope, from| {
        let parts = chain.published(contract, envelope, from).await;
        parts.unwrap()
    };
    let envelope = Some(part(0).envelope);
    assert_eq!(published(envelope, first).await, [part(0), part(2)]);
    assert_eq!(published(None, first).await, [part(0), part(2)]);
    assert_eq!(
        published(envelope, first + 1).await.len(),
        usize::from(last > first)
    );
    assert!(published(Some(B256::ZERO), 0).await.is_empty());
    assert!(published(envelope, last + 1).await.is_empty());
    harness.reorganize(last).await;
    chain.resync().await.unwrap();
    while reader.rewound.is_empty() {
        reader.step().await;
    }
    reader.reach_tip(harness).await;
    assert_eq!(published(envelope, first).await, [part(2)]);
    assert_eq!(reader.mail.len(), before + 1, "a dropped part");
}

async fn a_challenge_waits_for_its_answer(harness: &mut impl ChainHarness) {
    let chain = harness.chain();
    let mut reader = Reader::at_tip(harness).await;
    let put = harness.challenge().await;
    let id = put.id();
    let asked = loop {
        let found = reader.mail.iter().find_map(|log| match &log.event {
            MailboxEvent::ChallengeAsked(asked) if asked.id() == id => Some(asked.clone()),
            _ => None,
        });
        match found {
            Some(asked) => break asked,
            None => reader.step().await,
        }
    };
    assert_eq!(asked.escrow, put.escrow);
    let tip = chain.tip().await.unwrap();
    assert!(asked.deadline > tip.timestamp);
    let pending = chain.pending(id).await.unwrap().expect("it waits");
    assert_eq!(pending.escrow, asked.escrow);
    assert_eq!(pending.deadline, asked.deadline);
    assert_eq!(chain.pending(B256::ZERO).await.unwrap(), None);
    let since = tip.timestamp.saturating_sub(600);
    let of_signer = chain.asked(asked.signer, since).await.unwrap();
    assert_eq!(of_signer, [asked]);
    let stranger = Address::repeat_byte(0xee);
    assert!(chain.asked(stranger, since).await.unwrap().is_empty());
}

async fn a_reorganization_is_reported_before_what_replaces_it(harness: &mut impl ChainHarness) {
    let (chain, contract) = (harness.chain(), harness.contract());
    let mut reader = Reader::at_tip(harness).await;
    let before = reader.entries(contract).len();
    harness.append().await;
    while reader.entries(contract).len() == before {
        reader.step().await;
    }
    let (seq, log) = reader.entries(contract)[before].clone();
    harness.reorganize(log.block_number).await;
    chain.resync().await.unwrap();
    while reader.rewound.is_empty() {
        reader.step().await;
    }
    assert!(reader.rewound[0].number < log.block_number);
    reader.reach_tip(harness).await;
    assert_eq!(reader.entries(contract).len(), before, "a dropped entry");
    let tip = chain.tip().await.unwrap();
    let digest = digest_of(harness, seq, tip.hash).await;
    assert!(digest.is_zero(), "a dropped entry has a digest");
    harness.append().await;
    while reader.entries(contract).len() == before {
        reader.step().await;
    }
    assert_eq!(reader.entries(contract)[before].0, seq);
    let (note, _) = keeping();
    let mut sent = chain.send(harness.harmless(), note).await.unwrap();
    soon("a transaction", sent.mined()).await.unwrap();
}

async fn what_is_unknown_is_said_to_be(harness: &mut impl ChainHarness) {
    let (chain, nobody) = (harness.chain(), B256::repeat_byte(0xee));
    let tip = chain.tip().await.unwrap();
    let header = chain.header(tip.hash).await.unwrap();
    assert_eq!(keccak256(&header.trusted), tip.hash);
    assert!(!chain.is_registered(nobody).await.unwrap());
    assert!(chain.announced(nobody).await.unwrap().is_zero());
    assert_eq!(chain.added(nobody, 0).await.unwrap(), 0);
    assert!(
        chain
            .earned(Address::repeat_byte(0xee))
            .await
            .unwrap()
            .is_zero()
    );
    assert!(chain.prices().await.unwrap().fuel_per_gas > 0);
    assert_eq!(chain.carried(nobody).await.unwrap(), None);
    assert!(chain.header(nobody).await.is_err());
    let stranger = Address::repeat_byte(0xee);
    assert_eq!(chain.lease(stranger).await.unwrap(), None);
    let unused = u32::MAX;
    assert_eq!(chain.current_epoch(unused).await.unwrap(), 0);
    assert!(chain.epoch_record(unused, 1).await.unwrap().is_zero());
    assert!(chain.epoch_opening(unused, 1).await.unwrap().is_zero());
    assert!(chain.epoch_members(unused, 1).await.unwrap().is_empty());
}
