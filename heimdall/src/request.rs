use serde::{Deserialize, Serialize};

use analysis_report::{AnalysisType, Suppressions};

/// A source text and what the caller knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnalysisRequest<'a> {
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
    pub kind: AnalysisType,
    /// The effect of suppression comments in the code.
    pub suppressions: Suppressions,
    /// Web framework in use, if any. Identifies route handlers that the code itself does not mark.
    #[serde(borrow)]
    pub framework: Option<&'a str>,
    /// Names of the project's dependencies, with or without version.
    #[serde(skip)]
    pub dependencies: &'a [String],
}
