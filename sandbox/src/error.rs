//! Why a job could not be run, and whether trying again can help.

/// A job that was not run to its end. Each carries a stable code for programs and a text that says what to do.
///
/// Retry: `sandbox_unavailable`, `runner_lost`, `runner_silent`, `runner_failed`, `shutting_down`. Fail:
/// `sandbox_config`, `root_missing`, `landlock_unavailable`, `wall_failed`, `unknown_runtime`, `tests_unsupported`, `limits_rejected`,
/// `file_rejected`, `files_too_large`. No text quotes what was submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// The same job may well run later, here or elsewhere.
    #[error("{code}: {detail}")]
    Retry { code: &'static str, detail: String },
    /// The same job meets the same error again until someone changes something.
    #[error("{code}: {detail}")]
    Fail { code: &'static str, detail: String },
}

impl SandboxError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Retry { code, .. } | Self::Fail { code, .. } => code,
        }
    }

    /// Whether trying again can help.
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

/// What a runner refused, by the codes it uses.
impl From<runner::protocol::Refused> for SandboxError {
    fn from(refused: runner::protocol::Refused) -> Self {
        let detail = refused.detail;
        match refused.code.as_str() {
            "file_rejected" => Self::fail("file_rejected", detail),
            "files_too_large" => {
                Self::fail("files_too_large", format!("{detail}; send less, or choose a level with more disk"))
            }
            "landlock_unavailable" => {
                Self::fail("landlock_unavailable", format!("{detail}; use a newer kernel or lower the minimum"))
            }
            "seccomp_failed" | "wall_failed" => Self::fail("wall_failed", detail),
            _ => Self::retry("runner_failed", detail),
        }
    }
}
