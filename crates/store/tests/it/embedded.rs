// SPDX-License-Identifier: Apache-2.0
//! The embedded store: its directory, its lock, damaged files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use subrosa_store::{
    BlobStore, Identity, LogStore, Storage, Store, StoreError,
    conformance::{
        self, Place,
        sample::{block, contract, cursor, entry, executed, identity},
    },
};
use subrosa_types::frame::BlobKind;
use tempfile::TempDir;

struct Directory(TempDir);

#[async_trait]
impl Place for Directory {
    async fn open(&self) -> Box<dyn Storage> {
        Box::new(Store::open(self.0.path(), identity()).unwrap())
    }
}

#[tokio::test]
async fn conforms() {
    conformance::run(|| Directory(tempfile::tempdir().unwrap())).await;
}

#[test]
fn a_second_handle_is_locked_out() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(directory.path(), identity()).unwrap();
    let second = Store::open(directory.path(), identity());
    assert!(matches!(second, Err(StoreError::Locked(path)) if path == directory.path()));
    drop(first);
    Store::open(directory.path(), identity()).unwrap();
}

/// Runs itself again as the second process, which opens the directory and passes or panics.
#[test]
fn a_second_process_is_locked_out() {
    if let Some(path) = std::env::var_os(CHILD_DIRECTORY) {
        Store::open(path, identity()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let child = |path: &Path| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "embedded::a_second_process_is_locked_out"])
            .env(CHILD_DIRECTORY, path)
            .output()
            .unwrap()
    };
    let first = Store::open(directory.path(), identity()).unwrap();
    let output = child(directory.path());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && text.contains("Locked("),
        "{text}"
    );
    drop(first);
    let output = child(directory.path());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Names the directory that the child process opens.
const CHILD_DIRECTORY: &str = "SUBROSA_STORE_TEST_DIRECTORY";

#[test]
fn another_identity_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), identity()).unwrap());
    let other = Address::repeat_byte(0xee);
    for (name, wrong) in [
        (
            "chain",
            Identity {
                chain_id: 1,
                ..identity()
            },
        ),
        (
            "oracle",
            Identity {
                oracle: other,
                ..identity()
            },
        ),
        (
            "registry",
            Identity {
                registry: other,
                ..identity()
            },
        ),
        (
            "configuration",
            Identity {
                config_hash: B256::ZERO,
                ..identity()
            },
        ),
    ] {
        match Store::open(directory.path(), wrong) {
            Err(StoreError::Identity {
                field,
                expected,
                found,
                ..
            }) => {
                assert_eq!(field, name);
                assert_ne!(expected, found);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    Store::open(directory.path(), identity()).unwrap();
}

#[test]
fn another_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), identity()).unwrap());
    let file = directory.path().join("identity");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("format = 1", "format = 2")).unwrap();
    assert!(matches!(
        Store::open(directory.path(), identity()),
        Err(StoreError::Format { found, .. }) if found == "2"
    ));
    for damaged in ["", "format = 1\n", "nonsense", &text[..text.len() / 2]] {
        fs::write(&file, damaged).unwrap();
        let verdict = Store::open(directory.path(), identity());
        assert!(
            matches!(
                verdict,
                Err(StoreError::NotAStore(_) | StoreError::Identity { .. })
            ),
            "{damaged:?}: {verdict:?}"
        );
    }
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("letter.txt"), "dear reader").unwrap();
    assert!(matches!(
        Store::open(directory.path(), identity()),
        Err(StoreError::NotAStore(_))
    ));
    assert!(!directory.path().join("data").exists());
}

#[test]
fn a_crash_while_creating_the_directory_is_harmless() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("lock"), "").unwrap();
    fs::write(directory.path().join("identity.new"), "format").unwrap();
    Store::open(directory.path(), identity()).unwrap();
}

/// A store with ten blocks of one entry each, all executed; closed.
async fn filled(directory: &Path) {
    let store = Store::open(directory, identity()).unwrap();
    let a = contract(0);
    for seq in 0..10 {
        store
            .apply_block(block(10 + seq, &[(a, seq)]))
            .await
            .unwrap();
        let kind = if seq == 0 {
            BlobKind::Snapshot
        } else {
            BlobKind::Delta
        };
        store
            .commit_execution(a, vec![executed(a, seq, 10 + seq, kind)])
            .await
            .unwrap();
    }
}

