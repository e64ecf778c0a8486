// SPDX-License-Identifier: Apache-2.0
//! A TPM of our own: TPMS_ATTEST and TPMT_SIGNATURE, written independently of the code under test.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair};
use sha2::{Digest, Sha256};

pub(crate) const SHA1: u16 = 0x0004;
pub(crate) const SHA256: u16 = 0x000b;
pub(crate) const SHA384: u16 = 0x000c;
pub(crate) const RSASSA: u16 = 0x0014;
pub(crate) const RSAPSS: u16 = 0x0016;

/// What a TPM is about to sign. Every field can be spoiled.
#[derive(Clone)]
pub(crate) struct Attest {
    pub(crate) magic: u32,
    pub(crate) tag: u16,
    pub(crate) signer: Vec<u8>,
    pub(crate) extra: Vec<u8>,
    pub(crate) safe: u8,
    /// Hash of the bank, and the bits.
    pub(crate) selections: Vec<(u16, Vec<u8>)>,
    /// `None` is the digest of the selected values.
    pub(crate) digest: Option<Vec<u8>>,
    pub(crate) tail: Vec<u8>,
    /// The values in the SHA-256 bank, of PCR 0 to 23.
    pub(crate) pcrs: Vec<[u8; 32]>,
}

impl Attest {
    pub(crate) fn new(extra: &[u8]) -> Self {
        Self {
            magic: 0xff54_4347,
            tag: 0x8018,
            signer: [&SHA256.to_be_bytes()[..], &[0x51; 32]].concat(),
            extra: extra.to_vec(),
            safe: 1,
            selections: vec![(SHA256, vec![0xff; 3])],
            digest: None,
            tail: Vec::new(),
            pcrs: (0..24).map(|number| [0xa0 + number; 32]).collect(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_be_bytes().to_vec();
        bytes.extend(self.tag.to_be_bytes());
        bytes.extend(sized(&self.signer));
        bytes.extend(sized(&self.extra));
        bytes.extend(7_000u64.to_be_bytes());
        bytes.extend(3u32.to_be_bytes());
        bytes.extend(0u32.to_be_bytes());
        bytes.push(self.safe);
        bytes.extend(0x2020_0312_0012_0003u64.to_be_bytes());
        bytes.extend(u32::try_from(self.selections.len()).unwrap().to_be_bytes());
        for (hash, bits) in &self.selections {
            bytes.extend(hash.to_be_bytes());
            bytes.push(u8::try_from(bits.len()).unwrap());
            bytes.extend(bits);
        }
        let digest = self.digest.clone().unwrap_or_else(|| self.selected());
        bytes.extend(sized(&digest));
        bytes.extend(&self.tail);
        bytes
    }

    /// PCR values as the evidence brings them.
    pub(crate) fn values(&self) -> Vec<u8> {
        self.pcrs.concat()
    }

    fn selected(&self) -> Vec<u8> {
        let mut hasher = Sha256::new();
        for (_, bits) in &self.selections {
            for (number, value) in self.pcrs.iter().enumerate() {
                if bits
                    .get(number / 8)
                    .is_some_and(|byte| byte >> (number % 8) & 1 == 1)
                {
                    hasher.update(value);
                }
            }
        }
        hasher.finalize().to_vec()
    }
}

/// One of three RSA keys, made once for every run.
pub(crate) fn key(index: usize) -> &'static RsaKeyPair {
    static KEYS: OnceLock<[RsaKeyPair; 3]> = OnceLock::new();
    &KEYS.get_or_init(|| [(); 3].map(|()| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))[index]
}

/// The modulus of a key of 2,048 bits, out of its RSAPublicKey (RFC 8017, appendix A.1.1).
pub(crate) fn modulus(key: &RsaKeyPair) -> Vec<u8> {
    let der = key.public_key().as_ref();
    assert_eq!(hex::encode(&der[..9]), "3082010a0282010100");
    der[9..265].to_vec()
}

/// A signature without the structure around it.
pub(crate) fn sign(
    key: &RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

pub(crate) fn rsassa(key: &RsaKeyPair, message: &[u8]) -> Vec<u8> {
    tpmt(RSASSA, SHA256, &[&sign(key, &RSA_PKCS1_SHA256, message)])
}

/// TPMT_SIGNATURE.
pub(crate) fn tpmt(algorithm: u16, hash: u16, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = algorithm.to_be_bytes().to_vec();
    bytes.extend(hash.to_be_bytes());
    for field in fields {
        bytes.extend(sized(field));
    }
    bytes
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let mut sized = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    sized.extend(bytes);
    sized
}
