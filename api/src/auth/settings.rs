//! The `auth.*` settings.

use std::time::Duration;

use service::config::{Profile, Settings};

/// Entries of the revocation bucket are kept for two days; an access token must not outlive its revocation.
const MAX_ACCESS_TTL: Duration = Duration::from_secs(86_400);
/// Entries of the refresh bucket are kept for 91 days.
const MAX_REFRESH_TTL: Duration = Duration::from_secs(90 * 86_400);

/// Freshness is checked every second with a timeout of a second; one missed answer must not close the API.
const MIN_REVOCATION_STALENESS: Duration = Duration::from_secs(3);

/// Issuer, audience and lifetimes of tokens.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuer: String,
    pub audience: String,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    /// Maximum age of the copies of users, keys and revocations; beyond it requests with a token are 503.
    pub max_revocation_staleness: Duration,
    /// Accepts users and keys of the demo stack.
    pub demo: bool,
}

impl TokenSettings {
    /// Reads the `auth.*` settings.
    pub(crate) fn read(settings: &mut Settings, profile: Profile) -> Self {
        let tokens = Self {
            issuer: settings.read::<String>("auth.issuer"),
            audience: settings.read::<String>("auth.audience"),
            access_ttl: settings.span("auth.access_ttl"),
            refresh_ttl: settings.span("auth.refresh_ttl"),
            max_revocation_staleness: settings.span("auth.max_revocation_staleness"),
            demo: profile == Profile::Demo,
        };
        if tokens.max_revocation_staleness < MIN_REVOCATION_STALENESS {
            settings.mistake(
                "auth.max_revocation_staleness: must be at least 3s, to tolerate one missed answer of the broker",
            );
        }
        if !(Duration::from_secs(1)..=MAX_ACCESS_TTL).contains(&tokens.access_ttl) {
            settings.mistake("auth.access_ttl: must be 1s to 24h, so that a revocation outlives its token");
        }
        if !(tokens.access_ttl..=MAX_REFRESH_TTL).contains(&tokens.refresh_ttl) {
            settings.mistake("auth.refresh_ttl: must be at least auth.access_ttl and at most 90d");
        }
        tokens
    }
}
