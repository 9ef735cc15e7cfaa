//! The settings `auth.*`.

use std::time::Duration;

use shared::config::{Profile, Settings};

/// An entry of the revocation bucket is kept for two days, so no access token may outlive that.
const MAX_ACCESS_TTL: Duration = Duration::from_secs(86_400);
/// An entry of the refresh bucket is kept for 91 days.
const MAX_REFRESH_TTL: Duration = Duration::from_secs(90 * 86_400);

/// The broker is asked every second how far the copies have to go, and has a second to answer.
const MIN_REVOCATION_STALENESS: Duration = Duration::from_secs(3);

/// Who issues tokens, for whom, and for how long.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuer: String,
    pub audience: String,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    /// Out of touch for so long no token is judged: it may have been revoked elsewhere.
    pub max_revocation_staleness: Duration,
    /// Whether users and keys of the demo stack count.
    pub demo: bool,
}

impl TokenSettings {
    /// Reads the `auth.*` settings.
    pub(crate) fn read(settings: &mut Settings, profile: Profile) -> Self {
        let tokens = Self {
            issuer: settings.read("auth.issuer", "promptcraft".to_owned()),
            audience: settings.read("auth.audience", "promptcraft-api".to_owned()),
            access_ttl: settings.span("auth.access_ttl", Duration::from_secs(900)),
            refresh_ttl: settings.span("auth.refresh_ttl", Duration::from_secs(30 * 86_400)),
            max_revocation_staleness: settings.span("auth.max_revocation_staleness", Duration::from_secs(5)),
            demo: profile == Profile::Demo,
        };
        if tokens.max_revocation_staleness < MIN_REVOCATION_STALENESS {
            settings.mistake(
                "auth.max_revocation_staleness: is at least 3s, the time of a missed answer of the broker and the next one",
            );
        }
        if !(Duration::from_secs(1)..=MAX_ACCESS_TTL).contains(&tokens.access_ttl) {
            settings.mistake("auth.access_ttl: is 1s to 24h, so that a revocation is remembered for longer");
        }
        if !(tokens.access_ttl..=MAX_REFRESH_TTL).contains(&tokens.refresh_ttl) {
            settings.mistake("auth.refresh_ttl: is at least auth.access_ttl and at most 90d");
        }
        tokens
    }
}
