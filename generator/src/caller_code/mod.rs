//! Work on code that the caller supplies: what is asked of it, in which language it is, and which tests it has.

pub(crate) mod diff;
pub(crate) mod given_code;
pub(crate) mod intent;
pub(crate) mod javascript_tests;
pub(crate) mod outline;
pub(crate) mod skipped_tests;
pub(crate) mod target;
pub(crate) mod test_detection;
pub(crate) mod vacuous_tests;
