//! Whether a process does what it is there for, asked over its own socket.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A question to a process on this machine.
#[derive(Debug, Clone)]
pub enum Probe {
    /// `GET path` answers 200.
    Http { port: u16, path: &'static str },
    /// `PING` after signing in answers `PONG`.
    Redis { port: u16, password: String },
}

impl Probe {
    /// Asks once and waits at most a second for the answer.
    pub async fn passes(&self) -> bool {
        let asked = async {
            match self {
                Self::Http { port, path } => http(*port, path).await.map(|status| status == *b"200"),
                Self::Redis { port, password } => redis(*port, password).await,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    }

    /// Asks once, and whether the answer is 503: the process lives and does not do what it is there for.
    pub async fn refuses(&self) -> bool {
        let Self::Http { port, path } = self else { return false };
        matches!(tokio::time::timeout(Duration::from_secs(1), http(*port, path)).await, Ok(Ok(status)) if status == *b"503")
    }
}

/// The status of the answer.
async fn http(port: u16, path: &str) -> io::Result<[u8; 3]> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let start = ask(port, request.as_bytes(), "HTTP/1.1 200".len()).await?;
    match start.strip_prefix(b"HTTP/1.") {
        Some([_, b' ', status @ ..]) => status.try_into().map_err(io::Error::other),
        Some(_) | None => Err(io::Error::other("the answer is not HTTP")),
    }
}

async fn redis(port: u16, password: &str) -> io::Result<bool> {
    let request = format!("AUTH {password}\r\nPING\r\n");
    Ok(ask(port, request.as_bytes(), "+OK\r\n+PONG".len()).await? == b"+OK\r\n+PONG")
}

/// Sends `request` and returns the first `length` bytes of the answer.
async fn ask(port: u16, request: &[u8], length: usize) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    let mut start = vec![0; length];
    stream.read_exact(&mut start).await?;
    Ok(start)
}
