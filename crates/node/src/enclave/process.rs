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
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use subrosa_types::frame::HelloReply;
use tokio::process::{Child, Command};
use tracing::{info, warn};

use super::{ConnectError, Link, Patience, connect};
use crate::{config, metrics::EnclaveMetrics};

/// Knows where the enclave listens and how to start it.
#[derive(Debug)]
pub(crate) struct Launcher {
    socket: PathBuf,
    binary: Option<PathBuf>,
    arguments: Vec<String>,
    log: PathBuf,
    pid_file: PathBuf,
    child: Option<Child>,
    patience: Patience,
    metrics: EnclaveMetrics,
}

impl Launcher {
    /// `directory` holds the enclave's log and the record of its process.
    pub(crate) fn new(config: &config::Enclave, directory: &Path, metrics: EnclaveMetrics) -> Self {
        Self {
            socket: config.socket.clone(),
            binary: config.binary.clone(),
            arguments: config.arguments.clone(),
            log: directory.join("enclave.log"),
            pid_file: directory.join("enclave.pid"),
            child: None,
            patience: Patience::default(),
            metrics,
        }
    }

    /// Connects to whatever listens; if nothing does, starts the configured binary first.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub(crate) async fn connect(&mut self) -> Result<(Link, HelloReply), ConnectError> {
        let patience = self.patience;
        match connect(&self.socket, patience, self.metrics.clone()).await {
            Err(ConnectError::Connect { source, .. })
                if self.binary.is_some() && is_nobody(&source) => {}
            outcome => return outcome,
        }
        self.start()?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let outcome = connect(&self.socket, patience, self.metrics.clone()).await;
            let Err(ConnectError::Connect { ref source, .. }) = outcome else {
                return outcome;
            };
            if !is_nobody(source) || Instant::now() >= deadline {
                return outcome;
            }
            self.check_alive()?;
            // The only sign that a process listens is that connecting succeeds.
            tokio::time::sleep(START_POLL).await;
        }
    }

    /// Whether the process at the other end is one that this host, or one before it on the same
    /// data directory, started.
    pub(crate) fn started(&self, link: &Link) -> bool {
        link.peer().is_some() && link.peer() == self.recorded_pid()
    }

    /// Ends the enclave at the other end if [`Self::started`], and waits until it is gone.
    pub(crate) async fn terminate(&mut self, link: &Link) {
        if !self.started(link) {
            return;
        }
        let Some(pid) = link.peer().and_then(Pid::from_raw) else {
            return;
        };
        info!(pid = pid.as_raw_nonzero().get(), "ending the enclave");
        for signal in [Signal::TERM, Signal::KILL] {
            if let Err(error) = kill_process(pid, signal) {
                warn!(%error, "cannot signal the enclave");
                break;
            }
            if tokio::time::timeout(END_TIMEOUT, link.closed())
                .await
                .is_ok()
            {
                break;
            }
        }
        if let Some(mut child) = self.child.take() {
            let _ = tokio::time::timeout(END_TIMEOUT, child.wait()).await;
        }
        let _ = std::fs::remove_file(&self.pid_file);
    }

    fn start(&mut self) -> Result<(), ConnectError> {
        let Some(binary) = self.binary.clone() else {
            return Ok(());
        };
        let failed = |source| ConnectError::Start {
            binary: binary.clone(),
            source,
        };
        let (output, errors) = self.open_log().map_err(failed)?;
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
        if let Some(pid) = child.id() {
            info!(pid, "started the enclave");
            std::fs::write(&self.pid_file, pid.to_string()).map_err(failed)?;
        }
        self.child = Some(child);
        Ok(())
    }

    fn open_log(&self) -> io::Result<(File, File)> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        Ok((log.try_clone()?, log))
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

    fn recorded_pid(&self) -> Option<i32> {
        let text = std::fs::read_to_string(&self.pid_file).ok()?;
        text.trim().parse().ok()
    }
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
