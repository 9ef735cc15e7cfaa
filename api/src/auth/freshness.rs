//! Whether this process knows of what happens elsewhere: of revocations, users and keys.

use std::time::Duration;

use crate::auth::tokens::Tokens;
use crate::http::problem::Problem;

/// Whether all that decides about tokens was heard of here, up to a moment ago that is bearable.
pub(crate) fn is_fresh(tokens: &Tokens) -> bool {
    tokens.complete_at().elapsed() <= tokens.max_revocation_staleness()
}

/// Refuses (503) while this process is out of touch: what the caller relies on may have been revoked elsewhere.
pub(crate) fn require_fresh(tokens: &Tokens) -> Result<(), Problem> {
    if is_fresh(tokens) {
        return Ok(());
    }
    let detail =
        "Whether your token still holds cannot be told: this instance does not hear of revocations now. Try again.";
    Err(Problem::unavailable(detail, Duration::from_secs(1)))
}
