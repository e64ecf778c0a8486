// SPDX-License-Identifier: Apache-2.0
//! The keyspaces, their keys and their records.

use alloy_primitives::Bytes;
use fjall::{Database, KeyspaceCreateOptions, KvSeparationOptions};
use subrosa_types::frame::{StateBlob, StorageProof};

use super::table::Table;
use crate::{
    AdmissionRecord, Cursor, EntryRecord, FulfillmentRecord, Intent, ResultRecord, StoreError,
    record::CodeEnvelopeRecord,
};

/// Every keyspace of a store. [`key`](crate::key) documents the keys.
pub(super) struct Keyspaces {
    /// The one cursor.
    pub(super) cursor: Table<Cursor>,
    /// Contract: nothing. A contract is here if it has an entry 0.
    pub(super) contracts: Table<()>,
    /// (contract, seq).
    pub(super) entries: Table<EntryRecord>,
    /// (contract, seq).
    pub(super) proofs: Table<StorageProof>,
    /// (contract, deploy or upgrade, code commitment).
    pub(super) code_envelopes: Table<CodeEnvelopeRecord>,
    /// (contract, seq, kind).
    pub(super) blobs: Table<StateBlob>,
    /// (contract, seq).
    pub(super) results: Table<ResultRecord>,
    /// (contract, seq).
    pub(super) fulfillments: Table<FulfillmentRecord>,
    /// (block, what, contract, seq): nothing. What a rewind has to undo.
    pub(super) traces: Table<()>,
    /// Signer.
    pub(super) admissions: Table<AdmissionRecord>,
    /// (group, epoch): sealed secret.
    pub(super) epochs: Table<Bytes>,
    /// (sender, nonce).
    pub(super) intents: Table<Intent>,
}

impl Keyspaces {
    pub(super) fn open(database: &Database) -> Result<Self, StoreError> {
        let small = KeyspaceCreateOptions::default;
        // Blobs and proofs are written once and large: keep them out of compactions.
        let large = || {
            KeyspaceCreateOptions::default()
                .with_kv_separation(Some(KvSeparationOptions::default()))
        };
        Ok(Self {
            cursor: Table::open(database, "cursor", small)?,
            contracts: Table::open(database, "contracts", small)?,
            entries: Table::open(database, "entries", large)?,
            proofs: Table::open(database, "proofs", large)?,
            code_envelopes: Table::open(database, "code_envelopes", large)?,
            blobs: Table::open(database, "blobs", large)?,
            results: Table::open(database, "results", large)?,
            fulfillments: Table::open(database, "fulfillments", small)?,
            traces: Table::open(database, "traces", small)?,
            admissions: Table::open(database, "admissions", small)?,
            epochs: Table::open(database, "epochs", small)?,
            intents: Table::open(database, "intents", small)?,
        })
    }
}
