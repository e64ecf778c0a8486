// SPDX-License-Identifier: Apache-2.0
//! The certificate table that an SEV-SNP host hands to its guest.
//!
//! Source: SEV-ES Guest-Hypervisor Communication Block Standardization (AMD 56421), revision 2.03,
//! SNP Extended Guest Request: entries of GUID (16 bytes), offset and length (u32, little-endian), closed by
//! an entry of zeros; offsets count from the beginning of the table.

use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::x509;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// Certificates, DER: VCEK, VLEK, ASK, ARK.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Revocation lists, DER.
    pub(super) lists: Vec<Vec<u8>>,
}

impl Table {
    /// Reads a table. Entries of GUIDs that AMD does not define are left out: hosts add their own.
    ///
    /// # Errors
    ///
    /// What is wrong: no closing entry within [`MAX_ENTRIES`], an entry outside of the table, or a
    /// certificate or list that is neither PEM nor DER.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut table = Self::default();
        let mut rest = bytes;
        for _ in 0..MAX_ENTRIES {
            let (entry, after) = rest
                .split_first_chunk::<ENTRY_BYTES>()
                .ok_or("no closing entry")?;
            rest = after;
            if *entry == [0; ENTRY_BYTES] {
                return Ok(table);
            }
            let [guid @ .., o0, o1, o2, o3, l0, l1, l2, l3] = *entry;
            let offset = u32::from_le_bytes([o0, o1, o2, o3]);
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            let content = usize::try_from(offset)
                .ok()
                .and_then(|offset| bytes.get(offset..))
                .and_then(|from| from.get(..usize::try_from(length).ok()?))
                .ok_or_else(|| format!("an entry at {offset} of {length} bytes"))?;
            let fault = |error: x509::PathFault| error.to_string();
            if CERTIFICATES.contains(&guid) {
                table
                    .certificates
                    .extend(x509::certificates(content).map_err(fault)?);
            } else if guid == CRL {
                table
                    .lists
                    .extend(x509::revocation_lists(content).map_err(fault)?);
            }
        }
        Err(format!("more than {MAX_ENTRIES} entries"))
    }
}

const MAX_ENTRIES: usize = 16;
const ENTRY_BYTES: usize = 24;

/// GUIDs, their bytes in the order in which they are written down (RFC 9562).
const CERTIFICATES: [[u8; 16]; 4] = [VCEK, VLEK, ASK, ARK];
/// 63da758d-e664-4564-adc5-f4b93be8accd
const VCEK: [u8; 16] = 0x63da758d_e664_4564_adc5_f4b93be8accd_u128.to_be_bytes();
/// a8074bc2-a25a-483e-aae6-39c045a0b8a1
const VLEK: [u8; 16] = 0xa8074bc2_a25a_483e_aae6_39c045a0b8a1_u128.to_be_bytes();
/// 4ab7b379-bbac-4fe4-a02f-05aef327c782, of the ASVK too
const ASK: [u8; 16] = 0x4ab7b379_bbac_4fe4_a02f_05aef327c782_u128.to_be_bytes();
/// c0b406a4-a803-4952-9743-3fb6014cd0ae
const ARK: [u8; 16] = 0xc0b406a4_a803_4952_9743_3fb6014cd0ae_u128.to_be_bytes();
/// 92f81bc3-5811-4d3d-97ff-d19f88dc67ea
const CRL: [u8; 16] = 0x92f81bc3_5811_4d3d_97ff_d19f88dc67ea_u128.to_be_bytes();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(entries: &[([u8; 16], u32, u32)], content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (guid, offset, length) in entries {
            bytes.extend(guid);
            bytes.extend(offset.to_le_bytes());
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend([0; ENTRY_BYTES]);
        bytes.extend(content);
        bytes
    }

    #[test]
    fn entries_are_found_by_their_guid() {
        let content = [0x30, 1, 7, 0x30, 0];
        let bytes = table(&[(VCEK, 96, 3), (CRL, 99, 2), ([9; 16], 96, 1)], &content);
        assert_eq!(
            Table::parse(&bytes),
            Ok(Table {
                certificates: vec![vec![0x30, 1, 7]],
                lists: vec![vec![0x30, 0]],
            })
        );
    }

    #[test]
    fn what_leaves_the_table_is_refused() {
        for (offset, length) in [(0, u32::MAX), (u32::MAX, 1), (48, 1), (49, 0)] {
            let bytes = table(&[(ASK, offset, length)], &[]);
            assert_eq!(
                Table::parse(&bytes),
                Err(format!("an entry at {offset} of {length} bytes"))
            );
        }
        assert_eq!(
            Table::parse(&[1; ENTRY_BYTES * 2 - 1]),
            Err("an entry at 16843009 of 16843009 bytes".to_owned())
        );
        let open = table(&[(ARK, 24, 0)], &[]);
        assert_eq!(
            Table::parse(&open[..40]),
            Err("no closing entry".to_owned())
        );
        let many = table(&[([9; 16], 0, 0); MAX_ENTRIES], &[]);
        assert_eq!(
            Table::parse(&many),
            Err(format!("more than {MAX_ENTRIES} entries"))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), guid in 0_usize..4) {
            let _ = Table::parse(&bytes);
            let named = [&CERTIFICATES[guid][..], &bytes].concat();
            let _ = Table::parse(&named);
        }
    }
}
