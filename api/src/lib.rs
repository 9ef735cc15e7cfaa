//! The HTTP API: authentication, limits, validation, submissions and cancels as appends to the log, reads and event
//! streams.
//!
//! It runs no step, decides no gate and holds no state that another instance lacks. Start reading at
//! [`startup`](Application) and the table of routes in `routes.rs`; each handler is in the file of its name.

mod admin;
mod analysis;
mod app_state;
mod approvals;
mod auth;
mod budget;
mod config;
mod connection;
mod executions;
mod http;
mod limits;
mod metrics;
mod middleware;
mod ops;
mod recipes;
mod routes;
mod startup;
mod tasks;
#[cfg(test)]
mod test_fixtures;
mod workflows;

pub use auth::settings::TokenSettings;
pub use config::Config;
pub use http::hosts::Hosts;
pub use limits::settings::{Operation, RateLimitSettings};
pub use startup::{Application, StartupError};
