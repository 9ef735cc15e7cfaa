//! What the processes share: the pure domain, the broker, the read model, settings, telemetry and lifecycle.
//!
//! The domain modules ([`ids`], [`clock`], [`workflow`], [`approval`], [`analysis`]) do no I/O. Only [`messaging`] knows
//! subject strings; only [`read_model`] knows Redis keys. Start reading at [`workflow::transition`]: everything else moves
//! its result from one process to another.

pub mod analysis;
pub mod approval;
pub mod clock;
pub mod config;
pub mod failpoints;
pub mod identity;
pub mod ids;
pub mod lifecycle;
pub mod messaging;
pub mod pool;
pub mod ports;
pub mod read_model;
#[cfg(feature = "samples")]
pub mod samples;
pub mod single_file;
pub mod telemetry;
pub mod webhook;
pub mod workflow;
