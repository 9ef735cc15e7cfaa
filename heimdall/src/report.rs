use serde::{Deserialize, Serialize};

/// How bad it is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Should be changed.
    Medium,
    /// Outside data reaches a dangerous call, or a secret is exposed.
    High,
    /// As `High`, and whoever controls the data runs code of their own.
    Critical,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// An attacker could profit.
    Security,
    /// Slower than need be.
    Performance,
    /// Harder to read, or wrong in a small way.
    Style,
    /// Harder to change.
    Architecture,
}

/// One thing that was found, in our own words: no field quotes the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's stable name, such as `PY-SQL-INJECTION`.
    pub rule: String,
    /// What it is about.
    pub kind: FindingKind,
    /// How bad it is here.
    pub severity: Severity,
    /// First line concerned, counted from 1 in the text as submitted.
    pub line_start: u32,
    /// Last line concerned, at least `line_start`.
    pub line_end: u32,
    /// A few words.
    pub title: String,
    /// What is wrong and why it matters.
    pub description: String,
    /// What to do about it.
    pub recommendation: String,
    /// A template of the better code; never the submitted code.
    pub example_fix: Option<String>,
    /// CWE names or addresses of documentation.
    pub references: Vec<String>,
    /// 0..=1: how sure we are.
    pub confidence: f32,
    /// A digest that stays the same while other lines change: of the rule, the finding's own code, the names of the enclosing
    /// definitions and the number among equals. The code cannot be read from it.
    pub fingerprint: String,
}

/// The result of one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The language the text was read as.
    pub language: String,
    /// Whether all of it parsed.
    pub parsed: bool,
    /// Worst first, then by line.
    pub findings: Vec<Finding>,
    /// Findings that a comment in the code accepts, in the same order; empty unless suppressions are honored.
    pub suppressed: Vec<Finding>,
    /// The tools that ran; empty if the text was not analysed.
    pub tools: Vec<String>,
    /// 0..=100: 100 minus, for each security finding, 40 (critical), 25 (high), 10 (medium) or 2 (low); repeats of a rule count half.
    /// 0 where the text was not analysed.
    pub overall_score: u8,
    /// 0..=1: how far the absence of findings can be trusted.
    pub confidence: f32,
}
