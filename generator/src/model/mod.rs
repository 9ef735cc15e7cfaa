//! A language model behind any endpoint that speaks the OpenAI chat protocol.
//!
//! Requests a reply as a JSON document under a schema. If the endpoint rejects the schema or answers in prose, fenced
//! blocks are requested instead, and only these until the process exits (decision 34).

mod client;
mod fenced;
mod language;
mod preserved_tests;
mod prompt;
mod quote_filter;
mod reply;
mod structured;

use std::fmt::Write as _;

use crate::caller_code::diff;
use crate::caller_code::outline;
use crate::caller_code::target::Target;
use crate::caller_code::test_detection::{test_names, with_test_file_name};
use crate::paths::is_test_file;
use crate::types::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, Origin, SourceFile,
};
use client::CallError;
use prompt::Form;
use quote_filter::QuoteFilter;
use reply::Reply;

pub(crate) use client::Model;
pub(crate) use language::ModelLanguage;

/// Bounds of the plan and notes that the documentation takes from a reply.
const MAX_PLAN_STEPS: usize = 20;
const MAX_STEP_CHARS: usize = 300;
const MAX_NOTES_CHARS: usize = 4_000;

/// The work that the model is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task<'a> {
    /// Write code and tests for a goal.
    New,
    /// Change this file.
    Change(&'a SourceFile),
    /// Write tests for this file and leave it unchanged.
    Test(&'a SourceFile),
}

impl<'a> Task<'a> {
    fn original(self) -> Option<&'a SourceFile> {
        match self {
            Task::New => None,
            Task::Change(file) | Task::Test(file) => Some(file),
        }
    }
}

impl Model {
    /// Calls the model at most twice. Cancel safe: dropping the future ends the call, though its tokens may be charged.
    pub(crate) async fn generate(
        &self,
        request: &GenerateRequest,
        language: ModelLanguage,
        task: Task<'_>,
    ) -> Result<Generation, GenerateError> {
        let (reply, tokens) = self.reply(request, language, task).await?;
        let Reply { plan, notes, files } = reply;
        let files = assemble(files, language, task).map_err(|reason| client::unusable_reply(reason, tokens))?;
        let changes = match task {
            Task::Change(original) => diff::changes(std::slice::from_ref(original), &files),
            Task::New | Task::Test(_) => None,
        };
        // Plan and notes may quote the caller's lines.
        let quotes = task.original().map(|file| QuoteFilter::of(&file.content));
        let extra = plan_and_notes(&plan, &notes, quotes.as_ref());
        let code = files.iter().filter(|file| file.kind == FilePurpose::Code);
        let outlines = code.map(|file| outline(language, file));
        let summary = changes.as_ref().map(|changes| changes.summary.clone());
        let sections: Vec<String> =
            outlines.chain(Some(extra).filter(|extra| !extra.is_empty())).chain(summary).collect();
        Ok(Generation {
            origin: Origin::Model { name: self.name().to_owned() },
            action: match task {
                Task::New => GenerationAction::Generated,
                Task::Change(_) => GenerationAction::Changed,
                Task::Test(_) => GenerationAction::TestsWritten,
            },
            runtime: language.runtime().to_owned(),
            run: run(&files, task),
            documentation: sections.join("\n"),
            changes: changes.map(|changes| changes.unified),
            files,
            tokens,
            repairable: true,
            remark: None,
        })
    }

