//! One module for each gate.

pub mod api_security;
pub mod execution;
pub mod human_in_the_loop;
pub mod isolation;
pub mod performance;
pub mod state;
