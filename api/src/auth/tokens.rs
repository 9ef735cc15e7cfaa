//! Access and refresh tokens: their claims and their verification.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::approval::lapse_votes;
use domain::identity::{Revocation, Role, User};
use domain::ids::Digest;
use domain::workflow::Workflow;
use messaging::BucketCache;
use serde::{Deserialize, Serialize};
use service::clock::Clock;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::keyring::{Issued, Keyring, TokenError};
use crate::auth::settings::TokenSettings;

/// Maximum length of a token; longer ones are rejected unread.
const MAX_TOKEN_BYTES: usize = 4_096;
/// Maximum cached verified tokens.
const MAX_CACHED_TOKENS: usize = 16_384;

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    iss: String,
    aud: String,
    sub: String,
    pub(crate) jti: String,
    iat: u64,
    nbf: u64,
    /// Seconds since the Unix epoch.
    pub(crate) exp: u64,
    /// Role at the time of issue; the user's current role is authoritative.
    role: Role,
    /// The refresh family that the token belongs to and is revoked with.
    #[serde(rename = "fam")]
    pub(crate) family_id: String,
    /// The user's `tokens_from` at the time of issue.
    #[serde(rename = "from", default, skip_serializing_if = "Option::is_none")]
    tokens_valid_from: Option<Timestamp>,
}

/// Claims of a refresh token. Its audience differs from an access token's, so neither is accepted as the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RefreshClaims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(rename = "fam")]
    pub(crate) family_id: String,
    #[serde(rename = "gen")]
    pub(crate) generation: u64,
    /// The user's `tokens_from` at the time of issue.
    #[serde(rename = "from", default, skip_serializing_if = "Option::is_none")]
    tokens_valid_from: Option<Timestamp>,
}

impl Issued for AccessClaims {
    fn issued_at(&self) -> u64 {
        self.iat
    }
}

impl Issued for RefreshClaims {
    fn issued_at(&self) -> u64 {
        self.iat
    }
}

/// An authenticated user with the claims of the token.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Arc<User>,
    pub(crate) claims: Arc<AccessClaims>,
}

impl Caller {
    /// Returns whether the caller's role is `role` or higher.
    pub(crate) fn is_at_least(&self, role: Role) -> bool {
        self.user.role >= role
    }
}

/// A token whose signature was verified before.
#[derive(Debug, Clone)]
struct Verified {
    claims: Arc<AccessClaims>,
    kid: String,
}

/// Issues and verifies tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    settings: TokenSettings,
    keyring: Keyring,
    users: BucketCache<User>,
    revocations: BucketCache<Revocation>,
    /// Keyed by the token's digest, so that a memory dump of the cache holds no token.
    verified: Mutex<HashMap<Digest, Verified>>,
    clock: Clock,
}

/// An access token with its refresh token.
#[derive(Debug)]
pub(crate) struct TokenPair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) expires_in: u64,
}

impl Tokens {
    pub(crate) fn new(
        settings: TokenSettings,
        keyring: Keyring,
        users: BucketCache<User>,
        revocations: BucketCache<Revocation>,
        clock: Clock,
    ) -> Self {
        Self { settings, keyring, users, revocations, verified: Mutex::default(), clock }
    }

