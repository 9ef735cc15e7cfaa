//! The part of the application state for authentication.

use domain::identity::{RefreshFamily, Revocation};
use messaging::Bucket;
use service::clock::Clock;

use crate::auth::sign_in_queue::SignInQueue;
use crate::auth::tokens::Tokens;

/// Tokens, their records in the broker, and the queue of password checks.
pub(crate) struct Auth {
    pub(crate) tokens: Tokens,
    pub(crate) families: Bucket<RefreshFamily>,
    pub(crate) revocations: Bucket<Revocation>,
    /// Bounds concurrent password checks.
    pub(crate) sign_ins: SignInQueue,
    pub(crate) clock: Clock,
}
