// SPDX-License-Identifier: Apache-2.0
//! A machine that runs the enclave's state machine in this process: frames go through their real
//! encoding, but through no socket.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_primitives::B256;
use async_trait::async_trait;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::de::DeserializeOwned;
use subrosa_enclave_core::{Enclave, Evidence, Identity, Platform, PlatformError};
use subrosa_node::{ConnectError, EnclaveError, EnclaveLink, Enclaves, greeted, hello};
use subrosa_types::{
    frame::{HelloReply, Request, Response, WireError, decode, encode},
    id::TeeKind,
};
use subrosa_vm::Engines;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// A machine and the enclave that runs on it. Clones are the same machine.
#[derive(Clone)]
pub struct Machine(Arc<Mutex<Power>>);

struct Power {
    seed: u64,
    boots: u64,
    engines: fn() -> Engines,
    running: Option<Arc<Running>>,
    tampering: Option<Tampering>,
}

/// What a hostile host makes of a frame before the enclave gets it.
type Tampering = Arc<dyn Fn(Request) -> Request + Send + Sync>;

/// One boot.
struct Running {
    enclave: Mutex<Enclave>,
    /// Set when the machine was powered off.
    off: watch::Sender<bool>,
    /// Requests to execute that are under way, and the most there were at once.
    executing: AtomicUsize,
    most_executing: AtomicUsize,
}

impl Machine {
    /// A machine whose randomness and sealing key follow from `seed`, and which runs guests on
    /// `engines`. It is off.
    pub fn new(seed: u64, engines: fn() -> Engines) -> Self {
        Self(Arc::new(Mutex::new(Power {
            seed,
            boots: 0,
            engines,
            running: None,
            tampering: None,
        })))
    }

    /// Asks the enclave something, booting it if it is off: what another process on the machine
    /// could do.
    pub fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        self.running().ask(&request)
    }

    /// Power off: the enclave's memory is gone, and so is every connection to it.
    pub fn power_off(&self) {
        if let Some(running) = self.power().running.take() {
            running.off.send_replace(true);
        }
    }

    /// Power off, and another build in its place: one with these engines, in the generations it has
    /// them in. Its measurement and sealing key are those of the build before, as of a software TEE's.
    pub fn install(&self, engines: fn() -> Engines) {
        self.power_off();
        self.power().engines = engines;
    }

    /// From now on, what a node sends through connections made from then on is changed on its way.
    pub fn tamper(&self, tampering: impl Fn(Request) -> Request + Send + Sync + 'static) {
        self.power().tampering = Some(Arc::new(tampering));
    }

    /// Frames get through as they are again, in connections made from now on.
    pub fn leave_alone(&self) {
        self.power().tampering = None;
    }

    /// The most requests to execute that were under way at once since the last boot.
    pub fn most_executing(&self) -> usize {
        self.running().most_executing.load(Ordering::Relaxed)
    }

    /// How often the enclave was booted.
    pub fn boots(&self) -> u64 {
        self.power().boots
    }

    fn running(&self) -> Arc<Running> {
        let mut power = self.power();
        if let Some(running) = &power.running {
            return Arc::clone(running);
        }
        power.boots += 1;
        let platform = SeededPlatform::new(power.seed, power.boots);
        let running = Arc::new(Running::boot(platform, (power.engines)()));
        power.running = Some(Arc::clone(&running));
        running
    }

    fn power(&self) -> MutexGuard<'_, Power> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Enclaves for Machine {
    async fn connect(&mut self) -> Result<(Arc<dyn EnclaveLink>, HelloReply), ConnectError> {
        let running = self.running();
        let answer = running.ask(&hello());
        let answer = answer.map_err(|_| ConnectError::Handshake(WireError::Malformed.into()))?;
        let reply = greeted(answer)?;
        let tampering = self.power().tampering.clone();
        Ok((Arc::new(MemoryLink { running, tampering }), reply))
    }

    fn is_ours(&self) -> bool {
        true
    }

    async fn end(&mut self) {
        self.power_off();
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("boots", &self.boots())
            .finish_non_exhaustive()
    }
}

