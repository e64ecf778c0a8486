// SPDX-License-Identifier: Apache-2.0
//! A fake of an Azure vTPM: the six commands, and the paravisor that renews the HCL report.
//!
//! It reads commands by TPM 2.0 Library Part 3 on its own, signs nothing, and has the faults no
//! software TPM shows. What it does not know it refuses, as a TPM would.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use sha2::{Digest, Sha256};

use super::transport::Transport;
use crate::layout::HclHardware;
use crate::layout::tests::hcl_report;

#[derive(Clone)]
pub(crate) struct Vtpm(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) hardware: HclHardware,
    pub(crate) nv: HashMap<u32, Vec<u8>>,
    pub(crate) pcrs: Vec<[u8; 32]>,
    /// Reads of the HCL report's beginning that pass without a renewal; `None`: it never renews.
    pub(crate) renewal_in: Option<u32>,
    /// The most TPM2B_DATA holds.
    pub(crate) data_limit: usize,
    /// Per command code, what happens instead of an answer, one by one.
    pub(crate) faults: HashMap<u32, VecDeque<Fault>>,
    /// Command codes in order.
    pub(crate) commands: Vec<u32>,
    updates: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// A response code.
    Code(u32),
    /// The answer, cut to so many bytes (and its size made to fit).
    Cut(usize),
    /// The answer, then a PCR is extended by somebody else.
    ExtendPcr,
    /// The answer, then the paravisor renews the HCL report for somebody else's user data.
    RenewReport,
    /// The transport breaks.
    Errno(i32),
}