/// The journal: what was written since the store was created, for it is small.
fn journal(directory: &Path) -> PathBuf {
    let mut largest: Option<(u64, PathBuf)> = None;
    for file in fs::read_dir(directory.join("data"))
        .unwrap()
        .map(Result::unwrap)
    {
        let path = file.path();
        let bytes = file.metadata().unwrap().len();
        if path.extension().is_some_and(|extension| extension == "jnl")
            && largest.as_ref().is_none_or(|(most, _)| bytes > *most)
        {
            largest = Some((bytes, path));
        }
    }
    largest.expect("a journal").1
}

/// What a reopened store shows: a prefix of what was written, each block with its result.
async fn blocks_in(store: &Store) -> u64 {
    let a = contract(0);
    let entries = store.entries(a, 0, 100).await.unwrap();
    for (seq, found) in (0..).zip(&entries) {
        assert_eq!(found, &entry(a, seq, 10 + seq));
    }
    let count = entries.len() as u64;
    let last = store.cursor().await.unwrap();
    assert_eq!(last, count.checked_sub(1).map(|seq| cursor(10 + seq)));
    let results = store.results(a, 0, 100).await.unwrap().len() as u64;
    assert!(
        results == count || results + 1 == count,
        "{results} of {count}"
    );
    if let Some(seq) = results.checked_sub(1) {
        let blobs = store.blobs_for_load(a, seq, 0, usize::MAX).await.unwrap();
        assert_eq!(blobs.len() as u64, results);
    }
    count
}

#[tokio::test]
async fn a_torn_journal_loses_only_its_end() {
    let whole = tempfile::tempdir().unwrap();
    filled(whole.path()).await;
    let name = journal(whole.path());
    let bytes = fs::read(&name).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut most = 0;
    for step in 0..16 {
        let length = written * step / 16;
        let directory = tempfile::tempdir().unwrap();
        copy(whole.path(), directory.path());
        fs::write(journal_in(directory.path(), &name), &bytes[..length]).unwrap();
        match Store::open(directory.path(), identity()) {
            Ok(store) => {
                let count = blocks_in(&store).await;
                assert!(count >= most && count <= 10, "{count} at {step}");
                most = most.max(count);
                // And it can be written to.
                let a = contract(0);
                store
                    .apply_block(block(10 + count, &[(a, count)]))
                    .await
                    .unwrap();
                assert_eq!(store.cursor().await.unwrap(), Some(cursor(10 + count)));
                assert_eq!(
                    store.last_entry(a).await.unwrap(),
                    Some(entry(a, count, 10 + count))
                );
            }
            Err(StoreError::Engine(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(most >= 7, "{most}");
}

#[tokio::test]
async fn a_damaged_journal_never_shows_a_wrong_record() {
    let whole = tempfile::tempdir().unwrap();
    filled(whole.path()).await;
    let name = journal(whole.path());
    let bytes = fs::read(&name).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for step in 0..16 {
        let mut damaged = bytes.clone();
        damaged[written * step / 16] ^= 1 << (step % 8);
        let directory = tempfile::tempdir().unwrap();
        copy(whole.path(), directory.path());
        fs::write(journal_in(directory.path(), &name), &damaged).unwrap();
        match Store::open(directory.path(), identity()) {
            // What is shown is right, as far as it goes.
            Ok(store) => assert!(blocks_in(&store).await <= 10),
            Err(StoreError::Engine(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn journal_in(directory: &Path, name: &Path) -> PathBuf {
    directory.join("data").join(name.file_name().unwrap())
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_store_is_closed_when_it_and_its_last_call_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), identity()).unwrap();
    let closed = store.closed();
    // A call whose caller gives up goes on by itself.
    let mut abandoned = Box::pin(store.apply_block(block(10, &[(contract(0), 0)])));
    assert!(futures::poll!(&mut abandoned).is_pending());
    drop(abandoned);
    drop(store);
    closed.await;
    let store = Store::open(directory.path(), identity()).unwrap();
    assert_eq!(store.cursor().await.unwrap(), Some(cursor(10)));
}
