// SPDX-License-Identifier: Apache-2.0
//! Packing batches.

use alloc::vec::Vec;

use super::{
    Batch, GROUP_BYTES, Group, HEADER_BYTES, ITEM_BYTES, Item, MOST_ITEMS, MOST_SIGNATURES,
    SIGNATURE_BYTES,
};

impl Batch {
    /// The packed bytes; `None` if there are too many or no signatures, groups or items, if an item's data
    /// is 4 GiB long, or if an amount does not fit its 48 bits.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let signatures = count(self.signatures.len(), MOST_SIGNATURES)?;
        if self.groups.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.encoded_length());
        bytes.extend(self.payee);
        bytes.extend(self.key_group.to_be_bytes());
        bytes.extend(self.key_epoch.to_be_bytes());
        bytes.extend([0, 0, 0, signatures]);
        for signature in &self.signatures {
            bytes.extend(signature.r);
            bytes.extend(signature.vs);
        }
        for group in &self.groups {
            group.encode_to(&mut bytes)?;
        }
        Some(bytes)
    }

    /// How many bytes [`encode`](Self::encode) yields.
    pub fn encoded_length(&self) -> usize {
        let groups: usize = self.groups.iter().map(Group::encoded_length).sum();
        HEADER_BYTES + SIGNATURE_BYTES * self.signatures.len() + groups
    }
}

impl Group {
    /// How many bytes the group takes of a batch.
    pub fn encoded_length(&self) -> usize {
        let items = self.items.iter().map(|item| ITEM_BYTES + item.data.len());
        GROUP_BYTES + items.sum::<usize>()
    }

    fn encode_to(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.contract);
        bytes.extend(self.start.pack().to_be_bytes::<32>());
        let [digest @ .., _] = self.previous_digest.0;
        bytes.extend(digest);
        bytes.push(count(self.items.len(), MOST_ITEMS)?);
        self.items.iter().try_for_each(|item| item.encode_to(bytes))
    }
}

impl Item {
    fn encode_to(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.execution_hash);
        bytes.extend(self.settlement.to_be_bytes::<32>());
        for part in [self.landing, self.callback, self.charge] {
            let [0, 0, part @ ..] = part.to_be_bytes() else {
                return None;
            };
            bytes.extend(part);
        }
        bytes.extend(self.result.pack().to_be_bytes::<32>());
        bytes.extend(u32::try_from(self.data.len()).ok()?.to_be_bytes());
        bytes.extend(&self.data);
        Some(())
    }
}

/// A number of 1 to `most` things, which fits a byte.
fn count(length: usize, most: usize) -> Option<u8> {
    u8::try_from(length)
        .ok()
        .filter(|_| (1..=most).contains(&length))
}
