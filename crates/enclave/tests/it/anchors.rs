// SPDX-License-Identifier: Apache-2.0
//! An enclave that is behind: the slots of the entries that it awaits hold others' digests.

use subrosa_types::{
    ContractId,
    entry::Link,
    frame::{EntryProof, ErrorCode, FrameError, LoggedEntry, Request, Response},
};

use crate::{
    chain::{Ask, Chain},
    guest,
    harness::{Host, assert_refused},
};

/// A log whose entries before the last are to be had by their links alone.
struct Scene {
    chain: Chain,
    host: Host,
    contract: ContractId,
    entries: Vec<LoggedEntry>,
}

const COUNT: u64 = 12;

fn scene() -> Scene {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, _) = host.deploy(&mut chain, 0);
    let entries: Vec<_> = (1..=COUNT)
        .map(|amount| chain.request(contract, Ask::default(), guest::add(amount).into()))
        .collect();
    for seq in 0..COUNT {
        chain.overwrite(contract, seq);
    }
    Scene {
        chain,
        host,
        contract,
        entries,
    }
}

impl Scene {
    /// Shows the entries from `first` to `last`, of which that is the proof.
    fn show(&mut self, first: u64, last: u64, proof: EntryProof) -> Result<u64, FrameError> {
        let shown = &self.entries[first as usize - 1..last as usize];
        let links = shown.iter().map(|logged| logged.entry.link()).collect();
        self.show_links(first, links, proof)
    }

    fn show_links(
        &mut self,
        first: u64,
        links: Vec<Link>,
        proof: EntryProof,
    ) -> Result<u64, FrameError> {
        let request = Request::Anchor {
            contract: self.contract,
            before: self.entries[first as usize - 1].entry.previousDigest,
            links,
            proof,
        };
        match self.host.enclave.handle(request) {
            Response::Anchored(seq) => Ok(seq),
            Response::Error(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    fn tip(&self) -> EntryProof {
        self.chain.prove_entry(self.contract, COUNT)
    }

    fn execute(&mut self, first: u64, last: u64, proof: EntryProof) -> Result<usize, FrameError> {
        let entries = self.entries[first as usize - 1..last as usize].to_vec();
        let executed = self
            .host
            .execute_with(self.contract, entries, None, proof)?;
        Ok(executed.results.len())
    }
}

#[test]
fn entries_without_slots_are_executed_up_to_anchors_that_the_tip_proves() {
    let mut scene = scene();
    let slot = scene.chain.prove_entry(scene.contract, 4);
    assert_refused(scene.execute(1, 4, slot), ErrorCode::Proof);
    assert_refused(scene.execute(1, 4, EntryProof::Anchor), ErrorCode::Proof);
    // Backwards: the tip by its slot, the others by the anchor after them.
    assert_eq!(scene.show(9, COUNT, scene.tip()), Ok(8));
    assert_eq!(scene.show(5, 8, EntryProof::Anchor), Ok(4));
    assert_refused(scene.execute(1, 5, EntryProof::Anchor), ErrorCode::Proof);
    assert_eq!(scene.execute(1, 4, EntryProof::Anchor), Ok(4));
    assert_eq!(scene.execute(5, 8, EntryProof::Anchor), Ok(4));
    assert_eq!(scene.execute(9, COUNT, scene.tip()), Ok(4));
}

#[test]
fn an_anchor_ends_with_the_execution_of_its_entry() {
    let mut scene = scene();
    scene.show(5, COUNT, scene.tip()).unwrap();
    assert_eq!(scene.execute(1, 4, EntryProof::Anchor), Ok(4));
    let again = scene.show(3, 4, EntryProof::Anchor);
    assert_refused(again, ErrorCode::Proof);
}

#[test]
fn links_that_lead_to_nothing_proven_are_refused() {
    let mut scene = scene();
    assert_refused(scene.show(5, 8, scene.tip()), ErrorCode::Proof);
    assert_refused(scene.show(5, 8, EntryProof::Anchor), ErrorCode::Proof);
    assert_refused(
        scene.show_links(5, vec![], scene.tip()),
        ErrorCode::Sequence,
    );
    let links = |scene: &Scene| -> Vec<_> {
        let shown = &scene.entries[8..];
        shown.iter().map(|logged| logged.entry.link()).collect()
    };
    for altered in 0..4 {
        let mut links = links(&scene);
        links[altered].settlement ^= alloy_primitives::U256::from(1);
        let answer = scene.show_links(9, links, scene.tip());
        assert_refused(answer, ErrorCode::Proof);
    }
    let mut swapped = links(&scene);
    swapped.swap(0, 1);
    let answer = scene.show_links(9, swapped, scene.tip());
    assert_refused(answer, ErrorCode::Proof);
}

/// A log that is new here is executed from its deployment on, whose slot is long another's.
#[test]
fn a_contract_that_is_not_loaded_is_anchored_from_its_deployment_on() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    let (contract, deployment, envelope) = host.register(&mut chain, guest::uint(1));
    let call = chain.request(contract, Ask::default(), guest::add(1).into());
    chain.overwrite(contract, 0);
    let anchored = host.enclave.handle(Request::Anchor {
        contract,
        before: call.entry.previousDigest,
        links: vec![call.entry.link()],
        proof: chain.prove_entry(contract, 1),
    });
    assert_eq!(anchored, Response::Anchored(0));
    let executed = host
        .execute_with(
            contract,
            vec![deployment],
            Some(envelope),
            EntryProof::Anchor,
        )
        .unwrap();
    assert_eq!(executed.results.len(), 1);
    assert_eq!(
        host.execute(&chain, contract, vec![call])
            .unwrap()
            .results
            .len(),
        1
    );
}
