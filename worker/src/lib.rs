//! A worker: takes steps from the queues of its phases, performs them, and appends their events to the log.
//!
//! It holds no durable state: after a crash its steps are redelivered within `ack_wait`, and the log's fence rejects
//! results of a stale attempt. It can never release: the broker's permissions exclude `done` and parked gates. Start
//! reading at [`steps`], which runs every step.

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
mod user_namespace;

pub use catalogue::print_recipes;
pub use config::Config;
pub use startup::Application;
