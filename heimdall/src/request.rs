use serde::{Deserialize, Serialize};

use crate::suppression::Suppressions;

/// Categories of findings to return. Security findings are part of every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Security and syntax.
    Security,
    /// Security, syntax and performance.
    Performance,
    /// Security, syntax, architecture and style.
    Architecture,
    /// All categories.
    General,
}

/// A source text and what the caller knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// The code, at most [`MAX_SOURCE_BYTES`](crate::MAX_SOURCE_BYTES) bytes.
    pub source: &'a str,
    /// Path of the source; used to detect the language.
    #[serde(borrow)]
    pub file_path: Option<&'a str>,
    /// Language name (`python`, `py`, `js`, ...), which overrides detection. For an unknown name only the rules for any
    /// text apply, and the report's language is `unknown`.
    #[serde(borrow)]
    pub language: Option<&'a str>,
    /// Categories of findings to return.
    pub kind: Kind,
    /// The effect of suppression comments in the code.
    pub suppressions: Suppressions,
    /// Web framework in use, if any. Identifies route handlers that the code itself does not mark.
    #[serde(borrow)]
    pub framework: Option<&'a str>,
    /// Names of the project's dependencies, with or without version.
    #[serde(skip)]
    pub dependencies: &'a [String],
}
