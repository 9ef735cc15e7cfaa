//! The program that runs one job inside a sandbox, and the frames it exchanges with its host.
//!
//! `promptcraft-runner` is process 1 of a container or of a bubblewrap sandbox. It reads one job from stdin,
//! supervises the interpreter behind Landlock and seccomp, writes one result to stdout and is gone. It trusts
//! its host and nothing that the job does. It never runs two jobs at once, none after another without a wipe that it has
//! verified, and never talks to a network.
//!
//! Start reading at [`protocol`] (what is said), then [`serve`] (the life of one job).

pub mod cgroup;
#[cfg(feature = "positive-controls")]
pub mod controls;
pub mod launch;
pub mod protocol;
pub mod seccomp;
pub mod serve;
pub mod watchdog;

mod child;
mod landlock_rules;
mod supervision;
mod sys;
mod work_files;
