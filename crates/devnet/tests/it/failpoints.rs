// SPDX-License-Identifier: Apache-2.0
//! The other end of the node's failpoints: holds the node still at a named point.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use subrosa_devnet::Service;

/// Listens for a node that was built with its `failpoints` feature.
#[derive(Clone)]
pub(crate) struct Failpoints {
    path: PathBuf,
    reached: Arc<Mutex<mpsc::Receiver<Reached>>>,
    _directory: Arc<tempfile::TempDir>,
}

/// A node that waits at a point. Dropped or not, it goes on only if told to, or dies.
pub(crate) struct Reached {
    pub(crate) name: String,
    stream: UnixStream,
}

impl Failpoints {
    pub(crate) fn listen() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("failpoints.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (sender, reached) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let mut name = String::new();
                if BufReader::new(&stream).read_line(&mut name).is_err() {
                    continue;
                }
                let name = name.trim_end().to_owned();
                if sender.send(Reached { name, stream }).is_err() {
                    return;
                }
            }
        });
        Self {
            path,
            reached: Arc::new(Mutex::new(reached)),
            _directory: Arc::new(directory),
        }
    }

    /// What the node's environment needs.
    pub(crate) fn environment(&self) -> (Service, OsString, OsString) {
        (
            Service::Node,
            "SUBROSA_FAILPOINT_SOCKET".into(),
            self.path.clone().into(),
        )
    }

    /// Lets the node pass every point until it reaches `name`.
    pub(crate) fn wait_for(&self, name: &str) -> Reached {
        loop {
            let reached = self.reached.lock().unwrap().recv_timeout(PATIENCE);
            match reached {
                Ok(reached) if reached.name == name => return reached,
                Ok(reached) => reached.go_on(),
                Err(_) => panic!("the node never reached {name}"),
            }
        }
    }

    /// Lets everything pass while `work` runs.
    pub(crate) async fn pass<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            // Points are reached on another process's schedule; look for them between polls.
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
            while let Ok(reached) = self.reached.lock().unwrap().try_recv() {
                reached.go_on();
            }
        }
    }
}

impl Reached {
    /// Answers the node; one that has been killed does not mind.
    pub(crate) fn go_on(mut self) {
        let _ = self.stream.write_all(&[1]);
    }
}

/// Longer than anything takes on a loaded machine; only a hang waits this long.
const PATIENCE: Duration = Duration::from_secs(120);
