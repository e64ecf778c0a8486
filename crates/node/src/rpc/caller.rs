// SPDX-License-Identifier: Apache-2.0
//! Whose call it is: the address that connects, or the one that a trusted proxy speaks for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use jsonrpsee::Extensions;

use crate::config::{ForwardingHeader, Proxies};

/// The address that a call counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller(pub(super) IpAddr);

impl Caller {
    /// Who sent a request that came from `peer` with these headers.
    ///
    /// Every proxy appends whom it heard from, so the list is read from its end as long as those who
    /// wrote it are trusted; what is left of that is anybody's word. A list that cannot be read counts
    /// for the proxy that sent it.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, proxies: Option<&Proxies>) -> Self {
        let Some(proxies) = proxies else {
            return Self(peer);
        };
        let mut caller = peer;
        let mut hops = hops(headers, proxies.header).unwrap_or_default();
        while proxies.name(caller) {
            match hops.pop().as_deref().and_then(address) {
                Some(hop) => caller = hop,
                None => break,
            }
        }
        Self(caller)
    }

    /// Who sent the request that a call came with.
    pub(super) fn of_call(extensions: &Extensions) -> Self {
        let unknown = Self(Ipv4Addr::UNSPECIFIED.into());
        extensions.get::<Self>().copied().unwrap_or(unknown)
    }
}

/// What a header names, in its order; `None` if it cannot be read.
fn hops(headers: &HeaderMap, written: ForwardingHeader) -> Option<Vec<String>> {
    let name = match written {
        ForwardingHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        ForwardingHeader::Forwarded => header::FORWARDED,
    };
    let mut hops = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str().ok()?;
        match written {
            ForwardingHeader::XForwardedFor => hops.extend(line.split(',').map(str::to_owned)),
            ForwardingHeader::Forwarded => {
                for element in split_unquoted(line, ',')? {
                    hops.push(forwarded_for(element)?);
                }
            }
        }
    }
    Some(hops)
}

/// What an element of `Forwarded` has after `for=`; empty if it says nothing of it.
fn forwarded_for(element: &str) -> Option<String> {
    for pair in split_unquoted(element, ';')? {
        let Some((name, value)) = pair.trim().split_once('=') else {
            continue;
        };
        if !name.trim().eq_ignore_ascii_case("for") {
            continue;
        }
        let value = value.trim();
        let unquoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        return Some(unquoted.unwrap_or(value).to_owned());
    }
    Some(String::new())
}

/// The parts of a text between separators outside of quotes; `None` if a quote is not closed.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    let mut parts = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// An address, with or without a port, in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().map(|socket| socket.ip()).ok();
    let in_brackets = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().map(IpAddr::from).ok()
    };
    let plain = text.parse::<IpAddr>().ok();
    plain.or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn caller(peer: &str, header: ForwardingHeader, lines: &[&str]) -> String {
        let proxies = Proxies {
            addresses: ["10.0.0.0/8", "2001:db8::ff"]
                .map(|network| network.parse().unwrap())
                .into(),
            header,
        };
        let mut headers = HeaderMap::new();
        for (name, other) in [("x-forwarded-for", 0), ("forwarded", 1)] {
            let name = HeaderName::from_static(name);
            if (header == ForwardingHeader::Forwarded) == (other == 1) {
                for line in lines {
                    headers.append(&name, HeaderValue::from_str(line).unwrap());
                }
            } else {
                // What the proxies do not write is never looked at.
                headers.append(&name, HeaderValue::from_static("for=6.6.6.6, 6.6.6.6"));
            }
        }
        Caller::of(peer.parse().unwrap(), &headers, Some(&proxies))
            .0
            .to_string()
    }

    fn x(peer: &str, lines: &[&str]) -> String {
        caller(peer, ForwardingHeader::XForwardedFor, lines)
    }

    fn forwarded(peer: &str, lines: &[&str]) -> String {
        caller(peer, ForwardingHeader::Forwarded, lines)
    }

    #[test]
    fn without_the_setting_the_peer_counts() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("1.2.3.4"));
        headers.append("forwarded", HeaderValue::from_static("for=1.2.3.4"));
        let peer = "192.0.2.1".parse().unwrap();
        assert_eq!(Caller::of(peer, &headers, None), Caller(peer));
    }

    #[test]
    fn only_a_proxy_s_word_counts_and_only_what_it_wrote() {
        assert_eq!(x("192.0.2.1", &["1.2.3.4"]), "192.0.2.1");
        assert_eq!(x("10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(x("10.0.0.1", &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(x("10.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(x("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(x("10.0.0.1", &["10.0.0.3,10.0.0.2"]), "10.0.0.3");
        assert_eq!(x("10.0.0.1", &["1.2.3.4:55"]), "1.2.3.4");
        assert_eq!(x("2001:db8::ff", &["[2001:db8::9]:55"]), "2001:db8::9");
        assert_eq!(x("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["1.2.3.4, unknown"]), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_the_standard_has_it() {
        assert_eq!(forwarded("10.0.0.1", &["for=1.2.3.4"]), "1.2.3.4");
        assert_eq!(
            forwarded(
                "10.0.0.1",
                &[r#"for=6.6.6.6, proto=https;For="[2001:db8::9]:4711""#]
            ),
            "2001:db8::9"
        );
        assert_eq!(
            forwarded("10.0.0.1", &[r#"for=1.2.3.4;host="a, for=6.6.6.6""#]),
            "1.2.3.4"
        );
        for odd in ["for=_hidden", "proto=https", r#"for="6.6.6.6"#, ""] {
            assert_eq!(forwarded("10.0.0.1", &[odd]), "10.0.0.1", "{odd}");
        }
        // A quote that a client leaves open does not swallow what the proxy appends.
        let open = [r#"for=6.6.6.6;host=", for=1.2.3.4"#];
        assert_eq!(forwarded("10.0.0.1", &open), "10.0.0.1");
        assert_eq!(forwarded("192.0.2.1", &["for=1.2.3.4"]), "192.0.2.1");
    }
}