impl Vtpm {
    pub(crate) fn new(hardware: HclHardware) -> Self {
        let mut state = State {
            hardware,
            nv: HashMap::new(),
            pcrs: (0..24).map(|index| [index; 32]).collect(),
            renewal_in: Some(0),
            data_limit: 66,
            faults: HashMap::new(),
            commands: Vec::new(),
            updates: 1,
        };
        state.renew(&[0; 64]);
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn failing(self, code: u32, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.state().faults.entry(code).or_default().extend(faults);
        self
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Transport for Vtpm {
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        let size = u32::from_be_bytes(command[2..6].try_into().unwrap());
        assert_eq!(usize::try_from(size).unwrap(), command.len());
        let code = u32::from_be_bytes(command[6..10].try_into().unwrap());
        state.commands.push(code);
        let fault = state.faults.get_mut(&code).and_then(VecDeque::pop_front);
        match fault {
            Some(Fault::Code(code)) => return Ok(response(0x8001, code, &[])),
            Some(Fault::Errno(errno)) => return Err(io::Error::from_raw_os_error(errno)),
            _ => {}
        }
        let sessions = command[..2] == [0x80, 0x02];
        let mut answer = match state.answer(code, &command[10..]) {
            Ok(parameters) if sessions => {
                let size = u32::try_from(parameters.len()).unwrap().to_be_bytes();
                // Empty nonce, attributes, empty authorization.
                let body = [&size[..], &parameters, &[0, 0, 1, 0, 0]].concat();
                response(0x8002, 0, &body)
            }
            Ok(parameters) => response(0x8001, 0, &parameters),
            Err(code) => response(0x8001, code, &[]),
        };
        match fault {
            Some(Fault::Cut(length)) => {
                answer.truncate(length);
                let size = u32::try_from(length).unwrap().to_be_bytes();
                if let Some(place) = answer.get_mut(2..6) {
                    place.copy_from_slice(&size);
                }
            }
            Some(Fault::ExtendPcr) => {
                state.pcrs[8] = [0xee; 32];
                state.updates += 1;
            }
            Some(Fault::RenewReport) => state.renew(&[0xee; 64]),
            _ => {}
        }
        Ok(answer)
    }
}

impl State {
    /// The parameters of the answer, or a response code.
    fn answer(&mut self, code: u32, body: &[u8]) -> Result<Vec<u8>, u32> {
        match code {
            0x169 => {
                let index = word(body, 0);
                let size = self.nv.get(&index).ok_or(0x18bu32)?.len();
                let mut public = Vec::from(index.to_be_bytes());
                public.extend([0x00, 0x0b, 0x00, 0x02, 0x00, 0x02, 0, 0]);
                public.extend(u16::try_from(size).unwrap().to_be_bytes());
                Ok([two(public), two(vec![0; 34])].concat())
            }
            0x12a => {
                assert_eq!(word(body, 0), 0x4000_0001);
                let public = &password(body, 4)[4..];
                assert_eq!(public[4..12], [0, 0x0b, 0, 2, 0, 2, 0, 0]);
                let size = u16::from_be_bytes([public[12], public[13]]);
                self.nv.insert(word(public, 0), vec![0; size.into()]);
                Ok(vec![])
            }
            0x137 => {
                let index = word(body, 4);
                let parameters = password(body, 8);
                let (data, offset) = parameters[2..].split_at(parameters.len() - 4);
                let place = self.nv.get_mut(&index).ok_or(0x28bu32)?;
                if offset != [0, 0] || data.len() > place.len() {
                    return Err(0x146);
                }
                place[..data.len()].copy_from_slice(data);
                Ok(vec![])
            }
            0x14e => {
                let index = word(body, 4);
                let parameters = password(body, 8);
                let [size, offset] = [0, 2].map(|at| {
                    usize::from(u16::from_be_bytes([parameters[at], parameters[at + 1]]))
                });
                if index == 0x0140_0001 && offset == 0 {
                    self.renew_if_due();
                }
                let data = self.nv.get(&index).ok_or(0x28bu32)?;
                let data = data.get(offset..offset + size).ok_or(0x146u32)?;
                Ok(two(data.to_vec()))
            }
            0x158 => {
                if word(body, 0) != 0x8100_0003 {
                    return Err(0x18b);
                }
                let parameters = password(body, 4);
                let length = usize::from(u16::from_be_bytes([parameters[0], parameters[1]]));
                if length > self.data_limit {
                    return Err(0x1d5);
                }
                let (data, rest) = parameters[2..].split_at(length);
                assert_eq!(rest, [0, 0x10, 0, 0, 0, 1, 0, 0x0b, 3, 255, 255, 255]);
                let attest = [
                    &b"\xffTCG\x80\x18"[..],
                    &two(vec![0; 34]),
                    &two(data.to_vec()),
                    &[0; 25],
                    &[0, 0, 0, 1, 0, 0x0b, 3, 255, 255, 255],
                    &two(Sha256::digest(self.pcrs.concat()).to_vec()),
                ]
                .concat();
                let signature = [&[0, 0x14, 0, 0x0b][..], &two(vec![5; 256])].concat();
                Ok([two(attest), signature].concat())
            }
            0x17e => {
                assert_eq!(body[..7], [0, 0, 0, 1, 0, 0x0b, 3]);
                let mut given = [0; 3];
                let mut values = Vec::new();
                for (index, pcr) in self.pcrs.iter().enumerate() {
                    let bit = 1 << (index % 8);
                    if body[7 + index / 8] & bit != 0 && values.len() < 8 {
                        given[index / 8] |= bit;
                        values.push(two(pcr.to_vec()));
                    }
                }
                let count = u32::try_from(values.len()).unwrap().to_be_bytes();
                Ok([
                    &self.updates.to_be_bytes()[..],
                    &body[..7],
                    &given,
                    &count,
                    &values.concat(),
                ]
                .concat())
            }
            _ => Err(0x143),
        }
    }

    fn renew_if_due(&mut self) {
        match &mut self.renewal_in {
            Some(0) => {
                let user_data = self.nv.get(&0x0140_0002).cloned();
                self.renew(&user_data.unwrap_or(vec![0; 64]));
            }
            Some(reads) => *reads -= 1,
            None => {}
        }
    }

    fn renew(&mut self, user_data: &[u8]) {
        let claims = format!(
            "{{\"keys\":[],\"user-data\":\"{}\"}}",
            hex::encode_upper(user_data)
        );
        let mut report = hcl_report(self.hardware, [0x11; 48], claims.as_bytes());
        report.resize(2600, 0);
        self.nv.insert(0x0140_0001, report);
    }
}

/// What follows the handles: an authorization area with one empty password, then parameters.
fn password(body: &[u8], handles: usize) -> &[u8] {
    let (authorization, parameters) = body[handles..].split_at(13);
    assert_eq!(authorization, [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0]);
    parameters
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn two(bytes: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], &bytes].concat()
}

fn response(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(10 + body.len()).unwrap();
    [
        &tag.to_be_bytes()[..],
        &size.to_be_bytes(),
        &code.to_be_bytes(),
        body,
    ]
    .concat()
}
