use serde::{Deserialize, Serialize};

use crate::suppression::Suppressions;

/// What the caller wants to know.
///
/// Security findings are part of every answer, because a report that looks at speed must not hide a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Security and syntax alone.
    Security,
    /// Security, syntax and performance.
    Performance,
    /// Security, syntax, architecture and style.
    Architecture,
    /// Everything.
    General,
}

/// One source text and what is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// The code, at most [`MAX_SOURCE_BYTES`](crate::MAX_SOURCE_BYTES) bytes.
    pub source: &'a str,
    /// Where it came from; its extension is one hint for the language.
    #[serde(borrow)]
    pub file_path: Option<&'a str>,
    /// The language by name (`python`, `py`, `js`, ...), which decides. Under a name that we do not know only what holds for any
    /// text is looked for, and the report's language is `unknown`.
    #[serde(borrow)]
    pub language: Option<&'a str>,
    /// Which kinds of finding to return.
    pub kind: Kind,
    /// The effect of suppression comments in the code.
    pub suppressions: Suppressions,
    /// The web framework in use, if any; decides what counts as a route handler where the code itself is silent.
    #[serde(borrow)]
    pub framework: Option<&'a str>,
    /// Names of the project's dependencies, with or without version.
    #[serde(skip)]
    pub dependencies: &'a [String],
}
