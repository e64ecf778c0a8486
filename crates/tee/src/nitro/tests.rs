// SPDX-License-Identifier: Apache-2.0

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use crate::ioctl::DeviceFault;

/// A fake of the Nitro Secure Module behind its driver. Expected requests and its responses are
/// written out byte by byte here, so that encoder and decoder are not checked against themselves.
#[derive(Clone, Default)]
struct Module {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    Errno(i32),
}

impl Device for Module {
    fn exchange(&self, request: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, DeviceFault> {
        // NSM_REQUEST_MAX_SIZE: the driver answers EMSGSIZE.
        if request.len() > 0x1000 {
            return Err(io::Error::from_raw_os_error(90).into());
        }
        self.requests.lock().unwrap().push(request.to_vec());
        match self.answers.lock().unwrap().pop_front().unwrap() {
            // The driver cuts a response that does not fit.
            Answer::Bytes(mut bytes) => {
                bytes.truncate(limit);
                Ok(Zeroizing::new(bytes))
            }
            Answer::Errno(errno) => Err(io::Error::from_raw_os_error(errno).into()),
        }
    }
}

impl Module {
    fn answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let module = Self::default();
        module.answers.lock().unwrap().extend(answers);
        module
    }

    /// A module that answers three DescribePCR and then `answers`.
    fn booted(answers: impl IntoIterator<Item = Answer>) -> (Self, Nitro) {
        let module = Self::answers((0..3).map(pcr).chain(answers));
        let nitro = Nitro::open(Box::new(module.clone())).unwrap();
        (module, nitro)
    }
}

/// {"DescribePCR": {"lock": true, "data": 48 bytes}}
fn pcr(index: u8) -> Answer {
    let head = b"\xa1\x6bDescribePCR\xa2\x64lock\xf5\x64data\x58\x30";
    Answer::Bytes([head.as_slice(), &[index + 1; 48]].concat())
}

/// {"Attestation": {"document": 300 bytes}}
fn document() -> Answer {
    let head = b"\xa1\x6bAttestation\xa1\x68document\x59\x01\x2c";
    Answer::Bytes([head.as_slice(), &[0x84; 300]].concat())
}

/// {"GetRandom": {"random": `length` bytes}}, at most 23
fn random(length: u8, byte: u8) -> Answer {
    let head = b"\xa1\x69GetRandom\xa1\x66random";
    Answer::Bytes(
        [
            head.as_slice(),
            &[0x40 | length],
            &vec![byte; length.into()],
        ]
        .concat(),
    )
}

#[test]
fn the_measurement_is_pcr_0_1_and_2() {
    let (module, nitro) = Module::booted([]);
    assert_eq!(nitro.measurement(), [[1; 48], [2; 48], [3; 48]].concat());
    assert_eq!(nitro.root_id(), Some(AWS_NITRO_ROOT_ID));
    let requests = module.requests.lock().unwrap();
    assert_eq!(
        requests.as_slice(),
        [0, 1, 2].map(|index| [b"\xa1\x6bDescribePCR\xa1\x65index".as_slice(), &[index]].concat())
    );
}

#[test]
fn the_document_is_asked_for_with_the_report_data_as_user_data() {
    let (module, nitro) = Module::booted([document()]);
    let evidence = nitro.quote(&[9; 64]).unwrap();
    assert_eq!(evidence.kind(), TeeKind::Nitro);
    assert_eq!(evidence.quote(), [0x84; 300]);
    assert_eq!(evidence.parts().count(), 1);
    let expected = [
        b"\xa1\x6bAttestation\xa3\x69user_data\x58\x40".as_slice(),
        &[9; 64],
        b"\x65nonce\xf6\x6apublic_key\xf6",
    ]
    .concat();
    assert_eq!(module.requests.lock().unwrap()[3], expected);
    assert!(nitro.sealing_key(b"a").unwrap().is_none());
}

#[test]
fn an_error_of_the_module_is_passed_on_by_name() {
    let (_, nitro) = Module::booted([Answer::Bytes(b"\xa1\x65Error\x6fInvalidArgument".to_vec())]);
    let error = nitro.quote(&[9; 64]).unwrap_err();
    assert!(matches!(error, TeeError::Nsm(code) if code == "InvalidArgument"));
}

#[test]
fn a_malformed_answer_is_refused() {
    for bytes in [
        &b""[..],
        b"\xa0",
        b"\x69GetRandom",
        // Of another operation.
        b"\xa1\x69GetRandom\xa1\x66random\x41\x00",
        // The field is missing, is of another type, runs past the end, or is empty.
        b"\xa1\x6bAttestation\xa0",
        b"\xa1\x6bAttestation\xa1\x68document\x63abc",
        b"\xa1\x6bAttestation\xa1\x68document\x58\xff\x00",
        b"\xa1\x6bAttestation\xa1\x68document\x40",
        // A variant without contents, an error without a code.
        b"\xa1\x6bAttestation",
        b"\xa1\x65Error\x01",
        b"\xa1\x65Error",
    ] {
        let (_, nitro) = Module::booted([Answer::Bytes(bytes.to_vec())]);
        let error = nitro.quote(&[9; 64]).unwrap_err();
        assert!(
            matches!(error, TeeError::Malformed { .. }),
            "{bytes:x?}: {error}"
        );
    }
}

