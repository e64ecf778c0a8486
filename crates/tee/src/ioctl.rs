// SPDX-License-Identifier: Apache-2.0
//! The two ioctls of this workspace, and all of its `unsafe`.
#![allow(
    unsafe_code,
    reason = "/dev/nsm and /dev/sev-guest answer to nothing but an ioctl whose argument holds \
              addresses of a request and a response buffer"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use zeroize::Zeroizing;

/// A device that takes one request and gives one response.
///
/// What lies between a producer and the kernel, so that a test can play a kernel whose device is
/// not there.
pub(crate) trait Device: Send + Sync {
    /// Sends `request`; the response is at most `limit` bytes long.
    fn exchange(&self, request: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, DeviceFault>;
}

/// A request that came to nothing.
#[derive(Debug)]
pub(crate) struct DeviceFault {
    /// What the kernel said.
    pub(crate) source: io::Error,
    /// `exitinfo2` of a guest request (see linux/sev-guest.h); 0 where there is no such thing.
    pub(crate) exit: u64,
}

impl From<io::Error> for DeviceFault {
    fn from(source: io::Error) -> Self {
        Self { source, exit: 0 }
    }
}

/// `/dev/nsm`, the Nitro Secure Module (linux/nsm.h, since Linux 6.8; the same interface in AWS'
/// own enclave kernels). Needs CAP_SYS_ADMIN or the permissions of the device node.
#[derive(Debug)]
pub(crate) struct Nsm(File);

impl Nsm {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        open(path).map(Self)
    }
}

impl Device for Nsm {
    fn exchange(&self, request: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, DeviceFault> {
        let mut response = Zeroizing::new(vec![0; limit]);
        let mut message = NsmRaw {
            request: Buffer::of(request.as_ptr(), request.len())?,
            response: Buffer::of(response.as_mut_ptr(), response.len())?,
        };
        // SAFETY: `NSM_IOCTL_RAW` reads and writes one `nsm_raw`, which `NsmRaw` mirrors. The
        // driver reads `request.len` bytes at `request.addr` and writes at most `response.len`
        // bytes at `response.addr`; both buffers are that long, alive, and borrowed by nobody
        // else until the call returns, and the driver keeps no address.
        unsafe { ioctl(&self.0, Updater::<NSM_IOCTL_RAW, NsmRaw>::new(&mut message)) }
            .map_err(io::Error::from)?;
        let written = usize::try_from(message.response.len).unwrap_or(usize::MAX);
        response.truncate(written);
        Ok(response)
    }
}

/// `/dev/sev-guest`, `SNP_GET_DERIVED_KEY` (linux/sev-guest.h, since Linux 5.19).
#[derive(Debug)]
pub(crate) struct SevGuest(File);

impl SevGuest {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        open(path).map(Self)
    }
}

impl Device for SevGuest {
    fn exchange(&self, request: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, DeviceFault> {
        // The ioctl carries no lengths: the kernel reads and writes as much as its structures
        // hold, so exactly that much has to be there.
        if request.len() != DERIVED_KEY_REQUEST || limit != DERIVED_KEY_RESPONSE {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        let mut response = Zeroizing::new(vec![0; DERIVED_KEY_RESPONSE]);
        let mut message = SnpGuestRequest {
            msg_version: 1,
            req_data: address(request.as_ptr())?,
            resp_data: address(response.as_mut_ptr())?,
            exitinfo2: 0,
        };
        // SAFETY: `SNP_GET_DERIVED_KEY` reads and writes one `snp_guest_request_ioctl`, which
        // `SnpGuestRequest` mirrors, padding included. The driver reads a `snp_derived_key_req`
        // (32 bytes) at `req_data` and writes a `snp_derived_key_resp` (64 bytes) at `resp_data`;
        // the lengths were checked above, both buffers are alive and borrowed by nobody else until
        // the call returns, and the driver keeps no address.
        let answer = unsafe {
            ioctl(
                &self.0,
                Updater::<SNP_GET_DERIVED_KEY, SnpGuestRequest>::new(&mut message),
            )
        };
        match answer {
            Ok(()) => Ok(response),
            Err(error) => Err(DeviceFault {
                source: error.into(),
                exit: message.exitinfo2,
            }),
        }
    }
}

/// `sizeof(struct snp_derived_key_req)`.
pub(crate) const DERIVED_KEY_REQUEST: usize = 32;
/// `sizeof(struct snp_derived_key_resp)`.
pub(crate) const DERIVED_KEY_RESPONSE: usize = 64;

/// `struct nsm_raw`.
#[repr(C)]
struct NsmRaw {
    request: Buffer,
    response: Buffer,
}

/// `struct nsm_iovec`.
#[repr(C)]
struct Buffer {
    addr: u64,
    len: u64,
}

impl Buffer {
    fn of(start: *const u8, length: usize) -> io::Result<Self> {
        let len = u64::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            addr: address(start)?,
            len,
        })
    }
}

/// `struct snp_guest_request_ioctl`.
#[repr(C)]
struct SnpGuestRequest {
    msg_version: u8,
    req_data: u64,
    resp_data: u64,
    exitinfo2: u64,
}

/// The address as the kernel takes it. Exposed, because the kernel will make a pointer of it.
fn address(pointer: *const u8) -> io::Result<u64> {
    u64::try_from(pointer.expose_provenance()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// `_IOWR(0x0A, 0x0, struct nsm_raw)`.
const NSM_IOCTL_RAW: Opcode = opcode::read_write::<NsmRaw>(0x0a, 0);
/// `_IOWR('S', 0x1, struct snp_guest_request_ioctl)`.
const SNP_GET_DERIVED_KEY: Opcode = opcode::read_write::<SnpGuestRequest>(b'S', 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_large_as_the_kernels_and_so_are_the_request_codes() {
        assert_eq!(NSM_IOCTL_RAW, 0xc020_0a00);
        assert_eq!(SNP_GET_DERIVED_KEY, 0xc020_5301);
        assert_eq!(std::mem::offset_of!(SnpGuestRequest, req_data), 8);
        assert_eq!(std::mem::offset_of!(SnpGuestRequest, exitinfo2), 24);
    }

    #[test]
    fn a_device_that_knows_no_such_ioctl_is_an_error() {
        let null = Path::new("/dev/null");
        let nsm = Nsm::open(null).unwrap().exchange(&[0; 10], 64);
        assert_eq!(nsm.unwrap_err().source.raw_os_error(), Some(25));
        let sev = SevGuest::open(null).unwrap();
        let fault = sev.exchange(&[0; 32], 64).unwrap_err();
        assert_eq!((fault.source.raw_os_error(), fault.exit), (Some(25), 0));
    }

    #[test]
    fn a_derived_key_request_of_another_size_never_reaches_the_kernel() {
        let sev = SevGuest::open(Path::new("/dev/null")).unwrap();
        for (request, limit) in [(31, 64), (33, 64), (32, 63), (32, 65)] {
            let fault = sev.exchange(&vec![0; request], limit).unwrap_err();
            assert_eq!(fault.source.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
