//! The API as a client sees it: requests, event streams, users.

mod accounts;
mod event_stream;
mod failure;
mod http;
mod session;

pub use accounts::{Account, AccountError, AccountSource, Accounts};
pub use event_stream::{Event, EventStream, is_end};
pub use failure::Failure;
pub use http::{Answer, Api};
pub use session::Session;
