// SPDX-License-Identifier: Apache-2.0
//! The way from a leaf certificate to a root.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};

use super::items::bounded;
use super::step::Step;
use super::{Item, PathFault, list};
use crate::roots::Root;

/// Most certificates between leaf and root.
pub(crate) const MAX_INTERMEDIATES: usize = 4;

/// A path that was verified.
#[derive(Clone, Debug)]
pub(crate) struct Path<'a> {
    /// Where it ends.
    pub(crate) root: &'a Root,
    /// Every certificate, the leaf first, the root last.
    pub(crate) certificates: Vec<Item>,
    /// Every revocation list that covers one of them.
    pub(crate) lists: Vec<Item>,
    /// When the first certificate or list runs out, Unix seconds.
    pub(crate) expires: u64,
}

/// Verifies that `leaf` (DER, not a CA) hangs from one of `roots` through any of `intermediates`
/// (DER, any order, at most [`MAX_INTERMEDIATES`]: paths are searched among all orders of those
/// that name one another, and strangers choose the names) as of `now` (Unix seconds).
///
/// Each of `lists` (DER) whose issuer is on the path must be signed by that issuer, be in force and
/// name no certificate of the path; one of a stranger is left aside and is not in [`Path::lists`].
///
/// # Errors
///
/// [`PathFault`].
pub(crate) fn verify<'a>(
    leaf: &[u8],
    intermediates: &[&[u8]],
    roots: impl Iterator<Item = &'a Root>,
    lists: &[Vec<u8>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    now: u64,
) -> Result<Path<'a>, PathFault> {
    if intermediates.len() > MAX_INTERMEDIATES {
        return Err(PathFault::TooMany("intermediate certificates"));
    }
    bounded(lists.len(), "revocation lists")?;
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(PathFault::from)?;
    let intermediates: Vec<CertificateDer<'_>> = intermediates
        .iter()
        .map(|der| CertificateDer::from(*der))
        .collect();
    let roots: Vec<(&Root, CertificateDer<'_>)> = roots
        .map(|root| (root, CertificateDer::from(root.certificate())))
        .collect();
    let (roots, anchors): (Vec<&Root>, Vec<TrustAnchor<'_>>) = roots
        .iter()
        .filter_map(|(root, der)| Some((*root, anchor_from_trusted_cert(der).ok()?)))
        .unzip();
    let path = leaf
        .verify_for_usage(
            algorithms,
            &anchors,
            &intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(now)),
            AnyPurpose,
            None,
            None,
        )
        .map_err(PathFault::from)?;
    let root = roots
        .iter()
        .zip(&anchors)
        .find(|(_, anchor)| core::ptr::eq(*anchor, path.anchor()))
        .map(|(root, _)| *root)
        .ok_or(PathFault::UnknownIssuer)?;

    let mut steps = vec![Step::of(path.end_entity().der().as_ref())?];
    for certificate in path.intermediate_certificates() {
        steps.push(Step::of(certificate.der().as_ref())?);
    }
    steps.push(Step::of(root.certificate())?);
    if let Some(last) = steps.last() {
        last.in_force(now)?;
    }
    let lists = list::consult(&steps, lists, algorithms, now)?;
    let certificates: Vec<Item> = steps.into_iter().map(|step| step.item).collect();
    let expires = certificates
        .iter()
        .chain(&lists)
        .map(|item| item.expires)
        .min()
        .unwrap_or_default();
    Ok(Path {
        root,
        certificates,
        lists,
        expires,
    })
}

/// TEE vendors define no purpose of their own: whatever purposes a certificate states, what it is
/// for follows from its place under a root that signs nothing else.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        purposes.try_for_each(|purpose| purpose.map(drop))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::roots::Roots;
    use crate::x509::items::MAX_ITEMS;
    use crate::x509::{certificates, revocation_lists};

    const MILAN: &str = include_str!("../roots/amd-milan.pem");

    #[test]
    fn pem_and_der_are_the_same_certificates() {
        let pem = certificates(MILAN.as_bytes()).unwrap();
        assert_eq!(pem.len(), 2);
        assert_eq!(certificates(&pem.concat()).unwrap(), pem);
        assert_eq!(certificates(&[]).unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(revocation_lists(&[]).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_is_neither_pem_nor_der_is_malformed() {
        let der = certificates(MILAN.as_bytes()).unwrap().concat();
        for spoiled in [
            &der[..der.len() - 1],
            &[0x30, 0x80, 0, 0],
            b"certificate",
            &MILAN.as_bytes()[..100],
        ] {
            assert!(matches!(
                certificates(spoiled),
                Err(PathFault::Malformed(_))
            ));
        }
        assert!(matches!(
            revocation_lists(MILAN.as_bytes()),
            Err(PathFault::Malformed(_))
        ));
    }

    #[test]
    fn no_more_than_the_limit_is_read() {
        let many = |count| [0x30, 0].repeat(count);
        assert_eq!(certificates(&many(MAX_ITEMS)).unwrap().len(), MAX_ITEMS);
        assert_eq!(
            certificates(&many(MAX_ITEMS + 1)),
            Err(PathFault::TooMany("certificates"))
        );
        let pem = MILAN.repeat(MAX_ITEMS / 2 + 1);
        assert_eq!(
            certificates(pem.as_bytes()),
            Err(PathFault::TooMany("certificates"))
        );
        let items = vec![vec![0x30, 0]; MAX_ITEMS + 1];
        let roots = || Roots::with(&[]).iter();
        let many: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        let verdict = verify(&[], &many[..=MAX_INTERMEDIATES], roots(), &[], &[], 0).map(drop);
        assert_eq!(
            verdict,
            Err(PathFault::TooMany("intermediate certificates"))
        );
        let verdict = verify(&[], &[], roots(), &items, &[], 0).map(drop);
        assert_eq!(verdict, Err(PathFault::TooMany("revocation lists")));
    }

    #[test]
    fn an_authority_is_no_leaf() {
        let ask = certificates(MILAN.as_bytes()).unwrap().remove(0);
        let verdict = verify(&ask, &[], Roots::with(&[]).iter(), &[], &[], 1_700_000_000);
        assert!(matches!(verdict, Err(PathFault::Other(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let der = tlv(&bytes);
            for bytes in [&bytes, &der] {
                let _ = certificates(bytes);
                let _ = revocation_lists(bytes);
                let lists = [bytes.clone()];
                let _ = verify(bytes, &[bytes], Roots::with(&[]).iter(), &lists, &[], 0).map(drop);
            }
        }
    }

    fn tlv(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82], &length[..], content].concat()
    }
}
