//! The approver: every workflow passes it, and it alone may release.
//!
//! It judges gates by policy ([`gates`]), parks and announces, takes decisions from HTTP and from bots through one function
//! ([`decisions`]), and hosts the effects of transitions that are not the read model's: timers, notifications and the audit log.
//! A parked workflow holds nothing here: its state is the newest message of the log. Start reading at [`gates`].

mod announcements;
mod audit;
mod config;
mod decisions;
mod gates;
mod heartbeat;
mod integrity;
mod metrics;
mod open_approvals;
mod startup;
mod timers;
mod webhooks;

pub use config::Config;
pub use startup::Application;
