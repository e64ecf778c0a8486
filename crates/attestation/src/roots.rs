// SPDX-License-Identifier: Apache-2.0
//! The roots of trust this build knows. Which of them is *accepted* is a policy's decision.

use std::fmt;

use alloy_primitives::{B256, b256};

/// `rootId` of Intel's SGX Root CA, which signs SGX and TDX hardware: SHA-256 of its
/// SubjectPublicKeyInfo (DER).
pub const INTEL_SGX_ROOT_ID: B256 =
    b256!("a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e");

/// `rootId` of the development root, whose private key is public.
pub const DEVELOPMENT_ROOT_ID: B256 =
    b256!("5f18a1e34e91ef9649743f423dd57387014bf3e60ca49f7b51d8adfbcf70bfc4");

/// Whether `root_id` is the root of software evidence, which protects nothing.
pub fn is_development(root_id: B256) -> bool {
    root_id == DEVELOPMENT_ROOT_ID
}

/// The pinned certificate (X.509, DER) of `root_id`, if this build knows it.
pub fn root_certificate(root_id: B256) -> Option<&'static [u8]> {
    ROOTS
        .iter()
        .find(|root| root.id == root_id)
        .map(|root| root.certificate)
}

/// A pinned root.
pub(crate) struct Root {
    pub(crate) id: B256,
    pub(crate) name: &'static str,
    pub(crate) certificate: &'static [u8],
}

/// The root whose certificate is `certificate`, byte for byte.
pub(crate) fn root_by_certificate(certificate: &[u8]) -> Option<&'static Root> {
    ROOTS.iter().find(|root| root.certificate == certificate)
}

/// A root id with its name where it has one, for people.
pub(crate) struct Named(pub(crate) B256);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ROOTS.iter().find(|root| root.id == self.0) {
            Some(root) => write!(f, "{} ({})", root.name, self.0),
            None => write!(f, "unknown root ({})", self.0),
        }
    }
}

static ROOTS: [Root; 2] = [
    Root {
        id: INTEL_SGX_ROOT_ID,
        name: "Intel SGX Root CA",
        certificate: include_bytes!("roots/intel-sgx.der"),
    },
    Root {
        id: DEVELOPMENT_ROOT_ID,
        name: "development root",
        certificate: include_bytes!("roots/development.der"),
    },
];
