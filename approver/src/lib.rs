//! The approver: every workflow passes it, and only it may release.
//!
//! It evaluates gates by policy ([`gates`]), announces open approvals ([`announcements`], [`open_approvals`]), applies
//! decisions from HTTP and NATS through one service ([`decisions`]), and runs the effects of transitions outside the
//! read model: [`timers`], [`webhooks`] and the [`audit`] log. [`integrity`] detects forged entries. A parked workflow
//! holds nothing in this process: its state is the newest entry of the log. Start reading at [`gates`].

mod announcements;
mod audit;
mod config;
mod context;
mod decisions;
mod gates;
mod heartbeat;
mod integrity;
mod metrics;
mod open_approvals;
mod retry_error;
mod startup;
mod timers;
mod transitions;
mod webhooks;

pub use config::Config;
pub use startup::Application;
