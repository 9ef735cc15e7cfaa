//! Signing keys, and the demo credentials that production refuses.

use domain::Timestamp;
use domain::identity::{KeyState, SigningKey, User};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use messaging::BucketCache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::clock::Clock;
use service::config::Profile;
use std::time::Duration;
use tokio::time::Instant;

/// Users of the demo stack, whose passwords are public.
const DEMO_USERS: [(&str, &str); 3] =
    [("test_user", "test_pass"), ("stress_user", "stress_pass"), ("approver", "approver_pass")];

/// Time after its retirement during which another instance may still sign with a key.
const RETIREMENT_SLACK: Duration = Duration::from_secs(10);

/// Tolerated clock difference between instances, in seconds.
const LEEWAY_SECONDS: u64 = 2;

/// A reason for rejecting a token. No variant holds any of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    Malformed,
    UnknownKey,
    Forged,
    Expired,
    NotYetValid,
    Issuer,
    Audience,
    Revoked,
    User,
}

impl TokenError {
    /// Returns the text after `Invalid token: ` in a problem, which is also the metric's label.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "signed with an unknown key",
            Self::Forged => "invalid signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not valid yet",
            Self::Issuer => "wrong issuer",
            Self::Audience => "wrong audience",
            Self::Revoked => "revoked",
            Self::User => "user disabled or removed",
        }
    }
}

/// Signs with the newest active key and verifies with every key.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    keys: BucketCache<SigningKey>,
    /// Lifetime of the longest-lived token.
    max_token_ttl: Duration,
    /// Accepts keys of the demo stack.
    demo: bool,
    clock: Clock,
}

/// Claims with their time of issue, in seconds since the Unix epoch.
pub(crate) trait Issued {
    fn issued_at(&self) -> u64;
}

fn may_have_signed(key: &SigningKey, issued_at: u64) -> bool {
    let millis = i64::try_from(issued_at).unwrap_or(i64::MAX).saturating_mul(1_000);
    key.may_have_signed(Timestamp::from_millis(millis), RETIREMENT_SLACK)
}

impl Keyring {
    pub(crate) fn new(keys: BucketCache<SigningKey>, max_token_ttl: Duration, demo: bool, clock: Clock) -> Self {
        Self { keys, max_token_ttl, demo, clock }
    }

    fn is_accepted(&self, key: &SigningKey) -> bool {
        self.demo || !key.demo
    }

    /// Returns the newest active key.
    fn signer(&self) -> Option<SigningKey> {
        let all = self.keys.values().into_iter();
        let active = all.filter(|key| key.state == KeyState::Active && self.is_accepted(key));
        active.max_by(|left, right| (left.created_at, &left.kid).cmp(&(right.created_at, &right.kid)))
    }

    /// Returns the time up to which no change of the keys was missed.
    pub(crate) fn complete_at(&self) -> Instant {
        self.keys.complete_at()
    }

    /// Returns whether there is a key to sign with.
    pub(crate) fn is_ready(&self) -> bool {
        self.signer().is_some()
    }

    /// Returns the key while a token that it signed may still be valid.
    fn usable(&self, kid: &str) -> Option<SigningKey> {
        self.keys.get(kid).filter(|key| self.is_accepted(key) && !key.is_over(self.clock.now(), self.max_token_ttl))
    }

    /// Returns whether the key still verifies tokens issued at that time, in seconds since the Unix epoch.
    pub(crate) fn can_verify(&self, kid: &str, issued_at: u64) -> bool {
        self.usable(kid).is_some_and(|key| may_have_signed(&key, issued_at))
    }

    /// Signs the claims; `None` without a key or if signing fails.
    pub(crate) fn sign<T: Serialize>(&self, claims: &T) -> Option<String> {
        let key = self.signer()?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &EncodingKey::from_secret(key.secret.expose().as_bytes())).ok()
    }

    /// Returns the claims of a token with valid signature, issuer, audience and times, and the name of its key.
    ///
    /// The algorithm is fixed; the token's header does not choose it.
    pub(crate) fn verify<T: DeserializeOwned + Clone + Issued>(
        &self,
        token: &str,
        issuer: &str,
        audience: &str,
    ) -> Result<(T, String), TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.ok_or(TokenError::Malformed)?;
        let key = self.usable(&kid).ok_or(TokenError::UnknownKey)?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = LEEWAY_SECONDS;
        rules.validate_nbf = true;
        rules.set_issuer(&[issuer]);
        rules.set_audience(&[audience]);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let verified = decode::<T>(token, &DecodingKey::from_secret(key.secret.expose().as_bytes()), &rules);
        match verified {
            Ok(token) if may_have_signed(&key, token.claims.issued_at()) => Ok((token.claims, kid)),
            Ok(_) => Err(TokenError::Forged),
            Err(error) => Err(token_error_of(error.kind())),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "ErrorKind is non_exhaustive; any further kind is a malformed token"
)]
fn token_error_of(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => TokenError::Forged,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        _ => TokenError::Malformed,
    }
}

