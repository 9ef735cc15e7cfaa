//! Authentication: signing in, tokens, signing keys and revocation.
//!
//! `tokens` verifies a token, `caller` turns the result into an answer. Start reading there.

pub(crate) mod caller;
pub(crate) mod freshness;
pub(crate) mod keyring;
pub(crate) mod refresh;
pub(crate) mod revoke;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod sign_in_limits;
pub(crate) mod sign_in_queue;
pub(crate) mod state;
pub(crate) mod token_response;
pub(crate) mod tokens;
