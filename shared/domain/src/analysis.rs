//! Reports of the analyser, as sent between a worker and the API; the rules are in the crate `heimdall`.

use serde::{Deserialize, Serialize};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// The category of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Security,
    Performance,
    Style,
    Architecture,
}

/// The aspect of the code that a caller asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisType {
    Security,
    Performance,
    Architecture,
    #[default]
    General,
}

/// The effect of comments by which code accepts findings about itself. Has no `Default`: each caller decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressions {
    /// Accepted findings are listed separately: for developers and their own code.
    Honor,
    /// Comments have no effect: for code that someone else must approve.
    Ignore,
}

/// One result of analysis; it names lines and never quotes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    #[serde(rename = "type")]
    pub kind: FindingKind,
    pub severity: Severity,
    /// The file that contains it, if several were analysed.
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
    /// Stable while other code of the file changes; empty in a report of an older build.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub fingerprint: String,
}

impl Finding {
    /// Returns true if some of the code was not analysed, so that other findings may be missing.
    pub fn is_about_analysis(&self) -> bool {
        self.rule.starts_with("SOURCE-")
    }
}

/// All findings of analysis in one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisReport {
    pub language: String,
    pub parsed: bool,
    pub overall_score: u8,
    pub confidence: f32,
    pub findings: Vec<Finding>,
    /// Findings that comments in the code accept; not counted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suppressed: Vec<Finding>,
    /// Empty if the text was not analysed.
    pub tools: Vec<String>,
}

impl AnalysisReport {
    /// Returns the security findings of a severity and above.
    pub fn security_findings(&self, from: Severity) -> impl Iterator<Item = &Finding> + Clone {
        let is_meant = move |finding: &&Finding| finding.kind == FindingKind::Security && finding.severity >= from;
        self.findings.iter().filter(is_meant)
    }
}

/// A text to analyse; at most 1 MiB of source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisTask {
    pub analysis_type: AnalysisType,
    pub source: String,
    pub file_path: Option<String>,
    pub language: Option<String>,
    pub framework: Option<String>,
    pub dependencies: Vec<String>,
    /// A task of an older build hides nothing.
    #[serde(default = "ignored")]
    pub suppressions: Suppressions,
}

const fn ignored() -> Suppressions {
    Suppressions::Ignore
}

#[cfg(test)]
mod tests {
    use super::{AnalysisTask, Suppressions};

    #[test]
    fn a_task_of_an_older_build_hides_nothing() {
        let task = r#"{"analysis_type":"general","source":"","file_path":null,"language":null,"framework":null,"dependencies":[]}"#;
        let task: AnalysisTask = serde_json::from_str(task).unwrap();
        assert_eq!(task.suppressions, Suppressions::Ignore);
    }
}
