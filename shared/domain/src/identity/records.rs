//! The records of the identity buckets.

use serde::{Deserialize, Serialize};

use super::password_hash::PasswordHash;
use super::secret::Secret;
use crate::Timestamp;
use crate::ids::UserName;

/// The permissions of a user; each role includes those of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the workflows visible to the user.
    Viewer,
    /// Submits, analyses and cancels.
    Developer,
    /// Decides on the work of others.
    Approver,
    /// Sees and cancels every workflow.
    Admin,
}

impl Role {
    /// Returns the role's name in settings, tokens and responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Viewer, Self::Developer, Self::Approver, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| "a role is viewer, developer, approver or admin".to_owned())
    }
}

/// An account: a person over HTTP, or a bot on the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub name: UserName,
    pub role: Role,
    /// May decide on their own work.
    pub self_approval: bool,
    pub disabled: bool,
    /// Created by the demo stack; refused at a start in production.
    pub demo: bool,
    /// Connects to the broker and never signs in over HTTP.
    pub bot: bool,
    pub password: Option<PasswordHash>,
    pub created_at: Timestamp,
    /// The last time at which all tokens of the user ended: by creation, a new password, or disabling. A token contains
    /// the value under which it was issued, and is valid while that is still the value here.
    #[serde(default)]
    pub tokens_from: Option<Timestamp>,
    /// The last time at which rights ended or resumed while the tokens stayed valid: by a lower role, withdrawn
    /// permission, or enabling. Earlier votes do not count.
    #[serde(default)]
    pub votes_from: Option<Timestamp>,
}

impl User {
    /// Returns a person without a password who may not decide on their own work.
    pub fn new(name: UserName, role: Role, created_at: Timestamp) -> Self {
        Self {
            name,
            role,
            self_approval: false,
            disabled: false,
            demo: false,
            bot: false,
            password: None,
            created_at,
            tokens_from: None,
            votes_from: None,
        }
    }

    /// Returns the time from which votes under this name are this user's: earlier ones came from a removed user, a
    /// replaced password, or rights that ended.
    pub fn counts_from(&self) -> Timestamp {
        [self.tokens_from, self.votes_from].into_iter().flatten().fold(self.created_at, Timestamp::max)
    }
}

/// The state of a key: signing, or only verifying older tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The newest active key signs.
    Active,
    /// Tokens that it signed stay valid until they expire.
    VerifyOnly,
}

/// An HMAC-SHA-256 key for tokens, named by its `kid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    pub kid: String,
    pub secret: Secret,
    pub state: KeyState,
    /// Created by the demo stack; refused at a start in production.
    pub demo: bool,
    pub created_at: Timestamp,
    /// The time since which another key signs: a token with a later issue time was forged with a stolen key.
    #[serde(default)]
    pub retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// Returns a new active key.
    pub fn fresh(demo: bool, at: Timestamp) -> Self {
        let prefix = if demo { "demo" } else { "key" };
        let kid = format!("{prefix}-{}", &Secret::fresh().expose()[..12]);
        Self { kid, secret: Secret::fresh(), state: KeyState::Active, demo, created_at: at, retired_at: None }
    }

    /// Returns the key as retired at `at`; a retired key stays unchanged.
    pub fn retired(self, at: Timestamp) -> Self {
        Self { state: KeyState::VerifyOnly, retired_at: self.retired_at.or(Some(at)), ..self }
    }

    /// Returns whether it may have signed a token issued at `issued_at`, on an instance that learns of the retirement
    /// up to `slack` late.
    pub fn may_have_signed(&self, issued_at: Timestamp, slack: std::time::Duration) -> bool {
        self.retired_at.is_none_or(|retired| issued_at <= retired.after(slack))
    }

    /// Returns whether all tokens that it signed have expired, given the longest lifetime.
    pub fn is_over(&self, now: Timestamp, longest: std::time::Duration) -> bool {
        self.retired_at.is_some_and(|retired| now > retired.after(longest))
    }
}

/// A token that was revoked before it expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The expiry of the token, after which the record is not needed.
    pub until: Timestamp,
}

/// The chain of refresh tokens that began with one sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFamily {
    pub user: UserName,
    /// The generation whose token is valid; an older one is a replay and ends the family.
    pub generation: u64,
    pub revoked: bool,
    pub expires_at: Timestamp,
    /// Id of the last change: a writer that received no reply recognises its own change by it.
    #[serde(default)]
    pub change: String,
}
