//! Code that the caller supplies: its intent, language, tests, outline and changes.

pub(crate) mod detection;
pub(crate) mod diff;
mod entry;
pub(crate) mod given_code;
pub(crate) mod intent;
pub(crate) mod javascript_tests;
pub(crate) mod missing_code;
pub(crate) mod outline;
pub(crate) mod project;
pub(crate) mod python_imports;
pub(crate) mod skipped_tests;
pub(crate) mod target;
pub(crate) mod test_detection;
pub(crate) mod vacuous_tests;
