// SPDX-License-Identifier: Apache-2.0
//! Revocation lists (RFC 5280 section 5) against a certificate path.

use alloc::borrow::ToOwned;
use alloc::string::ToString;
use alloc::vec::Vec;

use rustls_pki_types::SignatureVerificationAlgorithm;
use x509_cert::crl::CertificateList;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader};
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::name::Name;

use super::fault::malformed;
use super::step::{Step, seconds, uris};
use super::{Item, PathFault};

/// Holds every list whose issuer is on the path against it; returns those that cover some of it.
pub(super) fn consult(
    steps: &[Step],
    lists: &[Vec<u8>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: u64,
) -> Result<Vec<Item>, PathFault> {
    let mut consulted = Vec::new();
    for der in lists {
        let list = List::parse(der)?;
        let Some(issuer) = steps
            .iter()
            .skip(1)
            .find(|step| step.subject() == list.issuer())
        else {
            continue;
        };
        if !issuer.signs_lists()? {
            return Err(PathFault::ListSignature);
        }
        list.signed_by(issuer, algorithms)?;
        if now < list.from || now >= list.to {
            return Err(PathFault::StaleList {
                from: list.from,
                to: list.to,
            });
        }
        let mut covered = false;
        for step in steps.iter().filter(|step| step.issuer() == list.issuer()) {
            // Whatever its declared scope: a list that its issuer signed and that names the
            // certificate revokes it.
            if list.names(step) {
                return Err(PathFault::Revoked(step.subject().to_string()));
            }
            covered |= step.subject() != step.issuer() && list.covers(step)?;
        }
        if covered {
            consulted.push(Item {
                der: der.clone(),
                expires: list.to,
            });
        }
    }
    Ok(consulted)
}

/// A revocation list.
struct List<'a> {
    list: CertificateList,
    /// The bytes that are signed.
    signed: &'a [u8],
    /// Contents of the signature's AlgorithmIdentifier.
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// The declared scope, if it is not everything that the issuer issued.
    scope: Option<IssuingDistributionPoint>,
    from: u64,
    to: u64,
}

impl<'a> List<'a> {
    /// RFC 5280 section 5.1, version 2; with `nextUpdate`, without which it would be in
    /// force for ever; neither a delta nor indirect nor about some reasons only, and without
    /// critical extensions that this module does not know.
    fn parse(der: &'a [u8]) -> Result<Self, PathFault> {
        let unsupported = |what: &str| PathFault::MalformedList(what.to_owned());
        let list = CertificateList::from_der(der).map_err(malformed_list)?;
        let (signed, algorithm, signature) = SliceReader::new(der)
            .and_then(|mut reader| {
                reader.sequence(|reader| {
                    let signed = reader.tlv_bytes()?;
                    let algorithm = AnyRef::decode(reader)?;
                    let signature = AnyRef::decode(reader)?;
                    Ok::<_, der::Error>((signed, algorithm, signature))
                })
            })
            .map_err(malformed_list)?;
        if list.tbs_cert_list.signature != list.signature_algorithm {
            return Err(unsupported("two signature algorithms"));
        }
        let mut scope = None;
        for extension in list.tbs_cert_list.crl_extensions.iter().flatten() {
            match extension.extn_id {
                ISSUING_DISTRIBUTION_POINT if scope.is_some() => {
                    return Err(unsupported("two scopes"));
                }
                ISSUING_DISTRIBUTION_POINT => {
                    let point = IssuingDistributionPoint::from_der(extension.extn_value.as_bytes())
                        .map_err(malformed_list)?;
                    if point.indirect_crl || point.only_some_reasons.is_some() {
                        return Err(unsupported("an indirect list, or one of some reasons"));
                    }
                    scope = Some(point);
                }
                DELTA_CRL_INDICATOR => return Err(unsupported("a delta list")),
                _ if extension.critical => {
                    return Err(unsupported("an unknown critical extension"));
                }
                _ => {}
            }
        }
        let entries = list.tbs_cert_list.revoked_certificates.iter().flatten();
        if entries
            .flat_map(|entry| entry.crl_entry_extensions.iter().flatten())
            .any(|extension| extension.critical)
        {
            return Err(unsupported("an unknown critical extension of an entry"));
        }
        let to = list
            .tbs_cert_list
            .next_update
            .ok_or_else(|| unsupported("no nextUpdate"))?;
        Ok(Self {
            signed,
            algorithm: algorithm.value(),
            // A bit string begins with the number of bits that its last byte leaves unused.
            signature: signature
                .value()
                .strip_prefix(&[0])
                .ok_or_else(|| unsupported("a signature of odd bits"))?,
            scope,
            from: seconds(&list.tbs_cert_list.this_update),
            to: seconds(&to),
            list,
        })
    }

    fn issuer(&self) -> &Name {
        &self.list.tbs_cert_list.issuer
    }

    /// Whether the serial number of `certificate` is on the list.
    fn names(&self, certificate: &Step) -> bool {
        let serial = certificate.certificate.tbs_certificate().serial_number();
        self.list
            .tbs_cert_list
            .revoked_certificates
            .iter()
            .flatten()
            .any(|entry| entry.serial_number == *serial)
    }

    fn signed_by(
        &self,
        issuer: &Step,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), PathFault> {
        let key = issuer
            .certificate
            .tbs_certificate()
            .subject_public_key_info();
        let kind = key.algorithm.to_der().map_err(malformed)?;
        let kind = AnyRef::try_from(kind.as_slice()).map_err(malformed)?;
        let bits = key.subject_public_key.raw_bytes();
        algorithms
            .iter()
            .filter(|algorithm| {
                algorithm.signature_alg_id().as_ref() == self.algorithm
                    && algorithm.public_key_alg_id().as_ref() == kind.value()
            })
            .find_map(|algorithm| {
                algorithm
                    .verify_signature(bits, self.signed, self.signature)
                    .ok()
            })
            .ok_or(PathFault::ListSignature)
    }

    /// Whether the list's scope includes `certificate`, whose issuer is the list's: it has none
    /// declared, or one that includes it and is published where the certificate says (RFC 5280
    /// section 5.2.5).
    fn covers(&self, certificate: &Step) -> Result<bool, PathFault> {
        let Some(scope) = &self.scope else {
            return Ok(true);
        };
        let ca = certificate.is_ca()?;
        if scope.only_contains_attribute_certs
            || (scope.only_contains_user_certs && ca)
            || (scope.only_contains_ca_certs && !ca)
        {
            return Ok(false);
        }
        let Some(point) = &scope.distribution_point else {
            return Ok(true);
        };
        let published = certificate.list_uris()?;
        Ok(uris(point).iter().any(|uri| published.contains(uri)))
    }
}

fn malformed_list(error: der::Error) -> PathFault {
    PathFault::MalformedList(error.to_string())
}

/// RFC 5280 section 5.2.5.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
/// RFC 5280 section 5.2.4.
const DELTA_CRL_INDICATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = List::parse(&bytes).map(drop);
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            let der = [&[0x30, 0x82], &length[..], &bytes].concat();
            let _ = List::parse(&der).map(drop);
        }
    }
}
