// SPDX-License-Identifier: Apache-2.0
//! The little DER (ITU-T X.690) that certificates and revocation lists need, writing only.
//!
//! Parsing is left to verifiers, on purpose: they must not share this code's idea of the format.

/// SEQUENCE of already encoded values.
pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    constructed(0x30, parts)
}

/// SET of one already encoded value.
pub(crate) fn set_of_one(part: Vec<u8>) -> Vec<u8> {
    constructed(0x31, &[part])
}

/// Context-specific, constructed, explicit tag `number` (below 31).
pub(crate) fn explicit(number: u8, part: Vec<u8>) -> Vec<u8> {
    constructed(0xa0 | number, &[part])
}

/// Context-specific, primitive, implicit tag `number` (below 31).
pub(crate) fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    value(0x80 | number, content)
}

/// INTEGER, non-negative, from big-endian bytes of any length.
pub(crate) fn unsigned(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let significant = big_endian.get(zeros..).unwrap_or_default();
    let mut content = Vec::with_capacity(significant.len() + 1);
    if significant.first().is_none_or(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(significant);
    value(0x02, &content)
}

/// BOOLEAN.
pub(crate) fn boolean(truth: bool) -> Vec<u8> {
    value(0x01, &[if truth { 0xff } else { 0 }])
}

/// ENUMERATED, below 128.
pub(crate) fn enumerated(number: u8) -> Vec<u8> {
    value(0x0a, &[number])
}

/// OCTET STRING.
pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    value(0x04, content)
}

/// BIT STRING with `unused` bits at the end of the last byte.
pub(crate) fn bit_string(content: &[u8], unused: u8) -> Vec<u8> {
    let mut bits = Vec::with_capacity(content.len() + 1);
    bits.push(unused);
    bits.extend_from_slice(content);
    value(0x03, &bits)
}

/// UTF8String.
pub(crate) fn utf8_string(text: &str) -> Vec<u8> {
    value(0x0c, text.as_bytes())
}

/// OBJECT IDENTIFIER from its arcs, of which there are at least two.
pub(crate) fn object_identifier(arcs: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    if let [first, second, rest @ ..] = arcs {
        base_128(first * 40 + second, &mut content);
        for arc in rest {
            base_128(*arc, &mut content);
        }
    }
    value(0x06, &content)
}

/// A `Time` of RFC 5280 (4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050.
///
/// `rfc3339` is `YYYY-MM-DDThh:mm:ssZ`.
pub(crate) fn time(rfc3339: &str) -> Vec<u8> {
    let compact: String = rfc3339
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'Z')
        .collect();
    match compact.strip_prefix("20") {
        Some(short) if short < "50" => value(0x17, short.as_bytes()),
        _ => value(0x18, compact.as_bytes()),
    }
}

fn base_128(arc: u32, content: &mut Vec<u8>) {
    let groups = (32 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = u8::try_from((arc >> (7 * group)) & 0x7f).unwrap_or_default();
        content.push(if group > 0 { bits | 0x80 } else { bits });
    }
}

fn constructed(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    value(tag, &parts.concat())
}

fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => encoded.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let significant = length.get(zeros..).unwrap_or_default();
            encoded.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
            encoded.extend_from_slice(significant);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_never_negative() {
        assert_eq!(unsigned(&[0]), [0x02, 1, 0]);
        assert_eq!(unsigned(&[]), [0x02, 1, 0]);
        assert_eq!(unsigned(&[0, 0x7f]), [0x02, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [0x02, 2, 0, 0x80]);
        assert_eq!(unsigned(&[1, 0]), [0x02, 2, 1, 0]);
    }

    #[test]
    fn lengths_take_the_short_form_below_128_and_the_long_form_from_there() {
        assert_eq!(octet_string(&[7; 127])[..2], [0x04, 0x7f]);
        assert_eq!(octet_string(&[7; 128])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(octet_string(&[7; 256])[..4], [0x04, 0x82, 1, 0]);
    }

    #[test]
    fn object_identifiers_use_base_128() {
        // id-ecPublicKey, RFC 5480.
        assert_eq!(
            object_identifier(&[1, 2, 840, 10045, 2, 1]),
            [0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]
        );
    }

    #[test]
    fn times_change_form_in_2050() {
        assert_eq!(
            time("2049-12-31T23:59:59Z"),
            [&[0x17, 13][..], b"491231235959Z"].concat()
        );
        assert_eq!(
            time("2050-01-01T00:00:00Z"),
            [&[0x18, 15][..], b"20500101000000Z"].concat()
        );
    }
}
