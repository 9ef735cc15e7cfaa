//! Errors of a sandbox, with the decision whether a retry can help.

/// A job that did not run to its end, with a stable code and a text that says what to do. No text quotes submitted
/// content.
///
/// Retry: `sandbox_unavailable`, `runner_lost`, `runner_silent`, `runner_failed`, `shutting_down`. Fail:
/// `sandbox_config`, `root_missing`, `landlock_unavailable`, `wall_failed`, `unknown_runtime`, `tests_unsupported`,
/// `limits_rejected`, `file_rejected`, `files_too_large`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// The same job may succeed later, here or on another worker.
    #[error("{code}: {detail}")]
    Retry { code: &'static str, detail: String },
    /// The same job fails again until the job or the configuration changes.
    #[error("{code}: {detail}")]
    Fail { code: &'static str, detail: String },
}

impl SandboxError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Retry { code, .. } | Self::Fail { code, .. } => code,
        }
    }

    /// Returns whether a retry can help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry { .. })
    }

    pub(crate) fn retry(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Retry { code, detail: detail.into() }
    }

    pub(crate) fn fail(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Fail { code, detail: detail.into() }
    }
}

/// Maps the codes of a runner's refusal.
impl From<runner::protocol::Refused> for SandboxError {
    fn from(refused: runner::protocol::Refused) -> Self {
        let detail = refused.detail;
        match refused.code.as_str() {
            "file_rejected" => Self::fail("file_rejected", detail),
            "files_too_large" => Self::fail(
                "files_too_large",
                format!("{detail}; send less data or choose a level with a larger work directory"),
            ),
            "landlock_unavailable" => Self::fail(
                "landlock_unavailable",
                format!("{detail}; use a newer kernel or lower sandbox.minimum_landlock_abi"),
            ),
            "seccomp_failed" | "wall_failed" => Self::fail("wall_failed", detail),
            _ => Self::retry("runner_failed", detail),
        }
    }
}
