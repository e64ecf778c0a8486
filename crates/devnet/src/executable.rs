// SPDX-License-Identifier: Apache-2.0
//! Finds the executables that a development network is made of.

use std::{
    env,
    path::{Path, PathBuf},
};

/// An executable this crate starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Executable {
    /// `subrosa`: runs the verifier and the node.
    Subrosa,
    /// `subrosa-enclave`: the measured executable.
    Enclave,
    /// `anvil`: the chain.
    Anvil,
}

impl Executable {
    /// Its file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subrosa => "subrosa",
            Self::Enclave => "subrosa-enclave",
            Self::Anvil => "anvil",
        }
    }

    /// The environment variable that names it.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Subrosa => "SUBROSA_BIN",
            Self::Enclave => "SUBROSA_ENCLAVE",
            Self::Anvil => "SUBROSA_ANVIL",
        }
    }

    /// How to get it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Subrosa => {
                "build it with `cargo build -p subrosa`, install it with `cargo install --path \
                 bin/subrosa`, or name it in SUBROSA_BIN"
            }
            Self::Enclave => {
                "build it with `cargo build -p subrosa-enclave`, install it beside subrosa with \
                 `cargo install --path bin/subrosa-enclave`, or name it in SUBROSA_ENCLAVE"
            }
            Self::Anvil => {
                "install it with `npm ci` in contracts/ of the source tree or `npm install \
                 --global @foundry-rs/anvil@1.7.1`, or name it in SUBROSA_ANVIL"
            }
        }
    }

    /// Finds it: `explicit`, its environment variable, beside the running executable or one
    /// directory up (where test executables find what cargo built), in `contracts/node_modules` of
    /// a source tree around the working directory or the running executable (anvil only), and on
    /// `PATH`; in this order.
    ///
    /// # Errors
    ///
    /// [`NotFound`], which says where it was looked for and how to get it. An explicit path or one
    /// from the environment that is no file is an error, not a reason to look on.
    pub fn locate(self, explicit: Option<&Path>) -> Result<PathBuf, NotFound> {
        let named = explicit
            .map(Path::to_path_buf)
            .or_else(|| env::var_os(self.variable()).map(PathBuf::from));
        self.choose(named, self.candidates())
    }

    fn choose(
        self,
        named: Option<PathBuf>,
        candidates: impl IntoIterator<Item = PathBuf>,
    ) -> Result<PathBuf, NotFound> {
        let mut searched = Vec::new();
        let candidates: Box<dyn Iterator<Item = PathBuf>> = match named {
            Some(path) => Box::new(std::iter::once(path)),
            None => Box::new(candidates.into_iter()),
        };
        for candidate in candidates {
            if is_executable(&candidate) {
                return Ok(std::path::absolute(&candidate).unwrap_or(candidate));
            }
            searched.push(candidate);
        }
        Err(NotFound {
            executable: self,
            searched,
        })
    }

    fn candidates(self) -> Vec<PathBuf> {
        let mut candidates = Vec::new();
        let own = env::current_exe().ok();
        let own_dir = own.as_deref().and_then(Path::parent);
        if self != Self::Anvil {
            let dirs = own_dir.into_iter().flat_map(|dir| dir.ancestors().take(2));
            candidates.extend(dirs.map(|dir| dir.join(self.name())));
        } else {
            let cwd = env::current_dir().ok();
            let roots = cwd.iter().map(PathBuf::as_path).chain(own_dir);
            let trees = roots
                .flat_map(Path::ancestors)
                .map(|dir| dir.join(ANVIL_IN_TREE));
            // Directories above without a source tree are not worth naming in an error.
            candidates.extend(trees.filter(|path| path.exists()));
        }
        let path = env::var_os("PATH").unwrap_or_default();
        candidates.extend(env::split_paths(&path).map(|dir| dir.join(self.name())));
        candidates
    }
}

/// An executable is not where it was looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} not found (looked at {}); {}",
    executable.name(),
    list(searched),
    executable.advice()
)]
pub struct NotFound {
    /// The executable that is missing.
    pub executable: Executable,
    /// Where it was looked for.
    pub searched: Vec<PathBuf>,
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    match paths.as_slice() {
        [] => "an empty PATH".to_owned(),
        paths => paths.join(", "),
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Where `npm ci` in `contracts/` puts the native executable; the script beside it would start a
/// child whose pid nobody knows.
#[cfg(target_arch = "aarch64")]
const ANVIL_IN_TREE: &str = "contracts/node_modules/@foundry-rs/anvil-linux-arm64/bin/anvil";
/// Where `npm ci` in `contracts/` puts the native executable; the script beside it would start a
/// child whose pid nobody knows.
#[cfg(not(target_arch = "aarch64"))]
const ANVIL_IN_TREE: &str = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_executable_file_wins() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let shell = PathBuf::from("/bin/sh");
        let found = Executable::Subrosa.choose(None, [plain.clone(), shell.clone()]);
        assert_eq!(found, Ok(shell.clone()));
        let missing = Executable::Subrosa.choose(Some(plain.clone()), [shell]);
        assert_eq!(missing.unwrap_err().searched, [plain]);
    }

    #[test]
    fn a_missing_executable_says_how_to_get_it() {
        let error = Executable::Enclave
            .choose(None, [PathBuf::from("/nowhere/subrosa-enclave")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/subrosa-enclave"), "{error}");
        assert!(
            error.contains("cargo install --path bin/subrosa-enclave"),
            "{error}"
        );
        assert!(error.contains("SUBROSA_ENCLAVE"), "{error}");
    }
}
