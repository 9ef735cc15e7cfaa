//! Serves requests with several files of the caller: runs one of them, or the tests among them, with all in place.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::caller_code::intent::{Intent, intent, names_docstrings};
use crate::caller_code::outline;
use crate::caller_code::target::{Found, Target};
use crate::caller_code::test_detection::{defines_tests_with, fixture_names, runs_own_tests};
use crate::generator::{Generator, asks_for_changes};
use crate::paths::is_test_file;
use crate::types::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode, Origin,
    SourceFile, is_blank,
};

/// A request with files, and what their tests share.
struct Project<'r> {
    request: &'r GenerateRequest,
    fixtures: OnceLock<HashSet<String>>,
}

impl Project<'_> {
    /// Returns whether a test may take a parameter of this name, from any of the files.
    fn is_fixture(&self, name: &str) -> bool {
        let python = || self.request.files.iter().filter(|file| file.path.ends_with(".py"));
        let of_all = || python().flat_map(|file| fixture_names(&file.content)).collect();
        self.fixtures.get_or_init(of_all).contains(name)
    }
}

impl GenerateRequest {
    /// Returns the request as one for a single file.
    pub(crate) fn of_file(&self, file: Option<&SourceFile>) -> Self {
        Self {
            code: file.map(|file| file.content.clone()),
            current_file: file.map(|file| file.path.clone()),
            files: Vec::new(),
            entry: None,
            ..self.clone()
        }
    }
}

impl Generator {
    /// Serves a request with files. Paths and contents stay as they are.
    pub(crate) async fn serve_project(&self, request: &GenerateRequest) -> Result<Generation, GenerateError> {
        let entry = self.entry_of(request);
        let single = request.of_file(self.described_by(request, entry));
        if asks_for_changes(request) {
            return match request.files.as_slice() {
                [_] => Box::pin(self.generate(&single)).await,
                _ => {
                    Err(refused("They cannot be made: several files are not changed together. Supply code, or reject"))
                }
            };
        }
        let intent = intent(&single);
        let runs = matches!(intent, Intent::Run | Intent::RunOrTest | Intent::Generate);
        if !runs && request.files.iter().all(|file| is_blank(Some(&file.content))) {
            return Err(intent.refuse_empty());
        }
        let project = Project { request, fixtures: OnceLock::new() };
        match intent {
            Intent::Run => self.run_entry(&project, entry),
            Intent::RunOrTest if self.runs_as_program(&project, entry) => self.run_entry(&project, entry),
            Intent::RunOrTest | Intent::Test => self.run_tests(&project, EntryPoint::Tests),
            Intent::Document if request.files.len() > 1 => self.document_files(&project, entry),
            _ if request.files.len() == 1 => Box::pin(self.generate(&single)).await,
            Intent::Change | Intent::WriteTests | Intent::Document | Intent::Explain | Intent::Generate => {
                let hint = "Several files can be run, tested or documented; other work takes one file, in \
                            file_content. Submit again with mode run or test, or with one file";
                Err(refused(hint))
            }
        }
    }

    /// Returns the file whose content shows what the goal means: the entry, else the first that is not blank.
    fn described_by<'r>(&self, request: &'r GenerateRequest, entry: Option<&'r SourceFile>) -> Option<&'r SourceFile> {
        let is_filled = |file: &&SourceFile| !file.content.trim().is_empty();
        let mut filled = request.files.iter().filter(is_filled);
        let source = || filled.clone().find(|file| self.is_source(&file.path));
        entry.filter(is_filled).or_else(source).or_else(|| filled.next()).or(entry)
    }

    /// Returns whether code that may be run or tested runs as a program: by its entry, or because there are no tests.
    fn runs_as_program(&self, project: &Project<'_>, entry: Option<&SourceFile>) -> bool {
        let is_test = |file: &SourceFile| self.is_test(project, file);
        match &project.request.entry {
            Some(_) => !entry.is_some_and(is_test),
            None => !project.request.files.iter().any(is_test),
        }
    }

    /// Outlines the files and runs the entry.
    fn document_files(&self, project: &Project<'_>, entry: Option<&SourceFile>) -> Result<Generation, GenerateError> {
        let request = project.request;
        if names_docstrings(&request.goal) {
            return Err(refused("Docstrings are added to one file at a time. Submit it in file_content"));
        }
        let is_outlined = |file: &SourceFile| file.path.ends_with(".py") && !file.content.trim().is_empty();
        if !request.files.iter().any(is_outlined) {
            return Err(refused(
                "None of the files is Python, the only language that is outlined. Run them (mode run)",
            ));
        }
        let run = self.run_entry(project, entry)?;
        Ok(Generation { origin: Origin::Documenter, action: GenerationAction::Documented, ..run })
    }

    fn run_entry(&self, project: &Project<'_>, entry: Option<&SourceFile>) -> Result<Generation, GenerateError> {
        let request = project.request;
        let Some(entry) = entry else { return Err(self.refuse_without_entry(request)) };
        let Found { target, remarks } = self.found(request, entry)?;
        // A file of tests that does not start them itself would run without a check; the mode asks for just that.
        let starts_tests = request.mode == GenerationMode::Run || target.is_python() && runs_own_tests(&entry.content);
        if !starts_tests && self.is_test(project, entry) {
            return self.run_tests(project, EntryPoint::TestsOrScript { path: entry.path.clone() });
        }
        let run = EntryPoint::Script { path: entry.path.clone() };
        Ok(generation(target, &request.files, run, GenerationAction::Ran).with_remarks(&remarks))
    }

