//! The program that runs one job inside a sandbox, and the frames it exchanges with its host.
//!
//! `promptcraft-runner` is process 1 of a container or of a bubblewrap sandbox. It reads one job from stdin, supervises
//! the interpreter behind Landlock and seccomp, and writes one result to stdout. It trusts its host and nothing that
//! the job does. It never runs two jobs at once, never runs another job without a verified wipe, and never uses a
//! network.
//!
//! Start reading at [`protocol`] (the frames), then [`serve`] (the life of one job).

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
mod output_files;
mod process_table;
mod supervision;
mod sys;
mod work_files;
