//! The stored form of a password.

use serde::{Deserialize, Serialize};

/// The salted hash of a password in PHC form. It prints as `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash in PHC form, unchecked: checking a password against an invalid one fails.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// Returns the PHC form.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
