//! Problems for an unavailable broker.

use std::time::Duration;

use messaging::{BlobError, ReadError};

use crate::http::problem::Problem;

/// Logs the error and returns the 503 problem for an unreadable log.
pub(crate) fn log_unavailable(error: &ReadError) -> Problem {
    tracing::warn!(%error, "Failed to read the log");
    Problem::unavailable("Workflows are unavailable; try again.", Duration::from_secs(1))
}

/// Logs the error and returns the 503 problem for an unavailable blob store.
pub(crate) fn blobs_unavailable(error: &BlobError) -> Problem {
    tracing::warn!(%error, "Failed to store or read content");
    Problem::unavailable("Content cannot be stored or read right now; try again.", Duration::from_secs(1))
}
