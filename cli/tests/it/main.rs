//! The program `promptcraft`, and the files that it writes for the broker and Redis, judged by real servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod admin_commands;
mod broken_pipe;
mod broker;
mod broker_files;
mod broker_permissions;
mod child_guard;
mod redis_permissions;
