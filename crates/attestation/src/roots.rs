// SPDX-License-Identifier: Apache-2.0
//! The roots of trust this build knows, and those a policy adds. Which of them is *accepted* is a
//! policy's decision.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use core::fmt;
use core::ops::RangeInclusive;

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use subrosa_evidence::{
    AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
    DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID,
};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// The pinned certificate (X.509, DER) of `root_id`, if this build knows it.
pub fn root_certificate(root_id: B256) -> Option<&'static [u8]> {
    BUILT_IN
        .iter()
        .find(|root| root.id == root_id)
        .map(Root::certificate)
}

/// A root of trust: its certificate and the id that follows from its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Root {
    id: B256,
    name: Cow<'static, str>,
    certificate: Cow<'static, [u8]>,
    /// `notBefore` and `notAfter`, Unix seconds.
    validity: RangeInclusive<u64>,
}

/// Why a file is not a root of trust. Whoever gave it must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// Larger than any certificate.
    #[error("a root certificate of {0} bytes is larger than {MAX_ROOT_BYTES}")]
    TooLarge(usize),
    /// Not one X.509 certificate in DER or PEM.
    #[error("not an X.509 certificate in DER or PEM: {0}")]
    Certificate(String),
}

impl Root {
    /// Reads one X.509 certificate, DER or PEM, at most 8 KiB. That it is trusted is the caller's
    /// word alone.
    ///
    /// # Errors
    ///
    /// [`RootError`].
    pub fn from_certificate(bytes: &[u8]) -> Result<Self, RootError> {
        if bytes.len() > MAX_ROOT_BYTES {
            return Err(RootError::TooLarge(bytes.len()));
        }
        let malformed = |error: &dyn fmt::Display| RootError::Certificate(error.to_string());
        let certificate = if bytes.first() == Some(&DER_SEQUENCE) {
            Certificate::from_der(bytes).map_err(|error| malformed(&error))?
        } else {
            let chain = Certificate::load_pem_chain(bytes).map_err(|error| malformed(&error))?;
            let [certificate] = <[Certificate; 1]>::try_from(chain)
                .map_err(|chain| malformed(&format!("{} certificates", chain.len())))?;
            certificate
        };
        let tbs = certificate.tbs_certificate();
        let key = tbs
            .subject_public_key_info()
            .to_der()
            .map_err(|error| malformed(&error))?;
        Ok(Self {
            id: B256::from(<[u8; 32]>::from(Sha256::digest(key))),
            name: tbs.subject().to_string().into(),
            validity: {
                let validity = tbs.validity();
                let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
                seconds(&validity.not_before)..=seconds(&validity.not_after)
            },
            certificate: certificate
                .to_der()
                .map_err(|error| malformed(&error))?
                .into(),
        })
    }

    /// SHA-256 of the SubjectPublicKeyInfo (DER).
    pub fn id(&self) -> B256 {
        self.id
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the certificate is in force, Unix seconds.
    pub fn validity(&self) -> &RangeInclusive<u64> {
        &self.validity
    }

    /// The certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({}, {})", self.name, self.id)
    }
}

/// Every root that evidence may hang from: the built-in ones and a policy's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roots<'a> {
    added: &'a [Root],
}

impl<'a> Roots<'a> {
    pub(crate) fn with(added: &'a [Root]) -> Self {
        Self { added }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'a Root> {
        self.added.iter().chain(BUILT_IN.iter())
    }

    /// The root whose certificate is `certificate`, byte for byte.
    pub(crate) fn by_certificate(self, certificate: &[u8]) -> Option<&'a Root> {
        self.iter().find(|root| root.certificate() == certificate)
    }

    pub(crate) fn name(self, id: B256) -> String {
        match self.iter().find(|root| root.id == id) {
            Some(root) => format!("{} ({id})", root.name),
            None => format!("unknown root ({id})"),
        }
    }
}

/// AMD's intermediate certificates (ASK), DER, for evidence that brings only its own.
pub(crate) const AMD_INTERMEDIATES: [&[u8]; 3] = [
    include_bytes!("roots/ask-milan.der"),
    include_bytes!("roots/ask-genoa.der"),
    include_bytes!("roots/ask-turin.der"),
];

