//! Calls for administrators.

pub(crate) mod dead_letters;
