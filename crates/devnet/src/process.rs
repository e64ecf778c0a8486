// SPDX-License-Identifier: Apache-2.0
//! One child process: started with its output in a file, signalled and reaped by pid.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};

use crate::DevnetError;

/// How a process is started, as often as wanted.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// What it is called in messages and in its log file's name.
    pub(crate) name: &'static str,
    /// The executable.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Variables added to the environment it inherits.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where its output goes, appended.
    pub(crate) log: PathBuf,
}

/// A child process. Dropping it terminates it, and kills it if it does not go.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    child: Option<Child>,
    log_start: u64,
}

impl Process {
    /// Starts what `recipe` says, in a process group of its own: a signal from the terminal is for
    /// the network as a whole to act on.
    pub(crate) fn start(recipe: Recipe) -> Result<Self, DevnetError> {
        let mut process = Self {
            recipe,
            child: None,
            log_start: 0,
        };
        process.spawn()?;
        Ok(process)
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.recipe.name
    }

    /// Its process id, unless it has been stopped.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.recipe.log
    }

    /// Adds a variable to the environment of later starts, or replaces it.
    pub fn set_variable(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let name = name.into();
        self.recipe.environment.retain(|(other, _)| *other != name);
        self.recipe.environment.push((name, value.into()));
    }

    /// Replaces the arguments of later starts.
    pub(crate) fn set_arguments(&mut self, arguments: Vec<OsString>) {
        self.recipe.arguments = arguments;
    }

    /// SIGKILL, then reaps it. Nothing happens if it is stopped already.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Signal`]; so for [`Self::terminate`].
    pub fn kill(&mut self) -> Result<(), DevnetError> {
        self.signal(Signal::KILL)?;
        self.reap(Duration::MAX).map(|_| ())
    }

    /// SIGTERM, then waits for it to end; its exit status, or `None` if it was stopped already.
    ///
    /// # Errors
    ///
    /// [`DevnetError::StillRunning`] if it has not ended after `patience`.
    pub fn terminate(&mut self, patience: Duration) -> Result<Option<ExitStatus>, DevnetError> {
        self.signal(Signal::TERM)?;
        self.reap(patience)
    }

    /// SIGSTOP: the process keeps its sockets and makes no progress.
    ///
    /// # Errors
    ///
    /// [`DevnetError::Signal`]; so for [`Self::resume`].
    pub fn pause(&mut self) -> Result<(), DevnetError> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    pub fn resume(&mut self) -> Result<(), DevnetError> {
        self.signal(Signal::CONT)
    }

    /// Starts it again, after killing it if it runs. Does not wait for it to be ready.
    pub(crate) fn respawn(&mut self) -> Result<(), DevnetError> {
        self.kill()?;
        self.spawn()
    }

    /// Waits for it to end by itself, successfully.
    pub(crate) async fn finish(&mut self, patience: Duration) -> Result<(), DevnetError> {
        let started = Instant::now();
        loop {
            match self.ensure_running() {
                Err(DevnetError::Ended { status, .. }) if status.success() => return Ok(()),
                Err(error) => return Err(error),
                Ok(()) if started.elapsed() >= patience => {
                    return Err(DevnetError::StillRunning {
                        name: self.recipe.name,
                        patience,
                    });
                }
                Ok(()) => tokio::time::sleep(REAP_INTERVAL).await,
            }
        }
    }

    /// Fails if it has ended by itself, with what it said last.
    pub(crate) fn ensure_running(&mut self) -> Result<(), DevnetError> {
        let Some(child) = self.child.as_mut() else {
            return Err(DevnetError::NotStarted {
                name: self.recipe.name,
            });
        };
        let ended = child.try_wait().map_err(|source| DevnetError::Signal {
            name: self.recipe.name,
            source,
        })?;
        match ended {
            None => Ok(()),
            Some(status) => {
                self.child = None;
                Err(DevnetError::Ended {
                    name: self.recipe.name,
                    status,
                    log: self.recipe.log.clone(),
                    tail: self.tail(),
                })
            }
        }
    }

    /// What this run has written to its log so far.
    pub(crate) fn output(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.recipe.log)?;
            file.seek(SeekFrom::Start(self.log_start))?;
            let mut bytes = Vec::new();
            file.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }

    fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<_> = output.lines().collect();
        let start = lines.len().saturating_sub(TAIL_LINES);
        lines.get(start..).unwrap_or_default().join("\n")
    }

    fn spawn(&mut self) -> Result<(), DevnetError> {
        let recipe = &self.recipe;
        let open = |source| DevnetError::File {
            path: recipe.log.clone(),
            source,
        };
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&recipe.log)
            .map_err(open)?;
        self.log_start = log.metadata().map_err(open)?.len();
        let errors = log.try_clone().map_err(open)?;
        let child = Command::new(&recipe.program)
            .args(&recipe.arguments)
            .envs(recipe.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|source| DevnetError::Spawn {
                program: recipe.program.clone(),
                source,
            })?;
        tracing::debug!(name = recipe.name, pid = child.id(), "started");
        self.child = Some(child);
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> Result<(), DevnetError> {
        // The pid belongs to this child for as long as it has not been reaped.
        let Some(pid) = self.child.as_ref().and_then(pid_of) else {
            return Ok(());
        };
        match rustix::process::kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(DevnetError::Signal {
                name: self.recipe.name,
                source: errno.into(),
            }),
        }
    }

    fn reap(&mut self, patience: Duration) -> Result<Option<ExitStatus>, DevnetError> {
        let name = self.recipe.name;
        let Some(child) = self.child.as_mut() else {
            return Ok(None);
        };
        // `std` has no wait with a time limit, and `Drop` cannot be asynchronous.
        let started = Instant::now();
        loop {
            let ended = child
                .try_wait()
                .map_err(|source| DevnetError::Signal { name, source })?;
            if let Some(status) = ended {
                self.child = None;
                return Ok(Some(status));
            }
            if started.elapsed() >= patience {
                return Err(DevnetError::StillRunning { name, patience });
            }
            std::thread::sleep(REAP_INTERVAL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.terminate(DROP_PATIENCE).is_err() {
            let _ = self.kill();
        }
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// How long a dropped process may take to end by itself.
const DROP_PATIENCE: Duration = Duration::from_secs(10);
/// How often a process that is to end is looked at.
const REAP_INTERVAL: Duration = Duration::from_millis(2);
/// How much of a run's output is searched for its first words, bytes.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;
/// How many last lines an error quotes.
const TAIL_LINES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(dir: &Path, script: &str) -> Process {
        Process::start(Recipe {
            name: "shell",
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            log: dir.join("shell.log"),
        })
        .unwrap()
    }

    fn await_output(process: &mut Process, text: &str) {
        let started = Instant::now();
        while !process.output().contains(text) {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{}",
                process.output()
            );
            std::thread::sleep(REAP_INTERVAL);
        }
    }

    #[test]
    fn a_process_that_ignores_sigterm_is_killed_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(
            dir.path(),
            "trap '' TERM; echo up; while :; do sleep 1; done",
        );
        await_output(&mut process, "up");
        let patience = Duration::from_millis(50);
        assert!(matches!(
            process.terminate(patience),
            Err(DevnetError::StillRunning { name: "shell", .. })
        ));
        let pid = Pid::from_raw(process.pid().unwrap() as i32).unwrap();
        process.kill().unwrap();
        assert_eq!(process.pid(), None);
        assert_eq!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        );
    }

    #[test]
    fn sigterm_lets_a_process_finish() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done";
        let mut process = shell(dir.path(), script);
        await_output(&mut process, "up");
        let status = process.terminate(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(status.code(), Some(7));
        assert!(process.output().contains("bye"));
    }

    #[test]
    fn an_early_end_is_reported_with_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "echo no such luck >&2; exit 3");
        let started = Instant::now();
        let error = loop {
            match process.ensure_running() {
                Ok(()) => assert!(started.elapsed() < Duration::from_secs(10)),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("no such luck"), "{error}");
    }

    #[test]
    fn output_is_that_of_the_last_start() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "echo run $RUN; sleep 60");
        await_output(&mut process, "run");
        process.set_variable("RUN", "two");
        process.respawn().unwrap();
        await_output(&mut process, "run two");
        assert!(!process.output().contains("run \n"));
    }
}
