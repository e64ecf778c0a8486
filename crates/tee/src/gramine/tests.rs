// SPDX-License-Identifier: Apache-2.0

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use super::*;

/// A fake of Gramine's pseudo-files: one report data for the whole process, and no locking.
struct Process {
    state: Mutex<State>,
}

struct State {
    user_report_data: Vec<u8>,
    scheme: &'static str,
    mrenclave: u8,
    target_info: usize,
    key: Vec<u8>,
    faults: VecDeque<Fault>,
    reads: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Somebody else in the process writes his report data between our write and our read.
    RacingWriter,
    /// The quoting enclave answers for another enclave.
    ForeignEnclave,
    Busy,
    Endless,
    Truncated,
    /// EACCES, Gramine's one answer to whatever goes wrong with AESM.
    Refused,
}

impl Process {
    fn new() -> Self {
        Self {
            state: Mutex::new(State {
                user_report_data: vec![0; 64],
                scheme: "dcap",
                mrenclave: 0x44,
                target_info: 512,
                key: vec![3; 16],
                faults: VecDeque::new(),
                reads: Vec::new(),
            }),
        }
    }

    fn failing(self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.state.lock().unwrap().faults.extend(faults);
        self
    }
}

impl Files for Process {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut state = self.state.lock().unwrap();
        state.reads.push(path.to_owned());
        let name = path.strip_prefix("dev/attestation").unwrap();
        let bytes = match name.to_str().unwrap() {
            "attestation_type" => state.scheme.as_bytes().to_vec(),
            "my_target_info" => vec![state.mrenclave; state.target_info],
            "keys/_sgx_mrenclave" => state.key.clone(),
            "keys/_sgx_mrsigner" => vec![0x99; 16],
            // As in Gramine, whose pseudo-file has a save callback and no load callback.
            "user_report_data" => Vec::new(),
            "quote" => {
                let mut quote = vec![0; 48 + 384 + 1000];
                quote[0] = 3;
                quote[112..144].fill(state.mrenclave);
                match state.faults.pop_front() {
                    Some(Fault::RacingWriter) => state.user_report_data = vec![0xee; 64],
                    Some(Fault::ForeignEnclave) => quote[112..144].fill(0xee),
                    Some(Fault::Busy) => return Err(ErrorKind::ResourceBusy.into()),
                    Some(Fault::Endless) => quote.resize(1 << 20, 0),
                    Some(Fault::Truncated) => quote.truncate(400),
                    Some(Fault::Refused) => return Err(ErrorKind::PermissionDenied.into()),
                    None => {}
                }
                if let Some(place) = quote.get_mut(368..432) {
                    place.copy_from_slice(&state.user_report_data);
                }
                quote
            }
            _ => return Err(ErrorKind::NotFound.into()),
        };
        if bytes.len() > limit {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Zeroizing::new(bytes))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        assert_eq!(path, Path::new("dev/attestation/user_report_data"));
        let mut padded = bytes.to_vec();
        padded.resize(64, 0);
        self.state.lock().unwrap().user_report_data = padded;
        // Invites other threads to where the lock must keep them out.
        std::thread::yield_now();
        Ok(())
    }

    fn create_directory(&self, _: &Path) -> io::Result<()> {
        Err(ErrorKind::PermissionDenied.into())
    }

    fn remove_directory(&self, _: &Path) -> io::Result<()> {
        Err(ErrorKind::PermissionDenied.into())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(path.starts_with("dev/attestation"))
    }
}

fn open(process: Process) -> (Arc<Process>, Gramine) {
    let process = Arc::new(process);
    let gramine = Gramine::open(process.clone(), Patience::IMPATIENT).unwrap();
    (process, gramine)
}

#[test]
fn a_quote_carries_the_report_data_of_its_caller() {
    let (_, gramine) = open(Process::new());
    assert_eq!(gramine.measurement(), [0x44; 32]);
    let evidence = gramine.quote(&[9; 64]).unwrap();
    assert_eq!(evidence.kind(), TeeKind::Sgx);
    let quote = SgxQuote::parse(evidence.quote()).unwrap();
    assert_eq!(quote.report_data, &[9; 64]);
}

#[test]
fn threads_that_quote_at_once_each_get_their_own_quote_at_the_first_attempt() {
    let once = Patience {
        attempts: 1,
        ..Patience::IMPATIENT
    };
    let gramine = Gramine::open(Arc::new(Process::new()), once).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let gramine = &gramine;
            scope.spawn(move || {
                for round in 0..50u8 {
                    let mut report_data = [thread; 64];
                    report_data[0] = round;
                    let evidence = gramine.quote(&report_data).unwrap();
                    let quote = SgxQuote::parse(evidence.quote()).unwrap();
                    assert_eq!(quote.report_data, &report_data);
                }
            });
        }
    });
}

