// SPDX-License-Identifier: Apache-2.0
//! The client against a scripted fake: a task that plays an enclave's part, faults included.

use std::{collections::VecDeque, path::PathBuf, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, Bytes, b256};
use futures::FutureExt;
use subrosa_types::frame::{
    ErrorCode, FrameError, HelloReply, MAX_FRAME_BYTES, Request, Response, Started, WIRE_VERSION,
    decode, encode,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use super::{
    UnixEnclaves,
    stream::{Patience, Terms, UnixLink, connect},
};
use crate::{
    clock::SystemClock,
    conformance::{self, EnclaveHarness},
    enclave::{ConnectError, EnclaveError, Enclaves, Link, StreamError},
    metrics::Metrics,
};

/// Listens like an enclave; each test says what it does with a connection.
struct FakeEnclave {
    listener: UnixListener,
    socket: PathBuf,
    _directory: TempDir,
}

impl FakeEnclave {
    fn listen() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("enclave.sock");
        Self {
            listener: UnixListener::bind(&socket).unwrap(),
            socket,
            _directory: directory,
        }
    }

    async fn accept(&self) -> FakeStream {
        FakeStream::new(self.listener.accept().await.unwrap().0)
    }

    async fn accept_and_greet(&self, boot: u8) -> FakeStream {
        let mut stream = self.accept().await;
        assert!(matches!(
            stream.receive().await,
            Request::Hello {
                wire_version: WIRE_VERSION
            }
        ));
        stream.send(&hello(boot)).await;
        stream
    }
}

struct FakeStream {
    stream: UnixStream,
    /// Ids of requests that are not answered.
    ids: VecDeque<u64>,
}

impl FakeStream {
    fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            ids: VecDeque::new(),
        }
    }

    async fn receive(&mut self) -> Request {
        self.next().await.unwrap()
    }

    /// The next request; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Request> {
        let length = self.stream.read_u32().await.ok()? as usize;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        let (id, request) = decode(&body).ok()?;
        self.ids.push_back(id);
        Some(request)
    }

    /// Answers the oldest request that is not answered.
    async fn send(&mut self, response: &Response) {
        let id = self.ids.pop_front().unwrap_or(UNASKED);
        self.send_to(id, response).await;
    }

    async fn send_to(&mut self, id: u64, response: &Response) {
        let frame = encode(id, response).unwrap();
        self.stream.write_all(&frame).await.unwrap();
    }
}

const UNASKED: u64 = 99;

fn hello(boot: u8) -> Response {
    Response::Hello(Box::new(HelloReply {
        wire_version: WIRE_VERSION,
        boot_id: [boot; 16],
        started: None,
        epochs: Vec::new(),
        contracts: Vec::new(),
    }))
}

async fn connect_with(
    fake: &FakeEnclave,
    patience: Patience,
) -> Result<(Link, HelloReply), ConnectError> {
    let metrics = Metrics::new().unwrap().enclave;
    let terms = Terms {
        patience,
        clock: SystemClock::shared(),
        request_seconds: metrics.request_seconds,
    };
    let (link, hello): (Arc<UnixLink>, _) = connect(&fake.socket, terms).await?;
    Ok((Link::new(link, metrics.refusals), hello))
}

async fn connect_to(fake: &FakeEnclave) -> Result<(Link, HelloReply), ConnectError> {
    connect_with(fake, Patience::default()).await
}

/// A connected link and the fake's end of it.
async fn pair(fake: &FakeEnclave) -> (Link, FakeStream) {
    let (connected, stream) = tokio::join!(connect_to(fake), fake.accept_and_greet(1));
    (connected.unwrap().0, stream)
}

async fn quote(link: &Link, round: u8) -> Result<Bytes, EnclaveError> {
    link.quote(B256::repeat_byte(round), Address::ZERO).await
}

#[tokio::test]
async fn answers_come_in_any_order_and_reach_whoever_asked() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let enclave = async move {
        let mut asked = Vec::new();
        for _ in 0..3 {
            let Request::Quote { block_hash, .. } = stream.receive().await else {
                panic!("not a quote");
            };
            asked.push((stream.ids.pop_front().unwrap(), block_hash[0]));
        }
        for (id, round) in asked.into_iter().rev() {
            let answer = Response::Evidence(vec![round; 3].into());
            stream.send_to(id, &answer).await;
        }
    };
    let host = async {
        let quotes = futures::future::join3(quote(&link, 0), quote(&link, 1), quote(&link, 2));
        let (a, b, c) = quotes.await;
        [a, b, c].map(Result::unwrap)
    };
    let (quotes, ()) = tokio::join!(host, enclave);
    assert_eq!(quotes, [0u8, 1, 2].map(|round| Bytes::from(vec![round; 3])));
}

