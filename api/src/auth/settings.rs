//! The settings `auth.*`.

use std::time::Duration;

use shared::config::{Profile, Settings};

/// An entry of the revocation bucket is kept for two days, so no access token may outlive that.
const LONGEST_ACCESS: Duration = Duration::from_secs(86_400);
/// An entry of the refresh bucket is kept for 91 days.
const LONGEST_REFRESH: Duration = Duration::from_secs(90 * 86_400);

/// The broker is asked every second how far the copies have to go, and has a second to answer.
const SHORTEST_OUT_OF_TOUCH: Duration = Duration::from_secs(3);

/// Who issues tokens, for whom, and for how long.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    pub issuer: String,
    pub audience: String,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    /// Out of touch for so long no token is judged: it may have been revoked elsewhere.
    pub out_of_touch: Duration,
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
            out_of_touch: settings.span("auth.out_of_touch", Duration::from_secs(5)),
            demo: profile == Profile::Demo,
        };
        if tokens.out_of_touch < SHORTEST_OUT_OF_TOUCH {
            settings.mistake(
                "auth.out_of_touch: is at least 3s, the time of a missed answer of the broker and the next one",
            );
        }
        if !(Duration::from_secs(1)..=LONGEST_ACCESS).contains(&tokens.access_ttl) {
            settings.mistake("auth.access_ttl: is 1s to 24h, so that a revocation is remembered for longer");
        }
        if !(tokens.access_ttl..=LONGEST_REFRESH).contains(&tokens.refresh_ttl) {
            settings.mistake("auth.refresh_ttl: is at least auth.access_ttl and at most 90d");
        }
        tokens
    }
}