    /// Removes the revocations of expired tokens once a minute, until stopped.
    pub(crate) async fn run_pruning(&self, stopping: CancellationToken) {
        while !stopping.is_cancelled() {
            let now = self.clock.now();
            self.revocations.prune(|revocation| revocation.until < now);
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(60)) => {}
            }
        }
    }

    /// Returns the lifetime of a refresh token.
    pub(crate) fn refresh_ttl(&self) -> Duration {
        self.settings.refresh_ttl
    }

    /// Returns the lifetime of an access token.
    pub(crate) fn access_ttl(&self) -> Duration {
        self.settings.access_ttl
    }

    /// Returns the maximum age of the copies of users, keys and revocations.
    pub(crate) fn max_revocation_staleness(&self) -> Duration {
        self.settings.max_revocation_staleness
    }

    /// Returns whether there is a key to sign with.
    pub(crate) fn is_ready(&self) -> bool {
        self.keyring.is_ready()
    }

    /// Returns the time up to which no change of users, keys and revocations was missed.
    pub(crate) fn complete_at(&self) -> Instant {
        self.users.complete_at().min(self.revocations.complete_at()).min(self.keyring.complete_at())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis() / 1_000).unwrap_or(0)
    }

    fn refresh_audience(&self) -> String {
        format!("{}/refresh", self.settings.audience)
    }

    /// Issues a pair of tokens for a generation of a family; `None` without a signing key.
    pub(crate) fn issue(&self, user: &User, family: &str, generation: u64) -> Option<TokenPair> {
        let (now, expires_in) = (self.now(), self.settings.access_ttl.as_secs());
        let access = AccessClaims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: user.name.to_string(),
            jti: Uuid::new_v4().to_string(),
            iat: now,
            nbf: now,
            exp: now + expires_in,
            role: user.role,
            family_id: family.to_owned(),
            tokens_valid_from: user.tokens_from,
        };
        let refresh = RefreshClaims {
            iss: access.iss.clone(),
            aud: self.refresh_audience(),
            sub: access.sub.clone(),
            jti: Uuid::new_v4().to_string(),
            iat: now,
            nbf: now,
            exp: now + self.settings.refresh_ttl.as_secs(),
            family_id: family.to_owned(),
            generation,
            tokens_valid_from: user.tokens_from,
        };
        Some(TokenPair { access: self.keyring.sign(&access)?, refresh: self.keyring.sign(&refresh)?, expires_in })
    }

    /// Verifies an access token and returns its caller.
    pub(crate) fn verify_access(&self, token: &str) -> Result<Caller, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let claims = self.claims(token)?;
        // The library applies its leeway to the expiry too; an expired token must be rejected at once.
        if claims.exp <= self.now() {
            return Err(TokenError::Expired);
        }
        let user = self.user_of(&claims)?;
        Ok(Caller { user: Arc::new(user), claims })
    }

    /// Returns the token's user, unless the token was revoked or the user may not sign in.
    fn user_of(&self, claims: &AccessClaims) -> Result<User, TokenError> {
        if self.is_revoked(&claims.jti) || self.is_revoked(&claims.family_id) {
            return Err(TokenError::Revoked);
        }
        self.token_user(&claims.sub, claims.tokens_valid_from)
    }

    /// Returns the user, unless disabled or all tokens issued under `tokens_valid_from` were revoked since.
    fn token_user(&self, name: &str, tokens_valid_from: Option<Timestamp>) -> Result<User, TokenError> {
        let user = self.usable(name).ok_or(TokenError::User)?;
        if user.tokens_from == tokens_valid_from { Ok(user) } else { Err(TokenError::Revoked) }
    }

    /// Returns whether the caller is still authorized, for long responses. Ignores expiry.
    pub(crate) fn is_valid(&self, caller: &Caller) -> bool {
        self.current_user(caller).is_some()
    }

    /// Returns signals of changes to users and revocations, after which [`Self::is_valid`] may differ.
    pub(crate) fn changes(&self) -> [watch::Receiver<()>; 2] {
        [self.users.changes(), self.revocations.changes()]
    }

    /// Returns the time until the caller's token expires.
    pub(crate) fn remaining_lifetime(&self, caller: &Caller) -> Duration {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        Duration::from_millis((caller.claims.exp * 1_000).saturating_sub(now))
    }

    /// Returns the caller's current user record, unless access was revoked.
    pub(crate) fn current_user(&self, caller: &Caller) -> Option<User> {
        self.user_of(&caller.claims).ok()
    }

    fn claims(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        let digest = Digest::of(token.as_bytes());
        let cached = self.lock().get(&digest).cloned();
        if let Some(verified) = cached.filter(|verified| self.keyring.can_verify(&verified.kid, verified.claims.iat)) {
            return Ok(verified.claims);
        }
        let (claims, kid) =
            self.keyring.verify::<AccessClaims>(token, &self.settings.issuer, &self.settings.audience)?;
        let claims = Arc::new(claims);
        self.cache(digest, Verified { claims: claims.clone(), kid });
        Ok(claims)
    }

    fn cache(&self, digest: Digest, verified: Verified) {
        let now = self.now();
        let mut cache = self.lock();
        if cache.len() >= MAX_CACHED_TOKENS {
            cache.retain(|_, verified| verified.claims.exp > now);
            if cache.len() >= MAX_CACHED_TOKENS {
                cache.clear();
            }
        }
        cache.insert(digest, verified);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies a refresh token and returns its claims and user.
    pub(crate) fn verify_refresh(&self, token: &str) -> Result<(RefreshClaims, User), TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let audience = self.refresh_audience();
        let (claims, _) = self.keyring.verify::<RefreshClaims>(token, &self.settings.issuer, &audience)?;
        if claims.exp <= self.now() {
            return Err(TokenError::Expired);
        }
        let user = self.token_user(&claims.sub, claims.tokens_valid_from)?;
        Ok((claims, user))
    }

    /// Returns the user of that name if allowed to sign in over HTTP. Demo users are allowed in the demo only, because
    /// their passwords are public.
    pub(crate) fn usable(&self, name: &str) -> Option<User> {
        let user = self.users.get(name)?;
        (!user.disabled && !user.bot && (self.settings.demo || !user.demo)).then_some(user)
    }

    /// Marks the votes at the open gate that no longer count, by the current user records.
    pub(crate) fn lapse_votes(&self, workflow: &mut Workflow) {
        lapse_votes(workflow, |name| self.users.get(name.as_str()));
    }

    /// Returns whether this instance knows that the token or family is revoked.
    pub(crate) fn is_revoked(&self, id: &str) -> bool {
        self.revocations.contains(id)
    }
}
