// SPDX-License-Identifier: Apache-2.0
//! Headers that are vouched for, and their ancestors.

use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Decodable, Encodable};
use subrosa_types::{entry::FinalityClass, frame::HeaderFrame};

use crate::{
    bounds::{MAX_ANCESTORS, MAX_HEADER_BYTES},
    error::ProofError,
    trust::HeaderTrust,
};

/// Verifies a header and the ancestors given with it.
///
/// Lengths and count are checked before anything is decoded. Each header must be the canonical
/// RLP of an Ethereum header (any fork's fields), and is identified by the keccak256 of exactly
/// the bytes given.
///
/// # Errors
///
/// [`ProofError`]: bounds, then encoding and header trust of the trusted header, then encoding,
/// parent hash and number of each ancestor.
pub fn verify_header(
    trust: &dyn HeaderTrust,
    frame: &HeaderFrame,
) -> Result<ProvenHeaders, ProofError> {
    if frame.ancestors.len() > MAX_ANCESTORS {
        return Err(ProofError::TooManyAncestors(frame.ancestors.len()));
    }
    let all = || core::iter::once(&frame.trusted).chain(&frame.ancestors);
    if let Some((depth, header)) = all()
        .enumerate()
        .find(|(_, header)| header.len() > MAX_HEADER_BYTES)
    {
        return Err(ProofError::HeaderTooLarge {
            depth,
            bytes: header.len(),
        });
    }

    let (header, hash) = decode(&frame.trusted, 0)?;
    let class = trust.verify(&header, hash, &frame.witness)?;
    let trusted = ProvenHeader::new(&header, hash, class);

    let mut target = trusted;
    for (index, rlp) in frame.ancestors.iter().enumerate() {
        let depth = index + 1;
        let (header, hash) = decode(rlp, depth)?;
        if hash != target.parent_hash {
            return Err(ProofError::ParentHash {
                depth,
                expected: target.parent_hash,
                found: hash,
            });
        }
        if header.number.checked_add(1) != Some(target.number) {
            return Err(ProofError::ParentNumber {
                depth,
                child: target.number,
                found: header.number,
            });
        }
        target = ProvenHeader::new(&header, hash, class);
    }
    Ok(ProvenHeaders { trusted, target })
}

/// The header that was vouched for and the ancestor of interest, from [`verify_header`].
///
/// No public constructor: holding one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenHeaders {
    trusted: ProvenHeader,
    target: ProvenHeader,
}

impl ProvenHeaders {
    /// The header that header trust vouches for; the anchor.
    pub fn trusted(&self) -> ProvenHeader {
        self.trusted
    }

    /// The last ancestor, or the trusted header itself if there are none.
    pub fn target(&self) -> ProvenHeader {
        self.target
    }
}

/// What is known of one block of the chain.
///
/// No public constructor: holding one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenHeader {
    number: u64,
    hash: B256,
    parent_hash: B256,
    state_root: B256,
    timestamp: u64,
    class: FinalityClass,
}

impl ProvenHeader {
    fn new(header: &Header, hash: B256, class: FinalityClass) -> Self {
        Self {
            number: header.number,
            hash,
            parent_hash: header.parent_hash,
            state_root: header.state_root,
            timestamp: header.timestamp,
            class,
        }
    }

    /// Block number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// keccak256 of the header.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Hash of the block before.
    pub fn parent_hash(&self) -> B256 {
        self.parent_hash
    }

    /// Root of the state trie after the block.
    pub fn state_root(&self) -> B256 {
        self.state_root
    }

    /// Unix seconds, as the block says.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// How finally the block is part of the chain: what header trust says of the header it vouches
    /// for, and for an ancestor what it says of the descendant.
    pub fn class(&self) -> FinalityClass {
        self.class
    }
}

