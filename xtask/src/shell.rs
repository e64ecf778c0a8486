// SPDX-License-Identifier: Apache-2.0
//! Running other programs.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use eyre::{Result, WrapErr, bail};

/// The workspace's root directory: that of the package which cargo runs. An executable in a target
/// directory that two clones share may have been compiled for the other one.
pub(crate) fn root() -> PathBuf {
    let compiled = || env!("CARGO_MANIFEST_DIR").into();
    let manifest: PathBuf =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(compiled, Into::into);
    manifest.parent().unwrap_or(&manifest).to_path_buf()
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo puts debug executables.
pub(crate) fn debug_directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    root()
        .join(target.map_or_else(|| "target".into(), PathBuf::from))
        .join("debug")
}

/// Runs a command to its end; its output goes to ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = describe(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .wrap_err_with(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Runs a command to its end and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = describe(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .wrap_err_with(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed: {}", output.status);
    }
    String::from_utf8(output.stdout).wrap_err_with(|| format!("`{shown}` printed no text"))
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
