// SPDX-License-Identifier: Apache-2.0
//! Length-prefixed frames, as bytes.

use alloc::{vec, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use super::WIRE_VERSION;

/// Largest frame, bytes, without its length prefix. Checked before anything is allocated.
pub const MAX_FRAME_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of a frame's body before its message: version and request id.
pub const HEADER_BYTES: usize = 2 + 8;

/// Encodes a message as one frame, length prefix included. `id` is the request's: the answer carries
/// the same.
///
/// # Errors
///
/// [`WireError::TooLarge`] if it exceeds [`MAX_FRAME_BYTES`].
pub fn encode<T: Serialize>(id: u64, message: &T) -> Result<Vec<u8>, WireError> {
    let mut frame = vec![0; 4];
    frame.extend(WIRE_VERSION.to_be_bytes());
    frame.extend(id.to_be_bytes());
    let mut frame = postcard::to_extend(message, frame).map_err(|_| WireError::Malformed)?;
    let length = frame.len() - 4;
    let prefix = u32::try_from(length)
        .ok()
        .filter(|_| length <= MAX_FRAME_BYTES)
        .ok_or(WireError::TooLarge(length))?;
    frame[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(frame)
}

/// Decodes the body of one frame; every byte must be used. Takes no more memory than a small multiple
/// of the body.
///
/// # Errors
///
/// [`WireError::Version`] for a frame of another version, [`WireError::Malformed`].
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<(u64, T), WireError> {
    let (version, rest) = body.split_first_chunk().ok_or(WireError::Malformed)?;
    let version = u16::from_be_bytes(*version);
    if version != WIRE_VERSION {
        return Err(WireError::Version(version));
    }
    let (id, message) = rest.split_first_chunk().ok_or(WireError::Malformed)?;
    match postcard::take_from_bytes(message) {
        Ok((message, [])) => Ok((u64::from_be_bytes(*id), message)),
        _ => Err(WireError::Malformed),
    }
}

/// The request id of a frame's body, of which no more need be there than its first
/// [`HEADER_BYTES`]; zero if it has none. For answers to what does not decode.
pub fn request_id(body: &[u8]) -> u64 {
    body.get(2..HEADER_BYTES)
        .and_then(|id| <[u8; 8]>::try_from(id).ok())
        .map_or(0, u64::from_be_bytes)
}

/// Why a frame cannot be encoded or decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{Request, Response};

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Response>(&bytes);
        }

        #[test]
        fn frames_round_trip(id in any::<u64>(), update in proptest::collection::vec(any::<u8>(), 0..64)) {
            let request = Request::Advance { update: update.into() };
            let mut frame = encode(id, &request).unwrap();
            let (length, body) = frame.split_first_chunk().unwrap();
            prop_assert_eq!(u32::from_be_bytes(*length) as usize, body.len());
            prop_assert_eq!(decode::<Request>(body).unwrap(), (id, request));
            prop_assert_eq!(request_id(body), id);
            for length in 0..body.len() {
                prop_assert_eq!(decode::<Request>(&body[..length]), Err(WireError::Malformed));
            }
            frame[5] ^= 1;
            prop_assert!(matches!(decode::<Request>(&frame[4..]), Err(WireError::Version(_))));
        }
    }

    /// An empty item takes one byte of the frame and 32 of memory.
    #[test]
    fn lists_of_empty_items_are_refused_beyond_a_length() {
        let activate = |count| {
            let header = crate::frame::HeaderFrame {
                ancestors: vec![Default::default(); count],
                ..Default::default()
            };
            let proof = crate::frame::StorageProof {
                header,
                ..Default::default()
            };
            Request::ActivateEpoch {
                epoch: 1,
                proof: proof.into(),
            }
        };
        let decoded = |request: &Request| decode::<Request>(&encode(1, request).unwrap()[4..]);
        let most = crate::frame::MAX_ANCESTORS;
        assert_eq!(decoded(&activate(most)), Ok((1, activate(most))));
        assert_eq!(decoded(&activate(most + 1)), Err(WireError::Malformed));
    }
}