/// Decodes one header strictly: encoding it again must give the same bytes, so that no byte of it
/// goes uninterpreted.
fn decode(rlp: &[u8], depth: usize) -> Result<(Header, B256), ProofError> {
    let malformed = ProofError::MalformedHeader { depth };
    let mut rest = rlp;
    let Ok(header) = Header::decode(&mut rest) else {
        return Err(malformed);
    };
    let mut again = Vec::with_capacity(rlp.len());
    header.encode(&mut again);
    if again != rlp {
        return Err(malformed);
    }
    Ok((header, keccak256(rlp)))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B64, Bytes, U256};
    use proptest::prelude::*;

    use super::*;
    use crate::HostAsserted;

    /// A header of every fork: `fields` of the optional ones are present.
    fn header(number: u64, parent: B256, fields: usize) -> Header {
        Header {
            parent_hash: parent,
            number,
            difficulty: U256::from(number) << 40,
            timestamp: number.wrapping_add(1_700_000_000),
            state_root: B256::repeat_byte(number as u8),
            extra_data: Bytes::from_static(b"extra"),
            nonce: B64::repeat_byte(9),
            base_fee_per_gas: (fields > 0).then_some(7),
            withdrawals_root: (fields > 1).then_some(B256::repeat_byte(2)),
            blob_gas_used: (fields > 2).then_some(0),
            excess_blob_gas: (fields > 3).then_some(131_072),
            parent_beacon_block_root: (fields > 4).then_some(B256::repeat_byte(3)),
            requests_hash: (fields > 5).then_some(B256::repeat_byte(4)),
            block_access_list_hash: (fields > 6).then_some(B256::repeat_byte(5)),
            slot_number: (fields > 7).then_some(1 << 40),
            ..Header::default()
        }
    }

    /// A chain of `length` headers, newest first, as a frame.
    fn chain(length: u64, fields: usize) -> HeaderFrame {
        let mut parent = B256::ZERO;
        let mut headers = Vec::new();
        for number in 0..length {
            let rlp = alloy_rlp::encode(header(number, parent, fields));
            parent = keccak256(&rlp);
            headers.push(Bytes::from(rlp));
        }
        headers.reverse();
        let trusted = headers.remove(0);
        HeaderFrame {
            trusted,
            witness: Bytes::new(),
            ancestors: headers,
        }
    }

    #[test]
    fn headers_of_every_fork_keep_their_hash() {
        for fields in 0..=8 {
            let frame = chain(1, fields);
            let proven = verify_header(&HostAsserted, &frame).unwrap();
            assert_eq!(proven.target().hash(), keccak256(&frame.trusted));
            assert_eq!(proven.target(), proven.trusted());
        }
    }

    #[test]
    fn the_target_is_the_last_ancestor() {
        let frame = chain(20, 6);
        let proven = verify_header(&HostAsserted, &frame).unwrap();
        assert_eq!(proven.trusted().number(), 19);
        assert_eq!(proven.target().number(), 0);
        assert_eq!(proven.target().timestamp(), 1_700_000_000);
        assert_eq!(proven.target().class(), FinalityClass::HostAsserted);
    }

    #[test]
    fn a_parent_with_a_wrong_number_is_rejected() {
        for number in [0, 1, 3, u64::MAX] {
            let parent = alloy_rlp::encode(header(number, B256::ZERO, 6));
            let child = alloy_rlp::encode(header(2, keccak256(&parent), 6));
            let frame = HeaderFrame {
                trusted: child.into(),
                witness: Bytes::new(),
                ancestors: vec![parent.into()],
            };
            let verdict = verify_header(&HostAsserted, &frame).map(|_| ());
            let expected = ProofError::ParentNumber {
                depth: 1,
                child: 2,
                found: number,
            };
            assert_eq!(verdict, if number == 1 { Ok(()) } else { Err(expected) });
        }
    }

    #[test]
    fn bounds_come_before_decoding() {
        let mut frame = chain(1, 6);
        frame.ancestors = vec![Bytes::new(); MAX_ANCESTORS + 1];
        assert_eq!(
            verify_header(&HostAsserted, &frame),
            Err(ProofError::TooManyAncestors(MAX_ANCESTORS + 1))
        );
        frame.ancestors = vec![vec![0; MAX_HEADER_BYTES + 1].into()];
        assert_eq!(
            verify_header(&HostAsserted, &frame),
            Err(ProofError::HeaderTooLarge {
                depth: 1,
                bytes: MAX_HEADER_BYTES + 1
            })
        );
    }

    #[test]
    fn the_longest_chain_of_ancestors_is_accepted() {
        let frame = chain(MAX_ANCESTORS as u64 + 1, 6);
        assert_eq!(frame.ancestors.len(), MAX_ANCESTORS);
        let proven = verify_header(&HostAsserted, &frame).unwrap();
        assert_eq!(proven.target().number(), 0);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_malformed(bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
            prop_assert_eq!(
                decode(&bytes, 3).unwrap_err(),
                ProofError::MalformedHeader { depth: 3 }
            );
        }

        #[test]
        fn whatever_decodes_hashes_to_its_own_bytes(
            at in 0usize..650, byte in any::<u8>(), fields in 0usize..=8,
        ) {
            let mut rlp = alloy_rlp::encode(header(5, B256::ZERO, fields));
            let at = at % rlp.len();
            rlp[at] = byte;
            if let Ok((header, hash)) = decode(&rlp, 0) {
                prop_assert_eq!(hash, header.hash_slow());
            }
        }
    }
}
