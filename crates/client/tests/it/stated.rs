// SPDX-License-Identifier: Apache-2.0
//! What the signer states beside its evidence, spoiled.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::SolValue;
use subrosa_types::abi::AttestationStatement;

use crate::{
    refusals::{Case, case},
    world::{self, World},
};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("no statement", "attestation.format", |w| {
            w.tamper = |a| a.statement = Bytes::new();
        }),
        case(
            "a statement that a stranger signed",
            "attestation.signature",
            |w| {
                w.statement_signer = Arc::new(world::stranger());
            },
        ),
        case(
            "a statement without signature",
            "attestation.signature",
            |w| {
                w.tamper = |a| a.signature = Bytes::new();
            },
        ),
        case("an altered statement", "attestation.signature", |w| {
            w.tamper = |a| {
                let mut statement = AttestationStatement::abi_decode(&a.statement).unwrap();
                statement.publicKeyHash = B256::repeat_byte(9);
                a.statement = statement.abi_encode().into();
            };
        }),
        case(
            "a statement for another challenge",
            "attestation.challenge",
            |w| {
                w.restate = |s| s.challengeHash = B256::repeat_byte(9);
            },
        ),
        case(
            "a statement about another epoch",
            "attestation.epoch",
            |w| {
                w.restate = |s| s.keyEpoch = 2;
            },
        ),
        case("a statement about another key", "attestation.keys", |w| {
            w.restate = |s| s.publicKeyHash = B256::repeat_byte(9);
        }),
        case(
            "another recovery policy stated",
            "attestation.recovery",
            |w| {
                w.restate = |s| s.recovery = U256::from(1);
            },
        ),
        case(
            "another configuration stated",
            "attestation.config-hash",
            |w| {
                w.restate = |s| s.configHash = B256::repeat_byte(9);
            },
        ),
        case("another start stated", "attestation.start-hash", |w| {
            w.restate = |s| s.startHash = B256::repeat_byte(9);
        }),
        case(
            "a proxy's keys, and a chain that records them",
            "attestation.keys",
            present_the_proxys_keys,
        ),
        case(
            "a proxy's keys, which it states itself",
            "attestation.signature",
            |w| {
                present_the_proxys_keys(w);
                w.restate = |s| s.publicKeyHash = world::proxy_keys().public().hash();
                w.statement_signer = Arc::new(world::stranger());
            },
        ),
    ]
}

/// Between client and both node and chain: everything else is passed through, so every check of
/// evidence is of an honest enclave's. The registry's record is that of the opening presented.
fn present_the_proxys_keys(world: &mut World) {
    let keys = world::proxy_keys();
    world.opening.publicKeyHash = keys.public().hash();
    world.keys = Arc::new(keys);
}
