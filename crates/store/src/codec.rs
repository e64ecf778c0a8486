// SPDX-License-Identifier: Apache-2.0
//! Records as bytes: a version byte, then postcard.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    StoreError,
    format::{MAX_RECORD_BYTES, RECORD_VERSION},
};

pub(crate) fn encode<T: Serialize>(
    keyspace: &'static str,
    record: &T,
) -> Result<Vec<u8>, StoreError> {
    let bytes = postcard::to_extend(record, vec![RECORD_VERSION])
        .map_err(|_| StoreError::Inconsistent("a record that postcard cannot represent"))?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(StoreError::TooLarge {
            keyspace,
            bytes: bytes.len(),
        });
    }
    Ok(bytes)
}

/// Decodes a record; every byte must be used.
pub(crate) fn decode<T: DeserializeOwned>(
    keyspace: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    let corrupt = |reason| StoreError::Corrupt { keyspace, reason };
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(corrupt("too long"));
    }
    match bytes {
        [RECORD_VERSION, body @ ..] => match postcard::take_from_bytes(body) {
            Ok((record, [])) => Ok(record),
            Ok(_) => Err(corrupt("trailing bytes")),
            Err(_) => Err(corrupt("does not decode")),
        },
        [] => Err(corrupt("empty")),
        _ => Err(corrupt("unknown version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_records_are_corrupt() {
        let bytes = encode("test", &(7u64, vec![1u8, 2, 3])).unwrap();
        assert_eq!(
            decode::<(u64, Vec<u8>)>("test", &bytes).unwrap(),
            (7, vec![1, 2, 3])
        );
        let reason = |bytes: &[u8]| match decode::<(u64, Vec<u8>)>("test", bytes) {
            Err(StoreError::Corrupt { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(&[]), "empty");
        assert_eq!(reason(&[2, 7, 0]), "unknown version");
        for length in 1..bytes.len() {
            assert_eq!(reason(&bytes[..length]), "does not decode");
        }
        assert_eq!(reason(&[bytes.as_slice(), &[0]].concat()), "trailing bytes");
        // A length that is announced but does not follow.
        assert_eq!(
            reason(&[1, 7, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            "does not decode"
        );
    }

    #[test]
    fn oversized_records_are_refused() {
        let error = encode("test", &vec![0u8; MAX_RECORD_BYTES]).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }));
    }
}
