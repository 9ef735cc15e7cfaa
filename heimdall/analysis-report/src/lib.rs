//! The analyser's report: findings and their severity, as heimdall returns them and processes pass them on.

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
    #[serde(rename = "type")]
    pub kind: FindingKind,
    /// Severity of this occurrence.
    pub severity: Severity,
    /// The file that contains it, if several were analysed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub example_fix: Option<String>,
    /// CWE ids or documentation URLs.
    pub references: Vec<String>,
    /// Confidence in the finding, 0..=1.
    pub confidence: f32,
    /// A digest of the rule, the finding's code, the names of the enclosing definitions and the index among equal
    /// findings. Edits of other lines do not change it. The code cannot be recovered from it. Empty in a
    /// report of an older build.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub fingerprint: String,
}

impl Finding {
    /// Returns true if some of the code was not analysed, so that other findings may be missing.
    pub fn is_about_analysis(&self) -> bool {
        self.rule.starts_with("SOURCE-")
    }
}

/// The result of one analysis: all findings in one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisReport {
    /// Language as which the text was analysed.
    pub language: String,
    /// False if the text has a syntax error or was not parsed.
    pub parsed: bool,
    /// Findings, most severe first, then by line.
    pub findings: Vec<Finding>,
    /// Findings that a comment in the code accepts, in the same order; not counted, and empty unless suppressions are
    /// honored.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suppressed: Vec<Finding>,
    /// Tools that ran; empty if the text was not analysed.
    pub tools: Vec<String>,
    /// Score from 0 to 100: 100 minus, for each security finding, 40 (critical), 25 (high), 10 (medium) or 2 (low);
    /// repeats of a rule count half. 0 if the text was not analysed.
    pub overall_score: u8,
    /// Confidence that an absence of findings is meaningful, 0..=1.
    pub confidence: f32,
}

impl AnalysisReport {
    /// Returns the security findings of a severity and above.
    pub fn security_findings(&self, from: Severity) -> impl Iterator<Item = &Finding> + Clone {
        let is_meant = move |finding: &&Finding| finding.kind == FindingKind::Security && finding.severity >= from;
        self.findings.iter().filter(is_meant)
    }
}

/// Categories of findings to return. Security findings are part of every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisType {
    /// Security and syntax.
    Security,
    /// Security, syntax and performance.
    Performance,
    /// Security, syntax, architecture and style.
    Architecture,
    /// All categories.
    #[default]
    General,
}

/// Effect of suppression comments. There is no default: each caller decides whether the code's author may accept
/// findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressions {
    /// Accepted findings are reported separately. For developers who analyse their own code.
    Honor,
    /// Comments have no effect. For untrusted code.
    Ignore,
}
