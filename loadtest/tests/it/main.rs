//! The program `promptcraft-loadtest` against services that answer wrongly, late, or not at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod fake_service;
mod runs;
