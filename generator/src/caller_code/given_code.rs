//! Work on the caller's Python code by tools instead of a language model.
//!
//! Tools run the code, which this crate never does: it selects the tool and turns the tool's result into a generation.

use std::fmt::Write as _;

use ruff_python_ast::ModModule;
use ruff_python_parser::Parsed;
use source_text::{dedent, python};

use crate::caller_code::diff::changes;
use crate::caller_code::intent::tool;
use crate::caller_code::outline;
use crate::caller_code::test_detection::{defines_tests, runs_own_tests, with_test_file_name};
use crate::paths::is_test_file;
use crate::types::{EntryPoint, FilePurpose, GenerateRequest, Generation, GenerationAction, Origin, SourceFile, Tool};

/// The caller's code, and the tool that serves the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenCode {
    /// The tool.
    pub tool: Tool,
    /// The caller's file.
    pub file: SourceFile,
    /// True if the file may contain tests, which then verify that a change preserves behaviour.
    pub has_tests: bool,
}

/// Summary of written tests, for their documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestWritingSummary {
    /// Each tested name with the number of detected defects and of injected defects.
    pub names: Vec<(String, u32, u32)>,
    /// Number of tests taken from documented examples.
    pub examples: u32,
    /// Each untested name with the reason.
    pub skipped: Vec<(String, String)>,
}

impl GivenCode {
    /// Selects the tool that serves a whole request for Python code; `None` if there is none.
    pub(crate) fn of(request: &GenerateRequest, code: &str, path: String) -> Option<Self> {
        let code = dedent(code).into_owned();
        let tool = tool(request, &definitions(&code))?;
        let file = SourceFile { path, content: code, kind: FilePurpose::Code, from_caller: true };
        let has_tests =
            defines_tests("python", &file.content) && (is_test_file(&file.path) || !runs_own_tests(&file.content));
        Some(Self { tool, file, has_tests })
    }

    /// Returns the generation of the caller's file with the tests written for it.
    pub fn with_tests(self, tests: String, tested: &TestWritingSummary) -> Generation {
        let stem = self.file.path.trim_end_matches(".py");
        let path = format!("test_{stem}.py");
        let mut text = outline::of_python(&self.file.path, &self.file.content);
        describe_tests(&mut text, &path, tested);
        let tests = SourceFile { path, content: tests, kind: FilePurpose::Test, from_caller: false };
        generation(vec![self.file, tests], EntryPoint::Tests, GenerationAction::TestsWritten, text)
    }

    /// Returns the generation of the changed file; `summary` describes the changes in sentences.
    pub fn with_change(self, changed: String, summary: &str) -> Generation {
        let action =
            if self.tool == Tool::Docstrings { GenerationAction::Documented } else { GenerationAction::Changed };
        let mut text = outline::of_python(&self.file.path, &changed);
        let file = SourceFile { content: changed, from_caller: false, ..self.file.clone() };
        let changes = changes(&[self.file], std::slice::from_ref(&file));
        if let Some(changes) = &changes {
            write!(text, "\n{}\n{summary}\n", changes.summary).expect("writing to a String does not fail");
        }
        let (file, run) = if self.has_tests {
            let file = with_test_file_name("python", file);
            let run = EntryPoint::TestsOrScript { path: file.path.clone() };
            (file, run)
        } else {
            let run = EntryPoint::Script { path: file.path.clone() };
            (file, run)
        };
        let changed = generation(vec![file], run, action, text);
        Generation { changes: changes.map(|changes| changes.unified), ..changed }
    }
}

/// Returns the names of the functions and classes that `source` defines at its top level.
fn definitions(source: &str) -> Vec<String> {
    let collect = |parsed: &Parsed<ModModule>| {
        let body = parsed.syntax().body.iter();
        let functions =
            body.clone().filter_map(|statement| statement.as_function_def_stmt()).map(|it| it.name.to_string());
        functions.chain(body.filter_map(|it| it.as_class_def_stmt()).map(|it| it.name.to_string())).collect()
    };
    python::with_module(source, collect).unwrap_or_default()
}

fn generation(files: Vec<SourceFile>, run: EntryPoint, action: GenerationAction, documentation: String) -> Generation {
    let runtime = "python".to_owned();
    Generation {
        origin: Origin::Tools,
        action,
        runtime,
        files,
        run,
        documentation,
        changes: None,
        tokens: 0,
        repairable: false,
        remark: None,
    }
}

fn describe_tests(text: &mut String, path: &str, tested: &TestWritingSummary) {
    text.push_str("\n## Tests\n\n");
    let intro = format!(
        "`{path}` records the current behaviour of the code: a test that fails later shows a change, intended or not. \
         Each test detects at least one defect that was injected into the code."
    );
    text.push_str(&intro);
    text.push_str("\n\n| tested | defects detected |\n|---|---|\n");
    for (name, noticed, defects) in &tested.names {
        writeln!(text, "| `{name}` | {noticed} of {defects} |").expect("writing to a String does not fail");
    }
    if tested.examples > 0 {
        writeln!(text, "| documented examples | {} |", tested.examples).expect("writing to a String does not fail");
    }
    if !tested.skipped.is_empty() {
        text.push_str("\nNot tested:\n\n");
        for (name, reason) in &tested.skipped {
            writeln!(text, "- `{name}`: {reason}").expect("writing to a String does not fail");
        }
    }
}
