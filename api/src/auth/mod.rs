//! Authentication: signing in, tokens, signing keys and revocation.
//!
//! Start reading at `tokens`, which verifies a token, and `caller`, which turns the result into a response.

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
