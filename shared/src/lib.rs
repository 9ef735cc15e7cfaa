//! Code shared by the processes: the pure domain, messaging, the read model, settings, telemetry and lifecycle.
//!
//! The domain modules ([`ids`], [`clock`], [`workflow`], [`approval`], [`analysis`]) do no I/O. Only [`messaging`] uses
//! subject strings; only [`read_model`] uses Redis keys. Start reading at [`workflow::transition`]: all other code
//! carries its result between processes.

pub mod analysis;
pub mod approval;
pub mod clock;
pub mod config;
pub mod failpoints;
pub mod identity;
pub mod ids;
pub mod lifecycle;
pub mod messaging;
pub mod nearest;
pub mod pool;
pub mod ports;
pub mod read_model;
#[cfg(feature = "samples")]
pub mod samples;
pub mod single_file;
pub mod telemetry;
pub mod webhook;
pub mod workflow;
