// SPDX-License-Identifier: Apache-2.0
//! One Unix socket, one host at a time.

use std::{
    fs,
    io::{self, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use crate::server::Server;
use eyre::{Result, WrapErr, bail};

/// Serves hosts one after another until the process is killed. What the enclave holds outlives
/// every one of them.
pub(crate) fn serve(server: &Server, path: &Path) -> Result<()> {
    let listener = listen(path)?;
    announce(&format!("listening {}", path.display()))?;
    loop {
        let (stream, _) = listener.accept().wrap_err("cannot accept a host")?;
        // A host that broke off inside a frame is gone; the next one says hello again.
        let _ = server.serve(stream);
    }
}

/// Prints one line on standard output.
pub(crate) fn announce(line: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .wrap_err("cannot write to stdout")
}

/// Listens at `path`, replacing a socket nobody listens on any more. Only this user may connect.
fn listen(path: &Path) -> Result<UnixListener> {
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            bail!("another enclave listens on {}", path.display());
        }
        fs::remove_file(path).wrap_err_with(|| format!("cannot remove {}", path.display()))?;
    }
    let listener = UnixListener::bind(path)
        .wrap_err_with(|| format!("cannot listen on {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .wrap_err_with(|| format!("cannot protect {}", path.display()))?;
    Ok(listener)
}
