//! What runs the caller's code: a language that is known here, or one that nothing is known of but its runtime.

use crate::language::{self, Language, strip_version};
use crate::paths::base_name;

/// A language that the sandbox offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// What the runtime is called, such as `python`.
    pub name: String,
    /// Other names of its language, in lower case.
    pub aliases: Vec<String>,
    /// How the names of its source files end, such as `.py`; the first is that of a file without a name.
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
    /// Finds what runs the code: by what the caller says of it, else by the code itself; none where no runtime does.
    ///
    /// Languages that are known go first, so a runtime cannot take another one's files.
    pub(crate) fn find(runtimes: &'a [Runtime], named: Option<&str>, file: Option<&str>, code: &str) -> Option<Self> {
        let offered = |language: &&Language| runtimes.iter().any(|runtime| runtime.name == language.runtime);
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

    /// What people call the language.
    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Known(language) => language.name,
            Self::Other(runtime) => &runtime.name,
        }
    }

    pub(crate) fn runtime(self) -> &'a str {
        match self {
            Self::Known(language) => language.runtime,
            Self::Other(runtime) => &runtime.name,
        }
    }

    pub(crate) fn is_python(self) -> bool {
        self.runtime() == "python"
    }

    /// The name of the caller's file where that is safe and of this language, else the usual one.
    pub(crate) fn path(self, current_file: Option<&str>, code: &str) -> String {
        let (kept, usual) = match self {
            Self::Known(language) => {
                let kept = current_file.and_then(|path| base_name(path, language.extensions));
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
