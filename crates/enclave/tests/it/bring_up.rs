// SPDX-License-Identifier: Apache-2.0
//! From boot to an active epoch.

use alloy_primitives::{B256, Bytes, Signature};
use alloy_sol_types::SolValue;
use subrosa_enclave_core::Enclave;
use subrosa_types::{
    abi::EpochMember,
    config::{HeaderTrustKind, Recovery},
    eip712,
    frame::{
        ErrorCode, FrameError, HeaderFrame, MAX_CHECKPOINT_BYTES, MAX_UPDATE_BYTES, Request,
        Response, WIRE_VERSION,
    },
};

use crate::{
    chain::{Chain, EPOCH},
    harness::{
        FIRST, Host, ScriptedPlatform, assert_refused, boot, engines, own_measurement, own_member,
        quote, start,
    },
};

fn answer(enclave: &mut Enclave, request: Request) -> Result<Response, FrameError> {
    match enclave.handle(request) {
        Response::Error(error) => Err(error),
        response => Ok(response),
    }
}

fn start_request(chain: &Chain) -> Request {
    Request::Start {
        config: chain.config().abi_encode().into(),
        checkpoint: Bytes::new(),
    }
}

#[test]
fn nothing_works_before_start() {
    let mut enclave = boot(1);
    let proof = Box::default();
    for request in [
        Request::Advance {
            update: Bytes::new(),
        },
        quote(),
        Request::Attest {
            challenge: vec![1; 32],
            epoch: 1,
            header: HeaderFrame::default(),
            payee: None,
        },
        Request::ProposeEpoch {
            epoch: 1,
            members: vec![],
        },
        Request::RestoreEpoch {
            sealed: Bytes::new(),
        },
        Request::ActivateEpoch { epoch: 1, proof },
        Request::Load {
            contract: B256::ZERO,
            blobs: vec![],
        },
        Request::Sign {
            results: vec![],
            role: FIRST,
        },
        Request::Statement {
            contract: B256::ZERO,
            nonce: B256::ZERO,
        },
    ] {
        assert_refused(answer(&mut enclave, request), ErrorCode::OutOfOrder);
    }
}

#[test]
fn a_configuration_is_fixed_once_per_boot() {
    let chain = Chain::new();
    let mut enclave = boot(1);
    start(&mut enclave, &chain);
    start(&mut enclave, &chain);
    let mut other = Chain::new();
    other.chain_id += 1;
    assert_refused(
        answer(&mut enclave, start_request(&other)),
        ErrorCode::OutOfOrder,
    );
}

#[test]
fn where_header_trust_starts_is_fixed_once_per_boot() {
    let chain = Chain::new();
    let config: Bytes = chain.config().abi_encode().into();
    let from = |checkpoint: Vec<u8>| Request::Start {
        config: config.clone(),
        checkpoint: checkpoint.into(),
    };
    // Host-asserted starts from nothing, and no kind from more than fits.
    for checkpoint in [vec![0], vec![0; MAX_CHECKPOINT_BYTES + 1]] {
        let mut enclave = boot(1);
        assert_refused(answer(&mut enclave, from(checkpoint)), ErrorCode::Config);
        assert_refused(answer(&mut enclave, quote()), ErrorCode::OutOfOrder);
        start(&mut enclave, &chain);
    }
    let mut enclave = boot(1);
    start(&mut enclave, &chain);
    answer(&mut enclave, from(vec![])).unwrap();
    assert_refused(answer(&mut enclave, from(vec![0])), ErrorCode::OutOfOrder);
}

#[test]
fn an_update_that_header_trust_refuses_changes_nothing() {
    let mut chain = Chain::new();
    let mut host = Host::new(&mut chain);
    for update in [vec![], vec![1], vec![0; MAX_UPDATE_BYTES + 1]] {
        let update = update.into();
        assert_refused(
            answer(&mut host.enclave, Request::Advance { update }),
            ErrorCode::Update,
        );
    }
    host.deploy(&mut chain, 1);
}

#[test]
fn a_recovery_policy_that_cannot_be_honoured_is_refused() {
    let chain = Chain::new();
    let start = |recovery: Recovery, sealing_key| {
        let mut platform = ScriptedPlatform::new(1);
        platform.sealing_key = sealing_key;
        let mut enclave = Enclave::boot(Box::new(platform), engines(), usize::MAX).unwrap();
        let mut config = chain.config();
        config.recovery = recovery.pack();
        answer(
            &mut enclave,
            Request::Start {
                config: config.abi_encode().into(),
                checkpoint: Bytes::new(),
            },
        )
    };
    let (threshold, shares) = (2, 3);
    for recovery in [
        Recovery::Replicas { k: 2 },
        Recovery::Custodians { threshold, shares },
    ] {
        assert_refused(start(recovery, Some([1; 32])), ErrorCode::Config);
    }
    for recovery in [Recovery::Sealed, Recovery::SealedDevelopment] {
        assert_refused(start(recovery, None), ErrorCode::Config);
        start(recovery, Some([1; 32])).unwrap();
    }
}

#[test]
fn a_malformed_configuration_is_refused() {
    let encoded = Chain::new().config().abi_encode();
    let mut padded = encoded.clone();
    padded.extend([0; 32]);
    for config in [
        vec![],
        encoded[..encoded.len() - 1].to_vec(),
        padded,
        vec![0xff; 100_000],
    ] {
        let request = Request::Start {
            config: config.into(),
            checkpoint: Bytes::new(),
        };
        assert_refused(answer(&mut boot(1), request), ErrorCode::Config);
    }
}

