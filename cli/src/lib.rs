//! `promptcraft`, the command line tool of users and operators: an HTTP client, the administration of the broker, and
//! `promptcraft up`, which runs the whole stack on one machine.
//!
//! It starts the other processes as programs and shares only the crates of `shared` with them. Start reading at
//! [`commands::Commands`]; `promptcraft up` is in [`stack`].

mod archive;
pub mod client;
pub mod commands;
pub mod env;
pub mod error;
mod event_stream;
pub mod example_goals;
mod live_output;
mod operator_connection;
pub mod output;
mod program_text;
pub mod progress_view;
pub mod stack;
pub mod watch;
pub mod workflow_display;
pub mod workflow_state;
