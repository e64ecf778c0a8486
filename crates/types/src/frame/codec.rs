// SPDX-License-Identifier: Apache-2.0
//! Length-prefixed frames over any byte stream.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use super::WIRE_VERSION;

/// Largest frame, bytes, without its length prefix. Checked before anything is allocated.
pub const MAX_FRAME_BYTES: usize = 32 * 1024 * 1024;

/// Encodes a message as one frame, length prefix included.
///
/// # Errors
///
/// [`WireError::TooLarge`] if it exceeds [`MAX_FRAME_BYTES`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    let mut frame = vec![0; 4];
    frame.extend(WIRE_VERSION.to_be_bytes());
    let mut frame = postcard::to_extend(message, frame).map_err(|_| WireError::Malformed)?;
    let length = frame.len() - 4;
    let prefix = u32::try_from(length)
        .ok()
        .filter(|_| length <= MAX_FRAME_BYTES)
        .ok_or(WireError::TooLarge(length))?;
    frame[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(frame)
}

/// Decodes the body of one frame; every byte must be used.
///
/// # Errors
///
/// [`WireError::Version`] for a frame of another version, [`WireError::Malformed`].
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    let (version, message) = body.split_first_chunk::<2>().ok_or(WireError::Malformed)?;
    let version = u16::from_be_bytes(*version);
    if version != WIRE_VERSION {
        return Err(WireError::Version(version));
    }
    match postcard::take_from_bytes(message) {
        Ok((message, [])) => Ok(message),
        _ => Err(WireError::Malformed),
    }
}

/// Reads the body of one frame; `None` at a clean end of the stream.
///
/// Memory grows with the bytes that arrive, never with the length that was announced.
///
/// # Errors
///
/// [`WireError::TooLarge`] before reading the body, [`WireError::Stream`] if the stream fails or
/// ends inside a frame.
pub fn read(stream: &mut impl Read) -> Result<Option<Vec<u8>>, WireError> {
    let mut prefix = [0; 4];
    let mut filled = 0;
    while filled < prefix.len() {
        match stream.read(&mut prefix[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(WireError::TooLarge(length));
    }
    let mut body = Vec::new();
    stream.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(body))
}

/// Writes one message as a frame and flushes.
///
/// # Errors
///
/// As [`encode`], and [`WireError::Stream`].
pub fn write<T: Serialize>(stream: &mut impl Write, message: &T) -> Result<(), WireError> {
    stream.write_all(&encode(message)?)?;
    stream.flush()?;
    Ok(())
}

/// Why a frame cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The announced or produced length exceeds [`MAX_FRAME_BYTES`].
    #[error("frame of {0} bytes is larger than {MAX_FRAME_BYTES}")]
    TooLarge(usize),
    /// A frame of a version that this side does not speak.
    #[error("frame of wire version {0}, this side speaks {WIRE_VERSION}")]
    Version(u16),
    /// Not an encoding of the expected message.
    #[error("frame does not decode")]
    Malformed,
    /// The stream failed or ended inside a frame.
    #[error("stream failed")]
    Stream(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{Request, Response};

    #[test]
    fn an_announced_length_allocates_nothing() {
        let mut stream: &[u8] = &(MAX_FRAME_BYTES as u32).to_be_bytes();
        assert!(matches!(read(&mut stream), Err(WireError::Stream(_))));
        let mut stream: &[u8] = &(MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
        assert!(matches!(read(&mut stream), Err(WireError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Response>(&bytes);
            let _ = read(&mut bytes.as_slice());
        }

        #[test]
        fn frames_round_trip(challenge in proptest::collection::vec(any::<u8>(), 0..64)) {
            let request = Request::Quote { challenge };
            let mut frame = encode(&request).unwrap();
            let body = read(&mut frame.as_slice()).unwrap().unwrap();
            prop_assert_eq!(decode::<Request>(&body).unwrap(), request);
            frame[5] ^= 1;
            prop_assert!(matches!(decode::<Request>(&frame[4..]), Err(WireError::Version(_))));
            for length in 0..frame.len() {
                let cut = read(&mut &frame[..length]);
                prop_assert!(matches!(cut, Ok(None) | Err(WireError::Stream(_))));
            }
        }
    }
}
