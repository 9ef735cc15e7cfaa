//! Password hashing by Argon2id with the crate's default cost (19 MiB, two passes), which is OWASP's first choice.

mod hasher;

use std::cell::Cell;
use std::sync::LazyLock;

use argon2::Params;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{CustomizedPasswordHasher, PasswordVerifier, try_generate_salt};
use domain::identity::PasswordHash;

use hasher::Hasher;

thread_local! {
    static CHECKS: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of password checks on this thread so far.
pub fn checks_on_this_thread() -> u64 {
    CHECKS.get()
}

/// A password that is not accepted, or a hash that is invalid.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password must have 8 to 256 characters")]
    Length,
    #[error("cannot hash the password: {0}")]
    Hash(String),
}

/// Hashes a password of 8 to 256 characters; takes about 20 ms of CPU by design, so do not call it on an async thread.
pub fn hash(password: &str) -> Result<PasswordHash, PasswordError> {
    if !(8..=256).contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let salt = try_generate_salt().map_err(|error| PasswordError::Hash(error.to_string()))?;
    let hash = Hasher
        .hash_password_with_params(password.as_bytes(), &salt, Params::default())
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

/// Returns whether `password` is the hashed one; as slow as [`hash`]. Fails if memory is exhausted or the stored hash is
/// invalid.
pub fn verify(password: &str, hash: &PasswordHash) -> Result<bool, PasswordError> {
    let hash = Phc::new(hash.as_phc()).map_err(|error| PasswordError::Hash(error.to_string()))?;
    CHECKS.set(CHECKS.get() + 1);
    match Hasher.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Hash(error.to_string())),
    }
}

/// Takes as long as a real check, and fails likewise, so that an unknown user is answered like a wrong password.
pub fn verify_nothing(password: &str) -> Result<(), PasswordError> {
    static NOBODY: LazyLock<Option<PasswordHash>> = LazyLock::new(|| hash("nobody signs in as nobody").ok());
    if let Some(hash) = NOBODY.as_ref() {
        std::hint::black_box(verify(password, hash)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let stored = hash("correct horse").unwrap();
        assert!(verify("correct horse", &stored).unwrap());
        assert!(!verify("correct horsf", &stored).unwrap());
        verify("correct horse", &PasswordHash::from_phc("no hash".to_owned())).expect_err("invalid hash");
        assert!(matches!(hash("short"), Err(PasswordError::Length)));
        assert_eq!(format!("{stored:?}"), "***");
    }
}
