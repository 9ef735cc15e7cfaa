//! The answers while the broker cannot be read.

use std::time::Duration;

use shared::messaging::{BlobError, ReadError};

use crate::http::problem::Problem;

/// The answer when the log cannot be read.
pub(crate) fn log_unavailable(error: &ReadError) -> Problem {
    tracing::warn!(%error, "the log could not be read");
    Problem::unavailable("Workflows cannot be read now; try again.", Duration::from_secs(1))
}

/// The answer when a content cannot be stored or read.
pub(crate) fn blobs_unavailable(error: &BlobError) -> Problem {
    tracing::warn!(%error, "content could not be stored or read");
    Problem::unavailable("Content cannot be stored or read now; try again.", Duration::from_secs(1))
}
