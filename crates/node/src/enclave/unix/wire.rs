// SPDX-License-Identifier: Apache-2.0
//! Frames over an asynchronous stream: the same bytes as [`subrosa_types::frame`].

use subrosa_types::frame::{self, MAX_FRAME_BYTES, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::enclave::error::StreamError;

/// Sends a request and reads its response.
///
/// # Errors
///
/// [`StreamError::TooLarge`] for a request that is too large, before anything is sent: the stream
/// is still good. After any other error the stream is useless.
pub(super) async fn exchange<S>(stream: &mut S, request: &Request) -> Result<Response, StreamError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bytes = frame::encode(request)?;
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(frame::decode(&read(stream).await?)?)
}

/// Reads the body of one frame. Memory grows with what arrives, not with what is announced.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, StreamError> {
    let length = stream.read_u32().await? as usize;
    if length > MAX_FRAME_BYTES {
        // Not `TooLarge`, which says that the stream is still good.
        return Err(StreamError::Malformed(frame::WireError::Malformed));
    }
    let mut body = Vec::with_capacity(length.min(64 * 1024));
    let read = stream.take(length as u64).read_to_end(&mut body).await?;
    if read < length {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}
