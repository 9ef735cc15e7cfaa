//! Requests, generations and the errors of [`crate::Generator::generate`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A goal, the caller's code if any, and the results of earlier rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerateRequest {
    /// The goal in the user's words.
    pub goal: String,
    /// The caller's code; blank text is an empty file. The caller decides whether blank text counts as code at all.
    pub code: Option<String>,
    /// Several files of the caller in place of `code`, as they are.
    pub files: Vec<SourceFile>,
    /// The path of the file to run, among `files`; `None` leaves the choice to their names.
    pub entry: Option<String>,
    /// The path of the caller's file; only its last component is used.
    pub current_file: Option<String>,
    /// The language that the caller names; overrides detection.
    pub language: Option<String>,
    /// The work to do; [`GenerationMode::Auto`] reads it from the goal.
    pub mode: GenerationMode,
    /// True if a human supplied the code after the goal ended `no_generator`.
    pub supplied: bool,
    /// The name of a recipe that a human chose; overrides the goal and the mode.
    pub recipe: Option<String>,
    /// The round, from 1.
    pub round: u32,
    /// The results of the last round.
    pub feedback: Option<RoundFeedback>,
    /// Model tokens left to spend; `None` means that only the model's own limit applies.
    pub max_tokens: Option<u64>,
    /// Prompt tokens sent for this request; lets a caller that cancels charge for them.
    #[serde(skip)]
    pub prompt_tokens: PromptTokens,
}

/// Returns whether a text is absent or consists of whitespace.
pub(crate) fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

/// The work that a caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationMode {
    /// As the goal says.
    #[default]
    Auto,
    /// Run the code as it is.
    Run,
    /// Run the tests that the code has.
    Test,
    /// Add tests to the code.
    WriteTests,
    /// Change the code.
    Change,
    /// Describe the code as reference documentation.
    Document,
    /// Answer a question about the code.
    Explain,
    /// Write code for the goal.
    Generate,
}

/// Work on the caller's code by a tool instead of a language model. Tools run the code, so the owner of a sandbox
/// starts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Write tests that record what the code does now.
    WriteTests {
        /// The definitions to test; empty means all.
        names: Vec<String>,
    },
    /// Format the code and apply fixes that preserve its behaviour.
    CleanUp {
        /// The steps, at least one.
        steps: Vec<CleanUp>,
    },
    /// Apply the analyser's mechanical fixes.
    FixSecurity {
        /// A part of the rule's name to fix, such as `SQL-INJECTION`; `None` means all rules.
        kind: Option<&'static str>,
    },
    /// Add docstrings where they are missing.
    Docstrings,
}

/// A step of [`Tool::CleanUp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanUp {
    /// Format the code.
    Format,
    /// Sort the imports.
    Imports,
    /// Remove unused imports.
    Unused,
    /// Replace outdated syntax by its newer form.
    Modernize,
}

/// The work that a generation does for the caller once it has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationAction {
    /// The caller's code ran as it is.
    Ran,
    /// The tests of the caller's code ran.
    Tested,
    /// Tests were added to the caller's code.
    TestsWritten,
    /// Code was written for the goal.
    Generated,
    /// The caller's code was replaced by another version.
    Changed,
    /// The caller's code was described.
    Documented,
    /// A question about the caller's code was answered.
    Explained,
}

/// A counter of prompt tokens sent to a model, estimated before each call. Clones share the counter.
#[derive(Clone, Debug, Default)]
pub struct PromptTokens(Arc<AtomicU64>);

impl PromptTokens {
    /// Returns the tokens so far; 0 without a model call.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[cfg(feature = "model")]
    pub(crate) fn add(&self, tokens: u64) {
        self.0.fetch_add(tokens, Ordering::Relaxed);
    }
}

impl PartialEq for PromptTokens {
    fn eq(&self, other: &Self) -> bool {
        self.count() == other.count()
    }
}

