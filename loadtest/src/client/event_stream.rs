//! Server-sent events of a workflow.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::{Api, RequestFailure};

/// Maximum silence of a stream; the service sends a comment every 15 s.
const MAX_SILENCE: Duration = Duration::from_secs(40);
/// Maximum time of a stream, in place of the timeout of other requests.
const MAX_STREAM_TIME: Duration = Duration::from_secs(3_600);

/// An open event stream.
pub struct EventStream {
    response: Response,
    parser: Parser,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    pub id: u64,
    pub data: Value,
}

impl StreamEvent {
    /// Returns the status of the workflow after the transition.
    pub fn status(&self) -> &str {
        self.data["status"].as_str().unwrap_or_default()
    }

    pub fn is_end(&self) -> bool {
        is_end(self.status())
    }
}

/// Returns whether a status is terminal.
pub fn is_end(status: &str) -> bool {
    matches!(status, "completed" | "failed" | "cancelled")
}

impl EventStream {
    /// Opens the stream after the event `last`; `None` if the workflow has ended and has no later event.
    pub async fn open(api: &Api, id: &str, token: Option<&str>, last: u64) -> Result<Option<Self>, RequestFailure> {
        let request = api.request(Method::GET, &format!("/api/v3/execute/{id}/events"), token).timeout(MAX_STREAM_TIME);
        let response = request.header("last-event-id", last.to_string()).send().await?;
        match response.status().as_u16() {
            200 => Ok(Some(Self { response, parser: Parser::default() })),
            204 => Ok(None),
            status => Err(RequestFailure::Status(status)),
        }
    }

    /// Returns the next event; `None` at the end of the stream.
    pub async fn next_event(&mut self) -> Result<Option<StreamEvent>, RequestFailure> {
        loop {
            if let Some(event) = self.parser.next_event() {
                return Ok(Some(event));
            }
            let chunk = timeout(MAX_SILENCE, self.response.chunk()).await.map_err(|_| RequestFailure::Timeout)??;
            match chunk {
                Some(bytes) => self.parser.push(&bytes),
                None => return Ok(None),
            }
        }
    }
}

/// Splits a stream into events; comments and blocks without an id are skipped.
#[derive(Debug, Default)]
struct Parser {
    buffer: Vec<u8>,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn next_event(&mut self) -> Option<StreamEvent> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&block);
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let id = field("id").and_then(|id| id.parse().ok());
            let data = field("data").and_then(|data| serde_json::from_str(data).ok());
            if let (Some(id), Some(data)) = (id, data) {
                return Some(StreamEvent { id, data });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_found_however_the_stream_is_cut() {
        let stream = "retry: 1000\n\nid: 4\nevent: started\ndata: {\"status\":\"running\"}\n\n: still here\n\n\
                      id: 9\nevent: approved\ndata: {\"status\":\"completed\"}\n\n";
        for size in [1, 2, 7, 1_000] {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                parser.push(chunk);
                events.extend(std::iter::from_fn(|| parser.next_event()));
            }
            let expected = [
                StreamEvent { id: 4, data: json!({"status": "running"}) },
                StreamEvent { id: 9, data: json!({"status": "completed"}) },
            ];
            assert_eq!(events, expected, "in chunks of {size}");
            assert_eq!(events.iter().map(StreamEvent::is_end).collect::<Vec<_>>(), [false, true]);
        }
    }
}
