//! The commands of operators, one file each.

pub(super) mod archive;
pub(super) mod bot;
pub(super) mod broker_config;
pub(super) mod dead_letters;
pub(super) mod keys;
pub(super) mod provision;
pub(super) mod rebuild;
pub(super) mod user;
