//! The error of conversations with the broker.

use std::fmt::Display;

/// A failed call of the broker. Every variant is worth a retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessagingError {
    /// The broker was not reached, refused the call, or did not answer; a write may have taken effect.
    #[error("{0}")]
    Unavailable(String),
    /// Other writers were first each time.
    #[error("too many concurrent writers of the audit log; retry")]
    Contended,
    /// A stored message cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl MessagingError {
    pub(crate) fn unavailable(error: impl Display) -> Self {
        Self::Unavailable(error.to_string())
    }

    pub(crate) fn unreadable(error: impl Display) -> Self {
        Self::Unreadable(error.to_string())
    }
}
