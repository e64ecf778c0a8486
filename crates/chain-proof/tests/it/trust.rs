// SPDX-License-Identifier: Apache-2.0
//! The suite of all header trusts, on those there are.

use alloy_primitives::{B256, Bytes, keccak256};
use subrosa_chain_proof::{
    Header, HostAsserted,
    conformance::{self, Subject},
};
use subrosa_types::{entry::FinalityClass, frame::HeaderFrame};

fn rlp(number: u64, parent_hash: B256) -> Bytes {
    alloy_rlp::encode(Header {
        number,
        parent_hash,
        ..Header::default()
    })
    .into()
}

#[test]
fn host_asserted_is_a_header_trust() {
    let parent = rlp(6, B256::ZERO);
    let frame = HeaderFrame {
        trusted: rlp(7, keccak256(&parent)),
        witness: Bytes::new(),
        ancestors: vec![parent],
    };
    conformance::run(&Subject {
        start: || Box::new(HostAsserted),
        checkpoint: vec![],
        updates: vec![],
        bad_updates: vec![Bytes::new(), Bytes::from_static(b"update")],
        vouched: vec![(frame, FinalityClass::HostAsserted)],
        bad_witnesses: vec![Bytes::from_static(&[0]), Bytes::from(vec![7; 65])],
    });
}
