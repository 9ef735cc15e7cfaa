//! The API in this process or in one of its own, over a real broker and a real Redis; one binary for all tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod authentication;
mod batches;
mod body_memory;
mod connections;
mod dead_letters;
mod event_streams;
mod executions;
mod host_check;
mod operational_endpoints;
mod program_input;
mod rate_limits;
mod sign_in_cost;
mod stack;
mod waits;
