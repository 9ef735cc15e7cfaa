use serde::{Deserialize, Serialize};

/// Severity of a finding, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Informational.
    Low,
    /// Should be changed.
    Medium,
    /// External data reaches a dangerous call, or a secret is exposed.
    High,
    /// External data is executed as code or as a command.
    Critical,
}

/// Category of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A vulnerability or a weakness.
    Security,
    /// Avoidable run time or memory use.
    Performance,
    /// Readability problems and small mistakes.
    Style,
    /// Structure that is hard to change.
    Architecture,
}

/// A finding. No field quotes the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable rule id, such as `PY-SQL-INJECTION`.
    pub rule: String,
    /// Category.
    pub kind: FindingKind,
    /// Severity of this occurrence.
    pub severity: Severity,
    /// First line, counted from 1 in the submitted text.
    pub line_start: u32,
    /// Last line, at least `line_start`.
    pub line_end: u32,
    /// Short title.
    pub title: String,
    /// The problem and its effect.
    pub description: String,
    /// The recommended change.
    pub recommendation: String,
    /// A template of better code; never the submitted code.
    pub example_fix: Option<String>,
    /// CWE ids or documentation URLs.
    pub references: Vec<String>,
    /// Confidence in the finding, 0..=1.
    pub confidence: f32,
    /// A digest of the rule, the finding's code, the names of the enclosing definitions and the index among equal
    /// findings. Edits of other lines do not change it. The code cannot be recovered from it.
    pub fingerprint: String,
}

/// The result of one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Language as which the text was analysed.
    pub language: String,
    /// False if the text has a syntax error or was not parsed.
    pub parsed: bool,
    /// Findings, most severe first, then by line.
    pub findings: Vec<Finding>,
    /// Findings that a comment in the code accepts, in the same order; empty unless suppressions are honored.
    pub suppressed: Vec<Finding>,
    /// Tools that ran; empty if the text was not analysed.
    pub tools: Vec<String>,
    /// Score from 0 to 100: 100 minus, for each security finding, 40 (critical), 25 (high), 10 (medium) or 2 (low);
    /// repeats of a rule count half. 0 if the text was not analysed.
    pub overall_score: u8,
    /// Confidence that an absence of findings is meaningful, 0..=1.
    pub confidence: f32,
}
