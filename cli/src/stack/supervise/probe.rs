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
                Self::Http { port, path } => {
                    let page = ask(*port, &get(*port, path), "HTTP/1.1 200".len() as u64).await?;
                    Ok(status(&page).is_some_and(|status| status == b"200"))
                }
                Self::Redis { port, password } => redis(*port, password).await,
            }
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    }
}

/// A page on which a process says itself that it no longer does what it is there for.
#[derive(Debug, Clone)]
pub struct Confession {
    pub port: u16,
    pub path: &'static str,
    /// What stands in the body as well; empty where the status says enough.
    pub words: &'static str,
}

impl Confession {
    /// Asks once, and waits at most a second: whether the answer is 503 with these words.
    pub async fn is_made(&self) -> bool {
        let request = get(self.port, self.path);
        let asked = tokio::time::timeout(Duration::from_secs(1), ask(self.port, &request, PAGE));
        let Ok(Ok(page)) = asked.await else { return false };
        status(&page).is_some_and(|status| status == b"503") && String::from_utf8_lossy(&page).contains(self.words)
    }
}

/// So much of a page is read at most, in bytes.
const PAGE: u64 = 4_096;

fn get(port: u16, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").into_bytes()
}

fn status(page: &[u8]) -> Option<&[u8]> {
    page.strip_prefix(b"HTTP/1.")?.get(2..5)
}

async fn redis(port: u16, password: &str) -> io::Result<bool> {
    let request = format!("AUTH {password}\r\nPING\r\n");
    Ok(ask(port, request.as_bytes(), "+OK\r\n+PONG".len() as u64).await? == b"+OK\r\n+PONG")
}

/// Sends `request` and returns the answer, at most `most` bytes of it.
async fn ask(port: u16, request: &[u8], most: u64) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(most).read_to_end(&mut answer).await?;
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
    async fn a_process_confesses_by_its_status_and_its_words() {
        const SICK: &str =
            "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"error\":\"JetStream stream 'LOG' write error: no space\"}";
        for (page, words, is_made) in [
            (SICK, "", true),
            (SICK, "write error", true),
            (SICK, "recovering", false),
            ("HTTP/1.1 200 OK\r\n\r\nwrite error", "write error", false),
            ("HTTP/1.1 500 Internal Server Error\r\n\r\n", "", false),
            ("", "", false),
            ("HTTP/1.1 5", "", false),
        ] {
            let confession = Confession { port: serve(page).await, path: "/healthz", words };
            assert_eq!(confession.is_made().await, is_made, "{page:?} {words:?}");
            let probe = Probe::Http { port: serve(page).await, path: "/healthz" };
            assert_eq!(probe.passes().await, page.contains("200 OK"), "{page:?}");
        }
    }
}
