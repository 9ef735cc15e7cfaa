//! Reading the header block of a message that arrived.
//!
//! Not part of the published crate; see `CHANGES.md`.

use std::str::FromStr;

use crate::header::NATS_SEQUENCE;
use crate::{HeaderMap, HeaderName, StatusCode};

const VERSION: &str = "NATS/1.0";
/// What a message is acknowledged to; only a stream's message has it.
const ACKNOWLEDGEMENT: &str = "$JS.ACK.";

/// What a header block says.
#[derive(Debug, Default)]
pub(crate) struct HeaderBlock {
    pub(crate) headers: HeaderMap,
    /// What the server has to say instead of a message.
    pub(crate) status: Option<StatusCode>,
    pub(crate) description: Option<String>,
}

impl HeaderBlock {
    /// Reads a block of a message with this reply subject. It never fails: the server hands on what a publisher sent byte for byte, so
    /// a block that failed would end the connection of everyone who reads the message, again and again.
    ///
    /// A line that is no header is left out, bytes that are no text are replaced. A status that came with a stream's message
    /// was written by its publisher and not by the server, so it is left out as well.
    pub(crate) fn read(block: &[u8], reply: Option<&str>) -> Self {
        let text = String::from_utf8_lossy(block);
        let mut lines = text.lines().peekable();
        let mut read = Self::default();
        if let Some(line) = lines.peek().and_then(|line| line.strip_prefix(VERSION)) {
            let (status, description) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            read.status = status.trim().parse().ok();
            read.description = Some(description.trim().to_owned()).filter(|text| !text.is_empty());
        }
        lines.next();
        while let Some(line) = lines.next() {
            let mut value = line.split_once(':').map_or("", |(_, value)| value).trim_start().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with(char::is_whitespace)) {
                value.push_str(more);
            }
            let name = line.split_once(':').and_then(|(name, _)| HeaderName::from_str(name).ok());
            if let Some(name) = name {
                value.truncate(value.trim_end().len());
                // A value with a carriage return in it could not be made.
                read.headers.append(name, value.replace('\r', " "));
            }
        }
        let is_of_stream = reply.is_some_and(|reply| reply.starts_with(ACKNOWLEDGEMENT));
        if is_of_stream || read.headers.get(NATS_SEQUENCE).is_some() {
            (read.status, read.description) = (None, None);
        }
        read
    }
}
