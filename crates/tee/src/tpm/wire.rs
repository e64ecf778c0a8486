// SPDX-License-Identifier: Apache-2.0
//! Command and response buffers (TPM 2.0 Library Part 1, "Command/Response Structure").

use super::response_code::ResponseCode;
use crate::TeeError;

/// A command under construction: handles first, then the authorization, then parameters.
#[derive(Debug)]
pub(crate) struct Command {
    name: &'static str,
    code: u32,
    handles: Vec<u8>,
    password: bool,
    parameters: Vec<u8>,
}

impl Command {
    pub(crate) fn new(name: &'static str, code: u32) -> Self {
        Self {
            name,
            code,
            handles: Vec::new(),
            password: false,
            parameters: Vec::new(),
        }
    }

    pub(crate) fn handle(mut self, handle: u32) -> Self {
        self.handles.extend(handle.to_be_bytes());
        self
    }

    /// One authorization, by the empty password.
    pub(crate) fn password(mut self) -> Self {
        self.password = true;
        self
    }

    pub(crate) fn u16(mut self, value: u16) -> Self {
        self.parameters.extend(value.to_be_bytes());
        self
    }

    /// A TPM2B: its size, then its bytes.
    pub(crate) fn sized(self, bytes: &[u8]) -> Self {
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX))
            .raw(bytes)
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.parameters.extend(bytes);
        self
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let authorization: &[u8] = if self.password { &EMPTY_PASSWORD } else { &[] };
        let body = [&self.handles, authorization, &self.parameters].concat();
        let size = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend(self.tag().to_be_bytes());
        bytes.extend(size.to_be_bytes());
        bytes.extend(self.code.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// The parameters of the response to this command.
    ///
    /// # Errors
    ///
    /// [`TeeError::Tpm`] if the TPM refuses, [`TeeError::Busy`] if it asks to try again,
    /// [`TeeError::Malformed`] if this is no response to this command.
    pub(crate) fn parameters<'a>(&self, response: &'a [u8]) -> Result<&'a [u8], TeeError> {
        let malformed = |why| TeeError::Malformed {
            what: "TPM response",
            why,
        };
        let mut reader = Reader::new(response);
        let header = (reader.u16(), reader.u32(), reader.u32());
        let (Some(tag), Some(_size), Some(code)) = header else {
            return Err(malformed("header"));
        };
        let code = ResponseCode(code);
        if code.asks_to_retry() {
            return Err(TeeError::Busy {
                what: "the TPM",
                attempts: 1,
            });
        }
        if code != ResponseCode::SUCCESS {
            return Err(TeeError::Tpm {
                command: self.name,
                code,
            });
        }
        if tag != self.tag() {
            return Err(malformed("tag"));
        }
        if !self.password {
            return Ok(reader.rest());
        }
        let size = reader.u32().and_then(|size| usize::try_from(size).ok());
        size.and_then(|size| reader.take(size))
            .ok_or_else(|| malformed("parameter size"))
    }

    fn tag(&self) -> u16 {
        if self.password {
            ST_SESSIONS
        } else {
            ST_NO_SESSIONS
        }
    }
}

/// Reads a marshaled structure; `None` past the end.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A TPM2B's bytes.
    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let size = self.u16()?;
        self.take(usize::from(size))
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// Tag, size, code.
pub(crate) const HEADER_BYTES: usize = 10;
/// What TPM drivers hold (`TPM_BUFSIZE`).
pub(crate) const MAX_RESPONSE: usize = 4096;

const ST_NO_SESSIONS: u16 = 0x8001;
const ST_SESSIONS: u16 = 0x8002;
/// Size of the authorization area, TPM_RS_PW, empty nonce, no attributes, empty password.
const EMPTY_PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
