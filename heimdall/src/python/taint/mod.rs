//! Taint analysis: follows values through a module from sources to sinks.

pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod control_flow;
pub(crate) mod environment;
pub(crate) mod expressions;
pub(crate) mod guards;
pub(crate) mod imports;
pub(crate) mod interpreter;
pub(crate) mod interprocedural;
pub(crate) mod models;
pub(crate) mod module_index;
pub(crate) mod names;
pub(crate) mod paths;
pub(crate) mod sinks;
pub(crate) mod statements;
pub(crate) mod value;
