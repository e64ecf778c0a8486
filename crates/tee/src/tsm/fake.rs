// SPDX-License-Identifier: Apache-2.0
//! A fake of configfs-tsm and of the TDX measurement registers in sysfs.
//!
//! It does what Linux does (drivers/virt/coco/guest/report.c, tsm-mr.c, fs/configfs/file.c), as far
//! as a guest can tell: attributes appear with the entry and go with it, `inblob` counts when it is
//! closed, a report is made at the read of `outblob` from what the attributes are then, and every
//! write that takes effect moves `generation`. No part of it has seen hardware.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use zeroize::Zeroizing;

use super::REPORTS;
use crate::files::Files;
use crate::software::extend_digest;

/// Makes outblob and auxblob of inblob and privilege level.
type MakeReport = fn(&Registers, &[u8], u8) -> (Vec<u8>, Vec<u8>);

pub(crate) struct Kernel {
    state: Mutex<State>,
    report: MakeReport,
}

pub(crate) struct State {
    /// `None`: the module is loaded, and nobody has registered.
    pub(crate) provider: Option<&'static str>,
    pub(crate) floor: u8,
    /// What happens at the next reads of outblob, one by one; then none.
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) registers: Registers,
    /// Whether sysfs shows the registers (since Linux 6.16).
    pub(crate) sysfs: bool,
    pub(crate) privilege_levels_written: Vec<String>,
    pub(crate) entries_made: Vec<PathBuf>,
    entries: HashMap<PathBuf, Item>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Registers {
    pub(crate) mrtd: Vec<u8>,
    pub(crate) rtmr: Vec<[u8; 48]>,
}

#[derive(Default)]
struct Item {
    inblob: Vec<u8>,
    level: u8,
    generation: u64,
}

/// What goes wrong at one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Somebody writes his own inblob just before the report is made.
    RacingWriter,
    /// The write of inblob fails when the file is closed, which the writer never hears.
    LostWrite,
    /// The report in the cache is somebody else's and no generation shows it.
    ForeignReport,
    /// EBUSY: the hypervisor still has the quote buffer.
    Busy,
    /// EFBIG: the hypervisor claims a longer quote than there is room for.
    TooBig,
    /// The report is longer than anybody should read.
    Endless,
    /// EIO.
    Broken,
}

impl Kernel {
    pub(crate) fn new(provider: &'static str, report: MakeReport) -> Self {
        Self {
            state: Mutex::new(State {
                provider: Some(provider),
                floor: 0,
                faults: VecDeque::new(),
                registers: Registers {
                    mrtd: vec![0x11; 48],
                    rtmr: vec![[0x20; 48], [0x21; 48], [0x22; 48], [0; 48]],
                },
                sysfs: true,
                privilege_levels_written: Vec::new(),
                entries_made: Vec::new(),
                entries: HashMap::new(),
            }),
            report,
        }
    }