    /// Requests files under a schema if the endpoint supports it, else in fenced blocks. Returns them and the tokens of
    /// all calls.
    async fn reply(
        &self,
        request: &GenerateRequest,
        language: ModelLanguage,
        task: Task<'_>,
    ) -> Result<(Reply, u64), GenerateError> {
        let mut spent = 0;
        if self.is_structured() {
            let messages = prompt::messages(request, language, task, Form::Structured);
            match self.ask(&messages, Some(structured::response_format()), request, 0).await {
                Ok(answer) => match structured::read(&answer.text, language) {
                    Some(read) => return with_tokens(read, answer.tokens),
                    None => {
                        if let Ok(reply) = fenced::read(&answer.text, language) {
                            self.disable_structured();
                            return Ok((reply, answer.tokens));
                        }
                        spent = answer.tokens;
                    }
                },
                Err(CallError::FormRejected(_)) => {}
                Err(CallError::Other(error)) => return Err(error),
            }
        }
        let messages = prompt::messages(request, language, task, Form::Fenced);
        let answer =
            self.ask(&messages, None, request, spent).await.map_err(|error| add_spent_tokens(error.into(), spent))?;
        let (reply, tokens) = with_tokens(fenced::read(&answer.text, language), answer.tokens + spent)?;
        // Set only after success, which shows that the schema was the reason for the first failure.
        self.disable_structured();
        Ok((reply, tokens))
    }

    /// Asks the model a question about the caller's file, which runs unchanged. Cancel safe like [`Model::generate`].
    pub(crate) async fn explain(
        &self,
        request: &GenerateRequest,
        target: Target<'_>,
        file: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        let answer = self.ask(&prompt::question(request, target.name(), file), None, request, 0).await?;
        let text = QuoteFilter::of(&file.content).filter_text(&answer.text);
        if text.trim().is_empty() {
            return Err(client::unusable_reply("it holds no explanation", answer.tokens));
        }
        Ok(Generation {
            origin: Origin::Model { name: self.name().to_owned() },
            action: GenerationAction::Explained,
            runtime: target.runtime().to_owned(),
            run: EntryPoint::Script { path: file.path.clone() },
            files: vec![file.clone()],
            documentation: text,
            changes: None,
            tokens: answer.tokens,
            repairable: false,
            remark: None,
        })
    }
}

fn with_tokens(read: Result<Reply, &'static str>, tokens: u64) -> Result<(Reply, u64), GenerateError> {
    read.map(|reply| (reply, tokens)).map_err(|reason| client::unusable_reply(reason, tokens))
}

/// Adds the tokens of an earlier call to a failure.
fn add_spent_tokens(error: GenerateError, spent: u64) -> GenerateError {
    match error {
        GenerateError::Fail { code, message, tokens } => GenerateError::Fail { code, message, tokens: tokens + spent },
        GenerateError::Retry { code, message, tokens, may_have_cost, after } => {
            let may_have_cost = may_have_cost || spent > 0;
            GenerateError::Retry { code, message, tokens: tokens + spent, may_have_cost, after }
        }
        GenerateError::NoGenerator { .. } => error,
    }
}

/// Returns the plan and the notes as Markdown sections.
fn plan_and_notes(plan: &[String], notes: &str, quotes: Option<&QuoteFilter>) -> String {
    let mut text = String::new();
    let own = |text: &str| quotes.map_or_else(|| text.to_owned(), |quotes| quotes.filter_text(text));
    let notes = own(notes);
    // Filtered before lines are joined and truncated, which would hide quotes.
    let steps = plan.iter().map(|step| own(step).split_whitespace().collect::<Vec<_>>().join(" "));
    let steps: Vec<String> = steps.filter(|step| !step.is_empty()).take(MAX_PLAN_STEPS).collect();
    if !steps.is_empty() {
        text.push_str("## Plan\n\n");
        for (number, step) in (1..).zip(&steps) {
            let step: String = step.chars().take(MAX_STEP_CHARS).collect();
            writeln!(text, "{number}. {step}").expect("writing to a String does not fail");
        }
    }
    if !notes.trim().is_empty() {
        let notes: String = notes.trim().chars().take(MAX_NOTES_CHARS).collect();
        let gap = if text.is_empty() { "" } else { "\n" };
        write!(text, "{gap}## Notes\n\n{notes}\n").expect("writing to a String does not fail");
    }
    text
}

