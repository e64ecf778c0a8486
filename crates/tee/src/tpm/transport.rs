// SPDX-License-Identifier: Apache-2.0
//! How commands reach a TPM.

use std::io::{self, ErrorKind, Read, Write};

use super::wire::{HEADER_BYTES, MAX_RESPONSE};
use crate::files::write_at_once;

/// Takes a command buffer, gives a response buffer.
pub(crate) trait Transport: Send {
    /// One command and its response, at most [`MAX_RESPONSE`] bytes, as long as its header says.
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>>;
}

/// A stream that carries bare command and response buffers: `/dev/tpmrm0`, whose driver gives a
/// response in one read or, to a smaller buffer, in several; or the data socket of a software TPM.
#[derive(Debug)]
pub(crate) struct Stream<T>(pub(crate) T);

impl<T: Read + Write + Send> Transport for Stream<T> {
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        // In one write: the driver takes each write for a command of its own.
        write_at_once(&mut self.0, command)?;
        let mut response = vec![0; MAX_RESPONSE];
        let mut filled = 0;
        loop {
            let space = response
                .get_mut(filled..)
                .filter(|space| !space.is_empty())
                .ok_or(ErrorKind::FileTooLarge)?;
            match self.0.read(space) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let Some(length) = announced(response.get(..filled).unwrap_or_default()) else {
                continue;
            };
            if !(HEADER_BYTES..=MAX_RESPONSE).contains(&length) {
                return Err(ErrorKind::FileTooLarge.into());
            }
            if filled > length {
                return Err(ErrorKind::InvalidData.into());
            }
            if filled == length {
                response.truncate(length);
                return Ok(response);
            }
        }
    }
}

/// `responseSize`, once it has arrived.
fn announced(response: &[u8]) -> Option<usize> {
    let size = response.get(2..)?.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*size)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its script in reads of `step` bytes.
    struct Script {
        response: Vec<u8>,
        step: usize,
        accepted: usize,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let given = self.step.min(self.response.len()).min(buffer.len());
            buffer[..given].copy_from_slice(&self.response[..given]);
            self.response.drain(..given);
            Ok(given)
        }
    }

    impl Write for Script {
        fn write(&mut self, command: &[u8]) -> io::Result<usize> {
            Ok(command.len().min(self.accepted))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn transmit(response: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let script = Script {
            response: response.to_vec(),
            step,
            accepted: 4096,
        };
        Stream(script).transmit(&[0; 12])
    }

    const RESPONSE: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 7, 7];

    #[test]
    fn a_response_may_come_in_any_number_of_reads() {
        for step in [1, 5, 11, 12] {
            assert_eq!(transmit(&RESPONSE, step).unwrap(), RESPONSE);
        }
    }

    #[test]
    fn a_response_that_is_not_as_long_as_it_says_is_refused() {
        let kind = |response: &[u8]| transmit(response, 4096).unwrap_err().kind();
        assert_eq!(kind(&RESPONSE[..11]), ErrorKind::UnexpectedEof);
        assert_eq!(
            kind(&[&RESPONSE[..], &[0]].concat()),
            ErrorKind::InvalidData
        );
        assert_eq!(kind(&[]), ErrorKind::UnexpectedEof);
        for length in [0u32, 9, 4097, u32::MAX] {
            let mut response = RESPONSE;
            response[2..6].copy_from_slice(&length.to_be_bytes());
            assert_eq!(kind(&response), ErrorKind::FileTooLarge, "{length}");
        }
    }

    #[test]
    fn a_command_that_is_taken_in_part_is_an_error() {
        let script = Script {
            response: RESPONSE.to_vec(),
            step: 12,
            accepted: 11,
        };
        let error = Stream(script).transmit(&[0; 12]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    }
}
