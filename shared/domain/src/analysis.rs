//! Tasks of the analyser and its reports, as sent between a worker and the API; the rules are in the crate `heimdall`.

pub use analysis_report::{AnalysisReport, AnalysisType, Finding, FindingKind, Severity, Suppressions};

use serde::{Deserialize, Serialize};

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
