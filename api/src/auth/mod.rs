//! Who calls: signing in, tokens, and the door in front of every call.
//!
//! A token is judged in [`tokens`]; [`door`] turns the verdict into an answer. Start reading there.

mod door;
mod keyring;
mod queue;
mod refresh;
mod revoke;
mod sign_in;
mod throttle;
mod tokens;

pub(crate) use door::{identified, identify, require_token};
pub(crate) use keyring::{Keyring, refuse_demo};
pub(crate) use queue::SignInQueue;
pub(crate) use refresh::refresh;
pub(crate) use revoke::revoke;
pub(crate) use sign_in::sign_in;
pub(crate) use tokens::{Caller, Tokens};
