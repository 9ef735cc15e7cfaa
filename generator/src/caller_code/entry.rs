//! Selects the file of several that starts the program.

use source_text::file_kind::{self, FileKind};

use crate::generator::Generator;
use crate::paths::is_test_file;
use crate::types::{GenerateError, GenerateRequest, SourceFile, is_blank};

/// Stems of files that start a program, by precedence.
const ENTRY_STEMS: [&str; 4] = ["main", "__main__", "index", "app"];

impl Generator {
    /// Returns the file to run: the named one, or the only one that can be meant. A file without a runtime may be it.
    pub(crate) fn entry_of<'r>(&self, request: &'r GenerateRequest) -> Option<&'r SourceFile> {
        if let Some(path) = &request.entry {
            return request.files.iter().find(|file| file.path == *path);
        }
        if let [only] = request.files.as_slice() {
            return Some(only);
        }
        let (offered, others): (Vec<_>, Vec<_>) =
            request.files.iter().filter(|file| self.is_program(file)).partition(|file| self.is_source(&file.path));
        let started = |files: &[&'r SourceFile]| {
            let starts = |stem: &&str| {
                files.iter().copied().find(|file| file.path.rsplit_once('.').is_some_and(|(start, _)| start == *stem))
            };
            ENTRY_STEMS.iter().find_map(starts)
        };
        match offered.as_slice() {
            [] => started(&others).or(others.first().copied()),
            // "main.go" beside a script is what the caller means, although nothing runs it here.
            [only] => Some(started(&others).unwrap_or(only)),
            several => started(several).or_else(|| started(&others)),
        }
    }

    /// Returns the refusal of files of which none can be meant.
    pub(crate) fn refuse_without_entry(&self, request: &GenerateRequest) -> GenerateError {
        let hint = if request.files.iter().any(|file| self.is_program(file)) {
            "Several files can be run, and none is named main, __main__, index or app. Name the file to run in entry"
                .to_owned()
        } else if request.files.iter().any(|file| is_test_file(&file.path)) {
            "The only programs among the files are tests. Run them with mode test, or name one in entry".to_owned()
        } else {
            let endings: Vec<&str> =
                self.runtimes().iter().filter_map(|it| it.endings.first()).map(String::as_str).collect();
            format!(
                "None of the files is a program by its name. Add one ({}), or name its file in entry",
                endings.join(", ")
            )
        };
        GenerateError::NoGenerator { hint }
    }

    fn is_program(&self, file: &SourceFile) -> bool {
        let is_language = match file_kind::kind(&file.path) {
            FileKind::Language(language) => !language.is_data() && !matches!(language.id, "html" | "css"),
            FileKind::Notebook | FileKind::Unsupported | FileKind::Unknown => false,
        };
        (is_language || self.is_source(&file.path))
            && !is_support(&file.path)
            && !is_test_file(&file.path)
            && !is_blank(Some(&file.content))
    }

    pub(crate) fn is_source(&self, path: &str) -> bool {
        self.runtimes().iter().flat_map(|runtime| &runtime.endings).any(|ending| path.ends_with(ending.as_str()))
    }
}

/// Returns whether a file only serves others: a header of C or C++, or pytest's own.
fn is_support(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "conftest.py" || [".h", ".hh", ".hpp", ".hxx"].iter().any(|ending| name.ends_with(ending))
}
