// SPDX-License-Identifier: Apache-2.0
//! Frames over a byte stream.

use std::io::{self, Read, Write};

use subrosa_enclave_core::{Enclave, HostStream};
use subrosa_types::frame::MAX_FRAME_BYTES;

/// Serves one stream until it ends, answering each frame with exactly one frame.
///
/// A frame that announces more than [`MAX_FRAME_BYTES`] is answered with an error and skipped
/// without being kept.
///
/// # Errors
///
/// What the stream fails with, an end inside a frame included.
pub(crate) fn serve<S: Read + Write>(enclave: &mut Enclave, stream: &mut S) -> io::Result<()> {
    let mut host = HostStream::new(enclave);
    loop {
        let answer = match read(stream)? {
            None => return Ok(()),
            Some(Frame::Body(body)) => host.answer(&body),
            Some(Frame::Oversized(length)) => {
                let mut skipped = Read::take(&mut *stream, length as u64);
                io::copy(&mut skipped, &mut io::sink())?;
                host.answer_oversized(length)
            }
        };
        stream.write_all(&answer)?;
        stream.flush()?;
    }
}

/// What a stream carries next.
enum Frame {
    /// The body of a frame.
    Body(Vec<u8>),
    /// The announced length of one that is too long; its bytes follow unread.
    Oversized(usize),
}

/// Reads one frame; `None` at a clean end of the stream.
///
/// Memory grows with the bytes that arrive, never with the length that was announced.
fn read(stream: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut prefix = [0; 4];
    let mut filled = 0;
    while filled < prefix.len() {
        match stream.read(&mut prefix[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > MAX_FRAME_BYTES {
        return Ok(Some(Frame::Oversized(length)));
    }
    let mut body = Vec::new();
    stream.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame::Body(body)))
}

#[cfg(test)]
mod tests;
