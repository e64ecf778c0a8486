// SPDX-License-Identifier: Apache-2.0
//! The keyspaces, their keys and their records.

use std::sync::Arc;

use alloy_primitives::Bytes;
use subrosa_types::frame::{SlotProof, StateBlob};

use super::{rows::Rows, table::Table};
use crate::{
    AdmissionRecord, Cursor, EntryRecord, FulfillmentRecord, Intent, ResultRecord,
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
    pub(super) proofs: Table<SlotProof>,
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

/// The keyspaces, and whether their records are written once and large.
pub(crate) const KEYSPACES: [(&str, bool); 12] = [
    ("cursor", false),
    ("contracts", false),
    ("entries", true),
    ("proofs", true),
    ("code_envelopes", true),
    ("blobs", true),
    ("results", true),
    ("fulfillments", false),
    ("traces", false),
    ("admissions", false),
    ("epochs", false),
    ("intents", false),
];

impl Keyspaces {
    pub(super) fn new(rows: &Arc<dyn Rows>) -> Self {
        Self {
            cursor: Table::new(rows, "cursor"),
            contracts: Table::new(rows, "contracts"),
            entries: Table::new(rows, "entries"),
            proofs: Table::new(rows, "proofs"),
            code_envelopes: Table::new(rows, "code_envelopes"),
            blobs: Table::new(rows, "blobs"),
            results: Table::new(rows, "results"),
            fulfillments: Table::new(rows, "fulfillments"),
            traces: Table::new(rows, "traces"),
            admissions: Table::new(rows, "admissions"),
            epochs: Table::new(rows, "epochs"),
            intents: Table::new(rows, "intents"),
        }
    }
}
