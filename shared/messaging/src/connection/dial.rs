//! Connecting to the first broker of a list that answers.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::ServerAddr;
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, ServerName};
use async_nats::rustls::{ClientConfig, RootCertStore, crypto};
use bytes::BytesMut;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Error, Result};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::frames::MAX_LINE_BYTES;
use super::within;

/// Time after which an unanswered broker is given up.
const DIAL_TIMEOUT: Duration = Duration::from_secs(4);

/// Maximum brokers in the list.
const MAX_NODES: usize = 64;

/// A connection to a broker, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A new connection with the broker's first bytes.
pub(super) struct Dialled {
    pub(super) stream: Box<dyn Stream>,
    pub(super) greeting: BytesMut,
}

/// The brokers to choose from.
pub(super) struct Dialer {
    nodes: Mutex<Vec<Node>>,
    tls: TlsConnector,
    must_encrypt: bool,
}

#[derive(Debug, Clone)]
struct Node {
    address: ServerAddr,
    /// Failures since the last success.
    failures: u32,
}

/// The connection part of a broker's greeting.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    tls_required: bool,
    /// Addresses of other nodes of the cluster.
    #[serde(default)]
    connect_urls: Vec<String>,
}

impl Dialer {
    /// Creates a dialer. With `authority`, a PEM file, or a `tls://` address every connection uses TLS and the broker's certificate must be
    /// signed by it.
    pub(super) fn new(addresses: Vec<ServerAddr>, authority: Option<&Path>) -> Result<Self> {
        let must_encrypt = authority.is_some() || addresses.iter().any(ServerAddr::tls_required);
        let nodes = addresses.into_iter().map(|address| Node { address, failures: 0 }).collect();
        let tls = TlsConnector::from(Arc::new(tls_config(authority)?));
        Ok(Self { nodes: Mutex::new(nodes), tls, must_encrypt })
    }

    /// Tries each broker once, those with the fewest failures first; returns the last error.
    pub(super) async fn dial(&self) -> Result<Dialled> {
        let mut failure = Error::other("no broker address is configured");
        for address in self.order() {
            match self.dial_node(&address).await {
                Ok(dialled) => {
                    self.count(&address, |_| 0);
                    return Ok(dialled);
                }
                Err(error) => {
                    self.count(&address, |failures| failures.saturating_add(1));
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    async fn dial_node(&self, address: &ServerAddr) -> Result<Dialled> {
        let mut failure = Error::other(format!("{} has no address", address.host()));
        for socket in within(DIAL_TIMEOUT, address.socket_addrs()).await? {
            match within(DIAL_TIMEOUT, async { self.greet(TcpStream::connect(socket).await?, address).await }).await {
                Ok(dialled) => return Ok(dialled),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Waits for the broker's greeting and starts TLS if either side asks for it.
    async fn greet(&self, mut stream: TcpStream, address: &ServerAddr) -> Result<Dialled> {
        stream.set_nodelay(true)?;
        let mut greeting = BytesMut::new();
        let length = loop {
            if let Some(end) = greeting.windows(2).position(|pair| pair == b"\r\n") {
                break end;
            }
            if greeting.len() > MAX_LINE_BYTES || stream.read_buf(&mut greeting).await? == 0 {
                return Err(Error::other("not a broker: it sent no INFO"));
            }
        };
        let json = greeting[..length].strip_prefix(b"INFO ").ok_or(Error::other("not a broker"))?;
        let info: Info = serde_json::from_slice(json)?;
        if !(self.must_encrypt || info.tls_required || address.tls_required()) {
            self.learn(&info.connect_urls);
            return Ok(Dialled { stream: Box::new(stream), greeting });
        }
        // Bytes after the greeting would count as sent under TLS.
        if greeting.len() > length + 2 {
            return Err(Error::other("the broker sent data after its greeting before TLS"));
        }
        let name = ServerName::try_from(address.host().to_owned()).map_err(Error::other)?;
        let stream = self.tls.connect(name, stream).await?;
        // Only a broker that proved its name may add nodes.
        self.learn(&info.connect_urls);
        Ok(Dialled { stream: Box::new(stream), greeting })
    }

    /// Returns the brokers by increasing failures, equal ones from a random start.
    fn order(&self) -> Vec<ServerAddr> {
        let mut nodes = self.lock().clone();
        let start = getrandom::u32().unwrap_or_default() as usize % nodes.len().max(1);
        nodes.rotate_left(start);
        nodes.sort_by_key(|node| node.failures);
        nodes.into_iter().map(|node| node.address).collect()
    }

    fn count(&self, address: &ServerAddr, change: impl Fn(u32) -> u32) {
        for node in self.lock().iter_mut().filter(|node| node.address == *address) {
            node.failures = change(node.failures);
        }
    }

    /// Adds nodes of the cluster that the list does not name.
    fn learn(&self, urls: &[String]) {
        let mut nodes = self.lock();
        for address in urls.iter().filter_map(|url| url.parse::<ServerAddr>().ok()) {
            if nodes.len() < MAX_NODES && nodes.iter().all(|node| node.address != address) {
                nodes.push(Node { address, failures: 0 });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tls_config(authority: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file).map_err(Error::other)? {
                roots.add(certificate.map_err(Error::other)?).map_err(Error::other)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(Error::other)?.with_root_certificates(roots).with_no_client_auth())
}
