//! A load generator for the HTTP API that also checks what it is answered.
//!
//! The open model sends at planned instants, however slow the responses are, and counts latencies from these instants;
//! the closed model has users who wait, like those of locust. Every accepted workflow is followed to its end and read
//! once more after the run. It speaks HTTP only and never imports a process of the service. Start reading at [`run`],
//! then `engine` and `operations`.

pub mod arguments;
pub mod client;
mod engine;
pub mod measure;
mod operations;
pub mod report;
pub mod run;
pub mod scenario;
pub mod stack;
