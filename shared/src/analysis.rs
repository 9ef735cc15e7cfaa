//! What analysis reports, as it travels between a worker and the API; the rules themselves live in the analyser.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Security,
    Performance,
    Style,
    Architecture,
}

/// Which side of the code a caller asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisType {
    Security,
    Performance,
    Architecture,
    #[default]
    General,
}

/// One thing that analysis reports; it names lines and never quotes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    #[serde(rename = "type")]
    pub kind: FindingKind,
    pub severity: Severity,
    /// The file it is in, where several were analysed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    pub line_start: u32,
    pub line_end: u32,
    pub title: String,
    pub description: String,
    pub recommendation: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub example_fix: Option<String>,
    pub references: Vec<String>,
    pub confidence: f32,
}

impl Finding {
    /// Whether it says that some of the code was not analysed: nobody knows what the other findings leave out.
    pub fn is_about_analysis(&self) -> bool {
        self.rule.starts_with("SOURCE-")
    }
}

/// Everything that analysis found in one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisReport {
    pub language: String,
    pub parsed: bool,
    pub overall_score: u8,
    pub confidence: f32,
    pub findings: Vec<Finding>,
    pub tools: Vec<String>,
}

/// What is to be analysed; at most 1 MiB of source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisTask {
    pub analysis_type: AnalysisType,
    pub source: String,
    pub file_path: Option<String>,
    pub language: Option<String>,
    pub framework: Option<String>,
    pub dependencies: Vec<String>,
}
