//! A stream of server-sent events.

use serde_json::Value;

use crate::client::{ApiClient, ApiError};

/// The event stream of a workflow.
pub(crate) struct EventStream {
    response: reqwest::Response,
    parser: EventParser,
}

/// An event with its data.
#[derive(Debug, PartialEq)]
pub(crate) struct ServerEvent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl EventStream {
    /// Opens the stream, after the event `last_id` if it is not empty.
    pub(crate) async fn open(api: &ApiClient, workflow: &str, last_id: &str) -> Result<Self, ApiError> {
        let query = if last_id.is_empty() { String::new() } else { format!("?last_event_id={last_id}") };
        let response = api.events(&format!("/api/v3/execute/{workflow}/events{query}")).await?;
        Ok(Self { response, parser: EventParser::default() })
    }

    /// Waits for events; `None` once the stream has ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Vec<ServerEvent>> {
        loop {
            let chunk = self.response.chunk().await.ok().flatten()?;
            let events = self.parser.read(&chunk);
            if !events.is_empty() {
                return Some(events);
            }
        }
    }
}

/// Splits a stream into events.
#[derive(Default)]
struct EventParser {
    buffer: Vec<u8>,
}

impl EventParser {
    /// Returns the events that end in `chunk`; comments and blocks without JSON data are left out.
    fn read(&mut self, chunk: &[u8]) -> Vec<ServerEvent> {
        self.buffer.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.windows(2).position(|window| window == b"\n\n") {
            let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
            events.extend(parse(&String::from_utf8_lossy(&block)));
        }
        events
    }
}

fn parse(block: &str) -> Option<ServerEvent> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).ok()?;
    let text = |name: &str| field(name).unwrap_or_default().to_owned();
    Some(ServerEvent { id: text("id"), name: text("event"), data })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_read_however_the_stream_is_cut() {
        let stream = "retry: 1000\n\n: still here\n\nid: 7.12\nevent: output\ndata: {\"text\":\"é\\n\"}\n\nid: 8\nevent: executed\ndata: {}\n\nid: 9\n";
        let expected = |id: &str, name: &str, data: Value| ServerEvent { id: id.into(), name: name.into(), data };
        for size in 1..stream.len() {
            let mut parser = EventParser::default();
            let events: Vec<ServerEvent> =
                stream.as_bytes().chunks(size).flat_map(|chunk| parser.read(chunk)).collect();
            let wanted = [expected("7.12", "output", json!({"text": "é\n"})), expected("8", "executed", json!({}))];
            assert_eq!(events, wanted, "{size}");
        }
    }
}
