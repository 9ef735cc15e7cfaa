//! The records of the identity buckets.

use serde::{Deserialize, Serialize};

use super::password::PasswordHash;
use super::secret::Secret;
use crate::clock::Timestamp;
use crate::ids::UserName;

/// What someone may do; each role may do all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads what is visible to them.
    Viewer,
    /// Submits, analyses and cancels.
    Developer,
    /// Decides on others' work.
    Approver,
    /// Sees and cancels everything.
    Admin,
}

impl Role {
    /// The role's name in settings, tokens and answers.
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

/// Someone who may sign in: a person over HTTP, a bot on the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub name: UserName,
    pub role: Role,
    /// May decide on their own work.
    pub self_approval: bool,
    pub disabled: bool,
    /// Made by the demo stack; a production start refuses such a user.
    pub demo: bool,
    /// Speaks on the broker and never signs in over HTTP.
    pub bot: bool,
    pub password: Option<PasswordHash>,
    pub created_at: Timestamp,
    /// When all tokens of the name ended last: on becoming a user, by another password, by being disabled. A token names the
    /// value under which it was issued, and holds while it still stands here.
    #[serde(default)]
    pub tokens_from: Option<Timestamp>,
    /// The last time that rights of the user ended or began again while their tokens stayed: by a lower role, by leave withdrawn, by
    /// being enabled. Votes from before do not count.
    #[serde(default)]
    pub votes_from: Option<Timestamp>,
}

impl User {
    /// A person without a password who may not decide on their own work.
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

    /// Returns the time from which votes under this name are this user's: earlier ones came from a user who was removed, a password that was
    /// replaced, or rights that ended.
    pub fn counts_from(&self) -> Timestamp {
        [self.tokens_from, self.votes_from].into_iter().flatten().fold(self.created_at, Timestamp::max)
    }
}

/// Whether a key signs or only verifies what it signed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The newest active key signs.
    Active,
    /// Tokens that it signed stay good until they expire.
    VerifyOnly,
}

/// An HMAC-SHA-256 key for tokens, named by its `kid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    pub kid: String,
    pub secret: Secret,
    pub state: KeyState,
    /// Made by the demo stack; a production start refuses such a key.
    pub demo: bool,
    pub created_at: Timestamp,
    /// Since when another key signs: a token that claims to be younger was made by who stole this one.
    #[serde(default)]
    pub retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// A fresh active key.
    pub fn fresh(demo: bool, at: Timestamp) -> Self {
        let prefix = if demo { "demo" } else { "key" };
        let kid = format!("{prefix}-{}", &Secret::fresh().expose()[..12]);
        Self { kid, secret: Secret::fresh(), state: KeyState::Active, demo, created_at: at, retired_at: None }
    }

    /// The key as it is when another one signs from `at` on; a retired key stays as it is.
    pub fn retired(self, at: Timestamp) -> Self {
        Self { state: KeyState::VerifyOnly, retired_at: self.retired_at.or(Some(at)), ..self }
    }

    /// Whether a token that says it was signed at `issued_at` may be its, for an instance that heard of the retirement `slack` late.
    pub fn may_have_signed(&self, issued_at: Timestamp, slack: std::time::Duration) -> bool {
        self.retired_at.is_none_or(|retired| issued_at <= retired.after(slack))
    }

    /// Whether every token that it signed has expired, the longest of which lasts `longest`.
    pub fn is_over(&self, now: Timestamp, longest: std::time::Duration) -> bool {
        self.retired_at.is_some_and(|retired| now > retired.after(longest))
    }
}

/// A token that stopped working before it expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When the token would have expired, after which the record is of no use.
    pub until: Timestamp,
}

/// The chain of refresh tokens that began with one sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshFamily {
    pub user: UserName,
    /// The generation whose token is good now; an older one is a replay and ends the family.
    pub generation: u64,
    pub revoked: bool,
    pub expires_at: Timestamp,
    /// Names the change that led here: who changed it and heard no answer knows by it whether the change was theirs.
    #[serde(default)]
    pub change: String,
}
