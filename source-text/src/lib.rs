//! Source text that may be anything: languages by name and file ending, dedentation, and safe parsing of Python.
//!
//! A leaf below `generator` and `heimdall`, without rules, recipes or I/O. Start reading at [`languages::LANGUAGES`] and
//! [`python::with_module`].

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add token kinds")]
pub mod depth_limit;
pub mod languages;
pub mod python;

mod dedent;

pub use dedent::dedent;
