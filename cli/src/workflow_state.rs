//! The state of a workflow as the API reports it, with texts that are safe to print.

use serde_json::Value;

use crate::client::sanitize_json;
use crate::program_text::program_text;

/// The streams of a program, and the mark before a line of each.
pub(crate) const STREAMS: [(&str, &str); 2] = [("stdout", "|"), ("stderr", "stderr |")];

/// The state of a workflow.
pub struct WorkflowState {
    /// The response without the output of the program.
    pub(crate) fields: Value,
    pub(crate) output: ProgramOutput,
}

/// The output of a program.
#[derive(Default)]
pub(crate) struct ProgramOutput {
    /// The text to print of each stream.
    pub(crate) texts: [String; 2],
    /// Bytes of each stream that the service has kept.
    pub(crate) kept_bytes: [usize; 2],
    /// Set if the program wrote more than the service has kept.
    pub(crate) is_truncated: bool,
    /// Set if parts of `texts` were shown before.
    pub(crate) is_repeated: bool,
}

impl WorkflowState {
    /// Reads the member `data` of an unchanged response.
    pub(crate) fn new(mut response: Value) -> Self {
        let mut data = response["data"].take();
        let mut output = ProgramOutput::default();
        if let Some(results) = data.pointer_mut("/artifacts/test_results").filter(|results| results.is_object()) {
            output.is_truncated = results["truncated"] == true;
            for (stream, (name, _)) in STREAMS.iter().enumerate() {
                let text = results[*name].take();
                let text = text.as_str().unwrap_or_default();
                output.kept_bytes[stream] = text.len();
                output.texts[stream] = program_text(text);
            }
        }
        Self { fields: sanitize_json(data), output }
    }

    pub(crate) fn id(&self) -> &str {
        self.fields["workflow_id"].as_str().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> &str {
        self.fields["status"].as_str().unwrap_or("unknown")
    }

    /// Returns whether the result, and with it the output, is included.
    pub(crate) fn has_results(&self) -> bool {
        self.fields["artifacts"]["test_results"].is_object()
    }

    /// Returns whether the workflow has ended or awaits a decision.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.status(), "completed" | "failed" | "cancelled" | "waiting_approval")
    }

    /// Returns whether code of the caller ran as it was given.
    pub(crate) fn is_given_code(&self) -> bool {
        matches!(self.fields["action"].as_str(), Some("ran" | "tested"))
    }
}
