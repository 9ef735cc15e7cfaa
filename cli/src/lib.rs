//! `promptcraft`, the tool of users and operators: it talks to a running installation over HTTP, prepares a broker, and
//! runs the whole stack on one machine.
//!
//! It starts the other processes as programs and shares no code with them but [`shared`]. Start reading at
//! [`commands::Command`]; `promptcraft up` lives in [`stack`].

mod archive;
pub mod client;
pub mod commands;
pub mod env;
pub mod error;
pub mod example_goals;
mod operator_connection;
pub mod output;
pub mod stack;
pub mod watch;
