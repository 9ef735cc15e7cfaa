//! The client address of a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// The network part of an IPv6 address; clients choose the rest.
const IPV6_NETWORK: u128 = u128::MAX << 64;

/// Returns the peer's address, or the one that a trusted proxy forwards.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    // Each proxy appends the address of its peer; the last one that is not a trusted proxy is the client. Entries to
    // the left of it, or of an unreadable entry, are client-controlled and ignored.
    let forwarded: Vec<&[u8]> = request.headers().get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    let mut nearest = peer;
    for text in forwarded.iter().flat_map(|value| value.split(|byte| *byte == b',')).rev() {
        let Some(address) = forwarded_address(text) else { break };
        nearest = address;
        if !trusted.contains(&address) {
            break;
        }
    }
    Some(nearest)
}

/// Parses an address as proxies write it: bare, in brackets, or with a port.
fn forwarded_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

/// Returns the part of an address that limits apply to: all of an IPv4 address, the /64 of an IPv6 address.
pub(crate) fn address_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], client: &str) {
        let trusted: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for value in forwarded {
            request = request.append_header((FORWARDED_FOR, *value));
        }
        assert_eq!(client_address(&request.to_http_request(), &trusted), Some(client.parse().unwrap()));
    }

    #[test]
    fn only_trusted_proxies_set_the_client_address() {
        check("9.9.9.9", &["1.2.3.4"], "9.9.9.9");
        check("10.0.0.1", &["1.2.3.4"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6", "1.2.3.4"], "1.2.3.4");
        check("10.0.0.1", &["6.6.6.6, 1.2.3.4:5678"], "1.2.3.4");
        check("10.0.0.1", &["[2001:db8::1]:5678"], "2001:db8::1");
        check("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
        check("10.0.0.1", &["nonsense"], "10.0.0.1");
        // Entries to the left of an unreadable one are client-controlled.
        check("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1");
        check("10.0.0.1", &["6.6.6.6", "unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn an_ipv6_caller_is_known_by_its_network() {
        let prefix = |text: &str| address_prefix(text.parse().unwrap()).to_string();
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(prefix("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
        assert_ne!(prefix("2001:db8:1:3::"), prefix("2001:db8:1:2::"));
        assert_eq!(prefix("192.0.2.7"), "192.0.2.7");
    }
}
