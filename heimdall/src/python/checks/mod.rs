//! Checks of Python code. `misconfiguration` and `secrets` run during the taint walk; the others read the syntax tree.

pub(crate) mod architecture;
pub(crate) mod misconfiguration;
pub(crate) mod open_files;
pub(crate) mod performance;
pub(crate) mod redos;
pub(crate) mod secrets;
pub(crate) mod style;
pub(crate) mod syntax;
pub(crate) mod unreachable_code;
