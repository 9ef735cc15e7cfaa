//! Selects the runtime of the caller's code: by a language of the table, or by a runtime's own names and endings.

use source_text::languages::{Language, PYTHON, strip_version};

use crate::language;
use crate::paths::base_name;

/// A runtime that the sandbox offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The runtime's name, such as `python`.
    pub name: String,
    /// Other names of its language, in lower case.
    pub aliases: Vec<String>,
    /// Endings of its source files, such as `.py`; the first is used for unnamed files.
    pub endings: Vec<String>,
    /// True if the runtime has a test runner.
    pub has_tests: bool,
}

impl Runtime {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    fn base_name<'a>(&self, path: &'a str) -> Option<&'a str> {
        let extensions: Vec<&str> = self.endings.iter().map(|ending| ending.trim_start_matches('.')).collect();
        base_name(path, &extensions)
    }
}

/// The language of the caller's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Known(&'static Language),
    Other(&'a Runtime),
}

impl<'a> Target<'a> {
    /// Finds the runtime by the caller's language or file name, else by the code; `None` if no runtime fits.
    ///
    /// Languages of the table take precedence, so a runtime cannot claim their files.
    pub(crate) fn find(runtimes: &'a [Runtime], named: Option<&str>, file: Option<&str>, code: &str) -> Option<Self> {
        let offered = |language: &&Language| runtimes.iter().any(|runtime| runtime.name == language::runtime(language));
        if let Some(language) = language::declared(named, file).ok().flatten().filter(offered) {
            return Some(Self::Known(language));
        }
        let other = match language::declared_name(named) {
            Some(name) => {
                runtimes.iter().find(|runtime| runtime.is_called(&name) || runtime.is_called(strip_version(&name)))
            }
            None => file.and_then(|path| runtimes.iter().find(|runtime| runtime.base_name(path).is_some())),
        };
        let by_code = || language::detect(named, file, code).ok().filter(offered).map(Self::Known);
        other.map(Self::Other).or_else(by_code)
    }

    /// Returns the display name of the language.
    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Known(language) => language.title,
            Self::Other(runtime) => &runtime.name,
        }
    }

    pub(crate) fn runtime(self) -> &'a str {
        match self {
            Self::Known(language) => language::runtime(language),
            Self::Other(runtime) => &runtime.name,
        }
    }

    pub(crate) fn is_python(self) -> bool {
        self.runtime() == "python"
    }

    /// Returns the caller's file name if it is safe and has an ending of this language, else the default name.
    pub(crate) fn path(self, current_file: Option<&str>, code: &str) -> String {
        let (kept, usual) = match self {
            Self::Known(language) => {
                // Tests import a Python module only from a .py file.
                let extensions: &[&str] = if language == PYTHON { &["py"] } else { language.extensions };
                let kept = current_file.and_then(|path| base_name(path, extensions));
                (kept, language::default_path(language, code).to_owned())
            }
            Self::Other(runtime) => {
                let ending = runtime.endings.first().map_or("", String::as_str);
                (current_file.and_then(|path| runtime.base_name(path)), format!("main{ending}"))
            }
        };
        kept.map_or(usual, str::to_owned)
    }
}
