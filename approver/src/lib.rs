//! The approver: every workflow passes it, and it alone may release.
//!
//! It judges gates by policy ([`gates`]), parks and announces, takes decisions from HTTP and from bots through one function
//! ([`desk`]), and hosts the effects of transitions that are not the read model's: timers, notifications and the audit log.
//! A parked workflow holds nothing here: its state is the newest message of the log. Start reading at [`gates`].

mod announcements;
mod bots;
mod brief;
mod config;
mod desk;
mod floods;
mod gates;
mod http_decisions;
mod metrics;
mod notifications;
mod open_approvals;
mod presence;
mod records;
mod schedules;
mod startup;
mod timers;
mod trust;

pub use config::Config;
pub use startup::Application;
