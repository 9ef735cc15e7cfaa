//! The checker with synthetic histories, and the harness with faults in a real cluster.

mod checker;
mod cluster;
