// SPDX-License-Identifier: Apache-2.0
//! Pseudo-files: whole reads that are bounded, and writes that are one write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::TeeError;

/// The four file operations that attestation interfaces are made of.
///
/// Narrow, so that a test can stand in for a kernel whose faults no plain directory shows (EBUSY,
/// another writer between two operations). Paths are relative to the root of the file system.
pub(crate) trait Files: Send + Sync {
    /// The whole file in one open, at most `limit` bytes; [`ErrorKind::FileTooLarge`] (EFBIG) if
    /// there are more.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>>;

    /// One open, one write of all of `bytes`, one close: sysfs takes a value in no other way, and
    /// configfs acts on a binary attribute when the file is closed.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Creates a directory that was not there.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory; of a configfs item that is all it takes, its attributes go with it.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Whether there is anything at `path`.
    fn exists(&self, path: &Path) -> io::Result<bool>;
}

/// The running system's files, below a root.
#[derive(Clone, Debug)]
pub(crate) struct System(pub(crate) PathBuf);

impl Files for System {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        read_bounded(File::open(self.0.join(path))?, limit)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.0.join(path))?;
        write_at_once(file, bytes)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(self.0.join(path))
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(self.0.join(path))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.0.join(path).try_exists()
    }
}

/// Reads to the end, through short and interrupted reads. The buffer never moves, so that no copy
/// of a secret is left behind.
fn read_bounded(mut source: impl Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; limit.saturating_add(1)]);
    let (mut filled, mut interruptions) = (0, 0);
    loop {
        let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) else {
            return Err(ErrorKind::FileTooLarge.into());
        };
        match source.read(space) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                interruptions += 1;
                if interruptions > MAX_INTERRUPTIONS {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// All of `bytes` in one write, tried again if a signal interrupts it.
pub(crate) fn write_at_once(mut file: impl Write, bytes: &[u8]) -> io::Result<()> {
    for _ in 0..MAX_INTERRUPTIONS {
        match file.write(bytes) {
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::Interrupted.into())
}

/// An interface of the kernel, as errors speak of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What provides it.
    pub(crate) needs: &'static str,
}

impl Interface {
    /// Says what went wrong at `path`: busy, too long, missing, or whatever else the kernel said.
    pub(crate) fn fault(
        self,
        action: &'static str,
        path: &Path,
        limit: usize,
    ) -> impl FnOnce(io::Error) -> TeeError {
        let path = Path::new("/").join(path);
        move |source| match source.kind() {
            ErrorKind::ResourceBusy => TeeError::Busy {
                what: self.name,
                attempts: 1,
            },
            ErrorKind::FileTooLarge => TeeError::TooLong { path, limit },
            ErrorKind::NotFound => TeeError::Missing {
                path,
                needs: self.needs,
            },
            _ => TeeError::Kernel {
                action,
                path,
                source,
            },
        }
    }

    /// [`Files::read`] with this interface's faults.
    pub(crate) fn read(
        self,
        files: &dyn Files,
        path: &Path,
        limit: usize,
    ) -> Result<Zeroizing<Vec<u8>>, TeeError> {
        files
            .read(path, limit)
            .map_err(self.fault("read", path, limit))
    }

    /// [`Files::write`] with this interface's faults.
    pub(crate) fn write(
        self,
        files: &dyn Files,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), TeeError> {
        files
            .write(path, bytes)
            .map_err(self.fault("write", path, bytes.len()))
    }

    /// [`Files::exists`] with this interface's faults.
    pub(crate) fn exists(self, files: &dyn Files, path: &Path) -> Result<bool, TeeError> {
        files.exists(path).map_err(self.fault("open", path, 0))
    }
}

/// A signal storm is not the kernel's way of saying anything; give up on it.
const MAX_INTERRUPTIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields one byte a read, with an interruption before each.
    struct Trickle {
        left: usize,
        interrupt: bool,
    }

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupt = !self.interrupt;
            if self.interrupt {
                return Err(ErrorKind::Interrupted.into());
            }
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            buffer[0] = 7;
            Ok(1)
        }
    }

    #[test]
    fn short_and_interrupted_reads_still_yield_the_whole_file() {
        let trickle = Trickle {
            left: 48,
            interrupt: false,
        };
        assert_eq!(**read_bounded(trickle, 48).unwrap(), [7; 48]);
    }

    #[test]
    fn a_longer_answer_than_allowed_is_refused_without_reading_on() {
        let endless = io::repeat(1);
        let error = read_bounded(endless, 64).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn endless_interruptions_end() {
        struct Storm;
        impl Read for Storm {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::Interrupted.into())
            }
        }
        let error = read_bounded(Storm, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn a_partial_write_is_an_error_and_not_two_writes() {
        struct Narrow(usize);
        impl Write for Narrow {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Ok(47)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut narrow = Narrow(0);
        let error = write_at_once(&mut narrow, &[0; 48]).unwrap_err();
        assert_eq!((error.kind(), narrow.0), (ErrorKind::WriteZero, 1));
    }

    #[test]
    fn the_system_reads_writes_and_keeps_directories_below_its_root() {
        let root = tempfile::tempdir().unwrap();
        let system = System(root.path().to_owned());
        let (entry, file) = (Path::new("entry"), Path::new("entry/file"));
        system.create_directory(entry).unwrap();
        assert_eq!(
            system.write(file, b"x").unwrap_err().kind(),
            ErrorKind::NotFound
        );
        fs::write(root.path().join(file), b"old").unwrap();
        system.write(file, b"new").unwrap();
        assert_eq!(**system.read(file, 3).unwrap(), *b"new");
        assert_eq!(
            system.read(file, 2).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
        fs::remove_file(root.path().join(file)).unwrap();
        system.remove_directory(entry).unwrap();
        assert!(!system.exists(entry).unwrap());
    }
}
