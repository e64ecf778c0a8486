// SPDX-License-Identifier: Apache-2.0
//! What the chain was told of a contract's entries.

use alloy_primitives::U256;
use subrosa_chain::{Event, follow::OracleEvent};
use subrosa_node::{ChainFeed, StartingPoint};
use subrosa_simulation::World;
use subrosa_types::{ContractId, result::Status};

/// Status and public output of every fulfilled entry, in order; one that was fulfilled twice is there
/// twice.
pub(crate) async fn fulfilled(world: &World, contract: ContractId) -> Vec<(u64, u8, Vec<u8>)> {
    let mut events = world.chain.follow(StartingPoint::default()).await.unwrap();
    let Event::Blocks { logs, .. } = events.next().await.unwrap() else {
        panic!("a chain begins with blocks");
    };
    logs.into_iter()
        .filter_map(|log| match log.event {
            OracleEvent::EntryFulfilled {
                contract: of,
                outcome,
                data,
            } if of == contract => Some((outcome.seq, outcome.result.status, data.to_vec())),
            _ => None,
        })
        .collect()
}

/// Entry `seq` as one that succeeded and returned a number.
pub(crate) fn succeeded(seq: u64, value: u64) -> (u64, u8, Vec<u8>) {
    let output = U256::from(value).to_be_bytes_vec();
    (seq, Status::Succeeded as u8, output)
}

/// Entry `seq` as one that succeeded and returned nothing.
pub(crate) fn changed(seq: u64) -> (u64, u8, Vec<u8>) {
    (seq, Status::Succeeded as u8, Vec::new())
}
