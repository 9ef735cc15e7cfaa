//! The frame of a process: settings, clock, lifecycle, telemetry, password hashing and failpoints.
//!
//! Start reading at [`config`], then [`lifecycle`]. Nothing here talks to the broker or the read model.

pub mod clock;
pub mod config;
pub mod failpoints;
pub mod keyed_semaphore;
pub mod lifecycle;
pub mod password;
pub mod ports;
pub mod telemetry;
pub mod webhook;
