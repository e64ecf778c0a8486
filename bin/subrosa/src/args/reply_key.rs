// SPDX-License-Identifier: Apache-2.0
//! The file of a key that outputs are sealed to: `SUITE:SEED`, both hexadecimal.

use std::path::Path;

use alloy_primitives::B256;
use eyre::{Result, WrapErr, eyre};
use subrosa_client::{ReplyKey, Suite};

/// Reads a reply key's file, or makes one, readable by its owner only.
pub(crate) fn file(path: &Path, suite: Suite) -> Result<ReplyKey> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let at = || format!("cannot use reply key file {}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => text
            .lines()
            .next()
            .and_then(parse)
            .ok_or_else(|| eyre!("it does not hold a reply key"))
            .wrap_err_with(at),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = ReplyKey::from_seed(suite, ReplyKey::generate()?.expose_seed());
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .wrap_err_with(at)?;
            writeln!(file, "{}", text(&key))
                .and_then(|()| file.sync_all())
                .wrap_err_with(at)?;
            Ok(key)
        }
        Err(error) => Err(error).wrap_err_with(at),
    }
}

/// A key as its file has it.
pub(crate) fn text(key: &ReplyKey) -> String {
    format!(
        "{:02x}:{}",
        key.suite() as u8,
        B256::from(*key.expose_seed())
    )
}

/// Reads [`text`].
pub(crate) fn parse(text: &str) -> Option<ReplyKey> {
    let (suite, seed) = text.trim().split_once(':')?;
    let suite = Suite::try_from(u8::from_str_radix(suite, 16).ok()?).ok()?;
    Some(ReplyKey::from_seed(suite, &seed.parse::<B256>().ok()?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_key_is_made_once_and_read_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reply.key");
        let made = file(&path, Suite::X25519).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The file says which suite it is of.
        let read = file(&path, Suite::XWing).unwrap();
        assert_eq!(read.public(), made.public());
        std::fs::write(&path, "01:nonsense").unwrap();
        assert!(file(&path, Suite::XWing).is_err());
    }
}
