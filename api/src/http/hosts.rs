//! The check of `Host` against DNS rebinding (decision 0027). A web page whose name resolves to a loopback address has
//! the same origin as the API there; only the browser's `Host` header shows the difference.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use service::config::{Profile, Settings};

use crate::http::problem::Problem;

/// Accepted values of `Host`.
#[derive(Debug, Clone)]
pub struct Hosts {
    is_checked: bool,
    named: Vec<Host>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case, without a trailing dot.
    Name(String),
}

impl Host {
    /// Parses `host` or `host:port`; `None` for anything else, such as user information.
    fn of(authority: &str) -> Option<Self> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Self::Address(address.parse::<Ipv6Addr>().ok()?.into()), port)
            }
            None => {
                let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
                (Self::of_name(name)?, port)
            }
        };
        let is_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
        (port.is_empty() || is_port(port)).then_some(host)
    }

    fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (!name.is_empty() && name.bytes().all(is_name_byte)).then(|| Self::Name(name.to_ascii_lowercase()))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(IpAddr::V4(address)) => address.is_loopback(),
            Self::Address(IpAddr::V6(address)) => *address == Ipv6Addr::LOCALHOST,
            Self::Name(name) => name == "localhost",
        }
    }
}

impl Hosts {
    /// Reads `api.hosts`. It is required if the demo profile listens beyond loopback.
    pub(crate) fn read(settings: &mut Settings, listen: &str, profile: Profile) -> Self {
        let mut named = Vec::new();
        for text in settings.list("api.hosts") {
            let bare = text.parse::<IpAddr>().ok().map(Host::Address);
            match bare.or_else(|| Host::of(&text)) {
                Some(host) => named.push(host),
                None => settings
                    .mistake("api.hosts: must be a list of host names or addresses, e.g. api.example.org,10.0.0.2"),
            }
        }
        let is_loopback = is_loopback(listen);
        if profile == Profile::Demo && !is_loopback && named.is_empty() {
            settings.mistake(format!(
                "api.hosts: must be set if the demo listens beyond loopback (api.listen is {listen}), because its \
                 accounts are public; set the hosts by which clients reach it, or listen on 127.0.0.1"
            ));
        }
        Self { is_checked: is_loopback || !named.is_empty(), named }
    }

    /// Returns a 421 problem if `Host` or an absolute URI names another host.
    pub(crate) fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        if !self.is_checked {
            return Ok(());
        }
        let uri = request.uri();
        // Without a scheme the authority belongs to CONNECT, which names another server by design.
        let of_uri =
            uri.scheme().and_then(|_| uri.authority()).is_none_or(|host| self.allows(host.as_str().as_bytes()));
        let of_header = request.headers().get_all(HOST).all(|host| self.allows(host.as_bytes()));
        if of_uri && of_header { Ok(()) } else { Err(Problem::misdirected()) }
    }

    fn allows(&self, authority: &[u8]) -> bool {
        let host = std::str::from_utf8(authority).ok().and_then(|text| Host::of(text.trim()));
        host.is_some_and(|host| host.is_loopback() || self.named.contains(&host))
    }
}

/// Returns whether `listen` resolves to loopback addresses only. A name that does not resolve cannot be bound either.
fn is_loopback(listen: &str) -> bool {
    let addresses = listen.to_socket_addrs().into_iter().flatten();
    addresses.into_iter().all(|address| address.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::ConfigErrors;

    fn read(listen: &str, hosts: &str, profile: Profile) -> Result<Hosts, ConfigErrors> {
        let mut settings = Settings::from_pairs([("api.hosts", hosts)]);
        let hosts = Hosts::read(&mut settings, listen, profile);
        settings.finish().map(|()| hosts)
    }

    #[track_caller]
    fn check(hosts: &str, host: &str, is_allowed: bool) {
        let hosts = read("127.0.0.1:0", hosts, Profile::Demo).unwrap();
        assert_eq!(hosts.allows(host.as_bytes()), is_allowed, "{host:?}");
    }

    #[test]
    fn loopback_by_any_of_its_names_is_allowed_and_nothing_like_it() {
        for host in [
            "localhost",
            "localhost:8000",
            "LocalHost",
            "localhost.",
            "localhost:",
            "127.0.0.1",
            "127.0.0.1:65535",
            "127.9.8.7:1",
            "[::1]",
            "[::1]:8000",
            "[0:0:0:0:0:0:0:1]",
        ] {
            check("", host, true);
        }
        for host in [
            "",
            ":8000",
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "evil.example#localhost",
            "user@localhost",
            "localhost:1@evil.example",
            "localhost@evil.example",
            "localhost:80:80",
            "localhost:x",
            "localhost..",
            "localhost, evil.example",
            "128.0.0.1",
            "0.0.0.0",
            "2130706433",
            "127.1",
            "0x7f.0.0.1",
            "::1",
            "[::1",
            "[::1]x",
            "[::]",
            "[::2]",
            "[::ffff:127.0.0.1]",
            "[::1%25lo]",
            "local\u{131}host",
        ] {
            check("", host, false);
        }
        assert!(!read("127.0.0.1:0", "", Profile::Demo).unwrap().allows(b"\xff"));
    }

    #[test]
    fn named_hosts_are_allowed_in_every_spelling() {
        for host in [
            "api.example.org",
            "API.example.ORG.:443",
            "10.0.0.2",
            "10.0.0.2:80",
            "[2001:db8::1]",
            "[2001:DB8:0::1]:9",
            "localhost",
        ] {
            check("Api.Example.org, 10.0.0.2, 2001:db8::1", host, true);
        }
        check("api.example.org", "example.org", false);
        check("api.example.org", "x.api.example.org", false);
        check("api.example.org:8443", "api.example.org", true);
        for bad in ["http://api.example.org", "*", "*.example.org", "a b", "user@host"] {
            assert!(read("127.0.0.1:0", bad, Profile::Demo).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_demo_beyond_loopback_needs_hosts_and_others_are_checked_where_they_have_them() {
        for listen in ["0.0.0.0:80", "[::]:80", "10.1.2.3:80"] {
            let ConfigErrors(mistakes) = read(listen, "", Profile::Demo).unwrap_err();
            assert!(mistakes[0].starts_with("api.hosts: must be set"), "{mistakes:?}");
            assert!(read(listen, "demo.example.org", Profile::Demo).unwrap().is_checked);
            assert!(!read(listen, "", Profile::Production).unwrap().is_checked);
            assert!(read(listen, "api.example.org", Profile::Production).unwrap().is_checked);
        }
        for listen in ["127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "localhost:80", "[::ffff:127.0.0.1]:80"] {
            assert!(read(listen, "", Profile::Production).unwrap().is_checked, "{listen}");
        }
    }
}
