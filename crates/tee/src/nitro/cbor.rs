// SPDX-License-Identifier: Apache-2.0
//! As much CBOR (RFC 8949) as the Nitro Secure Module speaks: definite lengths, shallow maps.

/// Writes items one after another.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn map(&mut self, pairs: u8) -> &mut Self {
        self.head(MAP, usize::from(pairs))
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.head(TEXT, text.len());
        self.0.extend(text.as_bytes());
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(BYTES, bytes.len());
        self.0.extend(bytes);
        self
    }

    pub(crate) fn unsigned(&mut self, value: u8) -> &mut Self {
        self.head(UNSIGNED, usize::from(value))
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.0.push(NULL);
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Major type and argument in the shortest form (RFC 8949, section 4.2.1).
    fn head(&mut self, major: u8, argument: usize) -> &mut Self {
        let initial = |additional| (major << 5) | additional;
        match (u8::try_from(argument), u16::try_from(argument)) {
            (Ok(small @ 0..24), _) => self.0.push(initial(small)),
            (Ok(byte), _) => self.0.extend([initial(24), byte]),
            (_, Ok(pair)) => {
                self.0.push(initial(25));
                self.0.extend(pair.to_be_bytes());
            }
            _ => {
                self.0.push(initial(27));
                self.0
                    .extend(u64::try_from(argument).unwrap_or(u64::MAX).to_be_bytes());
            }
        }
        self
    }
}

/// Reads items one after another; `None` at the first that is not as asked for.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The name of an enumeration's variant, its contents next: a map of one pair.
    pub(crate) fn tagged(&mut self) -> Option<&'a str> {
        (self.head()? == (MAP, 1)).then(|| self.text())?
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let (major, length) = self.head()?;
        let bytes = (major == TEXT).then(|| self.take(length))??;
        std::str::from_utf8(bytes).ok()
    }

    /// The byte string called `name` in a map of text to byte strings, text, integers, booleans
    /// and null.
    pub(crate) fn field(&mut self, name: &str) -> Option<&'a [u8]> {
        let (major, pairs) = self.head()?;
        if major != MAP {
            return None;
        }
        let mut found = None;
        for _ in 0..pairs {
            let key = self.text()?;
            let value = self.scalar()?;
            if key == name {
                found = Some(value?);
            }
        }
        found
    }

    /// Skips one item without members; its bytes if it is a byte string.
    #[allow(
        clippy::option_option,
        reason = "the outer says whether there is such an item, the inner whether it is bytes"
    )]
    fn scalar(&mut self) -> Option<Option<&'a [u8]>> {
        let (major, argument) = self.head()?;
        match major {
            BYTES => Some(Some(self.take(argument)?)),
            TEXT => self.take(argument).map(|_| None),
            UNSIGNED | SIMPLE => Some(None),
            _ => None,
        }
    }

    /// Major type and argument. Indefinite lengths are not spoken here.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (&initial, rest) = self.0.split_first()?;
        let (major, additional) = (initial >> 5, initial & 0x1f);
        let (argument, rest) = match additional {
            0..24 => (u64::from(additional), rest),
            24..28 => {
                let (bytes, rest) = rest.split_at_checked(1 << (additional - 24))?;
                let argument = bytes
                    .iter()
                    .fold(0, |argument, byte| (argument << 8) | u64::from(*byte));
                (argument, rest)
            }
            _ => return None,
        };
        self.0 = rest;
        Some((major, argument))
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;
const NULL: u8 = 0xf6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        for (length, head) in [
            (0, &[0x40][..]),
            (23, &[0x57]),
            (24, &[0x58, 24]),
            (255, &[0x58, 255]),
            (256, &[0x59, 1, 0]),
            (65_536, &[0x5b, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut writer = Writer::default();
            writer.bytes(&vec![0; length]);
            let bytes = writer.into_bytes();
            assert_eq!(bytes[..head.len()], *head);
            assert_eq!(bytes.len(), head.len() + length);
        }
    }

    #[test]
    fn a_length_beyond_the_message_is_refused_before_anything_is_allocated() {
        for bytes in [
            &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
            &[0x59, 1, 0],
            &[0x59, 1],
            &[0x5f, 0x41, 0, 0xff],
            &[],
        ] {
            assert_eq!(Reader::new(bytes).scalar(), None, "{bytes:x?}");
        }
        let endless = [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Reader::new(&endless).field("x"), None);
    }
}
