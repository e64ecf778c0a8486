// SPDX-License-Identifier: Apache-2.0
//! Logs of long stretches of the chain, read range by range: nodes limit ranges and results, each in its own
//! words.

use std::ops::ControlFlow;

use alloy::{
    eips::BlockId,
    providers::{DynProvider, Provider},
    rpc::types::{Filter, Log},
};

use crate::{ChainError, block::BlockRef, endpoint::within, proof::fetch_block};

/// Gives `take` what `filter` matches from block `from` on, range by range from the newest one back, each
/// in the chain's order, until it breaks.
///
/// What a reorganization changes meanwhile may be missing or there twice: for hints.
///
/// # Errors
///
/// [`ChainError`] if not even one block's logs are to be had.
pub async fn logs_newest_first(
    provider: &DynProvider,
    filter: &Filter,
    from: u64,
    mut take: impl FnMut(Vec<Log>) -> ControlFlow<()>,
) -> Result<(), ChainError> {
    let mut last = fetch_block(provider, BlockId::latest()).await?.number;
    let mut range = FIRST_RANGE;
    while last >= from {
        let first = last.saturating_sub(range - 1).max(from);
        let ranged = filter.clone().from_block(first).to_block(last);
        let logs = match within(async { provider.get_logs(&ranged).await }).await {
            Ok(logs) => logs,
            Err(error) if range == 1 => return Err(error),
            Err(_) => {
                range /= 2;
                continue;
            }
        };
        if take(logs).is_break() || first == 0 {
            break;
        }
        last = first - 1;
        range = range.saturating_mul(2).min(LARGEST_RANGE);
    }
    Ok(())
}

/// A block that is older than `since` (Unix seconds), not much further back than needed; the first one if
/// none is.
///
/// # Errors
///
/// [`ChainError`] if the chain gives no answer.
pub async fn block_before(provider: &DynProvider, since: u64) -> Result<BlockRef, ChainError> {
    let tip = fetch_block(provider, BlockId::latest()).await?;
    let (mut block, mut back) = (tip, 1u64);
    while block.timestamp >= since && block.number > 0 {
        let number = tip.number.saturating_sub(back);
        block = fetch_block(provider, BlockId::number(number)).await?;
        back = back.saturating_mul(2);
    }
    Ok(block)
}

/// Blocks in the first request; it doubles as long as the node takes it.
const FIRST_RANGE: u64 = 2_000;
/// Most blocks in one request.
const LARGEST_RANGE: u64 = 1 << 20;
