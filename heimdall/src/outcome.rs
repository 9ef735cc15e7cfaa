//! The result of one analysis, before it becomes a report.

/// What a language's analysis says about itself.
pub(crate) struct Outcome {
    pub(crate) parsed: bool,
    /// 0..=1: how far the absence of findings can be trusted.
    pub(crate) confidence: f32,
    pub(crate) tools: Vec<&'static str>,
}
