//! The broker's wire protocol, for header blocks that no client library would send.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::stack::Stack;

/// Publishes each of these header blocks, byte by byte, with a body to a subject.
///
/// # Panics
/// Where the broker refuses.
pub async fn publish_blocks(stack: &Stack, user: &str, password: &str, messages: &[(String, &[u8], &[u8])]) {
    let address = stack.text("/nats_url").trim_start_matches("nats://");
    let mut stream = BufStream::new(TcpStream::connect(address).await.expect("the broker is there"));
    let options = json!({"user": user, "pass": password, "headers": true, "verbose": false});
    let mut sent = format!("CONNECT {options}\r\n").into_bytes();
    for (subject, block, body) in messages {
        let (head, whole) = (block.len(), block.len() + body.len());
        sent.extend(format!("HPUB {subject} {head} {whole}\r\n").bytes());
        sent.extend([*block, *body, b"\r\n"].concat());
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
