// SPDX-License-Identifier: Apache-2.0
//! The file that stands for a processor's fused keys.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::TeeError;

/// 32 random bytes that identify a pretended machine and from which its sealing keys derive.
///
/// Whoever reads the file can compute both: the host, by definition.
pub struct MachineSecret(Zeroizing<[u8; 32]>);

impl MachineSecret {
    /// Reads the secret in `path`, or creates the file (mode 0600) with fresh random bytes.
    ///
    /// Two processes that race to create it end with the same secret: one creates, the other
    /// reads.
    ///
    /// # Errors
    ///
    /// [`TeeError::Secret`] if the file can be neither read nor created, or is not 32 bytes long;
    /// [`TeeError::Random`] if the system yields no randomness.
    pub fn open_or_create(path: &Path) -> Result<Self, TeeError> {
        let failed = |source| TeeError::Secret {
            path: path.to_owned(),
            source,
        };
        match std::fs::File::open(path) {
            Ok(file) => return read(file).map_err(failed),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut()).map_err(|_| TeeError::Random)?;
        create(path, &secret).map_err(failed)?;
        read(std::fs::File::open(path).map_err(failed)?).map_err(failed)
    }

    /// A secret known to the caller, for tests and reproducible deployments.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// What this machine's PCK certificate calls it.
    pub(crate) fn ppid(&self) -> [u8; 16] {
        let digest = Sha256::new()
            .chain_update(b"subrosa.v1.software-ppid")
            .chain_update(self.expose())
            .finalize();
        let mut ppid = [0; 16];
        for (to, from) in ppid.iter_mut().zip(digest) {
            *to = from;
        }
        ppid
    }
}

impl std::fmt::Debug for MachineSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MachineSecret(..)")
    }
}

fn read(file: std::fs::File) -> std::io::Result<MachineSecret> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64));
    file.take(33).read_to_end(&mut bytes)?;
    let mut secret = Zeroizing::new([0; 32]);
    if bytes.len() != secret.len() {
        return Err(std::io::Error::new(
            ErrorKind::InvalidData,
            "not exactly 32 bytes",
        ));
    }
    secret.copy_from_slice(&bytes);
    Ok(MachineSecret(secret))
}

/// Publishes a complete file or nothing: a reader never sees a part of it, and a file that
/// somebody else has put there meanwhile is left alone.
fn create(path: &Path, secret: &[u8; 32]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(secret)?;
    file.sync_all()?;
    let linked = match std::fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    };
    std::fs::remove_file(&temporary)?;
    linked
}
