//! Identity: users, roles, password hashes and signing keys, as stored in watched key-value buckets.

mod hasher;
mod password;
mod records;
mod secret;

pub use password::{PasswordError, PasswordHash, checks_on_this_thread, spend_time_of_a_check};
pub use records::{KeyState, RefreshFamily, Revocation, Role, SigningKey, User};
pub use secret::Secret;
