//! Checks that the local copy of users, keys and revocations is fresh enough to authenticate with.

use std::time::Duration;

use crate::auth::tokens::Tokens;
use crate::http::problem::Problem;

/// Returns whether the copy is at most `auth.max_revocation_staleness` old.
pub(crate) fn is_fresh(tokens: &Tokens) -> bool {
    tokens.complete_at().elapsed() <= tokens.max_revocation_staleness()
}

/// Returns a 503 problem while the copy is stale: the token may have been revoked on another instance.
pub(crate) fn require_fresh(tokens: &Tokens) -> Result<(), Problem> {
    if is_fresh(tokens) {
        return Ok(());
    }
    let detail =
        "Token status cannot be verified right now because this instance is not receiving revocation updates. Retry.";
    Err(Problem::unavailable(detail, Duration::from_secs(1)))
}
