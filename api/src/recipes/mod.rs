//! The recipe catalogues that workers publish.

pub(crate) mod catalogue;
pub(crate) mod handlers;