/// Returns an error without an active key, and in production with any key or user of the demo stack.
///
/// Checks passwords, which is slow by design: call it off the async threads.
pub(crate) fn refuse_demo(profile: Profile, keys: &[SigningKey], users: &[User]) -> Result<(), String> {
    let is_accepted =
        |key: &SigningKey| key.state == KeyState::Active && (profile != Profile::Development || !key.demo);
    if !keys.iter().any(is_accepted) {
        return Err(
            "there is no active key to sign tokens with; run `promptcraft admin keys rotate`, or start the whole stack \
             with `promptcraft up`"
                .to_owned(),
        );
    }
    if profile != Profile::Production {
        return Ok(());
    }
    if let Some(key) = keys.iter().find(|key| key.demo || key.kid.starts_with("demo")) {
        return Err(format!(
            "the signing key {} belongs to the demo stack, which production refuses; run `promptcraft admin keys rotate` \
             and remove it",
            key.kid
        ));
    }
    let known = |user: &User| {
        DEMO_USERS.iter().any(|(name, password)| {
            user.name.as_str() == *name
                && user
                    .password
                    .as_ref()
                    .is_some_and(|hash| service::password::verify(password, hash).is_ok_and(|is_it| is_it))
        })
    };
    match users.iter().find(|user| user.demo || known(user)) {
        Some(user) => Err(format!(
            "the user {} belongs to the demo stack, which production refuses; remove it or change its password",
            user.name
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_key_verifies_what_it_signed_before_for_a_limited_time() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let key = SigningKey::fresh(false, at(0));
        assert!(may_have_signed(&key, 5_000) && !key.is_over(at(1_000_000), Duration::ZERO));
        let retired = key.retired(at(1_000));
        assert!(may_have_signed(&retired, 1_000) && may_have_signed(&retired, 1_010));
        assert!(!may_have_signed(&retired, 1_011));
        let max_token_ttl = Duration::from_secs(100);
        assert!(!retired.is_over(at(1_100), max_token_ttl) && retired.is_over(at(1_101), max_token_ttl));
        assert_eq!(retired.clone().retired(at(2_000)), retired, "retired once");
    }
    use domain::identity::Role;

    fn user(name: &str, password: &str, demo: bool) -> User {
        let password = Some(service::password::hash(password).unwrap());
        User { demo, password, ..User::new(name.parse().unwrap(), Role::Developer, Timestamp::from_millis(0)) }
    }

    #[track_caller]
    fn check(profile: Profile, keys: &[SigningKey], users: &[User], refusal: Option<&str>) {
        let outcome = refuse_demo(profile, keys, users);
        match refusal {
            Some(words) => assert!(outcome.as_ref().is_err_and(|text| text.contains(words)), "{outcome:?}"),
            None => assert_eq!(outcome, Ok(())),
        }
    }

    #[test]
    fn production_refuses_everything_of_the_demo_stack() {
        let at = Timestamp::from_millis(0);
        let (own, demo) = (SigningKey::fresh(false, at), SigningKey::fresh(true, at));
        let old = SigningKey { state: KeyState::VerifyOnly, ..own.clone() };
        let production = Profile::Production;
        check(Profile::Demo, &[], &[], Some("no active key"));
        check(production, std::slice::from_ref(&old), &[], Some("no active key"));
        check(Profile::Demo, std::slice::from_ref(&demo), &[user("test_user", "test_pass", true)], None);
        check(Profile::Development, std::slice::from_ref(&demo), &[], Some("no active key"));
        check(production, &[own.clone(), demo], &[], Some("signing key demo-"));
        check(production, std::slice::from_ref(&own), &[user("test_user", "test_pass", false)], Some("test_user"));
        check(production, std::slice::from_ref(&own), &[user("ann", "another one", true)], Some("ann"));
        check(production, std::slice::from_ref(&own), &[user("test_user", "another one", false)], None);
    }
}
