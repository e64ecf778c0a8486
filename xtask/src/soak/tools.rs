// SPDX-License-Identifier: Apache-2.0
//! Python tools in an environment of their own, every version pinned.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Command};

use eyre::{Result, WrapErr, bail, eyre};

use crate::shell;

/// Oldest Python that works: 3.`MINOR`.
const MINOR: u32 = 10;

/// slither and halmos with all that they need, as `pip freeze` tells it.
const REQUIREMENTS: &str = "xtask/soak-requirements.txt";

/// Where the tools are installed and keep what they make.
#[derive(Debug)]
pub(super) struct Tools {
    executables: PathBuf,
}

impl Tools {
    /// Installs the tools, unless the requirements are those that were installed last.
    pub(super) fn install() -> Result<Self> {
        require_python()?;
        let directory = scratch("python")?;
        let tools = Self {
            executables: directory.join("bin"),
        };
        let requirements = shell::root().join(REQUIREMENTS);
        let wanted = fs::read(&requirements)
            .wrap_err_with(|| format!("cannot read {}", requirements.display()))?;
        let stamp = directory.join(".installed-requirements");
        if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        eprintln!("installing slither and halmos in {}", directory.display());
        shell::run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&directory),
        )
        .wrap_err("Python's modules venv and ensurepip are needed (Debian: python3-venv)")?;
        shell::run(
            Command::new(tools.executables.join("pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .arg("--requirement")
                .arg(&requirements),
        )
        .wrap_err("the packages could not be installed; a Python package index is needed")?;
        fs::write(&stamp, wanted).wrap_err_with(|| format!("cannot write {}", stamp.display()))?;
        Ok(tools)
    }

    /// One of the tools, run in `contracts/`. It finds forge and its solvers by `PATH`.
    pub(super) fn command(&self, name: &str) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = [self.executables.clone(), forge_directory()?]
            .into_iter()
            .chain(env::split_paths(&path));
        let path: OsString = env::join_paths(directories).wrap_err("PATH cannot be extended")?;
        let mut command = Command::new(self.executables.join(name));
        command
            .env("PATH", path)
            .current_dir(shell::root().join("contracts"));
        Ok(command)
    }

    /// What pip calls the installed version of a package.
    pub(super) fn version(package: &str) -> Result<String> {
        let pinned = fs::read_to_string(shell::root().join(REQUIREMENTS))?;
        pinned
            .lines()
            .filter_map(|line| line.split_once("=="))
            .find_map(|(name, version)| (name == package).then(|| version.trim().to_owned()))
            .ok_or_else(|| eyre!("{REQUIREMENTS} does not pin {package}"))
    }
}

/// forge, in `contracts/`.
pub(super) fn forge() -> Command {
    let mut command = Command::new("node");
    command
        .arg("script/forge.mjs")
        .current_dir(shell::root().join("contracts"));
    command
}

/// What solc calls its version.
pub(super) fn solc_version() -> Result<String> {
    let printed = shell::output(
        Command::new("node")
            .args(["tools/solc", "--version"])
            .current_dir(shell::root().join("contracts")),
    )?;
    let version = printed.rsplit_once("Version: ").map(|(_, version)| version);
    version
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| eyre!("solc does not say its version: {printed}"))
}

/// A directory under the target directory that no commit holds.
pub(super) fn scratch(name: &str) -> Result<PathBuf> {
    let directory = shell::debug_directory().with_file_name("soak").join(name);
    fs::create_dir_all(&directory)
        .wrap_err_with(|| format!("cannot create {}", directory.display()))?;
    Ok(directory)
}

/// The tools look for an executable of this very name.
fn forge_directory() -> Result<PathBuf> {
    let script = "import('./script/forge.mjs').then(({ forge }) => console.log(forge))";
    let printed = shell::output(
        Command::new("node")
            .args(["--eval", script])
            .current_dir(shell::root().join("contracts")),
    )?;
    let executable = PathBuf::from(printed.trim());
    let directory = executable.parent().map(PathBuf::from);
    directory.ok_or_else(|| eyre!("{} is not in a directory", executable.display()))
}

fn require_python() -> Result<()> {
    let version = shell::output(Command::new("python3").arg("--version"))
        .wrap_err_with(|| format!("Python 3.{MINOR} or later with venv and pip is needed"))?;
    let minor = version
        .trim()
        .strip_prefix("Python 3.")
        .and_then(|rest| rest.split('.').next())
        .and_then(|minor| minor.parse::<u32>().ok());
    match minor {
        Some(minor) if minor >= MINOR => Ok(()),
        _ => bail!(
            "Python 3.{MINOR} or later is needed, found {}",
            version.trim()
        ),
    }
}
