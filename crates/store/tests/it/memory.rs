// SPDX-License-Identifier: Apache-2.0
//! The store in memory, and what befalls its disk.

use async_trait::async_trait;
use subrosa_store::{
    Disk, LogStore, Memory, Storage, StoreError,
    conformance::{
        self, Place, Unplug,
        sample::{block, contract, cursor, identity},
    },
};

#[derive(Default)]
struct OnDisk(Disk);

#[async_trait]
impl Place for OnDisk {
    async fn open(&self) -> Box<dyn Storage> {
        Box::new(Memory::open(&self.0, identity()))
    }
}

impl Unplug for OnDisk {
    fn unplug(&self) {
        self.0.cut_power();
    }
}

#[tokio::test]
async fn conforms() {
    conformance::run(OnDisk::default).await;
    conformance::run_power_failures(OnDisk::default).await;
}

#[tokio::test]
async fn what_is_not_durable_is_lost_with_the_power() {
    let disk = Disk::new();
    let store = Memory::open(&disk, identity());
    let entries = [(contract(0), 0)];
    store.apply_block(block(10, &entries)).await.unwrap();
    disk.cut_power();
    assert!(matches!(store.cursor().await, Err(StoreError::Engine(_))));
    let store = Memory::open(&disk, identity());
    assert_eq!(store.cursor().await.unwrap(), None);
    assert!(store.contracts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_write_leaves_nothing_and_ends_the_store() {
    let disk = Disk::new();
    let store = Memory::open(&disk, identity());
    store.apply_block(block(10, &[])).await.unwrap();
    disk.fail_next_write();
    for _ in 0..2 {
        let refused = store.apply_block(block(11, &[(contract(0), 0)])).await;
        assert!(matches!(refused, Err(StoreError::Engine(_))));
    }
    let store = Memory::open(&disk, identity());
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(10)));
    assert!(store.contracts().await.unwrap().is_empty());
    store.apply_block(block(11, &[])).await.unwrap();
}

#[tokio::test]
async fn whoever_opens_a_disk_takes_it_from_the_one_before() {
    let disk = Disk::new();
    let first = Memory::open(&disk, identity());
    let second = Memory::open(&disk, identity());
    assert!(matches!(
        first.apply_block(block(10, &[])).await,
        Err(StoreError::Engine(_))
    ));
    assert_eq!(second.cursor().await.unwrap(), None);
}
