//! The error of handlers whose message is delivered again.

use messaging::{AdvanceError, BlobError, DeadLetterError, MessagingError, ReadError};

/// A reason to handle a message again later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryError {
    #[error(transparent)]
    Messaging(#[from] MessagingError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    DeadLetter(#[from] DeadLetterError),
    #[error(transparent)]
    Advance(#[from] AdvanceError),
}
