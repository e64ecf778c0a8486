// SPDX-License-Identifier: Apache-2.0
//! The measured executable, and one connection to it that many ask over.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use subrosa_types::frame::{Request, Response, decode, encode};

use crate::harness::Answers;

/// A running `subrosa-enclave` of the same profile, with as many threads as it takes by itself.
pub(crate) struct Process {
    child: Child,
    directory: PathBuf,
    link: Link,
}

impl Process {
    pub(crate) fn start() -> Self {
        let here = std::env::current_exe().unwrap();
        let built = here.parent().and_then(|deps| deps.parent()).unwrap();
        let directory =
            std::env::temp_dir().join(format!("subrosa-hostile-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let socket = directory.join("enclave.sock");
        let mut child = Command::new(built.join("subrosa-enclave"))
            .args(["--tee", "software", "--socket"])
            .arg(&socket)
            .arg("--sealing-key-file")
            .arg(directory.join("sealing.key"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo build --release -p subrosa-enclave comes first");
        // It says so once it listens.
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "{line}");
        let link = Link::open(UnixStream::connect(&socket).unwrap());
        Self {
            child,
            directory,
            link,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn link(&self) -> Link {
        self.link.clone()
    }
}

impl Answers for Process {
    fn handle(&mut self, request: Request) -> Response {
        self.link.ask(&request)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// One connection, as a node has one. Clones are the same.
#[derive(Clone)]
pub(crate) struct Link(Arc<Asking>);

struct Asking {
    stream: Mutex<UnixStream>,
    next: AtomicU64,
    waiting: Mutex<BTreeMap<u64, Sender<Vec<u8>>>>,
}

/// An answer that is still to come.
pub(crate) struct Answer(Receiver<Vec<u8>>);

impl Answer {
    pub(crate) fn wait(self) -> Response {
        decode(&self.0.recv().unwrap()).unwrap().1
    }
}

impl Link {
    fn open(stream: UnixStream) -> Self {
        let mut answers = stream.try_clone().unwrap();
        let asking = Arc::new(Asking {
            stream: Mutex::new(stream),
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
        });
        let asked = Arc::clone(&asking);
        // Ends with the process.
        thread::spawn(move || {
            loop {
                let mut length = [0; 4];
                if answers.read_exact(&mut length).is_err() {
                    return;
                }
                let mut body = vec![0; u32::from_be_bytes(length) as usize];
                answers.read_exact(&mut body).unwrap();
                // Whoever waits for it decodes it: nobody else has to wait for that.
                let id = u64::from_be_bytes(body[2..10].try_into().unwrap());
                let sender = asked.waiting.lock().unwrap().remove(&id).unwrap();
                let _ = sender.send(body);
            }
        });
        Self(asking)
    }

    /// Asks, and leaves waiting to the caller.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let (sender, receiver) = channel();
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let frame = encode(id, request).unwrap();
        self.0.waiting.lock().unwrap().insert(id, sender);
        self.0.stream.lock().unwrap().write_all(&frame).unwrap();
        Answer(receiver)
    }

    pub(crate) fn ask(&self, request: &Request) -> Response {
        self.send(request).wait()
    }
}
