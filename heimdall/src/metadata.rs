//! The metadata of one analysis, before it becomes a report.

/// Metadata of an analysis.
pub(crate) struct AnalysisMetadata {
    pub(crate) parsed: bool,
    /// Confidence that an absence of findings is meaningful, 0..=1.
    pub(crate) confidence: f32,
    pub(crate) tools: Vec<&'static str>,
}