fn outline(language: ModelLanguage, file: &SourceFile) -> String {
    match language {
        ModelLanguage::Python => outline::of_python(&file.path, &file.content),
        ModelLanguage::JavaScript | ModelLanguage::Bash => {
            format!("# {}\n\n{} code, {} lines.\n", file.path, language.name(), file.content.lines().count())
        }
    }
}

/// Turns the files of a reply into those of a generation.
///
/// # Errors
/// The missing part.
fn assemble(
    files: Vec<reply::ReplyFile>,
    language: ModelLanguage,
    task: Task<'_>,
) -> Result<Vec<SourceFile>, &'static str> {
    let files = files.into_iter().map(|file| {
        let is_original = matches!(task, Task::Change(original) if original.path == file.path);
        let kind = if (file.is_test || is_test_file(&file.path)) && !is_original {
            FilePurpose::Test
        } else {
            FilePurpose::Code
        };
        let source = SourceFile { path: file.path, content: file.content, kind, from_caller: false };
        if kind == FilePurpose::Test { with_test_file_name(language.runtime(), source) } else { source }
    });
    let files: Vec<SourceFile> = files.collect();
    let files = match task {
        Task::New => files,
        Task::Change(original) => changed(files, language, original)?,
        Task::Test(original) => tested(files, original)?,
    };
    if files.iter().any(|file| file.kind == FilePurpose::Code) { Ok(files) } else { Err("it has tests but no code") }
}

fn changed(
    mut files: Vec<SourceFile>,
    language: ModelLanguage,
    original: &SourceFile,
) -> Result<Vec<SourceFile>, &'static str> {
    if !language.supports_tests() {
        files.retain(|file| file.kind == FilePurpose::Code);
    }
    // A single file is the changed one, whatever its name.
    let code = files.iter().filter(|file| file.kind == original.kind).count();
    if code == 1 && !files.iter().any(|file| file.path == original.path) {
        files
            .iter_mut()
            .filter(|file| file.kind == original.kind)
            .for_each(|file| file.path.clone_from(&original.path));
    }
    let Some(changed) = files.iter().find(|file| file.path == original.path) else {
        return Err("the changed file is not in it");
    };
    if files.len() == 1 && changed.content.trim() == original.content.trim() {
        return Err("the file is in it as it was");
    }
    preserved_tests::check(language, original, changed)?;
    if language == ModelLanguage::Python && !test_names(&original.content).is_empty() && !is_test_file(&original.path) {
        files.push(test_entry_file(original));
    }
    Ok(files)
}

/// Returns a test file that imports the tests of a file which the test runner does not collect by its name.
fn test_entry_file(original: &SourceFile) -> SourceFile {
    let module = original.path.trim_end_matches(".py").replace('/', ".");
    let plain: String = module.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let content = format!(
        "\"\"\"Runs the tests that {} holds.\"\"\"\n\nimport importlib\n\n\
         module = importlib.import_module(\"{module}\")\n\
         globals().update({{name: value for name, value in vars(module).items() if not name.startswith(\"__\")}})\n",
        original.path
    );
    SourceFile { path: format!("test_of_{plain}.py"), content, kind: FilePurpose::Test, from_caller: false }
}

/// Returns the caller's file unchanged, even if the model sent another version, and the tests of the reply.
fn tested(mut files: Vec<SourceFile>, original: &SourceFile) -> Result<Vec<SourceFile>, &'static str> {
    files.retain(|file| file.kind == FilePurpose::Test && file.path != original.path);
    if files.is_empty() {
        return Err("it has no file that is named as one of tests");
    }
    files.insert(0, original.clone());
    Ok(files)
}

fn run(files: &[SourceFile], task: Task<'_>) -> EntryPoint {
    let holds_tests = |file: &SourceFile| file.kind == FilePurpose::Test || is_test_file(&file.path);
    match task {
        Task::Change(original) if !files.iter().any(holds_tests) => EntryPoint::Script { path: original.path.clone() },
        // New code must be proven by tests; no tests is an error.
        Task::New | Task::Test(_) | Task::Change(_) => EntryPoint::Tests,
    }
}
