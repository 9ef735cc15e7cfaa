//! The seccomp filters: the sandbox's allow-list and the job's deny-list within it.

pub mod allow_list;

pub(crate) mod deny_list;
