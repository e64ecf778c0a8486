// SPDX-License-Identifier: Apache-2.0
//! Transactions that are about to be sent, and admissions of signers.

use alloy_primitives::Address;

use super::{database::Engine, rows::Batch};
use crate::{AdmissionRecord, Intent, StoreError, key};

impl Engine {
    pub(crate) fn put_intent(
        &self,
        sender: Address,
        nonce: u64,
        intent: &Intent,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new(true);
        self.keyspaces
            .intents
            .write(&mut batch, key::intent(sender, nonce), intent)?;
        self.commit(batch)
    }

    pub(crate) fn intents(&self, sender: Address) -> Result<Vec<(u64, Intent)>, StoreError> {
        self.keyspaces
            .intents
            .prefix(sender.as_slice(), key::parse_intent)
    }

    pub(crate) fn settle_intents(&self, sender: Address, nonce: u64) -> Result<usize, StoreError> {
        let _exclusive = self.exclusive();
        let range = key::intent(sender, 0)..key::intent(sender, nonce);
        let mut batch = Batch::new(false);
        let count = self.keyspaces.intents.remove_range(&mut batch, range)?;
        self.commit(batch)?;
        Ok(count)
    }

    pub(crate) fn put_admission(
        &self,
        signer: Address,
        admission: &AdmissionRecord,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new(true);
        self.keyspaces
            .admissions
            .write(&mut batch, signer, admission)?;
        self.commit(batch)
    }

    pub(crate) fn admission(&self, signer: Address) -> Result<Option<AdmissionRecord>, StoreError> {
        self.keyspaces.admissions.read(signer)
    }
}
