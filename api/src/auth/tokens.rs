//! Access and refresh tokens: what they say, and whether they still hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::approval::lapse_votes;
use shared::clock::{Clock, Timestamp};
use shared::identity::{Revocation, Role, User};
use shared::ids::Digest;
use shared::messaging::Watched;
use shared::workflow::Workflow;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::keyring::{Issued, Keyring, TokenError};
use crate::auth::settings::TokenSettings;

/// No token of ours is longer; anything longer is not looked at.
const MAX_TOKEN_BYTES: usize = 4_096;
/// More verified tokens than this are not remembered.
const MAX_CACHED_TOKENS: usize = 16_384;

/// What an access token says.
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
    /// The role when the token was issued; what counts is the user's role now.
    role: Role,
    /// The refresh family that it belongs to and ends with.
    #[serde(rename = "fam")]
    pub(crate) family_id: String,
    /// The user's `tokens_from` when it was issued.
    #[serde(rename = "from", default, skip_serializing_if = "Option::is_none")]
    tokens_valid_from: Option<Timestamp>,
}

/// What a refresh token says. Its audience differs from an access token's, so neither passes for the other.
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
    /// The user's `tokens_from` when it was issued.
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

/// Who calls, by a token that holds.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Arc<User>,
    pub(crate) claims: Arc<AccessClaims>,
}

impl Caller {
    /// Whether the caller may do what this role may.
    pub(crate) fn is_at_least(&self, role: Role) -> bool {
        self.user.role >= role
    }
}

/// A signature that was checked once.
#[derive(Debug, Clone)]
struct Verified {
    claims: Arc<AccessClaims>,
    kid: String,
}

/// Issues and judges tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    settings: TokenSettings,
    keyring: Keyring,
    users: Watched<User>,
    revocations: Watched<Revocation>,
    /// By the token's digest, so that a memory dump of the cache holds no token.
    verified: Mutex<HashMap<Digest, Verified>>,
    clock: Clock,
}

/// A fresh access token with its refresh token.
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
        users: Watched<User>,
        revocations: Watched<Revocation>,
        clock: Clock,
    ) -> Self {
        Self { settings, keyring, users, revocations, verified: Mutex::default(), clock }
    }

    /// Forgets, once a minute until the life ends, revocations of tokens that have expired meanwhile.
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

    /// How long a refresh token lasts.
    pub(crate) fn refresh_ttl(&self) -> Duration {
        self.settings.refresh_ttl
    }

    /// How long an access token lasts.
    pub(crate) fn access_ttl(&self) -> Duration {
        self.settings.access_ttl
    }

    /// How old the copies of users, keys and revocations may be.
    pub(crate) fn max_revocation_staleness(&self) -> Duration {
        self.settings.max_revocation_staleness
    }

    /// Whether tokens can be signed.
    pub(crate) fn is_ready(&self) -> bool {
        self.keyring.is_ready()
    }

    /// The last moment of which it is known that nothing that happened to users, keys and tokens until then was missed here.
    pub(crate) fn complete_at(&self) -> Instant {
        self.users.complete_at().min(self.revocations.complete_at()).min(self.keyring.complete_at())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis() / 1_000).unwrap_or(0)
    }

    fn refresh_audience(&self) -> String {
        format!("{}/refresh", self.settings.audience)
    }

    /// A pair of tokens for a generation of a family; `None` where there is no key.
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

    /// Who calls with this access token.
    pub(crate) fn verify_access(&self, token: &str) -> Result<Caller, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let claims = self.claims(token)?;
        // The library grants the leeway to expiry as well; a token that is over is over.
        if claims.exp <= self.now() {
            return Err(TokenError::Expired);
        }
        let user = self.user_of(&claims)?;
        Ok(Caller { user: Arc::new(user), claims })
    }

    /// Whose token it is, unless it was revoked or its user may not sign in any more.
    fn user_of(&self, claims: &AccessClaims) -> Result<User, TokenError> {
        if self.is_revoked(&claims.jti) || self.is_revoked(&claims.family_id) {
            return Err(TokenError::Revoked);
        }
        self.token_user(&claims.sub, claims.tokens_valid_from)
    }

    /// The user whose token was issued under `from`, where neither they nor all their tokens of then were shut out since.
    fn token_user(&self, name: &str, tokens_valid_from: Option<Timestamp>) -> Result<User, TokenError> {
        let user = self.usable(name).ok_or(TokenError::User)?;
        if user.tokens_from == tokens_valid_from { Ok(user) } else { Err(TokenError::Revoked) }
    }

    /// Whether a caller who was let in may stay: for answers that take long. An expiry in between does not matter.
    pub(crate) fn is_valid(&self, caller: &Caller) -> bool {
        self.current_user(caller).is_some()
    }

    /// Tells when [`Self::is_valid`] may answer otherwise: after changes of the users, and of the revocations.
    pub(crate) fn changes(&self) -> [watch::Receiver<()>; 2] {
        [self.users.changes(), self.revocations.changes()]
    }

    /// How long the caller's token lasts yet.
    pub(crate) fn remaining_lifetime(&self, caller: &Caller) -> Duration {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        Duration::from_millis((caller.claims.exp * 1_000).saturating_sub(now))
    }

    /// The caller as they are now, where they may stay.
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

    /// What a refresh token says, where it holds.
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

    /// The user of that name, where they may sign in over HTTP. Those of the demo stack may in the demo only: their passwords are
    /// known to everybody.
    pub(crate) fn usable(&self, name: &str) -> Option<User> {
        let user = self.users.get(name)?;
        (!user.disabled && !user.bot && (self.settings.demo || !user.demo)).then_some(user)
    }

    /// Marks the votes at the open gate that do not count any more, by the users of now.
    pub(crate) fn lapse_votes(&self, workflow: &mut Workflow) {
        lapse_votes(workflow, |name| self.users.get(name.as_str()));
    }

    /// Whether this instance knows that the token or family is revoked.
    pub(crate) fn is_revoked(&self, id: &str) -> bool {
        self.revocations.contains(id)
    }
}
