//! The front door: signs callers in, limits and validates, appends submissions and cancels to the log, reads and streams.
//!
//! It runs no step, decides no gate and holds no state that another instance lacks. Start reading at [`startup`](Application)
//! and the table of calls in `routes.rs`; each call is in the file of its name.

mod access_log;
mod address;
mod admission;
mod analyze;
mod approve;
mod artifacts;
mod auth;
mod body;
mod budget;
mod cancel;
mod config;
mod connection;
mod contact;
mod dead_letters;
mod docs;
mod etag;
mod events;
mod execute;
mod feed;
mod fields;
mod health;
mod hosts;
mod inbox;
mod limits;
mod list;
mod metrics;
mod newest;
mod openapi;
mod order;
mod paging;
mod presence;
mod problem;
mod projector;
mod readings;
mod recipes;
mod routes;
#[cfg(test)]
mod samples;
mod sarif;
mod seen;
mod startup;
mod state;
mod status;
mod streams;
mod suggestions;
mod traffic;
mod visibility;

pub use config::{Config, TokenSettings};
pub use hosts::Hosts;
pub use limits::{Limits, Operation};
pub use startup::{Application, StartupError};
