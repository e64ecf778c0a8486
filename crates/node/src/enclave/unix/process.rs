// SPDX-License-Identifier: Apache-2.0
//! Starting and ending the enclave's process.
//!
//! An enclave outlives a host that is killed: it gets a process group of its own, and its output
//! goes to a file rather than to a pipe that dies with the host. The file `enclave.pid` in the
//! data directory remembers which process a host started, so that a later host may end it; the
//! kernel's word on who listens at the socket decides whether it is still that one.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use metrics::Histogram;
use rustix::process::{Pid, Signal, kill_process};
use subrosa_types::frame::HelloReply;
use tokio::process::{Child, Command};
use tracing::{info, warn};

use super::stream::{Patience, Terms, UnixLink, connect};
use crate::{
    clock::{Clock, within},
    config,
    enclave::{
        error::ConnectError,
        port::{EnclaveLink, Enclaves},
    },
};

/// Knows where the enclave listens and how to start it.
#[derive(Debug)]
pub(crate) struct UnixEnclaves {
    socket: PathBuf,
    binary: Option<PathBuf>,
    arguments: Vec<String>,
    log: PathBuf,
    pid_file: PathBuf,
    child: Option<Child>,
    /// The connection that was made last, while anyone holds it, and the process at its other end.
    link: Weak<UnixLink>,
    peer: Option<Pid>,
    /// Whether that process is one that this host, or one before it on the same data directory,
    /// started.
    is_ours: bool,
    terms: Terms,
}

impl UnixEnclaves {
    /// `directory` holds the enclave's log and the record of its process; `request_seconds` takes
    /// the time from sending a frame to having its answer.
    pub(crate) fn new(
        config: &config::Enclave,
        directory: &Path,
        clock: Arc<dyn Clock>,
        request_seconds: Histogram,
    ) -> Self {
        Self {
            socket: config.socket.clone(),
            binary: config.binary.clone(),
            arguments: config.arguments.clone(),
            log: directory.join("enclave.log"),
            pid_file: directory.join("enclave.pid"),
            child: None,
            link: Weak::new(),
            peer: None,
            is_ours: false,
            terms: Terms {
                patience: Patience::default(),
                clock,
                request_seconds,
            },
        }
    }

    /// Connects to whatever listens; if nothing does, starts the configured binary first.
    async fn find_or_start(&mut self) -> Result<(Arc<UnixLink>, HelloReply), ConnectError> {
        match connect(&self.socket, self.terms.clone()).await {
            Err(ConnectError::Connect { source, .. })
                if self.binary.is_some() && is_nobody(&source) => {}
            outcome => return outcome,
        }
        self.start().await?;
        let deadline = self.terms.clock.monotonic() + START_TIMEOUT;
        loop {
            let outcome = connect(&self.socket, self.terms.clone()).await;
            let Err(ConnectError::Connect { ref source, .. }) = outcome else {
                return outcome;
            };
            if !is_nobody(source) || self.terms.clock.monotonic() >= deadline {
                return outcome;
            }
            self.check_alive()?;
            // The only sign that a process listens is that connecting succeeds.
            self.terms.clock.sleep(START_POLL).await;
        }
    }

    async fn start(&mut self) -> Result<(), ConnectError> {
        let Some(binary) = self.binary.clone() else {
            return Ok(());
        };
        let failed = |source| ConnectError::Start {
            binary: binary.clone(),
            source,
        };
        let log = self.log.clone();
        let (output, errors) = blocking(move || open_log(&log)).await.map_err(failed)?;
        let child = Command::new(&binary)
            .arg("--socket")
            .arg(&self.socket)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(false)
            .spawn()
            .map_err(failed)?;
        let pid = child.id();
        self.child = Some(child);
        if let Some(pid) = pid {
            info!(pid, "started the enclave");
            let written = tokio::fs::write(&self.pid_file, pid.to_string()).await;
            written.map_err(failed)?;
        }
        Ok(())
    }

    fn check_alive(&mut self) -> Result<(), ConnectError> {
        let ended = |status: String| ConnectError::Ended {
            status,
            log: self.log.clone(),
        };
        match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => Err(ended(status.to_string())),
            Some(Err(error)) => Err(ended(error.to_string())),
            _ => Ok(()),
        }
    }

    async fn recorded_pid(&self) -> Option<i32> {
        let text = tokio::fs::read_to_string(&self.pid_file).await.ok()?;
        text.trim().parse().ok()
    }
}

#[async_trait]
impl Enclaves for UnixEnclaves {
    async fn connect(&mut self) -> Result<(Arc<dyn EnclaveLink>, HelloReply), ConnectError> {
        self.is_ours = false;
        let (link, hello) = self.find_or_start().await?;
        self.is_ours = link.peer.is_some() && link.peer == self.recorded_pid().await;
        self.peer = link.peer.and_then(Pid::from_raw);
        self.link = Arc::downgrade(&link);
        Ok((link, hello))
    }

    fn is_ours(&self) -> bool {
        self.is_ours
    }

    async fn end(&mut self) {
        let Some(pid) = self.peer.take_if(|_| self.is_ours) else {
            return;
        };
        let clock = Arc::clone(&self.terms.clock);
        let link = std::mem::take(&mut self.link).upgrade();
        info!(pid = pid.as_raw_nonzero().get(), "ending the enclave");
        for signal in [Signal::TERM, Signal::KILL] {
            if let Err(error) = kill_process(pid, signal) {
                warn!(%error, "cannot signal the enclave");
                break;
            }
            let Some(link) = &link else { break };
            let gone = within(clock.as_ref(), END_TIMEOUT, link.closed()).await;
            if gone.is_some() {
                break;
            }
        }
        if let Some(mut child) = self.child.take() {
            let _ = within(clock.as_ref(), END_TIMEOUT, child.wait()).await;
        }
        let _ = tokio::fs::remove_file(&self.pid_file).await;
    }
}

/// Runs what waits for the disk where that holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn open_log(path: &Path) -> io::Result<(File, File)> {
    let log = OpenOptions::new().create(true).append(true).open(path)?;
    Ok((log.try_clone()?, log))
}

/// Whether an error says that nobody listens: no socket, or one left behind.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

const START_TIMEOUT: Duration = Duration::from_secs(30);
const START_POLL: Duration = Duration::from_millis(10);
const END_TIMEOUT: Duration = Duration::from_secs(3);
