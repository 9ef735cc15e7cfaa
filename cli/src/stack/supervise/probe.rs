//! Health checks over the socket of a process.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A health check of a process on this machine.
#[derive(Debug, Clone)]
pub enum Probe {
    /// `GET path` returns 200.
    Http { port: u16, path: &'static str },
    /// `AUTH` and `PING` return `PONG`.
    Redis { port: u16, password: String },
}

impl Probe {
    /// Runs the check once, with a timeout of 1 s.
    pub async fn passes(&self) -> bool {
        let asked = async {
            match self {
                Self::Http { port, path } => {
                    let page = exchange(*port, &get(*port, path), "HTTP/1.1 200".len() as u64).await?;
                    Ok(status(&page).is_some_and(|status| status == b"200"))
                }
                Self::Redis { port, password } => ping_redis(*port, password).await,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    }
}

/// A page by which a process reports a permanent failure.
#[derive(Debug, Clone)]
pub struct FailureIndicator {
    pub port: u16,
    pub path: &'static str,
    /// Text that the body must contain; empty if the status is sufficient.
    pub text: &'static str,
}

impl FailureIndicator {
    /// Requests the page, with a timeout of 1 s; returns whether it is a 503 with the text.
    pub async fn is_present(&self) -> bool {
        let request = get(self.port, self.path);
        let asked = tokio::time::timeout(Duration::from_secs(1), exchange(self.port, &request, MAX_PAGE_BYTES));
        let Ok(Ok(page)) = asked.await else { return false };
        status(&page).is_some_and(|status| status == b"503") && String::from_utf8_lossy(&page).contains(self.text)
    }
}

/// Maximum bytes read of a page.
const MAX_PAGE_BYTES: u64 = 4_096;

fn get(port: u16, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").into_bytes()
}

fn status(page: &[u8]) -> Option<&[u8]> {
    page.strip_prefix(b"HTTP/1.")?.get(2..5)
}

async fn ping_redis(port: u16, password: &str) -> io::Result<bool> {
    let request = format!("AUTH {password}\r\nPING\r\n");
    Ok(exchange(port, request.as_bytes(), "+OK\r\n+PONG".len() as u64).await? == b"+OK\r\n+PONG")
}

/// Sends `request` and returns the response, truncated to `max_bytes`.
async fn exchange(port: u16, request: &[u8], max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(max_bytes).read_to_end(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with `page`, or hangs up.
    async fn serve(page: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1_024]).await.unwrap() > 0);
            stream.write_all(page.as_bytes()).await.unwrap();
        });
        port
    }

    #[tokio::test]
    async fn a_failure_is_indicated_by_status_and_text() {
        const UNHEALTHY: &str =
            "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"error\":\"JetStream stream 'LOG' write error: no space\"}";
        for (page, text, is_present) in [
            (UNHEALTHY, "", true),
            (UNHEALTHY, "write error", true),
            (UNHEALTHY, "recovering", false),
            ("HTTP/1.1 200 OK\r\n\r\nwrite error", "write error", false),
            ("HTTP/1.1 500 Internal Server Error\r\n\r\n", "", false),
            ("", "", false),
            ("HTTP/1.1 5", "", false),
        ] {
            let indicator = FailureIndicator { port: serve(page).await, path: "/healthz", text };
            assert_eq!(indicator.is_present().await, is_present, "{page:?} {text:?}");
            let probe = Probe::Http { port: serve(page).await, path: "/healthz" };
            assert_eq!(probe.passes().await, page.contains("200 OK"), "{page:?}");
        }
    }
}