#[test]
fn every_truncation_of_an_answer_is_refused() {
    let Answer::Bytes(whole) = document() else {
        unreachable!()
    };
    for length in 0..whole.len() {
        let (_, nitro) = Module::booted([Answer::Bytes(whole[..length].to_vec())]);
        assert!(nitro.quote(&[9; 64]).is_err(), "{length}");
    }
}

#[test]
fn an_answer_longer_than_the_interface_allows_arrives_cut_and_is_refused() {
    let head = b"\xa1\x6bAttestation\xa1\x68document\x59\x40\x00";
    let long = [head.as_slice(), &[0; 0x4000]].concat();
    let (_, nitro) = Module::booted([Answer::Bytes(long)]);
    assert!(matches!(
        nitro.quote(&[9; 64]),
        Err(TeeError::Malformed { .. })
    ));
}

#[test]
fn what_the_driver_says_is_passed_on() {
    let (_, nitro) = Module::booted([Answer::Errno(110)]);
    let error = nitro.quote(&[9; 64]).unwrap_err();
    assert!(matches!(
        error,
        TeeError::Kernel { action: "call", source, .. } if source.raw_os_error() == Some(110)
    ));
}

#[test]
fn a_pcr_that_is_not_sha_384_keeps_the_enclave_from_starting() {
    let head = b"\xa1\x6bDescribePCR\xa2\x64lock\xf5\x64data\x58\x20";
    let short = Answer::Bytes([head.as_slice(), &[0; 32]].concat());
    assert!(matches!(
        Nitro::open(Box::new(Module::answers([short]))),
        Err(TeeError::Malformed { .. })
    ));
}

#[test]
fn randomness_takes_as_much_of_the_module_as_it_needs() {
    let (module, nitro) = Module::booted([random(16, 1), random(16, 2), random(16, 3)]);
    let mut bytes = [0; 40];
    nitro.random(&mut bytes).unwrap();
    assert_ne!(bytes, [0; 40]);
    assert!(module.answers.lock().unwrap().is_empty());
    assert_eq!(module.requests.lock().unwrap()[3], b"\x69GetRandom");
}

#[test]
fn a_module_without_randomness_is_an_error_and_not_a_loop() {
    let (_, nitro) = Module::booted([random(0, 0)]);
    assert!(nitro.random(&mut [0; 32]).is_err());
    let (_, nitro) = Module::booted([Answer::Errno(5)]);
    assert!(nitro.random(&mut [0; 32]).is_err());
}

#[test]
fn lengths_are_written_in_their_shortest_form() {
    for (length, head) in [
        (0, &[0x40][..]),
        (23, &[0x57]),
        (24, &[0x58, 24]),
        (255, &[0x58, 255]),
        (256, &[0x59, 1, 0]),
        (65_536, &[0x5a, 0, 1, 0, 0]),
    ] {
        let bytes = request(|to| to.bytes(&vec![0; length])).unwrap();
        assert_eq!(bytes[..head.len()], *head);
        assert_eq!(bytes.len(), head.len() + length);
    }
}

#[test]
fn a_length_beyond_the_message_is_refused_before_anything_is_allocated() {
    for value in [
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
        &[0x59, 1, 0],
        &[0x59, 1],
        &[0x5f, 0x41, 0, 0xff],
        &[],
    ] {
        for name in [b'x', b'y'] {
            let bytes = [&[0xa1, 0x61, name], value].concat();
            let found = byte_string(&mut Decoder::new(&bytes), "x");
            assert_eq!(found, None, "{bytes:x?}");
        }
    }
    let endless = [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(byte_string(&mut Decoder::new(&endless), "x"), None);
}

#[test]
fn fields_beside_the_wanted_one_are_skipped_if_they_are_scalars() {
    for other in [
        &b"\x62hi"[..],
        b"\x05",
        b"\x19\x01\x00",
        b"\xf5",
        b"\xf6",
        b"\x41\x00",
    ] {
        let bytes = [b"\xa2\x61y", other, b"\x61x\x42\x01\x02"].concat();
        let found = byte_string(&mut Decoder::new(&bytes), "x");
        assert_eq!(found, Some(&[1, 2][..]), "{bytes:x?}");
    }
    for other in [&b"\x20"[..], b"\x80", b"\xa0", b"\xc1\x00", b"\x7f\xff"] {
        let bytes = [b"\xa2\x61y", other, b"\x61x\x42\x01\x02"].concat();
        assert_eq!(
            byte_string(&mut Decoder::new(&bytes), "x"),
            None,
            "{bytes:x?}"
        );
    }
}
