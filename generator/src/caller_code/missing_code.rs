//! Refusals of work on code that did not come with the request, or that is empty.

use crate::caller_code::intent::Intent;
use crate::types::{GenerateError, GenerationMode};

impl Intent {
    /// Returns the work as a verb whose object is code.
    fn verb(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::RunOrTest | Self::Test => "test",
            Self::WriteTests => "write tests for",
            Self::Change => "change",
            Self::Document => "document",
            Self::Explain => "explain",
            Self::Generate => "write",
        }
    }

    /// Returns the refusal of a request without code. Recipes are not named: the goal is about other code.
    pub(crate) fn refuse_without_code(self, mode: GenerationMode) -> GenerateError {
        let asks = if mode == GenerationMode::Auto { "The goal asks" } else { "The mode asks" };
        refuse_without_code(&format!("{asks} to {} code", self.verb()))
    }

    /// Returns the refusal of work on code that is empty.
    pub(crate) fn refuse_empty(self) -> GenerateError {
        let hint = format!("The code that was sent is empty, so there is nothing to {}. Send its content", self.verb());
        GenerateError::NoGenerator { hint }
    }
}

/// Returns the refusal of a goal about existing code.
pub(crate) fn refuse_without_code(reason: &str) -> GenerateError {
    let hint = format!("{reason}, and none came with it. Send it as project_context.file_content or files");
    GenerateError::NoGenerator { hint }
}