    pub(crate) fn failing(self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.state().faults.extend(faults);
        self
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Entries that nobody has removed.
    pub(crate) fn entries_left(&self) -> usize {
        self.state().entries.len()
    }

    fn outblob(&self, state: &mut State, entry: &Path) -> io::Result<Vec<u8>> {
        let fault = match state.faults.front() {
            Some(Fault::LostWrite) => None,
            _ => state.faults.pop_front(),
        };
        let item = state.entries.get_mut(entry).ok_or(ErrorKind::NotFound)?;
        match fault {
            Some(Fault::RacingWriter) => {
                item.inblob = vec![0xee; 64];
                item.generation += 1;
            }
            Some(Fault::Busy) => return Err(ErrorKind::ResourceBusy.into()),
            Some(Fault::TooBig) => return Err(io::Error::from_raw_os_error(27)),
            Some(Fault::Endless) => return Ok(vec![0; 1 << 20]),
            Some(Fault::Broken) => return Err(io::Error::from_raw_os_error(5)),
            Some(Fault::ForeignReport) => {
                return Ok((self.report)(&state.registers, &[0xee; 64], item.level).0);
            }
            Some(Fault::LostWrite) | None => {}
        }
        if item.inblob.is_empty() {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok((self.report)(&state.registers, &item.inblob, item.level).0)
    }
}

impl Files for Kernel {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut state = self.state();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = if let Some(register) = register(path) {
            if !state.sysfs {
                return Err(ErrorKind::NotFound.into());
            }
            match register {
                Register::Mrtd => state.registers.mrtd.clone(),
                Register::Rtmr(index) => state.registers.rtmr[index].to_vec(),
            }
        } else {
            let entry = path.parent().unwrap();
            if !state.entries.contains_key(entry) {
                return Err(ErrorKind::NotFound.into());
            }
            let tdx = state.provider == Some("tdx_guest");
            match name {
                "provider" => format!("{}\n", state.provider.unwrap()).into_bytes(),
                "generation" => format!("{}\n", state.entries[entry].generation).into_bytes(),
                "privlevel_floor" if !tdx => format!("{}\n", state.floor).into_bytes(),
                "outblob" => self.outblob(&mut state, entry)?,
                "auxblob" if !tdx => {
                    let item = &state.entries[entry];
                    (self.report)(&state.registers, &item.inblob, item.level).1
                }
                "inblob" | "privlevel" => return Err(ErrorKind::PermissionDenied.into()),
                _ => return Err(ErrorKind::NotFound.into()),
            }
        };
        if bytes.len() > limit {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Zeroizing::new(bytes))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if let Some(register) = register(path) {
            if !state.sysfs {
                return Err(ErrorKind::NotFound.into());
            }
            let (Register::Rtmr(index), Ok(digest)) = (register, bytes.try_into()) else {
                return Err(ErrorKind::InvalidInput.into());
            };
            let register = &mut state.registers.rtmr[index];
            *register = extend_digest(register, digest);
            return Ok(());
        }
        let entry = path.parent().unwrap();
        let item = state.entries.get_mut(entry).ok_or(ErrorKind::NotFound)?;
        match path.file_name().unwrap().to_str().unwrap() {
            "inblob" => {
                if bytes.len() > 64 {
                    return Err(io::Error::from_raw_os_error(27));
                }
                if state.faults.front() == Some(&Fault::LostWrite) {
                    state.faults.pop_front();
                    return Ok(());
                }
                item.inblob = bytes.to_vec();
            }
            "privlevel" if state.provider != Some("tdx_guest") => {
                let text = std::str::from_utf8(bytes).unwrap().to_owned();
                let level: u8 = text.parse().map_err(|_| ErrorKind::InvalidInput)?;
                if level < state.floor || level > 3 {
                    return Err(ErrorKind::InvalidInput.into());
                }
                item.level = level;
                state.privilege_levels_written.push(text);
            }
            _ => return Err(ErrorKind::NotFound.into()),
        }
        item.generation += 1;
        Ok(())
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        assert!(path.starts_with(REPORTS));
        let mut state = self.state();
        if state.provider.is_none() {
            return Err(io::Error::from_raw_os_error(6));
        }
        if state.entries.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.entries.insert(path.to_owned(), Item::default());
        state.entries_made.push(path.to_owned());
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        match self.state().entries.remove(path) {
            Some(_) => Ok(()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(path == Path::new(REPORTS))
    }
}

enum Register {
    Mrtd,
    Rtmr(usize),
}

fn register(path: &Path) -> Option<Register> {
    if path.parent()? != Path::new("sys/devices/virtual/misc/tdx_guest/measurements") {
        return None;
    }
    match path.file_name()?.to_str()? {
        "mrtd:sha384" => Some(Register::Mrtd),
        "rtmr0:sha384" => Some(Register::Rtmr(0)),
        "rtmr1:sha384" => Some(Register::Rtmr(1)),
        "rtmr2:sha384" => Some(Register::Rtmr(2)),
        "rtmr3:sha384" => Some(Register::Rtmr(3)),
        _ => None,
    }
}
