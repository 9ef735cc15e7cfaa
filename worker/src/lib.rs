//! A worker: takes steps from the queues of the phases it serves, does them, and appends what happened.
//!
//! It holds no state that matters: killed at any line, its steps go to another worker after `ack_wait`, and the log's fence
//! keeps results of a stale attempt out. It can never release: the broker lets it publish neither `done` nor parked gates.
//! Start reading at [`steps`], which every step passes through.

mod analyzer;
mod attempts;
mod cancellation;
mod catalogue;
mod config;
mod context;
mod daily_budget;
mod heartbeat;
mod interactive_analysis;
mod metrics;
mod scheduling;
mod startup;
mod steps;

pub use catalogue::print_recipes;
pub use config::Config;
pub use startup::Application;
