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
                Self::Http { port, path } => http(*port, path).await,
                Self::Redis { port, password } => redis(*port, password).await,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    }
}

async fn http(port: u16, path: &str) -> io::Result<bool> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let start = ask(port, request.as_bytes(), "HTTP/1.1 200".len()).await?;
    Ok(start == b"HTTP/1.1 200" || start == b"HTTP/1.0 200")
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
