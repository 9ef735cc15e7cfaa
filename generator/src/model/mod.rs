//! A language model behind any endpoint that speaks the OpenAI chat protocol.

mod client;
mod prompt;
mod reply;

use crate::diff;
use crate::documenter;
use crate::exchange::{Action, GenerateError, Generation, Kind, Origin, Request, Run, SourceFile};
use crate::paths::is_test_file;
use crate::target::Target;

pub(crate) use client::Model;

/// What the model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task<'a> {
    /// Code and tests for a goal.
    New,
    /// A working version of this file.
    Change(&'a SourceFile),
    /// Tests for this file, which stays as it is.
    Test(&'a SourceFile),
}

impl Model {
    /// Asks the model once. Cancel safe: dropping the future ends the call; tokens may have been spent by then.
    pub(crate) async fn generate(&self, request: &Request, task: Task<'_>) -> Result<Generation, GenerateError> {
        let answer = self.ask(&prompt::messages(request, task), request).await?;
        let files = reply::files(&answer.text)
            .and_then(|files| assemble(files, task))
            .map_err(|reason| client::unusable_reply(reason, answer.tokens))?;
        let mut documentation: Vec<String> = files
            .iter()
            .filter(|file| file.kind == Kind::Code)
            .map(|file| documenter::outline(&file.path, &file.content))
            .collect();
        let changes = match task {
            Task::Change(original) => diff::changes(std::slice::from_ref(original), &files),
            Task::New | Task::Test(_) => None,
        };
        documentation.extend(changes.as_ref().map(|changes| changes.summary.clone()));
        Ok(Generation {
            origin: Origin::Model { name: self.name().to_owned() },
            action: match task {
                Task::New => Action::Generated,
                Task::Change(_) => Action::Changed,
                Task::Test(_) => Action::TestsWritten,
            },
            runtime: "python".to_owned(),
            run: run(&files, task),
            documentation: documentation.join("\n"),
            changes: changes.map(|changes| changes.unified),
            files,
            tokens: answer.tokens,
            repairable: true,
        })
    }

    /// Asks the model a question about the caller's file, which runs as it is. Cancel safe like [`Model::generate`].
    pub(crate) async fn explain(
        &self,
        request: &Request,
        target: Target<'_>,
        file: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        let answer = self.ask(&prompt::question(request, target.name(), file), request).await?;
        let text = unquoted(&answer.text, &file.content);
        if text.trim().is_empty() {
            return Err(client::unusable_reply("it holds no explanation", answer.tokens));
        }
        Ok(Generation {
            origin: Origin::Model { name: self.name().to_owned() },
            action: Action::Explained,
            runtime: target.runtime().to_owned(),
            run: Run::Script { path: file.path.clone() },
            files: vec![file.clone()],
            documentation: text,
            changes: None,
            tokens: answer.tokens,
            repairable: false,
        })
    }
}

/// Leaves out code blocks and lines that quote the source: documentation never repeats what the caller submitted.
fn unquoted(reply: &str, source: &str) -> String {
    const LONG_ENOUGH_TO_TELL: usize = 8;
    let quotes =
        |line: &str| source.lines().map(str::trim).any(|own| own.len() >= LONG_ENOUGH_TO_TELL && line.contains(own));
    let mut in_block = false;
    let mut kept = String::new();
    for line in reply.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        if !is_fence && !in_block && !quotes(line) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Turns the files of a reply into those of a generation, or says what is missing.
fn assemble(files: Vec<(String, String)>, task: Task<'_>) -> Result<Vec<SourceFile>, &'static str> {
    let mut files: Vec<SourceFile> = files
        .into_iter()
        .map(|(path, content)| {
            let is_original = matches!(task, Task::Change(original) if original.path == path);
            let kind = if is_test_file(&path) && !is_original { Kind::Test } else { Kind::Code };
            SourceFile { path, content, kind, from_caller: false }
        })
        .collect();
    match task {
        Task::New => {}
        Task::Change(original) => {
            // A lone file is the changed one, whatever the model calls it.
            let code = files.iter().filter(|file| file.kind == original.kind).count();
            if code == 1 && !files.iter().any(|file| file.path == original.path) {
                files
                    .iter_mut()
                    .filter(|file| file.kind == original.kind)
                    .for_each(|file| file.path.clone_from(&original.path));
            }
            let changed = files.iter().find(|file| file.path == original.path);
            match changed {
                None => return Err("the changed file is not in it"),
                Some(file) if files.len() == 1 && file.content.trim() == original.content.trim() => {
                    return Err("the file is in it as it was");
                }
                Some(_) => {}
            }
        }
        Task::Test(original) => {
            // The caller's file is tested as it is, even if the model sent a version of its own.
            files.retain(|file| file.kind == Kind::Test && file.path != original.path);
            if files.is_empty() {
                return Err("it has no file named test_*.py");
            }
            files.insert(0, original.clone());
        }
    }
    if files.iter().any(|file| file.kind == Kind::Code) { Ok(files) } else { Err("it has tests but no code") }
}

fn run(files: &[SourceFile], task: Task<'_>) -> Run {
    let holds_tests = |file: &SourceFile| file.kind == Kind::Test || is_test_file(&file.path);
    if files.iter().any(holds_tests) {
        return Run::Tests;
    }
    let changed = match task {
        Task::Change(original) => files.iter().find(|file| file.path == original.path),
        Task::New | Task::Test(_) => None,
    };
    let script = changed.or_else(|| files.iter().find(|file| file.path == "main.py")).or_else(|| files.first());
    script.map_or(Run::Tests, |file| Run::Script { path: file.path.clone() })
}