#[tokio::test]
async fn refusals_keep_the_stream_and_their_code() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let enclave = async move {
        stream.receive().await;
        let error = FrameError::new(ErrorCode::MissingKey, "epoch 3");
        stream.send(&Response::Error(error)).await;
        stream.receive().await;
        stream.send(&Response::Evidence(Bytes::new())).await;
        stream
    };
    let host = async {
        let error = link.snapshot(B256::ZERO, 0).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::MissingKey));
        quote(&link, 1).await.unwrap();
    };
    let ((), _stream) = tokio::join!(host, enclave);
    assert!(link.closed().now_or_never().is_none());
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let enclave = async {
        stream.receive().await;
        stream.send(&hello(1)).await;
    };
    let (answer, ()) = tokio::join!(quote(&link, 1), enclave);
    assert!(matches!(
        answer,
        Err(EnclaveError::OutOfStep { asked: "quote" })
    ));
}

#[tokio::test]
async fn another_version_is_refused_by_either_side() {
    let fake = FakeEnclave::listen();
    let enclave = async {
        let mut stream = fake.accept().await;
        stream.receive().await;
        let error = FrameError::new(ErrorCode::Version, "this enclave speaks 9");
        stream.send(&Response::Error(error)).await;
    };
    let (outcome, ()) = tokio::join!(connect_to(&fake), enclave);
    let error = outcome.unwrap_err();
    assert!(matches!(&error, ConnectError::Version { message, .. } if message.contains('9')));
    assert!(!error.is_transient());

    let enclave = async {
        let mut stream = fake.accept().await;
        stream.receive().await;
        let Response::Hello(mut reply) = hello(1) else {
            unreachable!()
        };
        reply.wire_version = WIRE_VERSION + 1;
        stream.send(&Response::Hello(reply)).await;
    };
    let (outcome, ()) = tokio::join!(connect_to(&fake), enclave);
    assert!(matches!(outcome, Err(ConnectError::Version { .. })));
}

#[tokio::test]
async fn garbage_ends_the_handshake_or_the_link() {
    let fake = FakeEnclave::listen();
    for garbage in [
        &[
            0,
            0,
            0,
            13,
            0,
            WIRE_VERSION as u8,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0xff,
            0xff,
            0xff,
        ][..],
        &[0, 0, 0, 0],
        &((MAX_FRAME_BYTES as u32 + 1).to_be_bytes())[..],
    ] {
        let enclave = async {
            let mut stream = fake.accept().await;
            stream.receive().await;
            stream.stream.write_all(garbage).await.unwrap();
            stream
        };
        let (outcome, _stream) = tokio::join!(connect_to(&fake), enclave);
        let Err(ConnectError::Handshake(error)) = outcome else {
            panic!("{garbage:?} passed for a greeting");
        };
        assert!(matches!(error, StreamError::Malformed(_)), "{error}");

        let (link, mut stream) = pair(&fake).await;
        let enclave = async {
            stream.receive().await;
            stream.stream.write_all(garbage).await.unwrap();
        };
        let (answer, ()) = tokio::join!(quote(&link, 1), enclave);
        assert!(matches!(answer, Err(EnclaveError::Disconnected)));
        link.closed().await;
    }
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_fails_the_request_and_those_after_it() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let enclave = async move {
        stream.receive().await;
        let frame = encode(1, &Response::Evidence(vec![1; 1000].into())).unwrap();
        stream.stream.write_all(&frame[..500]).await.unwrap();
        drop(stream);
    };
    let host = async { tokio::join!(quote(&link, 1), quote(&link, 2)) };
    let ((first, second), ()) = tokio::join!(host, enclave);
    assert!(matches!(first, Err(EnclaveError::Disconnected)));
    assert!(matches!(second, Err(EnclaveError::Disconnected)));
    assert!(matches!(
        quote(&link, 3).await,
        Err(EnclaveError::Disconnected)
    ));
}

#[tokio::test]
async fn an_idle_link_notices_that_the_enclave_is_gone() {
    let fake = FakeEnclave::listen();
    let (link, stream) = pair(&fake).await;
    drop(stream);
    link.closed().await;
    assert!(link.closed().now_or_never().is_some());
}

#[tokio::test]
async fn an_enclave_that_speaks_unasked_is_hung_up_on() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    stream.send(&hello(1)).await;
    link.closed().await;
    assert!(matches!(
        quote(&link, 1).await,
        Err(EnclaveError::Disconnected)
    ));
}

#[tokio::test]
async fn another_boot_id_shows_in_the_greeting() {
    let fake = FakeEnclave::listen();
    for boot in [1, 1, 2] {
        let (connected, _stream) = tokio::join!(connect_to(&fake), fake.accept_and_greet(boot));
        assert_eq!(connected.unwrap().1.boot_id, [boot; 16]);
    }
}

