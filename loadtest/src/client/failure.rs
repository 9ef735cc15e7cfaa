//! Reasons for which a request counts as failed.

use std::fmt;

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// Not sent within `max_delay` after its planned instant.
    Late,
    /// Any response status but the expected one.
    Status(u16),
    /// No complete response within the timeout.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// A response of the right status without the expected content.
    Unexpected(&'static str),
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => write!(formatter, "not sent on time"),
            Self::Status(status) => write!(formatter, "status {status}"),
            Self::Timeout => write!(formatter, "timeout"),
            Self::Connection => write!(formatter, "connection failed"),
            Self::Unexpected(what) => write!(formatter, "{what}"),
        }
    }
}

impl From<reqwest::Error> for RequestFailure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Connection }
    }
}
