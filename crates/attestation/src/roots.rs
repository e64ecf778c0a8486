// SPDX-License-Identifier: Apache-2.0
//! The roots of trust this build knows, and those a policy adds. Which of them is *accepted* is a
//! policy's decision.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// The pinned certificate (X.509, DER) of `root_id`, if this build knows it.
pub fn root_certificate(root_id: B256) -> Option<&'static [u8]> {
    BUILT_IN
        .iter()
        .find(|root| root.id == root_id)
        .map(|root| root.certificate.as_slice())
}

/// A root of trust: its certificate and the id that follows from its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Root {
    id: B256,
    name: String,
    certificate: Vec<u8>,
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
            name: tbs.subject().to_string(),
            validity: {
                let validity = tbs.validity();
                let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
                seconds(&validity.not_before)..=seconds(&validity.not_after)
            },
            certificate: certificate.to_der().map_err(|error| malformed(&error))?,
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
        self.iter().find(|root| root.certificate == certificate)
    }

    pub(crate) fn name(self, id: B256) -> String {
        match self.iter().find(|root| root.id == id) {
            Some(root) => format!("{} ({id})", root.name),
            None => format!("unknown root ({id})"),
        }
    }
}

/// AMD's intermediate certificates (ASK), DER, for evidence that brings only its own.
pub(crate) fn amd_intermediates() -> &'static [Vec<u8>] {
    &AMD_INTERMEDIATES
}

static BUILT_IN: LazyLock<Vec<Root>> = LazyLock::new(|| {
    let mut roots = vec![
        built_in("Intel SGX Root CA", include_bytes!("roots/intel-sgx.der")),
        built_in(
            "AWS Nitro Enclaves root G1",
            include_bytes!("roots/aws-nitro.der"),
        ),
        built_in("development root", include_bytes!("roots/development.der")),
    ];
    roots.extend(
        AMD.iter()
            .filter_map(|(name, chain)| Some(built_in(name, chain_of(chain).get(1)?))),
    );
    roots
});

static AMD_INTERMEDIATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    AMD.iter()
        .filter_map(|(_, chain)| chain_of(chain).into_iter().next())
        .collect()
});

fn built_in(name: &str, certificate: &[u8]) -> Root {
    let named = |root| Root {
        name: name.to_owned(),
        ..root
    };
    // A test holds every built-in certificate to its id, so that none can fail to parse.
    Root::from_certificate(certificate).map_or_else(
        |_| Root {
            id: B256::ZERO,
            name: name.to_owned(),
            certificate: Vec::new(),
            validity: 0..=0,
        },
        named,
    )
}

/// ASK and ARK, DER, of a chain as AMD's key distribution service gives it out.
fn chain_of(pem: &str) -> Vec<Vec<u8>> {
    Certificate::load_pem_chain(pem.as_bytes())
        .unwrap_or_default()
        .iter()
        .filter_map(|certificate| certificate.to_der().ok())
        .collect()
}

const AMD: [(&str, &str); 3] = [
    ("ARK-Milan", include_str!("roots/amd-milan.pem")),
    ("ARK-Genoa", include_str!("roots/amd-genoa.pem")),
    ("ARK-Turin", include_str!("roots/amd-turin.pem")),
];
const MAX_ROOT_BYTES: usize = 8 * 1024;
const DER_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use subrosa_evidence::{
        AMD_GENOA_ROOT_ID, AMD_MILAN_ROOT_ID, AMD_TURIN_ROOT_ID, AWS_NITRO_ROOT_ID,
        DEVELOPMENT_ROOT_ID, INTEL_SGX_ROOT_ID,
    };

    use super::*;

    #[test]
    fn built_in_roots_have_the_published_keys() {
        let ids: Vec<B256> = Roots::with(&[]).iter().map(Root::id).collect();
        assert_eq!(
            ids,
            [
                INTEL_SGX_ROOT_ID,
                AWS_NITRO_ROOT_ID,
                DEVELOPMENT_ROOT_ID,
                AMD_MILAN_ROOT_ID,
                AMD_GENOA_ROOT_ID,
                AMD_TURIN_ROOT_ID
            ]
        );
        assert_eq!(amd_intermediates().len(), 3);
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
