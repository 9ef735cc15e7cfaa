//! The catalogue of recipes, and the search for the one that serves a goal.

pub(crate) mod catalogue;
pub(crate) mod code_elements;
pub(crate) mod matching;
pub(crate) mod parameters;
pub(crate) mod requirements;
pub(crate) mod vocabulary;
