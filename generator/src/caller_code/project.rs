//! Serves requests with several files of the caller: runs one of them, or the tests among them, with all in place.

use crate::caller_code::intent::{Intent, intent};
use crate::caller_code::outline;
use crate::caller_code::target::{Found, Target};
use crate::caller_code::test_detection::{defines_tests, runs_own_tests};
use crate::generator::Generator;
use crate::paths::is_test_file;
use crate::types::{Action, FileKind, GenerateError, Generation, Origin, Request, Run, SourceFile};

/// Stems of files that start a program, by precedence.
const ENTRY_STEMS: [&str; 4] = ["main", "__main__", "index", "app"];

impl Request {
    /// Returns the request as one for a single file: the only one, or the one that starts the program, or the first.
    pub(crate) fn of_entry(&self, entry: Option<&SourceFile>) -> Self {
        let file = entry.or_else(|| self.files.first());
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
    pub(crate) async fn serve_project(&self, request: &Request) -> Result<Generation, GenerateError> {
        let entry = self.entry_of(request);
        let single = request.of_entry(entry);
        match intent(&single) {
            Intent::Run => self.run_entry(request, entry),
            Intent::RunOrTest if request.entry.is_some() && !entry.is_some_and(|file| self.is_test(request, file)) => {
                self.run_entry(request, entry)
            }
            Intent::RunOrTest => match self.run_all_tests(request) {
                Err(_) => self.run_entry(request, entry),
                tested => tested,
            },
            Intent::Test => self.run_all_tests(request),
            Intent::Document if request.files.len() > 1 => {
                let run = self.run_entry(request, entry)?;
                Ok(Generation { origin: Origin::Documenter, action: Action::Documented, ..run })
            }
            _ if request.files.len() == 1 => Box::pin(self.generate(&single)).await,
            Intent::Change | Intent::WriteTests | Intent::Document | Intent::Explain | Intent::Generate => {
                let hint =
                    "Several files can be run, tested or documented; other work takes one file, in file_content. \
                            Submit again with mode run or test, or with one file"
                        .to_owned();
                Err(GenerateError::NoGenerator { hint })
            }
        }
    }

    /// Returns the file to run: the named one, or the only one that can be meant.
    fn entry_of<'r>(&self, request: &'r Request) -> Option<&'r SourceFile> {
        if let Some(path) = &request.entry {
            return request.files.iter().find(|file| file.path == *path);
        }
        if let [only] = request.files.as_slice() {
            return Some(only);
        }
        let programs: Vec<&SourceFile> =
            request.files.iter().filter(|file| self.is_source(&file.path) && !is_test_file(&file.path)).collect();
        if let [only] = programs.as_slice() {
            return Some(only);
        }
        let starts = |stem: &str| {
            programs.iter().copied().find(|file| file.path.rsplit_once('.').is_some_and(|(start, _)| start == stem))
        };
        ENTRY_STEMS.iter().find_map(|stem| starts(stem))
    }

    fn run_entry(&self, request: &Request, entry: Option<&SourceFile>) -> Result<Generation, GenerateError> {
        let Some(entry) = entry else {
            let hint = "Several files can be run, and none is named main, index or app. Name the file to run in entry";
            return Err(GenerateError::NoGenerator { hint: hint.to_owned() });
        };
        let Found { target, remarks } = self.found(request, entry)?;
        // A file of tests that does not start them itself would run without a check.
        if self.is_test(request, entry) && !(target.is_python() && runs_own_tests(&entry.content)) {
            let run = Run::TestsOrScript { path: entry.path.clone() };
            return Ok(generation(target, &request.files, run, Action::Tested).with_remarks(&remarks));
        }
        let run = Run::Script { path: entry.path.clone() };
        Ok(generation(target, &request.files, run, Action::Ran).with_remarks(&remarks))
    }

    /// Runs every test that the test runner finds by the names of the files.
    fn run_all_tests(&self, request: &Request) -> Result<Generation, GenerateError> {
        let Some(tests) = request.files.iter().find(|file| self.is_test(request, file)) else {
            let hint =
                "None of the files is named like a file of tests (test_*.py, *.test.js, test_*.sh) in a language \
                        with a test runner. Rename one, or run a file (mode run)"
                    .to_owned();
            return Err(GenerateError::NoGenerator { hint });
        };
        let Found { target, remarks } = self.found(request, tests)?;
        Ok(generation(target, &request.files, Run::Tests, Action::Tested).with_remarks(&remarks))
    }

    /// Returns whether the test runner of the file's language finds tests in it.
    fn is_test(&self, request: &Request, file: &SourceFile) -> bool {
        let found = self.found(request, file).ok();
        let target = found.map(|found| found.target).filter(|target| self.has_tests(*target));
        let holds_tests =
            |target: Target<'_>| target.runtime() == "bash" || defines_tests(target.runtime(), &file.content);
        is_test_file(&file.path) && target.is_some_and(holds_tests)
    }

    /// Returns the language of one file: by its own name before the request's.
    fn found(&self, request: &Request, file: &SourceFile) -> Result<Found<'_>, GenerateError> {
        let language = request.language.clone().filter(|_| !self.is_source(&file.path));
        let one = Request { language, current_file: Some(file.path.clone()), ..Request::default() };
        self.target(&one, &file.content)
    }

    fn is_source(&self, path: &str) -> bool {
        self.runtimes().iter().flat_map(|runtime| &runtime.endings).any(|ending| path.ends_with(ending.as_str()))
    }
}

fn generation(target: Target<'_>, files: &[SourceFile], run: Run, action: Action) -> Generation {
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
            .map(|file| SourceFile { kind: FileKind::Code, from_caller: true, ..file.clone() })
            .collect(),
        run,
        documentation: files.iter().map(outline).collect::<Vec<_>>().join("\n"),
        changes: None,
        remark: None,
        tokens: 0,
        repairable: false,
    }
}
