// SPDX-License-Identifier: Apache-2.0
//! A live anvil, stopped when dropped.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A running anvil on a free loopback port.
pub(crate) struct Anvil {
    process: Child,
    port: u16,
}

impl Anvil {
    /// Starts anvil (hardfork osaka) with these further arguments and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_on(0, arguments)
    }

    /// The same on a given port.
    pub(crate) fn start_on(port: u16, arguments: &[&str]) -> Self {
        let program = program();
        let mut process = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--hardfork", "osaka"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                Some(
                    line.strip_prefix("Listening on ")?
                        .rsplit_once(':')?
                        .1
                        .parse(),
                )
            })
            .expect("anvil ends before it listens")
            .unwrap();
        // A full pipe would block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }

    /// Its port.
    #[allow(
        dead_code,
        reason = "not every test binary that includes this file restarts it"
    )]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// HTTP endpoint.
    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Websocket endpoint.
    #[allow(
        dead_code,
        reason = "not every test binary that includes this file subscribes"
    )]
    pub(crate) fn ws(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `SUBROSA_ANVIL`, else the one that `npm ci` installs in `contracts`, else the one on the path.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("SUBROSA_ANVIL") {
        return program.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    if installed.exists() {
        return installed;
    }
    env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        .map(|directory| directory.join("anvil"))
        .find(|program| program.is_file())
        .expect("anvil is missing: run `npm ci` in contracts, or set SUBROSA_ANVIL")
}