#[test]
fn a_writer_outside_the_lock_costs_attempts_and_then_the_quote() {
    let (process, gramine) = open(Process::new().failing([Fault::RacingWriter; 3]));
    let evidence = gramine.quote(&[9; 64]).unwrap();
    let quote = SgxQuote::parse(evidence.quote()).unwrap();
    assert_eq!(quote.report_data, &[9; 64]);
    process
        .state
        .lock()
        .unwrap()
        .faults
        .extend([Fault::RacingWriter; 9]);
    assert!(matches!(
        gramine.quote(&[9; 64]),
        Err(TeeError::Raced { attempts: 4, .. })
    ));
}

#[test]
fn a_busy_quoting_enclave_is_asked_a_bounded_number_of_times() {
    let (_, gramine) = open(Process::new().failing([Fault::Busy; 9]));
    assert!(matches!(
        gramine.quote(&[9; 64]),
        Err(TeeError::Busy { attempts: 4, .. })
    ));
}

#[test]
fn a_bad_answer_is_named() {
    let error = |fault| {
        let (_, gramine) = open(Process::new().failing([fault]));
        gramine.quote(&[9; 64]).unwrap_err()
    };
    assert!(matches!(
        error(Fault::Endless),
        TeeError::TooLong { path, .. } if path.ends_with("quote")
    ));
    for fault in [Fault::Truncated, Fault::ForeignEnclave] {
        let error = error(fault);
        assert!(matches!(error, TeeError::Malformed { .. }), "{error}");
    }
    assert!(matches!(error(Fault::Refused), TeeError::Kernel { .. }));
}

#[test]
fn other_attestation_schemes_are_refused() {
    for scheme in ["none", "epid", ""] {
        let process = Process::new();
        process.state.lock().unwrap().scheme = scheme;
        assert!(matches!(
            Gramine::open(Arc::new(process), Patience::IMPATIENT),
            Err(TeeError::WrongPlatform { expected: "dcap", found }) if found == scheme
        ));
    }
}

#[test]
fn the_sealing_key_is_the_enclaves_and_never_the_signers() {
    let key = |platform_key: u8, config: u8, context: &[u8]| {
        let process = Process::new();
        process.state.lock().unwrap().key = vec![platform_key; 16];
        let (process, mut gramine) = open(process);
        gramine.extend_config(&[config; 32]).unwrap();
        let key = *gramine.sealing_key(context).unwrap().unwrap();
        let state = process.state.lock().unwrap();
        assert!(
            !state
                .reads
                .iter()
                .any(|path| path.ends_with("_sgx_mrsigner"))
        );
        key
    };
    let reference = key(1, 2, b"a");
    assert_eq!(reference, key(1, 2, b"a"));
    assert_ne!(reference, [1; 32]);
    for other in [key(9, 2, b"a"), key(1, 9, b"a"), key(1, 2, b"b")] {
        assert_ne!(reference, other);
    }
}

#[test]
fn a_key_of_another_size_and_a_missing_configuration_are_refused() {
    let process = Process::new();
    process.state.lock().unwrap().key = Vec::new();
    let (process, mut gramine) = open(process);
    assert!(matches!(
        gramine.sealing_key(b"a"),
        Err(TeeError::NotConfigured)
    ));
    gramine.extend_config(&[0; 32]).unwrap();
    assert!(matches!(
        gramine.sealing_key(b"a"),
        Err(TeeError::Malformed { .. })
    ));
    process.state.lock().unwrap().key = vec![0; 17];
    assert!(matches!(
        gramine.sealing_key(b"a"),
        Err(TeeError::TooLong { limit: 16, .. })
    ));
}

#[test]
fn a_short_target_info_is_refused() {
    let process = Process::new();
    process.state.lock().unwrap().target_info = 31;
    assert!(matches!(
        Gramine::open(Arc::new(process), Patience::IMPATIENT),
        Err(TeeError::Malformed { .. })
    ));
}

/// Ordinary files, which is all a plain directory can show: a stale quote that never becomes ours.
#[test]
fn a_quote_file_that_never_changes_is_never_taken_for_ours() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("dev/attestation");
    std::fs::create_dir_all(&directory).unwrap();
    let mut quote = vec![0; 48 + 384];
    quote[0] = 3;
    for (name, bytes) in [
        ("attestation_type", b"dcap\n".to_vec()),
        ("my_target_info", vec![0; 512]),
        ("user_report_data", vec![0; 64]),
        ("quote", quote),
    ] {
        std::fs::write(directory.join(name), bytes).unwrap();
    }
    let files = Arc::new(crate::files::System(root.path().to_owned()));
    let mut gramine = Gramine::open(files, Patience::IMPATIENT).unwrap();
    assert!(matches!(
        gramine.quote(&[9; 64]),
        Err(TeeError::Raced { .. })
    ));
    let written = std::fs::read(directory.join("user_report_data")).unwrap();
    assert_eq!(written, [9; 64]);
    gramine.extend_config(&[0; 32]).unwrap();
    let error = gramine.sealing_key(b"a").unwrap_err();
    assert!(matches!(&error, TeeError::Missing { .. }), "{error}");
}
