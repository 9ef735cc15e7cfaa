//! The cases that run on every backend.

pub(crate) mod cancelled_starts;
pub(crate) mod input;
pub(crate) mod languages;
pub(crate) mod limits;
pub(crate) mod optional_languages;
pub(crate) mod output_files;
pub(crate) mod python_tests;
pub(crate) mod results;
pub(crate) mod usual_machine;
pub(crate) mod walls;
