// SPDX-License-Identifier: Apache-2.0
//! Frames over a byte stream.

use std::io::{self, Read};

use subrosa_types::frame::{HEADER_BYTES, MAX_FRAME_BYTES};

/// What a stream carries next.
pub(crate) enum Frame {
    /// The body of a frame.
    Body(Vec<u8>),
    /// The announced length of one that is too long; its bytes follow unread.
    Oversized(usize),
}

/// Reads one frame; `None` at a clean end of the stream.
///
/// Memory grows with the bytes that arrive, never with the length that was announced.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Option<Frame>> {
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

/// Skips the body of an oversized frame, and returns how it began.
pub(crate) fn skip(stream: &mut impl Read, length: usize) -> io::Result<[u8; HEADER_BYTES]> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header)?;
    let mut rest = stream.take((length - HEADER_BYTES) as u64);
    io::copy(&mut rest, &mut io::sink())?;
    Ok(header)
}

#[cfg(test)]
mod tests;
