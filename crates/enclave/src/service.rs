// SPDX-License-Identifier: Apache-2.0
//! Frames in, frames out.

use std::io::{Read, Write};

use subrosa_types::frame::{
    self, ErrorCode, FrameError, Request, Response, WIRE_VERSION, WireError,
};

use crate::Enclave;

/// Serves one stream until it ends, answering each frame with exactly one frame.
///
/// A frame that does not decode, or announces more than
/// [`MAX_FRAME_BYTES`](frame::MAX_FRAME_BYTES), is answered with an error; an oversized one is
/// skipped without being kept. The enclave's state outlives the stream.
///
/// # Errors
///
/// [`WireError::Stream`] if the stream breaks inside a frame.
pub fn serve<S: Read + Write>(enclave: &mut Enclave, stream: &mut S) -> Result<(), WireError> {
    let mut greeted = false;
    loop {
        let response = match frame::read(stream) {
            Ok(None) => return Ok(()),
            Ok(Some(body)) => answer(enclave, &mut greeted, &body),
            Err(WireError::TooLarge(length)) => {
                std::io::copy(
                    &mut Read::take(&mut *stream, length as u64),
                    &mut std::io::sink(),
                )?;
                refuse(ErrorCode::Malformed, WireError::TooLarge(length))
            }
            Err(error) => return Err(error),
        };
        match frame::write(stream, &response) {
            Err(WireError::TooLarge(length)) => {
                let error = refuse(ErrorCode::Unsupported, WireError::TooLarge(length));
                frame::write(stream, &error)?;
            }
            written => written?,
        }
    }
}

fn answer(enclave: &mut Enclave, greeted: &mut bool, body: &[u8]) -> Response {
    let request = match frame::decode::<Request>(body) {
        Ok(request) => request,
        Err(error @ WireError::Version(_)) => return refuse(ErrorCode::Version, error),
        Err(error) => return refuse(ErrorCode::Malformed, error),
    };
    match &request {
        Request::Hello { wire_version } if *wire_version != WIRE_VERSION => {
            let message =
                format!("wire version {wire_version}, this enclave speaks {WIRE_VERSION}");
            return refuse(ErrorCode::Version, message);
        }
        Request::Hello { .. } => *greeted = true,
        _ if !*greeted => return refuse(ErrorCode::State, "the first frame must be a hello"),
        _ => {}
    }
    enclave.handle(request)
}

fn refuse(code: ErrorCode, message: impl std::fmt::Display) -> Response {
    Response::Error(FrameError::new(code, message))
}
