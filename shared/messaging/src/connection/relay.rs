//! The relay that the broker's client connects to instead of the broker.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::ServerAddr;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Error, Result};
use tokio::net::{TcpListener, TcpStream};

use super::dial::{Dialer, Dialled};
use super::frames::Frames;
use super::within;

/// Maximum bytes of one read.
const READ_BYTES: usize = 64 * 1024;
/// Time after which a receiver that does not read is disconnected: meanwhile the end of the sender is not noticed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Delay after a connection that was not accepted, e.g. because of exhausted file descriptors.
const ACCEPT_DELAY: Duration = Duration::from_millis(100);

/// A listener on loopback. Each connection to it opens one to a broker, and ends with it.
///
/// Other local processes may connect as well; they reach only the broker's sign-in, as without the relay. The listener
/// stays open until the process ends: otherwise another program could take the free port, and the client would send it
/// the password.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    address: SocketAddr,
    /// The latest reason why no broker was reached.
    failure: Arc<Mutex<Option<String>>>,
}

impl Relay {
    /// Starts listening for the client. `authority` as for [`Dialer::new`].
    pub(crate) async fn start(addresses: Vec<ServerAddr>, authority: Option<&Path>) -> Result<Self> {
        let dialer = Arc::new(Dialer::new(addresses, authority)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let relay = Self { address: listener.local_addr()?, failure: Arc::default() };
        #[expect(clippy::disallowed_methods, reason = "ends with the process, after every drain")]
        tokio::spawn(relay.clone().serve(listener, dialer));
        Ok(relay)
    }

    /// Returns the address for the client.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Returns the latest reason why no broker was reached.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn serve(self, listener: TcpListener, dialer: Arc<Dialer>) {
        loop {
            match listener.accept().await {
                Ok((client, _)) => {
                    #[expect(clippy::disallowed_methods, reason = "ends with its connection, after every drain")]
                    tokio::spawn(self.clone().connect(client, dialer.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "Failed to accept the broker client's connection to the relay; retrying");
                    tokio::time::sleep(ACCEPT_DELAY).await;
                }
            }
        }
    }

    async fn connect(self, client: TcpStream, dialer: Arc<Dialer>) {
        let dialled = dialer.dial().await;
        let failure = dialled.as_ref().err().map(ToString::to_string);
        let before =
            std::mem::replace(&mut *self.failure.lock().unwrap_or_else(PoisonError::into_inner), failure.clone());
        if let Some(reason) = failure.filter(|reason| before.as_ref() != Some(reason)) {
            tracing::warn!(reason, "Failed to connect to a broker; retrying: {reason}");
        }
        let outcome = match dialled {
            Ok(broker) => join(client, broker).await,
            // A reset is an error to the client, which then retries; a plain end it would log as a broken server.
            Err(error) => client.set_zero_linger().and(Err(error)),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "Broker connection ended: {error}");
        }
    }
}

/// Copies bytes both ways until either side ends; then closes both connections.
async fn join(mut client: TcpStream, broker: Dialled) -> Result<()> {
    client.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_broker, to_broker) = tokio::io::split(broker.stream);
    tokio::select! {
        outcome = copy(from_client, to_broker) => outcome,
        outcome = filter(broker.greeting, from_broker, to_client) => outcome,
    }
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<()> {
    let mut bytes = BytesMut::with_capacity(READ_BYTES);
    while from.read_buf(&mut bytes).await? > 0 {
        within(WRITE_TIMEOUT, to.write_all_buf(&mut bytes)).await?;
        within(WRITE_TIMEOUT, to.flush()).await?;
        bytes.reserve(READ_BYTES);
    }
    Ok(())
}