impl Running {
    #[expect(
        clippy::expect_used,
        reason = "a simulated platform has randomness, which is all that booting asks for"
    )]
    fn boot(platform: SeededPlatform, engines: Engines) -> Self {
        let enclave =
            Enclave::boot(Box::new(platform), engines, usize::MAX).expect("the platform is sound");
        Self {
            enclave: Mutex::new(enclave),
            off: watch::Sender::new(false),
            executing: AtomicUsize::new(0),
            most_executing: AtomicUsize::new(0),
        }
    }

    /// One request there and its answer back, through the encoding of both.
    fn ask(&self, request: &Request) -> Result<Response, EnclaveError> {
        if *self.off.borrow() {
            return Err(EnclaveError::Disconnected);
        }
        let frame = encode(0, request).map_err(|error| EnclaveError::Oversized(error.into()))?;
        let request = body(&frame)?;
        let mut enclave = self.enclave.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = enclave.handle(request);
        let frame = encode(0, &answer).map_err(|_| EnclaveError::Disconnected)?;
        body(&frame)
    }
}

/// What a frame holds, once its length has been read off.
fn body<T: DeserializeOwned>(frame: &[u8]) -> Result<T, EnclaveError> {
    let body = frame.get(size_of::<u32>()..).unwrap_or_default();
    let (_, message) = decode(body).map_err(|_| EnclaveError::Disconnected)?;
    Ok(message)
}

/// A connection without a socket.
struct MemoryLink {
    running: Arc<Running>,
    tampering: Option<Tampering>,
}

#[async_trait]
impl EnclaveLink for MemoryLink {
    async fn ask(&self, request: Request) -> Result<Response, EnclaveError> {
        let request = match &self.tampering {
            Some(tampering) => tampering(request),
            None => request,
        };
        let _executing = matches!(request, Request::Execute { .. }).then(|| Executing::begin(self));
        // As a socket would, let others run between a request and its answer.
        tokio::task::yield_now().await;
        let answer = self.running.ask(&request);
        tokio::task::yield_now().await;
        if *self.running.off.borrow() {
            return Err(EnclaveError::Disconnected);
        }
        answer
    }

    fn is_closed(&self) -> bool {
        *self.running.off.borrow()
    }

    async fn closed(&self) {
        let mut off = self.running.off.subscribe();
        // The sender lives as long as we do.
        let _ = off.wait_for(|off| *off).await;
    }
}

/// A request to execute that is under way.
struct Executing<'a>(&'a Running);

impl<'a> Executing<'a> {
    fn begin(link: &'a MemoryLink) -> Self {
        let running = &link.running;
        let count = running.executing.fetch_add(1, Ordering::Relaxed) + 1;
        running.most_executing.fetch_max(count, Ordering::Relaxed);
        Self(running)
    }
}

impl Drop for Executing<'_> {
    fn drop(&mut self) {
        self.0.executing.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for MemoryLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLink").finish_non_exhaustive()
    }
}

/// A platform that is a function of its seed: the same seed is the same machine.
struct SeededPlatform {
    random: ChaCha20Rng,
    sealing_key: [u8; 32],
}

impl SeededPlatform {
    fn new(seed: u64, boot: u64) -> Self {
        let mut sealing_key = [0; 32];
        ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut sealing_key);
        Self {
            random: ChaCha20Rng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(boot)),
            sealing_key,
        }
    }
}

impl Platform for SeededPlatform {
    fn identity(&self) -> Identity {
        Identity {
            tee: TeeKind::Tdx,
            root_id: ROOT_ID,
            measurement_hash: MEASUREMENT_HASH,
            development: true,
        }
    }

    fn fix_config(&mut self, _: B256) -> Result<(), PlatformError> {
        Ok(())
    }

    /// Nobody's word for anything: what real evidence would bind.
    fn evidence(&mut self, report_data: [u8; 64]) -> Result<Evidence, PlatformError> {
        Ok(Evidence {
            bundle: report_data.repeat(EVIDENCE_BYTES / report_data.len()),
        })
    }

    fn sealing_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        Some(Zeroizing::new(self.sealing_key))
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), PlatformError> {
        self.random.fill_bytes(bytes);
        Ok(())
    }
}

/// As much as a quote without collateral.
const EVIDENCE_BYTES: usize = 5 * 1_024;
/// The root that vouches for every machine's evidence, were there any.
pub(crate) const ROOT_ID: B256 = B256::repeat_byte(0xde);
/// What every machine runs.
pub(crate) const MEASUREMENT_HASH: B256 = B256::repeat_byte(0xad);
