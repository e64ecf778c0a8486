// SPDX-License-Identifier: Apache-2.0
//! Named points at which a test harness may stop or kill the process.
//!
//! With the `failpoints` feature and `SUBROSA_FAILPOINT_SOCKET` set, reaching a point connects to
//! that Unix socket, sends the point's name and a newline, and waits for one byte. The harness
//! kills processes meanwhile, or answers to go on. Only the task at the point waits. Without the
//! feature `failpoint!` expands to nothing.

/// Waits at a named point if the harness asked for it.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach($name).await;
    };
}
pub(crate) use failpoint;

/// Reports `name` to the harness and waits for its answer; a harness that has gone away, or was
/// never there, lets everything pass.
#[cfg(feature = "failpoints")]
pub(crate) async fn reach(name: &'static str) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    static SOCKET: std::sync::LazyLock<Option<std::path::PathBuf>> =
        std::sync::LazyLock::new(|| std::env::var_os("SUBROSA_FAILPOINT_SOCKET").map(Into::into));
    let Some(path) = SOCKET.as_ref() else { return };
    let Ok(mut stream) = tokio::net::UnixStream::connect(path).await else {
        return;
    };
    let line = format!("{name}\n");
    if stream.write_all(line.as_bytes()).await.is_ok() {
        let _ = stream.read(&mut [0; 1]).await;
    }
}
