// SPDX-License-Identifier: Apache-2.0
//! Frames over an asynchronous stream: the same bytes as [`subrosa_types::frame`].

use subrosa_types::frame::{self, MAX_FRAME_BYTES, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::enclave::error::StreamError;

/// Sends a request and reads its response, while nobody else asks.
///
/// # Errors
///
/// [`StreamError::TooLarge`] for a request that is too large, before anything is sent: the stream
/// is still good. After any other error the stream is useless.
pub(super) async fn exchange<S>(stream: &mut S, request: &Request) -> Result<Response, StreamError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    write(stream, &frame::encode(0, request)?).await?;
    let (_, response) = receive(stream).await?;
    Ok(response)
}

/// Writes a frame.
pub(super) async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    frame: &[u8],
) -> Result<(), StreamError> {
    stream.write_all(frame).await?;
    stream.flush().await?;
    Ok(())
}

/// Reads a response, with its request's id.
pub(super) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<(u64, Response), StreamError> {
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