static BUILT_IN: [Root; 6] = [
    Root {
        id: INTEL_SGX_ROOT_ID,
        name: Cow::Borrowed("Intel SGX Root CA"),
        certificate: Cow::Borrowed(include_bytes!("roots/intel-sgx.der")),
        validity: 1_526_899_510..=2_524_607_999,
    },
    Root {
        id: AWS_NITRO_ROOT_ID,
        name: Cow::Borrowed("AWS Nitro Enclaves root G1"),
        certificate: Cow::Borrowed(include_bytes!("roots/aws-nitro.der")),
        validity: 1_572_269_285..=2_519_044_085,
    },
    Root {
        id: DEVELOPMENT_ROOT_ID,
        name: Cow::Borrowed("development root"),
        certificate: Cow::Borrowed(include_bytes!("roots/development.der")),
        validity: 1_767_225_600..=2_713_910_400,
    },
    Root {
        id: AMD_MILAN_ROOT_ID,
        name: Cow::Borrowed("ARK-Milan"),
        certificate: Cow::Borrowed(include_bytes!("roots/ark-milan.der")),
        validity: 1_603_387_385..=2_392_305_785,
    },
    Root {
        id: AMD_GENOA_ROOT_ID,
        name: Cow::Borrowed("ARK-Genoa"),
        certificate: Cow::Borrowed(include_bytes!("roots/ark-genoa.der")),
        validity: 1_643_211_277..=2_432_129_677,
    },
    Root {
        id: AMD_TURIN_ROOT_ID,
        name: Cow::Borrowed("ARK-Turin"),
        certificate: Cow::Borrowed(include_bytes!("roots/ark-turin.der")),
        validity: 1_684_180_992..=2_473_185_792,
    },
];

const MAX_ROOT_BYTES: usize = 8 * 1024;
const DER_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use subrosa_evidence::Product;

    use super::*;

    #[test]
    fn built_in_roots_are_what_their_certificates_say() {
        for root in Roots::with(&[]).iter() {
            let read = Root::from_certificate(root.certificate()).unwrap();
            assert_eq!(read.id, root.id, "{}", root.name);
            assert_eq!(read.validity, root.validity, "{}", root.name);
            assert_eq!(read.certificate, root.certificate, "{}", root.name);
        }
        for product in Product::ALL {
            assert!(root_certificate(product.root_id()).is_some(), "{product}");
        }
    }

    #[test]
    fn amd_certificates_are_those_of_the_published_chains() {
        let chains = [
            (include_str!("roots/amd-milan.pem"), AMD_MILAN_ROOT_ID),
            (include_str!("roots/amd-genoa.pem"), AMD_GENOA_ROOT_ID),
            (include_str!("roots/amd-turin.pem"), AMD_TURIN_ROOT_ID),
        ];
        for ((pem, root_id), intermediate) in chains.into_iter().zip(AMD_INTERMEDIATES) {
            let chain = Certificate::load_pem_chain(pem.as_bytes()).unwrap();
            let der: Vec<Vec<u8>> = chain.iter().map(|link| link.to_der().unwrap()).collect();
            assert_eq!(der, [intermediate, root_certificate(root_id).unwrap()]);
        }
    }

    #[test]
    fn what_is_no_certificate_is_no_root() {
        assert!(matches!(
            Root::from_certificate(&[0x30, 0]),
            Err(RootError::Certificate(_))
        ));
        assert!(matches!(
            Root::from_certificate(b"-----BEGIN CERTIFICATE-----"),
            Err(RootError::Certificate(_))
        ));
        assert!(matches!(
            Root::from_certificate(&vec![0x30; MAX_ROOT_BYTES + 1]),
            Err(RootError::TooLarge(_))
        ));
        let two = include_str!("roots/amd-milan.pem");
        assert!(matches!(
            Root::from_certificate(two.as_bytes()),
            Err(RootError::Certificate(_))
        ));
    }
}
