//! The checker by made-up histories, and the harness by faults against a real cluster.

mod checker;
mod cluster;