/// Forwards the broker's bytes, `input` first.
async fn filter(mut input: BytesMut, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<()> {
    let (mut frames, mut output) = (Frames::default(), BytesMut::with_capacity(READ_BYTES));
    loop {
        frames.advance(&mut input, &mut output).map_err(Error::other)?;
        within(WRITE_TIMEOUT, to.write_all_buf(&mut output)).await?;
        input.reserve(READ_BYTES);
        if from.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::io::{AsyncBufReadExt, BufStream};

    use super::*;

    const INFO: &[u8] =
        b"INFO {\"server_id\":\"A\",\"version\":\"2.14.0\",\"headers\":true,\"max_payload\":1048576}\r\n";

    async fn relay_to(address: SocketAddr) -> Relay {
        let address = format!("nats://{address}").parse().unwrap();
        Relay::start(vec![address], None).await.unwrap()
    }

    /// Acts as a broker for one client, and sends `frames` after its subscription.
    async fn answer(broker: &TcpListener, frames: &[u8]) -> BufStream<TcpStream> {
        let (stream, _) = broker.accept().await.unwrap();
        let mut stream = BufStream::new(stream);
        stream.write_all(INFO).await.unwrap();
        stream.flush().await.unwrap();
        let mut line = String::new();
        while !line.starts_with("SUB ") {
            line.clear();
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "the client is connected");
            if line == "PING\r\n" {
                stream.write_all(b"PONG\r\n").await.unwrap();
                stream.flush().await.unwrap();
            }
        }
        let subscription = line.trim_end().rsplit(' ').next().unwrap();
        let frames = frames.split(|byte| *byte == b'@').collect::<Vec<_>>().join(subscription.as_bytes());
        stream.write_all(&frames).await.unwrap();
        stream.flush().await.unwrap();
        stream
    }

    /// Returns the payloads that the client receives of such messages.
    async fn received(messages: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = relay_to(broker.local_addr().unwrap()).await;
        let numbered = messages.iter().enumerate().map(|(number, (subject, block))| {
            let payload = number.to_string();
            let lengths = format!(" @ {} {}\r\n", block.len(), block.len() + payload.len());
            [b"HMSG a.", subject.as_slice(), lengths.as_bytes(), block, payload.as_bytes(), b"\r\n"].concat()
        });
        let frames = numbered.collect::<Vec<_>>().concat();
        let read = async {
            let client = async_nats::connect(relay.url()).await.unwrap();
            let subscription = client.subscribe("a.>").await.unwrap();
            let messages = subscription.take(messages.len()).collect::<Vec<_>>().await;
            messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
        };
        let (received, _broker) = tokio::join!(read, answer(&broker, &frames));
        received
    }

    fn without(bytes: &'static [u8]) -> impl Strategy<Value = u8> {
        any::<u8>().prop_filter("has a meaning", move |byte| !bytes.contains(byte))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Uses the published client, for which the relay exists.
        #[test]
        fn whatever_a_publisher_writes_is_received(
            messages in vec(
                (
                    vec(without(b" \r\n@"), 1..6),
                    prop_oneof![
                        vec(without(b"@"), 0..60),
                        "NATS/1.0( 404)?\r\n[A-Ca-c:\r\n \u{0}\u{a0}]{0,40}\r\n\r\n".prop_map(String::into_bytes),
                    ],
                ),
                1..40,
            ),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let limited = async { tokio::time::timeout(Duration::from_secs(10), received(&messages)).await };
            let found = runtime.block_on(limited);
            let expected: Vec<String> = (0..messages.len()).map(|number| number.to_string()).collect();
            prop_assert_eq!(found.unwrap_or_default(), expected);
        }
    }

    #[tokio::test]
    async fn both_connections_end_with_either() {
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = relay_to(broker.local_addr().unwrap()).await;
        let mut greeting = [0; 5];
        let mut rest = Vec::new();

        let mut client = TcpStream::connect(relay.address).await.unwrap();
        let (mut at_broker, _) = broker.accept().await.unwrap();
        at_broker.write_all(INFO).await.unwrap();
        client.read_exact(&mut greeting).await.unwrap();
        drop(client);
        // A reset also counts as an end.
        drop(at_broker.read_to_end(&mut rest).await);

        let mut client = TcpStream::connect(relay.address).await.unwrap();
        let (mut at_broker, _) = broker.accept().await.unwrap();
        at_broker.write_all(INFO).await.unwrap();
        client.read_exact(&mut greeting).await.unwrap();
        drop(at_broker);
        drop(client.read_to_end(&mut rest).await);
    }

    #[tokio::test]
    async fn without_a_broker_the_client_is_refused_and_the_reason_kept() {
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = unused.local_addr().unwrap();
        drop(unused);
        let relay = relay_to(address).await;
        let mut client = TcpStream::connect(relay.address).await.unwrap();
        let error = client.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert!(relay.failure().unwrap().contains("refused"), "{relay:?}");
    }

    #[tokio::test]
    async fn what_is_no_broker_is_refused() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = relay_to(server.local_addr().unwrap()).await;
        let mut client = TcpStream::connect(relay.address).await.unwrap();
        let (mut at_server, _) = server.accept().await.unwrap();
        at_server.write_all(b"220 mail.example.org ESMTP\r\n").await.unwrap();
        client.read(&mut [0]).await.unwrap_err();
    }
}
