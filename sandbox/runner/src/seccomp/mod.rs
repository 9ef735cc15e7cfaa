//! The seccomp filters: an allow-list around the sandbox and a deny-list around the job.

pub mod allow_list;

pub(crate) mod deny_list;
