//! The languages with rules.

use source_text::languages::{Language, by_name};

/// Identifiers of the languages with rules.
pub(super) const ANALYZED: &[&str] = &[
    "python",
    "javascript",
    "typescript",
    "go",
    "rust",
    "bash",
    "java",
    "kotlin",
    "csharp",
    "c",
    "cpp",
    "ruby",
    "php",
    "sql",
    "html",
    "css",
    "json",
    "yaml",
    "toml",
    "dockerfile",
    "markdown",
];

/// Language of a report if the caller names a language without rules.
pub(crate) const UNKNOWN: &str = "unknown";

/// Returns the identifier of a language, given with or without a version.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    by_name(name).and_then(analyzed)
}

/// Returns the identifier of a language if it has rules.
pub(super) fn analyzed(language: &'static Language) -> Option<&'static str> {
    Some(language.id).filter(|id| ANALYZED.contains(id))
}

/// Maximum lines that the heuristics read.
pub(super) const MAX_LINES_READ: usize = 400;