/// The results of the last round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoundFeedback {
    /// Name and message of each failed test.
    pub failed_tests: Vec<(String, String)>,
    /// The end of the run's output.
    pub output_tail: String,
    /// Findings of the analysis, one sentence each.
    pub findings: Vec<String>,
    /// Changes that a human requested.
    pub comment: Option<String>,
    /// The files of the last round.
    pub previous: Vec<SourceFile>,
}

/// The purpose of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePurpose {
    /// Code.
    Code,
    /// Tests.
    Test,
}

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Relative, with forward slashes; neither absolute nor with `..`.
    pub path: String,
    /// The text.
    pub content: String,
    /// The purpose of the file.
    pub kind: FilePurpose,
    /// True if the content is the caller's, unchanged except for dedentation.
    pub from_caller: bool,
}

/// The entry point to execute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryPoint {
    /// One file, as a program.
    Script {
        /// The file's path.
        path: String,
    },
    /// The tests; no tests is an error.
    Tests,
    /// The tests, or the file as a program if the test runner finds no tests.
    TestsOrScript {
        /// The file's path.
        path: String,
    },
}

/// The source of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The caller's code, unchanged.
    Caller,
    /// A recipe of the catalogue.
    Recipe {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A language model.
    Model {
        /// The model's name as configured.
        name: String,
    },
    /// The caller's code, unchanged, with the requested documentation.
    Documenter,
    /// The caller's code, changed by tools.
    Tools,
}

/// Code to analyse and run, and its documentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The source of the code.
    pub origin: Origin,
    /// The work done for the caller.
    pub action: GenerationAction,
    /// The runtime that the code needs, such as `python`.
    pub runtime: String,
    /// The files, at least one.
    pub files: Vec<SourceFile>,
    /// The entry point to execute.
    pub run: EntryPoint,
    /// Markdown; never quotes the caller's source.
    pub documentation: String,
    /// A unified diff from the caller's files to these; `None` if nothing changed.
    pub changes: Option<String>,
    /// Model tokens spent, input and output; estimated if the endpoint does not report them.
    pub tokens: u64,
    /// True if another round with feedback may give a different result.
    pub repairable: bool,
    /// Remarks on the choice of the runtime, and on the form of the code in case it fails; never quotes the caller.
    pub remark: Option<String>,
}

impl Generation {
    /// Adds remarks, here and to the documentation.
    pub(crate) fn with_remarks(mut self, remarks: &[String]) -> Self {
        if remarks.is_empty() {
            return self;
        }
        self.add_remark(&remarks.join(". "));
        self
    }

    /// Adds a remark without a final stop, here and to the documentation.
    pub(crate) fn add_remark(&mut self, remark: &str) {
        self.documentation = format!("{}\n\n{remark}.\n", self.documentation.trim_end());
        let all = self.remark.iter().map(String::as_str).chain([remark]).collect::<Vec<_>>().join(". ");
        self.remark = Some(all);
    }
}

/// Reasons for which there is no generation. Messages never quote what the user submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum GenerateError {
    /// No source can serve the goal; the hint names the alternatives.
    #[error("no generator can serve this goal: {hint}")]
    NoGenerator {
        /// The reason and the alternatives.
        hint: String,
    },
    /// A temporary failure; the same request may succeed later.
    #[error("{code}: {message}")]
    Retry {
        /// A stable identifier for programs.
        code: &'static str,
        /// A text for people.
        message: String,
        /// Model tokens that earlier calls for the same request spent.
        tokens: u64,
        /// True if the endpoint may charge for the failed call.
        may_have_cost: bool,
        /// The delay that the endpoint requested.
        after: Option<Duration>,
    },
    /// The same request would fail again.
    #[error("{code}: {message}")]
    Fail {
        /// A stable identifier for programs.
        code: &'static str,
        /// A text for people.
        message: String,
        /// Model tokens spent.
        tokens: u64,
    },
}