#[test]
fn real_hardware_refuses_host_asserted_headers_and_development_sealing() {
    let chain = Chain::new();
    let mut platform = ScriptedPlatform::new(1);
    platform.development = false;
    let mut enclave = Enclave::boot(Box::new(platform), engines(), usize::MAX).unwrap();
    assert_refused(
        answer(&mut enclave, start_request(&chain)),
        ErrorCode::Config,
    );
}

#[test]
fn header_trust_that_this_build_lacks_is_refused() {
    let mut config = Chain::new().config();
    config.headerTrust = HeaderTrustKind::Ethereum as u8;
    let request = Request::Start {
        config: config.abi_encode().into(),
        checkpoint: Bytes::new(),
    };
    assert_refused(answer(&mut boot(1), request), ErrorCode::Config);
}

#[test]
fn an_epoch_is_used_only_once_the_registry_is_proven_to_name_it() {
    let mut chain = Chain::new();
    let mut enclave = boot(1);
    start(&mut enclave, &chain);
    let propose = Request::ProposeEpoch {
        epoch: EPOCH,
        members: vec![own_member(&chain)],
    };
    let Ok(Response::Epoch(proposal)) = answer(&mut enclave, propose.clone()) else {
        panic!()
    };
    let Ok(Response::Epoch(again)) = answer(&mut enclave, propose) else {
        panic!()
    };
    assert_eq!(proposal, again, "the same question gets the same answer");

    let activate = |chain: &Chain| Request::ActivateEpoch {
        epoch: EPOCH,
        proof: Box::new(chain.prove_epoch(EPOCH)),
    };
    assert_refused(answer(&mut enclave, activate(&chain)), ErrorCode::Proof);
    let mut foreign = proposal.opening.clone();
    foreign.publicKeyHash = B256::repeat_byte(1);
    chain.record_epoch(&foreign);
    assert_refused(
        answer(&mut enclave, activate(&chain)),
        ErrorCode::MissingKey,
    );
    chain.record_epoch(&proposal.opening);
    let Ok(Response::EpochActive(keys)) = answer(&mut enclave, activate(&chain)) else {
        panic!()
    };
    assert_eq!(*keys, proposal.keys);
}

#[test]
fn a_proposal_is_signed_by_the_signer() {
    let chain = Chain::new();
    let mut enclave = boot(1);
    start(&mut enclave, &chain);
    let propose = Request::ProposeEpoch {
        epoch: EPOCH,
        members: vec![own_member(&chain)],
    };
    let Ok(Response::Epoch(proposal)) = answer(&mut enclave, propose) else {
        panic!()
    };
    let Response::Hello(hello) = enclave.handle(Request::Hello {
        wire_version: WIRE_VERSION,
    }) else {
        panic!()
    };
    let domain = eip712::registry_domain(chain.chain_id, chain.registry);
    let hash = eip712::signing_hash(&proposal.opening, &domain);
    let signature = Signature::from_raw(&proposal.signature).unwrap();
    assert_eq!(
        signature.recover_address_from_prehash(&hash).unwrap(),
        hello.started.unwrap().signer
    );
    assert_eq!(
        proposal.opening.recovery,
        Recovery::SealedDevelopment.pack()
    );
    let foreign = Request::ProposeEpoch {
        epoch: EPOCH,
        members: vec![EpochMember {
            measurementId: own_measurement(),
            configHash: B256::ZERO,
        }],
    };
    assert_refused(answer(&mut enclave, foreign), ErrorCode::Config);
}

#[test]
fn a_sealed_epoch_opens_on_its_machine_with_its_configuration_only() {
    let mut chain = Chain::new();
    let host = Host::new(&mut chain);
    let restore = Request::RestoreEpoch {
        sealed: host.sealed_epoch.clone(),
    };

    let mut same = boot(2);
    start(&mut same, &chain);
    let Ok(Response::Epoch(restored)) = answer(&mut same, restore.clone()) else {
        panic!()
    };
    assert_eq!(restored.keys, host.keys);

    let mut platform = ScriptedPlatform::new(3);
    platform.sealing_key = Some([1; 32]);
    let mut other_machine = Enclave::boot(Box::new(platform), engines(), usize::MAX).unwrap();
    start(&mut other_machine, &chain);
    assert_refused(answer(&mut other_machine, restore.clone()), ErrorCode::Blob);

    let mut other_chain = Chain::new();
    other_chain.chain_id += 1;
    let mut other_config = boot(4);
    start(&mut other_config, &other_chain);
    assert_refused(answer(&mut other_config, restore), ErrorCode::Blob);

    for bit in (0..host.sealed_epoch.len() * 8).step_by(5) {
        let mut sealed = host.sealed_epoch.to_vec();
        sealed[bit / 8] ^= 1 << (bit % 8);
        let mut enclave = boot(5);
        start(&mut enclave, &chain);
        let restored = answer(
            &mut enclave,
            Request::RestoreEpoch {
                sealed: sealed.into(),
            },
        );
        // Measurement set and recovery are not sealed but proven: a changed one never activates.
        let Ok(Response::Epoch(restored)) = restored else {
            continue;
        };
        assert_ne!(restored.opening.record(), {
            let proposal = restored_opening(&host, &chain);
            proposal.record()
        });
        let proof = Box::new(chain.prove_epoch(EPOCH));
        let activated = answer(
            &mut enclave,
            Request::ActivateEpoch {
                epoch: EPOCH,
                proof,
            },
        );
        assert_refused(activated, ErrorCode::MissingKey);
    }
}

fn restored_opening(host: &Host, chain: &Chain) -> subrosa_types::abi::EpochOpening {
    let mut enclave = boot(6);
    start(&mut enclave, chain);
    let sealed = host.sealed_epoch.clone();
    let Ok(Response::Epoch(proposal)) = answer(&mut enclave, Request::RestoreEpoch { sealed })
    else {
        panic!()
    };
    proposal.opening.clone()
}