#[tokio::test]
async fn slow_answers_are_waited_for_until_patience_ends() {
    let fake = FakeEnclave::listen();
    let patience = Patience {
        handshake: Duration::from_secs(5),
        answer: Duration::from_millis(200),
    };
    let connected = connect_with(&fake, patience);
    let (connected, mut stream) = tokio::join!(connected, fake.accept_and_greet(1));
    let (link, _) = connected.unwrap();

    // Byte by byte, but within patience.
    let enclave = async {
        stream.receive().await;
        for byte in encode(
            stream.ids.pop_front().unwrap(),
            &Response::Evidence(vec![9; 20].into()),
        )
        .unwrap()
        {
            stream.stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (answer, ()) = tokio::join!(quote(&link, 1), enclave);
    assert_eq!(answer.unwrap(), Bytes::from(vec![9; 20]));

    // Never.
    let (answer, _) = tokio::join!(quote(&link, 1), stream.receive());
    assert!(matches!(answer, Err(EnclaveError::Disconnected)));
    link.closed().await;
}

#[tokio::test]
async fn an_enclave_that_serves_another_host_is_silent() {
    let fake = FakeEnclave::listen();
    let patience = Patience {
        handshake: Duration::from_millis(100),
        ..Patience::default()
    };
    let outcome = connect_with(&fake, patience).await;
    assert!(matches!(outcome, Err(ConnectError::Silent(_))));
}

#[tokio::test]
async fn a_request_that_fits_no_frame_is_not_sent() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let envelope = Bytes::from(vec![0; MAX_FRAME_BYTES + 1]);
    let outcome = link.query(B256::ZERO, envelope).await;
    assert!(matches!(outcome, Err(EnclaveError::Oversized(_))));
    let enclave = async {
        assert!(matches!(stream.receive().await, Request::Quote { .. }));
        stream.send(&Response::Evidence(Bytes::new())).await;
    };
    let (answer, ()) = tokio::join!(quote(&link, 1), enclave);
    answer.unwrap();
}

#[tokio::test]
async fn starting_gives_the_keys() {
    let fake = FakeEnclave::listen();
    let (link, mut stream) = pair(&fake).await;
    let started = Started {
        config_hash: b256!("0x0101010101010101010101010101010101010101010101010101010101010101"),
        start_hash: B256::repeat_byte(7),
        signer: Address::repeat_byte(2),
        transfer_key: vec![3; 1216].into(),
        tee: subrosa_types::id::TeeKind::Tdx,
        root_id: B256::repeat_byte(4),
        measurement_hash: B256::repeat_byte(5),
        measurement_id: B256::repeat_byte(6),
    };
    let expected = started.clone();
    let enclave = async {
        let Request::Start { config, .. } = stream.receive().await else {
            panic!("not a start");
        };
        assert_eq!(config, Bytes::from_static(b"config"));
        stream.send(&Response::Started(Box::new(started))).await;
    };
    let (answer, ()) = tokio::join!(link.start(Bytes::from_static(b"config")), enclave);
    assert_eq!(answer.unwrap(), expected);
}

/// An enclave that greets and refuses everything else, until it is lost.
struct Refusing {
    enclaves: UnixEnclaves,
    socket: PathBuf,
    boot: u8,
    serving: tokio::task::JoinHandle<()>,
    _directory: TempDir,
}

impl Refusing {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("enclave.sock");
        let config = crate::config::Enclave {
            socket: socket.clone(),
            binary: None,
            arguments: Vec::new(),
            admission: None,
            open_epochs: crate::config::OpenEpochs::Never,
            renew_before_seconds: 600,
            max_loads: 4,
        };
        let metrics = Metrics::new().unwrap().enclave;
        let clock = SystemClock::shared();
        Self {
            enclaves: UnixEnclaves::new(&config, directory.path(), clock, metrics.request_seconds),
            serving: tokio::spawn(refuse(UnixListener::bind(&socket).unwrap(), 1)),
            socket,
            boot: 1,
            _directory: directory,
        }
    }
}

async fn refuse(listener: UnixListener, boot: u8) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = FakeStream::new(stream);
        while let Some(request) = stream.next().await {
            let response = match request {
                Request::Hello { .. } => hello(boot),
                _ => Response::Error(FrameError::new(ErrorCode::OutOfOrder, "not started")),
            };
            stream.send(&response).await;
        }
    }
}

#[async_trait::async_trait]
impl EnclaveHarness for Refusing {
    fn enclaves(&mut self) -> &mut dyn Enclaves {
        &mut self.enclaves
    }

    async fn lose(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        std::fs::remove_file(&self.socket).unwrap();
        self.boot += 1;
        let listener = UnixListener::bind(&self.socket).unwrap();
        self.serving = tokio::spawn(refuse(listener, self.boot));
    }
}

#[tokio::test]
async fn a_unix_socket_conforms() {
    conformance::enclave(&mut Refusing::start()).await;
}
