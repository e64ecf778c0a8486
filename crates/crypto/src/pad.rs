// SPDX-License-Identifier: Apache-2.0
//! Padding to power-of-two size classes, so that a length tells only its class.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// A power of two: how many bytes a padded plaintext has. Between 2^4 and 2^30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeClass(u8);

impl SizeClass {
    /// The smallest class, at least `min`, that holds `len` bytes behind their length. `None`
    /// beyond 1 GiB.
    pub(crate) fn holding(len: usize, min: SizeClass) -> Option<Self> {
        let needed = len.checked_add(LENGTH_LEN)?;
        (min.0..=MAX).map(Self).find(|class| class.len() >= needed)
    }

    /// The class 2^`log2`, if it is one.
    pub(crate) const fn new(log2: u8) -> Option<Self> {
        if log2 >= 4 && log2 <= MAX {
            Some(Self(log2))
        } else {
            None
        }
    }

    /// log2 of the size.
    pub(crate) const fn log2(self) -> u8 {
        self.0
    }

    /// The size in bytes.
    pub(crate) const fn len(self) -> usize {
        1 << self.0
    }

    /// Length (u32) ‖ plaintext ‖ zeros, as many bytes as the class has. `None` if `plaintext`
    /// does not fit.
    pub(crate) fn pad(self, plaintext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let length = u32::try_from(plaintext.len()).ok()?;
        if plaintext.len() > self.len() - LENGTH_LEN {
            return None;
        }
        let mut out = Zeroizing::new(Vec::with_capacity(self.len()));
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(plaintext);
        out.resize(self.len(), 0);
        Some(out)
    }
}

/// Undoes [`SizeClass::pad`]. `None` unless the length fits and the rest is zero.
pub(crate) fn unpad(mut padded: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_LEN>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (_, padding) = rest.split_at_checked(length)?;
    if padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    padded.copy_within(LENGTH_LEN..LENGTH_LEN + length, 0);
    let end = padded.len();
    zeroize::Zeroize::zeroize(padded.get_mut(length..end)?);
    padded.truncate(length);
    Some(padded)
}

/// Bytes of the length in front of a padded plaintext.
const LENGTH_LEN: usize = 4;
/// log2 of the largest class.
const MAX: u8 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIN: SizeClass = SizeClass(8);

    proptest! {
        #[test]
        fn padding_is_undone(plaintext in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let class = SizeClass::holding(plaintext.len(), MIN).unwrap();
            let padded = class.pad(&plaintext).unwrap();
            prop_assert_eq!(padded.len(), 1 << class.log2());
            prop_assert!(class == MIN || padded.len() / 2 < plaintext.len() + LENGTH_LEN);
            let unpadded = unpad(padded).unwrap();
            prop_assert_eq!(unpadded.as_slice(), plaintext.as_slice());
        }
    }

    #[test]
    fn classes_change_where_the_length_no_longer_fits() {
        for (len, log2) in [(0, 8), (252, 8), (253, 9), (508, 9), (509, 10)] {
            assert_eq!(SizeClass::holding(len, MIN).unwrap().log2(), log2, "{len}");
        }
        assert_eq!(SizeClass::holding((1 << 30) - 4, MIN), Some(SizeClass(30)));
        assert_eq!(SizeClass::holding((1 << 30) - 3, MIN), None);
        assert_eq!(SizeClass::holding(usize::MAX, MIN), None);
        assert_eq!(SizeClass(4).pad(&[0; 13]), None);
    }

    #[test]
    fn padding_that_is_not_canonical_is_refused() {
        let unpadded = |bytes: &[u8]| unpad(Zeroizing::new(bytes.to_vec()));
        assert_eq!(unpadded(&[0, 0, 0, 1, 9, 1]), None);
        assert_eq!(unpadded(&[0, 0, 0, 3, 9, 9]), None);
        assert_eq!(unpadded(&[0xff; 16]), None);
        assert_eq!(unpadded(&[0, 0, 0]), None);
        assert_eq!(unpadded(&[0, 0, 0, 1, 9, 0]).unwrap().as_slice(), [9]);
    }
}
