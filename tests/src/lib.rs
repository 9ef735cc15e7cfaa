//! The kit of the end-to-end tests in `tests/it`: the whole stack as `promptcraft up` starts it, over real sockets.
//!
//! Each test has its own stack, on free ports and in its own directory, and removes it at its end. Start reading at
//! [`Stack`].

mod bot;
mod client;
mod model_endpoint;
mod operator;
mod python;
mod raw;
mod scrape;
mod signing_key;
mod stack;
mod terminal;

pub use bot::Bot;
pub use client::{Answer, Client, goal_request, question_of, run_request};
pub use model_endpoint::{ModelEndpoint, ModelReply, ModelRequest, REPLY_TOKENS};
pub use operator::{
    audit_log, broker_as, broker_at, dead_letters, differences, history, raw_broker_as, redis_answers, redis_command,
    writer_of,
};
pub use python::long_program;
pub use raw::{RawPublish, publish_raw};
pub use scrape::Scrape;
pub use signing_key::signing_key;
pub use stack::{Options, Stack, program};
pub use terminal::{Seen, Terminal, steady};
pub use test_support::eventually;
