//! What goes in and what comes out: requests, generations, and why there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What somebody wants, and what is known from earlier rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The goal in the user's words.
    pub goal: String,
    /// The caller's code; blank text counts as none.
    pub code: Option<String>,
    /// The path of the caller's file, of which only the last part is used.
    pub current_file: Option<String>,
    /// The language the caller names; wins over everything that is detected.
    pub language: Option<String>,
    /// The work to do; read from the goal where it is [`Mode::Auto`].
    pub mode: Mode,
    /// True if the code is a human's answer to a goal that nothing could serve.
    pub supplied: bool,
    /// The name of a recipe that a human chose; wins over everything else.
    pub recipe: Option<String>,
    /// The round, from 1.
    pub round: u32,
    /// What the last round led to.
    pub feedback: Option<Feedback>,
    /// How many model tokens may still be spent; `None` leaves it to the model's own limit.
    pub max_tokens: Option<u64>,
    /// What was sent to a model on its behalf, for who does not wait for the answer.
    #[serde(skip)]
    pub prompt_tokens: PromptTokens,
}

impl Request {
    /// Returns the caller's code; none where it is blank.
    pub(crate) fn caller_code_text(&self) -> Option<&str> {
        self.code.as_deref().filter(|code| !code.trim().is_empty())
    }
}

/// The work that a caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
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

/// Work on given code that tools do without a language model. They run the code, so the component that has a sandbox starts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Write tests that record what the code does now.
    WriteTests {
        /// Words of the goal that may name functions to test; all are where none does.
        names: Vec<String>,
    },
    /// Format the code and apply fixes that keep what it does.
    CleanUp {
        /// The steps, at least one.
        steps: Vec<CleanUp>,
    },
    /// Apply the analyser's mechanical fixes.
    FixSecurity {
        /// A part of the rule's name that the goal asks to be fixed, such as `SQL-INJECTION`.
        kind: Option<&'static str>,
    },
    /// Add docstrings where they are missing.
    Docstrings,
}

/// One step of cleaning code up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanUp {
    /// Lay the code out.
    Format,
    /// Sort the imports.
    Imports,
    /// Remove imports that nothing uses.
    Unused,
    /// Write what newer versions of the language write shorter.
    Modernize,
}

/// Work that a generation leads to, once it has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
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

/// Tokens of the prompt that a model was sent, by the usual estimate; noted before the answer comes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct PromptTokens(Arc<AtomicU64>);

impl PromptTokens {
    /// The tokens so far; 0 where no model was asked.
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

/// What the last round led to, for a generator that can learn from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Feedback {
    /// Name and message of each failed test.
    pub failed_tests: Vec<(String, String)>,
    /// The end of the run's output.
    pub output_tail: String,
    /// What the analysis found, a sentence each.
    pub findings: Vec<String>,
    /// What a human asked to change.
    pub comment: Option<String>,
    /// The files of the last round.
    pub previous: Vec<SourceFile>,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Code.
    Code,
    /// Tests of it.
    Test,
}

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Relative, with forward slashes; never absolute, never upwards.
    pub path: String,
    /// The text.
    pub content: String,
    /// What it is for.
    pub kind: FileKind,
    /// Whether the caller supplied this very text (dedented at most).
    pub from_caller: bool,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// One file, as a program.
    Script {
        /// The file's path.
        path: String,
    },
    /// The tests; an error where there are none.
    Tests,
    /// The tests, or the file as a program where the test runner finds none.
    TestsOrScript {
        /// The file's path.
        path: String,
    },
}

/// Where a generation comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The caller's own code as given.
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
    /// The caller's own code as given, with documentation that was asked for.
    Documenter,
    /// The caller's own code, worked on by tools.
    Tools,
}

/// Code to analyse and to run, and what may be said about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Where it comes from.
    pub origin: Origin,
    /// The work that is done for the caller.
    pub action: Action,
    /// What it needs to run, such as `python`.
    pub runtime: String,
    /// The files, at least one.
    pub files: Vec<SourceFile>,
    /// What to run.
    pub run: Run,
    /// Markdown; never quotes the caller's source.
    pub documentation: String,
    /// A unified diff of the caller's files and what replaces them, where they were changed.
    pub changes: Option<String>,
    /// Model tokens spent, in and out; an estimate where the endpoint does not say.
    pub tokens: u64,
    /// Whether another round with feedback could yield something else.
    pub repairable: bool,
}

/// Why there is no generation. No message repeats what the user submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum GenerateError {
    /// Nothing here can serve the goal; a human may choose one of the ways that the hint names.
    #[error("no generator can serve this goal: {hint}")]
    NoGenerator {
        /// The ways on.
        hint: String,
    },
    /// A passing fault; the same request may succeed later.
    #[error("{code}: {message}")]
    Retry {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: String,
        /// Model tokens that earlier calls for the same request took.
        tokens: u64,
        /// Whether the endpoint may charge for it all the same.
        may_have_cost: bool,
        /// The delay that the endpoint asks for.
        after: Option<Duration>,
    },
    /// The same request would fail again.
    #[error("{code}: {message}")]
    Fail {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: String,
        /// Model tokens that were spent on it.
        tokens: u64,
    },
}
