//! The broker's wire protocol, for messages that no client library sends.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::stack::Stack;

/// A message byte by byte.
#[derive(Debug, Clone)]
pub struct RawPublish {
    pub subject: Vec<u8>,
    pub header_block: Vec<u8>,
    pub body: Vec<u8>,
}

/// Publishes messages as a user of the broker.
///
/// # Panics
///
/// If the broker refuses one.
pub async fn publish_raw(stack: &Stack, user: &str, password: &str, messages: &[RawPublish]) {
    let address = stack.text("/nats_url").trim_start_matches("nats://");
    let mut stream = BufStream::new(TcpStream::connect(address).await.expect("the broker listens"));
    let options = json!({"user": user, "pass": password, "headers": true, "verbose": false});
    let mut sent = format!("CONNECT {options}\r\n").into_bytes();
    for RawPublish { subject, header_block, body } in messages {
        let (head, whole) = (header_block.len(), header_block.len() + body.len());
        let sizes = format!(" {head} {whole}\r\n");
        sent.extend([b"HPUB ", subject.as_slice(), sizes.as_bytes(), header_block, body, b"\r\n"].concat());
    }
    sent.extend(b"PING\r\n");
    stream.write_all(&sent).await.expect("sent");
    stream.flush().await.expect("flushed");
    let mut line = String::new();
    while line != "PONG\r\n" {
        line.clear();
        let read = stream.read_line(&mut line).await.expect("an answer");
        assert!(read > 0 && !line.starts_with("-ERR"), "the broker refuses: {line}");
    }
}
