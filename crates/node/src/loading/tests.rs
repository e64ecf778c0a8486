// SPDX-License-Identifier: Apache-2.0

use std::collections::HashSet;

use async_trait::async_trait;
use futures::{FutureExt, future::join_all, poll};
use metrics::Counter;
use subrosa_store::{
    BlobStore, Disk, LogStore, Memory,
    conformance::sample::{block, contract, executed, identity},
};
use subrosa_types::{
    frame::{BlobKind, Request, Response},
    rpc::StopReason,
};
use tokio::sync::Semaphore;

use super::*;
use crate::{clock::SystemClock, enclave::EnclaveLink};

/// An enclave that loads whatever it is given, but for what it is told to refuse.
#[derive(Debug)]
struct Fake {
    /// Loads that may come to an end.
    gate: Semaphore,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    refused: HashSet<ContractId>,
    asked: Vec<ContractId>,
    under_way: usize,
    most: usize,
}

#[async_trait]
impl EnclaveLink for Fake {
    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        let Request::Load { contract, blobs } = request else {
            panic!("{request:?}");
        };
        {
            let mut inner = lock(&self.inner);
            inner.asked.push(contract);
            inner.under_way += 1;
            inner.most = inner.most.max(inner.under_way);
        }
        self.gate.acquire().await.unwrap().forget();
        let mut inner = lock(&self.inner);
        inner.under_way -= 1;
        let last = blobs.last().unwrap();
        if inner.refused.contains(&contract) {
            let refusal = FrameError::new(ErrorCode::Blob, "it does not open");
            return Ok(Response::Error(refusal));
        }
        Ok(Response::Loaded(Loaded {
            contract,
            head: Head {
                seq: last.seq + 1,
                commitment: last.previous_commitment,
            },
            digest: last.digest,
            signable_from: 0,
        }))
    }

    fn is_closed(&self) -> bool {
        false
    }

    async fn closed(&self) {
        std::future::pending().await
    }
}

struct Scene {
    enclave: Arc<Fake>,
    store: Memory,
    stops: Arc<Stops>,
    loading: Loading,
}

impl Scene {
    /// Contracts 0 to `count`, each with one result, of which `most` are loaded at a time; and as many
    /// loads as there are `passes` for.
    async fn new(count: u8, most: usize, passes: usize) -> Self {
        let store = Memory::open(&Disk::new(), identity());
        let first: Vec<_> = (0..count).map(|index| (contract(index), 0)).collect();
        store.apply_block(block(1, &first)).await.unwrap();
        for (contract, seq) in first {
            let result = executed(contract, seq, 1, BlobKind::Snapshot);
            let committed = store.commit_execution(contract, vec![result]);
            committed.await.unwrap();
        }
        let enclave = Arc::new(Fake {
            gate: Semaphore::new(passes),
            inner: Mutex::default(),
        });
        let stops = Arc::new(Stops::new(metrics::Gauge::noop()));
        let link = Link::new(
            Arc::clone(&enclave) as Arc<dyn EnclaveLink>,
            Counter::noop(),
        );
        let clock = SystemClock::shared();
        Self {
            loading: Loading::new(link, clock, Arc::clone(&stops), most, &[]),
            enclave,
            store,
            stops,
        }
    }

    async fn load(&self, index: u8, need: Need, manners: Manners) -> Result<Held, LoadError> {
        let contract = contract(index);
        self.loading
            .load(&self.store, contract, 0, need, manners)
            .await
    }

    async fn load_and_use(&self, index: u8) -> Result<Loaded, LoadError> {
        let held = self.load(index, Need::Other, Manners::InCompany).await;
        held.map(|held| held.loaded)
    }

    fn asked(&self) -> usize {
        lock(&self.enclave.inner).asked.len()
    }
}

#[tokio::test]
async fn several_are_loaded_at_a_time_and_no_more_than_may_be() {
    let scene = Scene::new(6, 2, 0).await;
    let all = join_all((0..6).map(|index| scene.load_and_use(index)));
    tokio::pin!(all);
    while scene.asked() < 2 {
        assert!(poll!(&mut all).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(poll!(&mut all).is_pending());
    let counts = scene.loading.counts();
    assert_eq!((counts.loaded, counts.waiting), (0, 6));
    scene.enclave.gate.add_permits(6);
    assert!(all.await.iter().all(Result::is_ok));
    let all_loaded = Counts {
        loaded: 6,
        ..Counts::default()
    };
    assert_eq!(scene.loading.counts(), all_loaded);
    assert_eq!(lock(&scene.enclave.inner).most, 2);
}

#[tokio::test]
async fn whoever_wants_what_is_being_loaded_waits_for_that() {
    let scene = Scene::new(1, 4, 0).await;
    let all = join_all((0..9).map(|_| scene.load_and_use(0)));
    tokio::pin!(all);
    assert!(poll!(&mut all).is_pending());
    scene.enclave.gate.add_permits(9);
    let all = all.await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(scene.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_loaded_stops_itself_alone_until_it_can() {
    let scene = Scene::new(2, 1, 9).await;
    let hurt = contract(0);
    lock(&scene.enclave.inner).refused.insert(hurt);
    let first = scene.load_and_use(0).await.unwrap_err();
    let stop = scene.stops.of(hurt).unwrap();
    assert_eq!((stop.seq, stop.reason), (1, StopReason::State));
    scene.load_and_use(1).await.unwrap();
    assert_eq!(scene.stops.of(contract(1)), None);
    assert_eq!(scene.loading.counts().failed, 1);
    // It is not tried again at once, and whoever asks is told the same.
    let asked = scene.asked();
    let second = scene.load_and_use(0).await.unwrap_err();
    assert_eq!(first.to_string(), second.to_string());
    assert!(
        matches!(second, LoadError::Enclave(EnclaveError::Refused(why))
        if why.code == ErrorCode::Blob)
    );
    assert_eq!(scene.asked(), asked);
    // Later it is, and again later yet.
    tokio::time::advance(std::time::Duration::from_millis(201)).await;
    scene.load_and_use(0).await.unwrap_err();
    assert_eq!(scene.asked(), asked + 1);
    lock(&scene.enclave.inner).refused.clear();
    tokio::time::advance(std::time::Duration::from_millis(401)).await;
    scene.load_and_use(0).await.unwrap();
    assert_eq!(scene.stops.of(hurt), None);
    assert_eq!(scene.loading.counts().failed, 0);
}

#[tokio::test]
async fn a_contract_of_which_nothing_is_stored_is_no_trouble_of_the_store_s() {
    let scene = Scene::new(1, 1, 9).await;
    let error = scene.load_and_use(1).await.unwrap_err();
    assert!(
        matches!(error, LoadError::Enclave(EnclaveError::Refused(why))
        if why.code == ErrorCode::Blob)
    );
    scene.load_and_use(0).await.unwrap();
}

#[tokio::test]
async fn who_loads_alone_has_nobody_loaded_beside_him() {
    let scene = Scene::new(3, 4, 9).await;
    let held = scene
        .load(0, Need::Entry, Manners::InCompany)
        .await
        .unwrap();
    let mut alone = scene.load(1, Need::Entry, Manners::Alone).boxed();
    assert!(poll!(&mut alone).is_pending());
    drop(held);
    let held = alone.await.unwrap();
    let mut other = scene.load(2, Need::Entry, Manners::InCompany).boxed();
    assert!(poll!(&mut other).is_pending());
    drop(held);
    other.await.unwrap();
}
