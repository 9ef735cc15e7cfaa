//! Reading the header block of a message that arrived.
//!
//! Not part of the published crate; see `CHANGES.md`.

use std::str::FromStr;

use crate::header::NATS_SEQUENCE;
use crate::{HeaderMap, HeaderName, StatusCode};

const VERSION: &str = "NATS/1.0";
/// What a message is acknowledged to; only a stream's message has it.
const ACKNOWLEDGEMENT: &str = "$JS.ACK.";
/// Of more lines only so many at the beginning are read, and at the end, where the server adds its own.
const FIRST_LINES: usize = 256;
const LAST_LINES: usize = 16;

/// What a header block says.
#[derive(Debug, Default)]
pub struct HeaderBlock {
    pub headers: HeaderMap,
    /// What the server has to say instead of a message.
    pub status: Option<StatusCode>,
    pub description: Option<String>,
}

impl HeaderBlock {
    /// Reads a block of a message with this reply subject. It never fails: the server hands on what a publisher sent byte for byte, so
    /// a block that failed would end the connection of everyone who reads the message, again and again.
    ///
    /// A line that is no header is left out, bytes that are no text are replaced. A status that came with a stream's message
    /// was written by its publisher and not by the server, so it is left out as well.
    pub fn read(block: &[u8], reply: Option<&str>) -> Self {
        let text = String::from_utf8_lossy(block);
        let mut read = Self::default();
        let first = text.lines().next().unwrap_or_default();
        if let Some(said) = first.strip_prefix(VERSION).map(str::trim) {
            let (status, description) = said.split_once(' ').unwrap_or((said, ""));
            read.status = status.trim().parse().ok();
            read.description = Some(description.trim().to_owned()).filter(|text| !text.is_empty());
        }
        read.add_headers(&text);
        let is_of_stream = reply.is_some_and(|reply| reply.starts_with(ACKNOWLEDGEMENT));
        if is_of_stream || read.headers.get(NATS_SEQUENCE).is_some() {
            (read.status, read.description) = (None, None);
        }
        read
    }

    /// Every header behind the first line.
    fn add_headers(&mut self, text: &str) {
        let count = text.lines().count();
        let is_read = |number: usize| number < FIRST_LINES || number + LAST_LINES >= count;
        let numbered = text.lines().enumerate().skip(1);
        let mut lines = numbered
            .filter(|(number, _)| is_read(*number))
            .map(|(_, line)| line)
            .peekable();
        while let Some(line) = lines.next() {
            let (name, value) = line.split_once(':').unwrap_or_default();
            let mut value = value.trim_start().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with(char::is_whitespace)) {
                value.push_str(more);
            }
            value.truncate(value.trim_end().len());
            // `split_once` leaves no name where there is no colon, and no name is none.
            if let (false, Ok(name)) = (name.is_empty(), HeaderName::from_str(name)) {
                // A value with a carriage return in it could not be made.
                self.headers.append(name, value.replace('\r', " "));
            }
        }
    }
}
