//! Header blocks of messages. Reading one never fails: the broker stores and delivers a block unchanged as published.

use async_nats::HeaderMap;
use async_nats::header::HeaderName;

const VERSION: &str = "NATS/1.0";
/// Start of the reply subject of a stream's message, to which it is acknowledged; no other message has one.
const ACK_SUBJECT: &str = "$JS.ACK.";
/// Set by the broker on a stream's message in a direct get.
const SEQUENCE_HEADER: &str = "Nats-Sequence";
/// Maximum lines read at the start of a block.
const MAX_FIRST_LINES: usize = 256;
/// Maximum lines read at the end of a longer block, where the broker adds its own headers.
const MAX_LAST_LINES: usize = 16;

/// The readable part of a header block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeaderBlock {
    /// Code and description that the broker sends instead of a message, such as `404 No Messages`.
    status: Option<(String, String)>,
    headers: Vec<(String, String)>,
}

impl HeaderBlock {
    /// Reads the block of a message with this reply subject.
    ///
    /// Lines that are not headers are left out; bytes that are not UTF-8 become replacement characters. The status of a
    /// stream's message was written by its publisher and is left out.
    pub(crate) fn read(block: &[u8], reply: Option<&str>) -> Self {
        let text = String::from_utf8_lossy(block);
        let headers = read_headers(&text);
        let is_stored = reply.is_some_and(|reply| reply.starts_with(ACK_SUBJECT))
            || headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(SEQUENCE_HEADER));
        let status = if is_stored { None } else { read_status(&text) };
        Self { status, headers }
    }

    /// Encodes the block in the form that every client reads.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = VERSION.to_owned();
        if let Some((code, description)) = &self.status {
            text.extend([" ", code.as_str()]);
            if !description.is_empty() {
                text.extend([" ", description.as_str()]);
            }
        }
        text.push_str("\r\n");
        for (name, value) in &self.headers {
            text.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// Returns the headers in the client's type.
    pub(crate) fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            if let Ok(name) = name.parse::<HeaderName>() {
                map.append(name, value.as_str());
            }
        }
        map
    }
}

fn read_status(text: &str) -> Option<(String, String)> {
    let rest = text.lines().next()?.strip_prefix(VERSION)?.trim();
    let (code, description) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) && !code.starts_with('0');
    is_code.then(|| (code.to_owned(), description.trim().replace('\r', " ")))
}

fn read_headers(text: &str) -> Vec<(String, String)> {
    let count = text.lines().count();
    let is_read = |number: usize| number < MAX_FIRST_LINES || number + MAX_LAST_LINES >= count;
    let numbered = text.lines().enumerate().skip(1).filter(|(number, _)| is_read(*number));
    let mut lines = numbered.map(|(_, line)| line).peekable();
    let mut headers = Vec::new();
    while let Some(line) = lines.next() {
        let (name, value) = line.split_once(':').unwrap_or_default();
        let mut value = value.trim_start().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with(char::is_whitespace)) {
            value.push_str(more);
        }
        // The client panics on a value with a carriage return.
        let value = value.trim().replace('\r', " ");
        if is_name(name) {
            headers.push((name.to_owned(), value));
        }
    }
    headers
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(block: &HeaderBlock) -> Option<(&str, &str)> {
        block.status.as_ref().map(|(code, description)| (code.as_str(), description.as_str()))
    }

    /// Statuses as nats-server 2.15 sends them.
    #[test]
    fn statuses_of_the_broker_are_kept() {
        let pending = "\r\nNats-Pending-Messages: 1\r\nNats-Pending-Bytes: 0";
        let cases = [
            ("100 Idle Heartbeat", "\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 2", None),
            ("100 FlowControl Request", "", Some("$JS.FC.s.c.x")),
            ("204 EOB", "\r\nNats-Num-Pending: 0", None),
            ("404 No Messages", "", None),
            ("408 Request Timeout", pending, None),
            ("409 Consumer Deleted", "", None),
            ("503", "", None),
        ];
        for (text, headers, reply) in cases {
            let block = format!("NATS/1.0 {text}{headers}\r\n\r\n");
            let read = HeaderBlock::read(block.as_bytes(), reply);
            let (code, description) = text.split_at(3);
            assert_eq!(status(&read), Some((code, description.trim_start())), "{text}");
            assert_eq!(read.to_bytes(), block.as_bytes(), "unchanged");
        }
    }

    #[test]
    fn statuses_of_publishers_on_stored_messages_are_left_out() {
        let by_direct_get = HeaderBlock::read(b"NATS/1.0 404 x\r\nNats-Sequence: 7\r\n\r\n", None);
        assert_eq!(status(&by_direct_get), None);
        let by_consumer = HeaderBlock::read(b"NATS/1.0 404 x\r\n\r\n", Some("$JS.ACK.s.c.1.2.3.4.0"));
        assert_eq!(by_consumer.to_bytes(), b"NATS/1.0\r\n\r\n");
    }

    #[test]
    fn readable_parts_of_malformed_blocks_are_kept() {
        for (block, expected) in [
            (b"NATS/1.0\r\nBy: a\rworker\r\n\r\n".as_slice(), "NATS/1.0\r\nBy: a worker\r\n\r\n"),
            (b"NATS/1.0\nBy: a worker\n\n", "NATS/1.0\r\nBy: a worker\r\n\r\n"),
            (b"NATS/1.0\r\nno header\r\nBy: a\r\n  worker\r\n\r\n", "NATS/1.0\r\nBy: a  worker\r\n\r\n"),
            (b"NATS/1.0\r\nBy: \xff\r\n: x\r\n\r\n", "NATS/1.0\r\nBy: \u{fffd}\r\n\r\n"),
            (b"NATS/1.0 what\r\nBy: a\r\nBy: b\r\n\r\n", "NATS/1.0\r\nBy: a\r\nBy: b\r\n\r\n"),
            (b"HTTP/1.1 200 OK\r\n\r\n", "NATS/1.0\r\n\r\n"),
            (b"", "NATS/1.0\r\n\r\n"),
        ] {
            let read = String::from_utf8(HeaderBlock::read(block, None).to_bytes()).unwrap();
            assert_eq!(read, expected, "{}", block.escape_ascii());
        }
    }

    #[test]
    fn headers_at_the_end_of_a_huge_block_are_kept() {
        let lines: String = (0..500_000).map(|number| format!("a{number}:\n")).collect();
        let block = format!("NATS/1.0\r\n{lines}Nats-Sequence: 7\r\nNats-Time-Stamp: now\r\n\r\n");
        let map = HeaderBlock::read(block.as_bytes(), None).to_map();
        assert_eq!(map.get_last("Nats-Sequence").map(|value| value.as_str()), Some("7"));
        assert!(map.len() < 300, "{}", map.len());
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_block_that_reads_the_same(
            block in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "(NATS/1.0)?( [0-9]{0,4})?( [A-Za-z]{0,4})?(\r\n|\n|\r)([A-Za-z :\r\n\u{0}\u{a0}\u{2028}]{0,40})"
                    .prop_map(String::into_bytes),
            ],
            reply in proptest::option::of("[$A-Z.]{0,12}"),
        ) {
            let read = HeaderBlock::read(&block, reply.as_deref());
            prop_assert_eq!(&HeaderBlock::read(&read.to_bytes(), reply.as_deref()), &read);
            for (name, values) in read.to_map().iter() {
                prop_assert!(!name.to_string().contains(['\r', '\n', ':']));
                prop_assert!(values.iter().all(|value| !value.as_str().contains(['\r', '\n'])));
            }
        }
    }
}
