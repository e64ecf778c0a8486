// SPDX-License-Identifier: Apache-2.0
//! COSE_Sign1 (RFC 9052, section 4.2) as the Nitro hypervisor writes it.

use alloc::vec::Vec;

use coset::{
    CborSerializable, CoseSign1, SignatureContext, TaggedCborSerializable, sig_structure_data,
};

use crate::failure::Failure;

/// A signed payload whose signature nobody has verified yet.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The attestation document, 1 to 16384 bytes.
    pub(super) payload: Vec<u8>,
    /// ECDSA on P-384: r ‖ s.
    pub(super) signature: [u8; SIGNATURE_BYTES],
    /// What is signed: the encoded Sig_structure (RFC 9052, section 4.4).
    pub(super) signed: Vec<u8>,
}

impl Envelope {
    /// Reads one COSE_Sign1, tagged or not, whose protected header is `{1: -35}` (ES384) and
    /// nothing else, and whose unprotected header is empty.
    ///
    /// Nothing outside the payload is signed but the protected header, so all of it has one
    /// accepted form: definite lengths, shortest integers, nothing behind. What is left open is
    /// the tag and which of its two signatures the signer chose.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let untagged = bytes.strip_prefix(&TAG).unwrap_or(bytes);
        let message = CoseSign1::from_slice(untagged)
            .map_err(|error| Failure::format("a COSE_Sign1 message", error))?;
        let protected = message.protected.original_data.as_deref();
        if protected != Some(&ES384[..]) {
            return Err(Failure::format(
                "the protected header {1: -35} (ES384)",
                hex::encode(protected.unwrap_or_default()),
            ));
        }
        if !message.unprotected.is_empty() {
            return Err(Failure::format(
                "an empty unprotected header",
                "an unprotected header with parameters",
            ));
        }
        let canonical = message
            .clone()
            .to_vec()
            .map_err(|error| Failure::format("a COSE_Sign1 message", error))?;
        if canonical != untagged {
            return Err(Failure::format(
                "a COSE_Sign1 message in preferred serialization",
                "another encoding of the same message",
            ));
        }
        let payload = message.payload.unwrap_or_default();
        if !(1..=MAX_PAYLOAD_BYTES).contains(&payload.len()) {
            return Err(Failure::format(
                format_args!("a payload of 1 to {MAX_PAYLOAD_BYTES} bytes"),
                format_args!("{} bytes", payload.len()),
            ));
        }
        let signature = message.signature.as_slice().try_into().map_err(|_| {
            Failure::format(
                format_args!("a signature of {SIGNATURE_BYTES} bytes"),
                format_args!("{} bytes", message.signature.len()),
            )
        })?;
        Ok(Self {
            signed: sig_structure_data(
                SignatureContext::CoseSign1,
                message.protected,
                None,
                &[],
                &payload,
            ),
            payload,
            signature,
        })
    }
}

/// The head of tag 18, `COSE_Sign1_Tagged`.
const TAG: [u8; 1] = {
    assert!(CoseSign1::TAG == 18);
    [0xc0 | 18]
};
/// `{1: -35}`, the only protected header.
const ES384: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];
const SIGNATURE_BYTES: usize = 96;
const MAX_PAYLOAD_BYTES: usize = 16384;

#[cfg(test)]
mod tests {
    use super::*;

    /// `[h'a1013822', {}, h'00', h'11…11']`
    fn smallest() -> Vec<u8> {
        [
            &[0x84, 0x44][..],
            &ES384,
            &[0xa0, 0x41, 0x00, 0x58, 96],
            &[0x11; 96],
        ]
        .concat()
    }

    fn expected(bytes: &[u8]) -> String {
        Envelope::parse(bytes).unwrap_err().expected
    }

    #[test]
    fn the_signed_structure_is_that_of_the_rfc() {
        let envelope = Envelope::parse(&smallest()).unwrap();
        let signed = [
            &[0x84, 0x6a][..],
            b"Signature1",
            &[0x44],
            &ES384,
            &[0x40, 0x41, 0x00],
        ]
        .concat();
        assert_eq!(envelope.signed, signed);
        assert_eq!(envelope.payload, [0]);
        assert_eq!(envelope.signature, [0x11; 96]);
    }

    #[test]
    fn the_tag_is_optional_and_is_given_once() {
        let tagged = [&[0xd2], &smallest()[..]].concat();
        assert!(Envelope::parse(&tagged).is_ok());
        let other = [&[0xd1], &smallest()[..]].concat();
        assert_eq!(expected(&other), "a COSE_Sign1 message");
        let twice = [&[0xd2], &tagged[..]].concat();
        assert_eq!(expected(&twice), "a COSE_Sign1 message");
    }

    #[test]
    fn every_prefix_and_every_suffix_is_refused() {
        let bytes = smallest();
        for end in 0..bytes.len() {
            assert!(Envelope::parse(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(expected(&longer), "a COSE_Sign1 message");
    }

    #[test]
    fn one_message_has_one_encoding() {
        let preferred = "a COSE_Sign1 message in preferred serialization";
        let bytes = smallest();
        let long_array = [&[0x98, 4], &bytes[1..]].concat();
        assert_eq!(expected(&long_array), preferred);
        let open_array = [&[0x9f], &bytes[1..], &[0xff]].concat();
        assert_eq!(expected(&open_array), preferred);
        let open_header = [&bytes[..6], &[0xbf, 0xff], &bytes[7..]].concat();
        assert_eq!(expected(&open_header), preferred);
        let open_payload = [&bytes[..7], &[0x5f, 0x41, 0x00, 0xff], &bytes[9..]].concat();
        assert_eq!(expected(&open_payload), preferred);
        let long_payload = [&bytes[..7], &[0x58, 1, 0], &bytes[9..]].concat();
        assert_eq!(expected(&long_payload), preferred);
    }

    #[test]
    fn the_payload_is_within_its_bounds() {
        let with = |payload: usize| {
            let length = u16::try_from(payload).unwrap().to_be_bytes();
            let bytes = smallest();
            [
                &bytes[..7],
                &[0x59],
                &length,
                &vec![7; payload],
                &bytes[9..],
            ]
            .concat()
        };
        assert!(Envelope::parse(&with(MAX_PAYLOAD_BYTES)).is_ok());
        assert_eq!(
            expected(&with(MAX_PAYLOAD_BYTES + 1)),
            "a payload of 1 to 16384 bytes"
        );
        let bytes = smallest();
        for none in [0x40, 0xf6] {
            let empty = [&bytes[..7], &[none], &bytes[9..]].concat();
            assert_eq!(expected(&empty), "a payload of 1 to 16384 bytes");
        }
    }
}
