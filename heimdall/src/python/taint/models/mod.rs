//! Models of Python operators and library calls: the taint that a result keeps from its inputs.

pub(crate) mod containers;
pub(crate) mod fold;
pub(crate) mod format_strings;
pub(crate) mod propagators;
pub(crate) mod regex_alphabet;
pub(crate) mod regex_calls;
pub(crate) mod sanitizers;
pub(crate) mod sources;
pub(crate) mod url_prefix;
