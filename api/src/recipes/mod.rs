//! The recipe catalogues that workers publish.

pub(crate) mod catalogue;
