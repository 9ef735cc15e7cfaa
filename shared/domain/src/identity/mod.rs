//! Identity: users, roles, password hashes and signing keys, as stored in watched key-value buckets.

mod password_hash;
mod records;
mod secret;

pub use password_hash::PasswordHash;
pub use records::{KeyState, RefreshFamily, Revocation, Role, SigningKey, User};
pub use secret::Secret;
