// SPDX-License-Identifier: Apache-2.0
//! Who is behind an address.

use std::net::{IpAddr, Ipv6Addr};

/// Who is behind an address: with IPv6, whoever has the /64. One of IPv4 that came in by a listener
/// of IPv6 is of IPv4.
pub fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv4_is_one_by_whichever_listener() {
        let mapped = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(mapped("::ffff:192.0.2.1"), mapped("192.0.2.1"));
        assert_ne!(mapped("::ffff:192.0.2.1"), mapped("::ffff:192.0.2.2"));
        assert_eq!(mapped("2001:db8::1"), mapped("2001:db8::2"));
    }
}
