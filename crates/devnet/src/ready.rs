// SPDX-License-Identifier: Apache-2.0
//! Waiting until a process is ready, for a bounded time.

use std::time::{Duration, Instant};

use crate::{DevnetError, Process};

/// Looks at `process` with `probe` until it yields something. Ends early if the process does.
///
/// # Errors
///
/// [`DevnetError::Ended`] or [`DevnetError::NotReady`].
pub(crate) async fn until<T>(
    process: &mut Process,
    patience: Duration,
    mut probe: impl AsyncFnMut(&Process) -> Result<T, String>,
) -> Result<T, DevnetError> {
    // No plain retry, so not backon's: each look borrows the process, whose end ends the waiting.
    let started = Instant::now();
    loop {
        process.ensure_running()?;
        match probe(process).await {
            Ok(found) => return Ok(found),
            Err(last) if started.elapsed() >= patience => {
                return Err(DevnetError::NotReady {
                    name: process.name(),
                    patience,
                    last,
                    log: process.log().to_path_buf(),
                });
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// Probes for a line of the process's output that starts with `prefix`; yields the rest of it.
pub(crate) fn line(process: &Process, prefix: &str) -> Result<String, String> {
    let output = process.output();
    let mut lines = output
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    lines
        .find_map(|line| line.trim().strip_prefix(prefix))
        .map(|rest| rest.trim().to_owned())
        .ok_or_else(|| format!("no line `{prefix}` yet"))
}

/// Probes an HTTP endpoint for success; yields the body.
pub(crate) async fn http(client: &reqwest::Client, url: &str) -> Result<String, String> {
    let response = client
        .get(url)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response.text().await.map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{url}: {status}: {}", body.trim()))
    }
}

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(20);
