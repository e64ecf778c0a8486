// SPDX-License-Identifier: Apache-2.0
//! When a contract is due for a snapshot, and how far execution may run ahead.

/// What has piled up since a contract's newest snapshot. Sizes are those of sealed blobs, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SinceSnapshot {
    pub(super) snapshot_bytes: u64,
    /// Key epoch of the snapshot.
    pub(super) snapshot_epoch: u32,
    pub(super) deltas: u64,
    pub(super) delta_bytes: u64,
    /// Key epoch of the last delta.
    pub(super) epoch: u32,
}

impl SinceSnapshot {
    /// Whether loading would profit from a new snapshot: many deltas that are not dwarfed by the state
    /// they change, or deltas that outweigh it. Small ones never do.
    pub(super) fn is_due(&self) -> bool {
        let many = self.deltas >= MAX_DELTAS && self.delta_bytes > self.snapshot_bytes / 16;
        many || self.delta_bytes > (4 * self.snapshot_bytes).max(SMALL_BYTES)
            || self.deltas >= MOST_DELTAS
    }

    /// Whether results wait for a snapshot: nothing under another epoch's keys can be signed before.
    pub(super) fn is_awaited(&self) -> bool {
        self.deltas > 0 && self.epoch != self.snapshot_epoch
    }

    /// Adds a delta.
    pub(super) fn add_delta(&mut self, epoch: u32, bytes: usize) {
        self.deltas += 1;
        self.delta_bytes += bytes as u64;
        self.epoch = epoch;
    }

    /// Adds a further part of the snapshot.
    pub(super) fn add_part(&mut self, bytes: usize) {
        self.snapshot_bytes += bytes as u64;
    }

    /// What piles up after a snapshot of this size.
    pub(super) fn restart(epoch: u32, bytes: usize) -> Self {
        Self {
            snapshot_bytes: bytes as u64,
            snapshot_epoch: epoch,
            epoch,
            ..Self::default()
        }
    }
}

/// How many of `available` entries from `next` on to execute now, given how many results the chain
/// has not taken yet: the enclave keeps only so many signable.
///
/// None while not all of a frame has room: a frame that ends elsewhere than where proofs are kept
/// costs one more.
pub(super) fn batch_size(next: u64, available: usize, outstanding: u64) -> usize {
    let room = MAX_OUTSTANDING.saturating_sub(outstanding);
    let size = available.min(up_to_boundary(next));
    if size as u64 > room { 0 } else { size }
}

/// The end of the frame before that of an entry, as far as frames are full.
pub(super) fn frame_before(seq: u64) -> u64 {
    (seq / MAX_BATCH as u64 * MAX_BATCH as u64).saturating_sub(1)
}

/// How many entries each frame has that is under way at a time, as [`batch_size`] has it: while one is
/// executed, the enclave opens what is in the next.
pub(super) fn frame_sizes(next: u64, available: usize, outstanding: u64) -> Vec<usize> {
    let mut sizes = Vec::with_capacity(FRAMES_AHEAD);
    let mut planned = 0;
    while sizes.len() < FRAMES_AHEAD {
        let ahead = planned as u64;
        let size = batch_size(next + ahead, available - planned, outstanding + ahead);
        if size == 0 {
            break;
        }
        sizes.push(size);
        planned += size;
    }
    sizes
}

/// Whether frames of a stateful contract end with this entry, however many follow. Its digest
/// vouches for those before it, so that it is the one of which a proof is worth keeping.
pub(crate) fn ends_frame(seq: u64) -> bool {
    up_to_boundary(seq) == 1
}

/// How many entries from `next` on make up a frame at most.
fn up_to_boundary(next: u64) -> usize {
    // Below MAX_BATCH.
    MAX_BATCH - (next % MAX_BATCH as u64) as usize
}

/// Most frames of a stateful contract under way at a time, each continuing the one before it.
pub(super) const FRAMES_AHEAD: usize = 2;
/// Most entries of a stateless contract under way at a time, each in a frame of its own.
pub(super) const ENTRIES_ABREAST: usize = 8;
/// Most entries per frame.
pub(super) const MAX_BATCH: usize = 64;
/// Most results of one contract ahead of the chain; a quarter of what the enclave keeps signable.
pub(super) const MAX_OUTSTANDING: u64 = 1_024;
/// Deltas that are many.
const MAX_DELTAS: u64 = 256;
/// Most deltas to load, however large the state.
const MOST_DELTAS: u64 = 4_096;
/// Deltas up to this size are not worth a snapshot.
const SMALL_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fresh_snapshot_is_not_due_again_however_large() {
        let since = SinceSnapshot::restart(1, 1 << 30);
        assert!(!since.is_due() && !since.is_awaited());
    }

    #[test]
    fn many_deltas_are_due_the_sooner_the_smaller_the_state() {
        let due_after = |snapshot| {
            let mut since = SinceSnapshot::restart(1, snapshot);
            while !since.is_due() {
                since.add_delta(1, 300);
            }
            since.deltas
        };
        assert_eq!(due_after(1 << 20), MAX_DELTAS);
        assert_eq!(due_after(4 << 20), (4 << 20) / 16 / 300 + 1);
        assert_eq!(due_after(1 << 30), MOST_DELTAS);
    }

    #[test]
    fn a_delta_under_other_keys_awaits_a_snapshot() {
        let mut since = SinceSnapshot::restart(1, 1 << 20);
        since.add_delta(1, 300);
        assert!(!since.is_awaited());
        since.add_delta(2, 300);
        assert!(since.is_awaited());
    }

    proptest! {
        #[test]
        fn deltas_that_outweigh_the_state_are_due(snapshot in 0usize..4_000_000, bytes in 1usize..20_000_000) {
            let mut since = SinceSnapshot::restart(1, snapshot);
            since.add_delta(1, bytes);
            prop_assert_eq!(since.is_due(), bytes as u64 > (4 * snapshot as u64).max(SMALL_BYTES));
        }

        #[test]
        fn execution_never_runs_further_ahead_than_can_be_signed(
            next in 0u64..10_000, available in 0usize..10_000, outstanding in 0u64..3_000,
        ) {
            let size = batch_size(next, available, outstanding);
            prop_assert!(size <= available && size <= MAX_BATCH);
            prop_assert!(size == 0 || outstanding + size as u64 <= MAX_OUTSTANDING);
            let goes_on = outstanding + MAX_BATCH as u64 <= MAX_OUTSTANDING;
            prop_assert!(size > 0 || available == 0 || !goes_on);
        }

        #[test]
        fn frames_that_are_under_way_together_are_those_that_would_follow_each_other(
            next in 0u64..10_000, available in 0usize..1_000, outstanding in 0u64..3_000,
        ) {
            let sizes = frame_sizes(next, available, outstanding);
            prop_assert!(sizes.len() <= FRAMES_AHEAD);
            let (mut at, mut left, mut out) = (next, available, outstanding);
            for size in sizes {
                prop_assert_eq!(size, batch_size(at, left, out));
                prop_assert!(size > 0);
                (at, left, out) = (at + size as u64, left - size, out + size as u64);
            }
            prop_assert!(out <= outstanding.max(MAX_OUTSTANDING));
        }

        #[test]
        fn frames_end_where_the_log_does_or_where_all_frames_end(
            from in 0u64..1_000, count in 1usize..1_000,
        ) {
            let end = from + count as u64;
            let mut next = from;
            while next < end {
                let size = batch_size(next, (end - next) as usize, 0) as u64;
                next += size;
                prop_assert!(size > 0 && (next == end || ends_frame(next - 1)));
            }
        }
    }
}
