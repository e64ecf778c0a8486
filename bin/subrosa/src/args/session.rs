// SPDX-License-Identifier: Apache-2.0
//! The file of a session: its secret on the first line, the key that the output of its opening call is
//! sealed to on the second, if outputs are not public.

use std::path::Path;

use eyre::{Result, WrapErr, eyre};
use subrosa_client::{
    CallSession, ClientError, Connection, Fulfilled, ReplyKey, Suite, Ticket, Zeroizing,
};

use super::reply_key;

/// What opens a sealed output.
pub(crate) enum Opener {
    /// The key it was sealed to.
    Key(ReplyKey),
    /// The session that the call was made in, or opened.
    Session(KeptSession),
}

impl Opener {
    /// Reads the file of a reply key or of a session.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .wrap_err_with(|| format!("cannot use reply key file {}", path.display()))?;
        match KeptSession::parse(&text) {
            Some(kept) => Ok(Self::Session(kept)),
            None => reply_key::file(path, Suite::XWing).map(Self::Key),
        }
    }

    /// Opens the output of a fulfilled request.
    pub(crate) fn open(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        fulfilled: &Fulfilled,
    ) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        match self {
            Self::Key(key) => connection.open_reply(ticket, fulfilled, key),
            Self::Session(KeptSession {
                session,
                reply: Some(key),
            }) if ticket.seq == session.seq() => connection.open_reply(ticket, fulfilled, key),
            Self::Session(kept) => connection.open_session_reply(ticket, fulfilled, &kept.session),
        }
    }
}

/// A session that an earlier call opened.
pub(crate) struct KeptSession {
    pub(crate) session: CallSession,
    /// Where the output of its opening call is sealed to; `None` if outputs are public.
    pub(crate) reply: Option<ReplyKey>,
}

impl KeptSession {
    /// Reads a session's file; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let at = || format!("cannot use session file {}", path.display());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(at),
        };
        Self::parse(&text)
            .ok_or_else(|| eyre!("it does not hold a session"))
            .wrap_err_with(at)
            .map(Some)
    }

    /// Writes a session's file, in the place of an earlier one.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let reply = self.reply.as_ref().map(reply_key::text).unwrap_or_default();
        let text = format!("{}\n{reply}\n", self.session.expose_text());
        write_private(path, &text)
            .wrap_err_with(|| format!("cannot write session file {}", path.display()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let session = CallSession::from_text(lines.next()?)?;
        let reply = match lines.next() {
            None | Some("") => None,
            Some(line) => Some(reply_key::parse(line)?),
        };
        Some(Self { session, reply })
    }
}

/// Writes a file that only its owner reads, whole or not at all.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0x0101010101010101010101010101010101010101010101010101010101010101:9:01\
        :3:4:0xabababababababababababababababababababababababababababababababab";

    #[test]
    fn a_session_file_is_read_as_it_was_written_and_opens_outputs() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session");
        assert!(KeptSession::read(&path).unwrap().is_none());
        let reply = ReplyKey::from_seed(Suite::X25519, &[5; 32]);
        let public = reply.public();
        let kept = KeptSession {
            session: CallSession::from_text(SESSION).unwrap(),
            reply: Some(reply),
        };
        // Written over, as when a session has ended.
        std::fs::write(&path, "older").unwrap();
        kept.write(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = KeptSession::read(&path).unwrap().unwrap();
        assert_eq!(read.session.expose_text(), SESSION);
        assert_eq!(read.reply.unwrap().public(), public);
        // What opens the results of its calls is found in the same file.
        let Opener::Session(opener) = Opener::read(&path).unwrap() else {
            panic!("the file holds a session");
        };
        assert_eq!(opener.session.expose_text(), SESSION);
        let own = dir.path().join("reply.key");
        reply_key::file(&own, Suite::X25519).unwrap();
        assert!(matches!(Opener::read(&own).unwrap(), Opener::Key(_)));
        assert!(Opener::read(&dir.path().join("missing")).is_err());
    }

    #[test]
    fn a_file_that_holds_no_session_is_refused() {
        for text in ["", "nonsense", &format!("{SESSION}\nnonsense")] {
            assert!(KeptSession::parse(text).is_none(), "{text}");
        }
        assert!(KeptSession::parse(SESSION).unwrap().reply.is_none());
    }
}
