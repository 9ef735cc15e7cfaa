//! The API as a client sees it: requests, event streams, users.

mod accounts;
mod event_stream;
mod failure;
mod http;
mod session;

pub use accounts::{Account, AccountError, AccountSource, Accounts};
pub use event_stream::{EventStream, StreamEvent, is_end};
pub use failure::RequestFailure;
pub use http::{Answer, Api};
pub use session::Session;
