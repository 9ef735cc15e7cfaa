//! Source text that may be anything: languages by name and file, dedentation, safe parsing of Python, and grammars.
//!
//! A leaf below `generator` and `heimdall`, without rules, recipes or I/O. Start reading at [`languages::LANGUAGES`] and
//! [`python::with_module`].

#[expect(clippy::wildcard_enum_match_arm, reason = "the parser may add token kinds")]
pub mod depth_limit;
pub mod file_kind;
pub mod grammar;
pub mod languages;
pub mod python;

mod dedent;

pub use dedent::dedent;
