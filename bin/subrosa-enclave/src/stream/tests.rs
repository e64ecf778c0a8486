// SPDX-License-Identifier: Apache-2.0
//! Frames on a real socket: hostile bytes are answered, and the enclave lives on.

use std::{io::Write, num::NonZeroUsize, os::unix::net::UnixStream, thread};

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use subrosa_enclave_core::{Enclave, Evidence, Identity, Platform, PlatformError};
use subrosa_types::{
    frame::{self, ErrorCode, Request, Response, WIRE_VERSION},
    id::TeeKind,
};
use subrosa_vm::Engines;
use zeroize::Zeroizing;

use super::*;
use crate::server::Server;

/// A platform on which an enclave boots, and no more.
struct Bare;

impl Platform for Bare {
    fn identity(&self) -> Identity {
        Identity {
            tee: TeeKind::Tdx,
            root_id: B256::ZERO,
            measurement_hash: B256::ZERO,
            development: true,
        }
    }

    fn fix_config(&mut self, _: B256) -> Result<(), PlatformError> {
        Ok(())
    }

    fn evidence(&mut self, _: [u8; 64]) -> Result<Evidence, PlatformError> {
        Err(PlatformError("none".into()))
    }

    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        None
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError> {
        bytes.fill(7);
        Ok(())
    }
}

fn boot() -> Server {
    let enclave = Enclave::boot(Box::new(Bare), Engines::default(), usize::MAX).unwrap();
    Server::start(enclave, NonZeroUsize::MIN).unwrap()
}

/// Sends raw bytes and hangs up; returns the answers in the order of their requests' ids, those
/// without one first.
fn converse(bytes: Vec<u8>) -> Vec<Response> {
    let (mut host, enclave_side) = UnixStream::pair().unwrap();
    let enclave = thread::spawn(move || boot().serve(enclave_side).is_ok());
    let writer = {
        let mut host = host.try_clone().unwrap();
        thread::spawn(move || {
            let _ = host.write_all(&bytes);
            let _ = host.shutdown(std::net::Shutdown::Write);
        })
    };
    let mut answers = Vec::new();
    host.read_to_end(&mut answers).unwrap();
    writer.join().unwrap();
    enclave.join().unwrap();
    let mut rest = answers.as_slice();
    let mut responses = Vec::new();
    while let Ok(Some(Frame::Body(body))) = read(&mut rest) {
        responses.push(frame::decode::<Response>(&body).unwrap());
    }
    responses.sort_by_key(|(id, _)| *id);
    responses
        .into_iter()
        .map(|(_, response)| response)
        .collect()
}

fn hello(id: u64) -> Vec<u8> {
    let wire_version = WIRE_VERSION;
    frame::encode(id, &Request::Hello { wire_version }).unwrap()
}

#[track_caller]
fn assert_error(response: &Response, code: ErrorCode) {
    let Response::Error(error) = response else {
        panic!("{response:?}")
    };
    assert_eq!(error.code, code);
}

#[test]
fn the_first_frame_must_be_a_hello_of_this_version() {
    let quote = frame::encode(
        1,
        &Request::Quote {
            block_hash: B256::ZERO,
            registrant: Address::ZERO,
        },
    )
    .unwrap();
    let wire_version = WIRE_VERSION + 1;
    let old = frame::encode(2, &Request::Hello { wire_version }).unwrap();
    let answers = converse([quote, old, hello(3)].concat());
    assert_error(&answers[0], ErrorCode::OutOfOrder);
    assert_error(&answers[1], ErrorCode::Version);
    assert!(matches!(answers[2], Response::Hello(_)));
}

#[test]
fn malformed_and_oversized_frames_are_answered_and_the_stream_goes_on() {
    let id = |id: u8| [0, 0, 0, 0, 0, 0, 0, id];
    let header = |number| [vec![0, WIRE_VERSION as u8], id(number).to_vec()].concat();
    let garbage = [vec![0, 0, 0, 15], header(1), vec![0xff; 5]].concat();
    let length = MAX_FRAME_BYTES as u32 + 17;
    let rest = vec![0; length as usize - 10];
    let oversized = [length.to_be_bytes().to_vec(), header(2), rest].concat();
    let answers = converse([garbage, oversized, hello(3)].concat());
    assert_error(&answers[0], ErrorCode::Malformed);
    assert_error(&answers[1], ErrorCode::Malformed);
    assert!(matches!(answers[2], Response::Hello(_)));
    assert_eq!(answers.len(), 3);
}

#[test]
fn a_stream_that_breaks_inside_a_frame_ends_it() {
    let answers = converse([hello(1), vec![0, 0, 1, 0, 1, 2]].concat());
    assert_eq!(answers.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_frames_are_each_answered_once(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..12),
    ) {
        let mut bytes = Vec::new();
        for body in &bodies {
            bytes.extend((body.len() as u32).to_be_bytes());
            bytes.extend(body);
        }
        bytes.extend(hello(u64::MAX));
        let answers = converse(bytes);
        prop_assert_eq!(answers.len(), bodies.len() + 1);
        prop_assert!(matches!(answers.last(), Some(Response::Hello(_))));
    }
}

#[test]
fn an_announced_length_allocates_nothing() {
    let mut stream: &[u8] = &(MAX_FRAME_BYTES as u32).to_be_bytes();
    assert!(read(&mut stream).is_err());
    let mut stream: &[u8] = &(MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
    assert!(matches!(
        read(&mut stream),
        Ok(Some(Frame::Oversized(length))) if length == MAX_FRAME_BYTES + 1
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = read(&mut bytes.as_slice());
    }

    #[test]
    fn a_frame_is_read_whole_or_not_at_all(
        update in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let frame = frame::encode(9, &Request::Advance { update: update.into() }).unwrap();
        let Ok(Some(Frame::Body(body))) = read(&mut frame.as_slice()) else {
            panic!("no frame")
        };
        prop_assert_eq!(&body, &frame[4..]);
        for length in 0..frame.len() {
            let cut = read(&mut &frame[..length]);
            let ends_cleanly = matches!(cut, Ok(None));
            prop_assert!(ends_cleanly || cut.is_err());
            prop_assert_eq!(ends_cleanly, length == 0);
        }
    }
}
