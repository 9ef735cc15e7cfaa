//! Guards webhooks against server-side request forgery: the name is resolved once, every address is checked, and the
//! request goes to exactly those addresses without following redirects, so a name cannot change between check and use.

use std::net::SocketAddr;

use reqwest::{Client, Url, redirect};
use service::webhook;

use super::Attempt;

/// Resolves the host of `url`; fails if one of its addresses is not allowed.
pub(super) async fn resolve(url: &Url, allow_private: bool) -> Result<Vec<SocketAddr>, Attempt> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| Attempt::Retryable(error.to_string()))?;
    let addresses: Vec<SocketAddr> = found.collect();
    for address in &addresses {
        webhook::check(address.ip(), allow_private)
            .map_err(|error| Attempt::Permanent(format!("the receiver's address {error}")))?;
    }
    if addresses.is_empty() { Err(Attempt::Retryable("the name has no address".to_owned())) } else { Ok(addresses) }
}

/// Builds a client that connects to `addresses` only.
pub(super) fn client_for(url: &Url, addresses: &[SocketAddr]) -> Result<Client, String> {
    let host = url.host_str().ok_or("the address has no host")?;
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .resolve_to_addrs(host, addresses)
        .build()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_private_receiver_is_never_resolved_into_a_request() {
        for target in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/", "http://169.254.169.254/latest"] {
            let url = Url::parse(target).unwrap();
            assert!(matches!(resolve(&url, false).await, Err(Attempt::Permanent(_))), "{target}");
        }
    }
}