    /// Runs the tests that the test runner finds by the names of the files: all of one language, or those of the entry.
    ///
    /// A run that would leave tests out without a word is refused.
    fn run_tests(&self, project: &Project<'_>, run: EntryPoint) -> Result<Generation, GenerateError> {
        let request = project.request;
        let entry = request.entry.as_ref().and_then(|path| request.files.iter().find(|file| file.path == *path));
        let chosen = entry.filter(|file| self.is_test(project, file));
        let language = entry.map(|file| self.target_of(request, file)).transpose()?;
        let is_of = |file: &SourceFile, target: Target<'_>| {
            self.target_of(request, file).is_ok_and(|own| own.runtime() == target.runtime())
        };
        let fits =
            |file: &&SourceFile| self.is_test(project, file) && language.is_none_or(|language| is_of(file, language));
        // Where tests are asked for, the name is enough: a test may take what no file defines.
        let is_named = |file: &&SourceFile| {
            run == EntryPoint::Tests
                && self.tested_by(request, file).is_some()
                && language.is_none_or(|it| is_of(file, it))
        };
        let all = || request.files.iter();
        let Some(tests) = chosen.or_else(|| all().find(fits)).or_else(|| all().find(is_named)) else {
            let hint = "None of the files is named like a file of tests (test_*.py, *.test.js, test_*.sh) in a \
                        language with a test runner. Rename one, or run a file (mode run)";
            return Err(refused(hint));
        };
        let Found { target, remarks } = self.found(request, tests)?;
        let named = || request.files.iter().filter(|file| is_test_file(&file.path));
        if entry.is_none() && named().any(|file| !is_of(file, target)) {
            let hint = "The files of tests are in several languages, and a run has one. Name a file in entry to test \
                        its language";
            return Err(refused(hint));
        }
        let is_left_out = |file: &SourceFile| {
            is_test_file(&file.path) && is_of(file, target) && chosen.is_some_and(|chosen| chosen.path != file.path)
        };
        if named().any(|file| is_of(file, target) && !is_left_out(file) && is_skipped(target.runtime(), &file.path)) {
            let hint = "A file of tests is in a folder that the test runner skips, such as build, dist, venv or \
                        node_modules. Move it to another folder";
            return Err(refused(hint));
        }
        let (left_out, files): (Vec<_>, Vec<_>) = request.files.iter().cloned().partition(is_left_out);
        let mut tested = generation(target, &files, run, GenerationAction::Tested).with_remarks(&remarks);
        if !left_out.is_empty() {
            tested.documentation.push_str("\nOnly the tests of the entry ran; other files of tests were left out.\n");
        }
        Ok(tested)
    }

    /// Returns whether the test runner of the file's language finds tests in it.
    fn is_test(&self, project: &Project<'_>, file: &SourceFile) -> bool {
        self.tested_by(project.request, file).is_some_and(|target| {
            let is_fixture = |name: &str| project.is_fixture(name);
            target.runtime() == "bash" || defines_tests_with(target.runtime(), &file.content, is_fixture)
        })
    }

    /// Returns the language whose test runner collects a file of this name.
    fn tested_by(&self, request: &GenerateRequest, file: &SourceFile) -> Option<Target<'_>> {
        // The name first: to find the language of an unnamed kind of file costs a parse of its content.
        let target = is_test_file(&file.path).then(|| self.target_of(request, file).ok()).flatten();
        target.filter(|target| self.has_tests(*target))
    }

    fn target_of(&self, request: &GenerateRequest, file: &SourceFile) -> Result<Target<'_>, GenerateError> {
        Ok(self.found(request, file)?.target)
    }

    /// Returns the language of one file: by its own name before the request's.
    fn found(&self, request: &GenerateRequest, file: &SourceFile) -> Result<Found<'_>, GenerateError> {
        let language = request.language.clone().filter(|_| !self.is_source(&file.path));
        let one = GenerateRequest { language, current_file: Some(file.path.clone()), ..GenerateRequest::default() };
        self.target(&one, &file.content)
    }
}

/// Returns whether the test runner does not look for tests in one of the path's folders.
fn is_skipped(runtime: &str, path: &str) -> bool {
    let Some((folders, _)) = path.rsplit_once('/') else { return false };
    folders.split('/').any(|folder| match runtime {
        // pytest's `norecursedirs`.
        "python" => {
            folder.starts_with('.')
                || folder.ends_with(".egg")
                || ["build", "dist", "node_modules", "venv"].contains(&folder)
        }
        "node" => folder == "node_modules",
        _ => false,
    })
}

fn refused(hint: &str) -> GenerateError {
    GenerateError::NoGenerator { hint: hint.to_owned() }
}

fn generation(target: Target<'_>, files: &[SourceFile], run: EntryPoint, action: GenerationAction) -> Generation {
    let outline = |file: &SourceFile| {
        if file.path.ends_with(".py") {
            outline::of_python(&file.path, &file.content)
        } else {
            outline::of_file(&file.path, &file.content)
        }
    };
    Generation {
        origin: Origin::Caller,
        action,
        runtime: target.runtime().to_owned(),
        // Never `Test`: tests are not analysed, and a file name must not exempt code from analysis.
        files: files
            .iter()
            .map(|file| SourceFile { kind: FilePurpose::Code, from_caller: true, ..file.clone() })
            .collect(),
        run,
        documentation: files.iter().map(outline).collect::<Vec<_>>().join("\n"),
        changes: None,
        remark: None,
        tokens: 0,
        repairable: false,
    }
}
