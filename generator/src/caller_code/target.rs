//! Selects the runtime of the caller's code: by a language of the table, or by a runtime's own names and endings.

use source_text::file_kind::{self, FileKind};
use source_text::languages::{LANGUAGES, Language, PYTHON, by_name, strip_version, version_of};

use crate::caller_code::detection::content::{self, ContentGuess};
use crate::caller_code::detection::{data_format, modules, pasted, shebang};
use crate::language;
use crate::paths::base_name;

/// A runtime that the sandbox offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedRuntime {
    /// The runtime's name, such as `python`.
    pub name: String,
    /// Other names of its language, in lower case.
    pub aliases: Vec<String>,
    /// Endings of its source files, such as `.py`; the first is used for unnamed files.
    pub endings: Vec<String>,
    /// True if the runtime has a test runner.
    pub has_tests: bool,
    /// The interpreter's version, such as `3.11.2`, if it is known.
    pub version: Option<String>,
    /// The name of the language's usual runtime, for one that is chosen by what a program imports.
    pub variant_of: Option<String>,
    /// Top-level modules that make a program choose this runtime.
    pub modules: Vec<String>,
}

impl OfferedRuntime {
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
    Other(&'a OfferedRuntime),
}

/// The language of the caller's code, and what to say about the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) target: Target<'a>,
    /// Sentences without a final stop.
    pub(crate) remarks: Vec<String>,
}

/// The reason for which no runtime executes the caller's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// The code is in this language.
    Language(&'static str),
    /// The code is not a program, but this.
    NotAProgram(&'static str),
    /// The name of the file is not that of a program.
    FileName,
    /// The interpreter of the first line is unknown.
    Interpreter,
    /// The caller's name for the language is unknown.
    Name,
    /// Another version of the interpreter was named than the one of this runtime.
    Version(&'static str),
}

impl NoTarget {
    /// Returns the name of the runtime that would execute the code, if that is known.
    pub(crate) fn missing_runtime(self) -> Option<&'static str> {
        match self {
            Self::Language(title) => LANGUAGES.iter().find(|it| it.title == title).map(language::runtime),
            Self::NotAProgram(_) | Self::FileName | Self::Interpreter | Self::Name | Self::Version(_) => None,
        }
    }

    /// Returns the reason as a sentence without a final stop.
    pub(crate) fn reason(self, runtimes: &[OfferedRuntime]) -> String {
        match self {
            Self::Language(title) => format!("The code seems to be {title}, which no offered runtime executes"),
            Self::NotAProgram(format) => {
                let remedy = if format == data_format::NOTEBOOK {
                    "export its code, as with `jupyter nbconvert --to script`, and send that"
                } else {
                    "send data in files beside a program that reads it"
                };
                format!("The text seems to be {format}, which is not a program: {remedy}")
            }
            Self::FileName => {
                "The name of the file is not that of a program: if it is one, name its language; if it is data, send it \
                 in files beside a program that reads it"
                    .to_owned()
            }
            Self::Interpreter => "No runtime is the interpreter that the first line of the code names".to_owned(),
            Self::Name => "No runtime executes the language of that name".to_owned(),
            Self::Version(runtime) => {
                let version = runtimes.iter().find(|it| it.name == runtime).and_then(|it| it.version.as_deref());
                let version = version.unwrap_or_default();
                format!("The version that is named is not available: runtime {runtime} has version {version}")
            }
        }
    }
}

impl<'a> Target<'a> {
    /// Finds the runtime by the code's first line, else by the caller's language, else by the file's name, else by the
    /// content. Nothing that is clear in another language is run as Python.
    ///
    /// Languages of the table take precedence, so a runtime cannot claim their files.
    pub(crate) fn find(
        runtimes: &'a [OfferedRuntime],
        named: Option<&str>,
        file: Option<&str>,
        code: &str,
    ) -> Result<Found<'a>, NoTarget> {
        if data_format::is_notebook(code) {
            return Err(NoTarget::NotAProgram(data_format::NOTEBOOK));
        }
        let mut found = Self::choose(runtimes, named, file, code)?;
        let shape = pasted::shape(code);
        found.remarks.extend(shape.map(|shape| shape.hint.to_owned()));
        Ok(found)
    }

    fn choose(
        runtimes: &'a [OfferedRuntime],
        named: Option<&str>,
        file: Option<&str>,
        code: &str,
    ) -> Result<Found<'a>, NoTarget> {
        let declared = language::declared_name(named);
        if let Some(interpreter) = shebang::interpreter(code) {
            match Self::called(runtimes, &interpreter.to_lowercase()) {
                Ok(found) => return Ok(found.against(declared.as_deref())),
                Err(NoTarget::Name) if declared.is_some() => {}
                Err(NoTarget::Name) => return Err(NoTarget::Interpreter),
                Err(other) => return Err(other),
            }
        }
        if let Some(name) = declared {
            return Self::called(runtimes, &name);
        }
        match file.map_or(Ok(None), |file| Self::of_file(runtimes, file))? {
            Some(target) => Ok(Found { target, remarks: Vec::new() }),
            None => Self::by_content(runtimes, file, code),
        }
    }

    /// Finds the runtime with a name, in lower case, with or without a version.
    fn called(runtimes: &'a [OfferedRuntime], name: &str) -> Result<Found<'a>, NoTarget> {
        let known = by_name(name);
        let offered = known.map(|language| Self::offered(runtimes, language));
        let target = match offered {
            Some(Ok(target)) => target,
            refused => {
                let is_called =
                    |runtime: &&OfferedRuntime| runtime.is_called(name) || runtime.is_called(strip_version(name));
                let of = |runtime: &'a OfferedRuntime| match runtime.variant_of.as_deref().and_then(by_name) {
                    Some(language) => Self::Known(language),
                    None => Self::Other(runtime),
                };
                let other = runtimes.iter().find(is_called).map(of);
                other.ok_or(refused.and_then(Result::err).unwrap_or(NoTarget::Name))?
            }
        };
        let remarks = target.version_remark(runtimes, name)?.into_iter().collect();
        Ok(Found { target, remarks })
    }

    fn offered(runtimes: &[OfferedRuntime], language: &'static Language) -> Result<Self, NoTarget> {
        if language.is_data() {
            return Err(NoTarget::NotAProgram(language.title));
        }
        let is_offered = runtimes.iter().any(|runtime| runtime.name == language::runtime(language));
        if is_offered { Ok(Self::Known(language)) } else { Err(NoTarget::Language(language.title)) }
    }

    /// Finds the runtime by the name of a file; `None` if the content has to tell.
    fn of_file(runtimes: &'a [OfferedRuntime], file: &str) -> Result<Option<Self>, NoTarget> {
        let kind = file_kind::kind(file);
        let table = match kind {
            FileKind::Language(language) => Self::offered(runtimes, language),
            FileKind::Notebook => return Err(NoTarget::NotAProgram(data_format::NOTEBOOK)),
            // An ending such as `py3` is the name of a language.
            FileKind::Unsupported => match file.rsplit_once('.').and_then(|(_, ending)| by_name(ending)) {
                Some(language) => Self::offered(runtimes, language),
                None => Err(NoTarget::FileName),
            },
            FileKind::Unknown => Err(NoTarget::FileName),
        };
        if let Ok(target) = table {
            return Ok(Some(target));
        }
        if let Some(runtime) = runtimes.iter().find(|runtime| runtime.base_name(file).is_some()) {
            return Ok(Some(Self::Other(runtime)));
        }
        if kind == FileKind::Unknown || kind == FileKind::Unsupported && is_text_file(file) {
            Ok(None)
        } else {
            table.map(Some)
        }
    }

    fn by_content(runtimes: &'a [OfferedRuntime], file: Option<&str>, code: &str) -> Result<Found<'a>, NoTarget> {
        let language = match content::guess(code) {
            ContentGuess::Program(language) => language,
            ContentGuess::Data(format) => return Err(NoTarget::NotAProgram(format)),
            ContentGuess::Unclear if file.is_some_and(is_text_file) => return Err(NoTarget::FileName),
            ContentGuess::Unclear => PYTHON,
        };
        let target = Self::offered(runtimes, language)?;
        let name = language.id;
        Ok(Found { target, remarks: vec![format!("language assumed: {name}; give `language` to choose another")] })
    }

    /// Returns a remark if the name has another version than the runtime.
    ///
    /// # Errors
    /// The major version is another one.
    fn version_remark(self, runtimes: &[OfferedRuntime], name: &str) -> Result<Option<String>, NoTarget> {
        let (Self::Known(language), Some(asked)) = (self, version_of(name)) else { return Ok(None) };
        let runtime = language::runtime(language);
        let Some(there) = runtimes.iter().find(|it| it.name == runtime).and_then(|it| it.version.as_deref()) else {
            return Ok(None);
        };
        let parts = |version: &str| version.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (wanted, offered) = (parts(&asked), parts(there));
        if wanted.first() != offered.first() {
            return Err(NoTarget::Version(runtime));
        }
        let is_same = wanted.iter().zip(&offered).all(|(a, b)| a == b);
        Ok((!is_same).then(|| format!("run as {runtime} {there}, the version that is available, instead of {asked}")))
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

    /// Returns the name of the caller's file if it is an ordinary one with an ending of this language.
    fn own_name(self, current_file: &str) -> Option<&str> {
        match self {
            // Tests import a Python module only from a .py file.
            Self::Known(language) if language == PYTHON => base_name(current_file, &["py"]),
            Self::Known(language) => base_name(current_file, language.extensions),
            Self::Other(runtime) => runtime.base_name(current_file),
        }
    }

    /// Returns a remark on the name that the file has here, if the one that was sent is not kept.
    pub(crate) fn name_remark(self, sent: Option<&str>, kept: Option<&str>, path: &str) -> Option<String> {
        sent.filter(|name| !name.trim().is_empty())?;
        let is_kept = kept.and_then(|name| self.own_name(name)).is_some();
        (!is_kept).then(|| format!("the file has the name {path} here, because the one that was sent cannot be kept"))
    }

    /// Returns the caller's file name if it can be kept, else the default name. The ending is in lower case, and one
    /// that the interpreter accepts: Node.js takes modules from `.mjs` files only, and none from `.tsx`.
    pub(crate) fn path(self, current_file: Option<&str>, code: &str) -> String {
        let usual = || match self {
            Self::Known(language) => language.default_file.to_owned(),
            Self::Other(runtime) => format!("main{}", runtime.endings.first().map_or("", String::as_str)),
        };
        let kept = current_file.and_then(|path| self.own_name(path));
        let path = kept.map_or_else(usual, with_lower_case_ending);
        match path.rsplit_once('.') {
            Some((stem, "js" | "jsx")) if self.runtime() == "node" && modules::is_module(code) => format!("{stem}.mjs"),
            Some((stem, "tsx")) => format!("{stem}.ts"),
            _ => path,
        }
    }
}

/// Returns a file name with its ending in lower case: interpreters compare endings by case, and to gcc `.C` is C++.
fn with_lower_case_ending(name: &str) -> String {
    name.rsplit_once('.').map_or(name.to_owned(), |(stem, ending)| format!("{stem}.{}", ending.to_ascii_lowercase()))
}

impl Found<'_> {
    /// Adds a remark if the caller named another language than the one of the first line.
    fn against(mut self, declared: Option<&str>) -> Self {
        let is_same = |name: &str| match self.target {
            Target::Known(language) => by_name(name) == Some(language),
            Target::Other(runtime) => runtime.is_called(name),
        };
        if declared.is_some_and(|name| !is_same(name)) {
            let name = self.target.runtime();
            self.remarks.push(format!("run as {name}, by the first line of the code, not by `language`"));
        }
        self
    }
}

/// Endings of files that may hold code of any language.
const TEXT_ENDINGS: &[&str] = &["txt", "text", "code", "src", "script", "snippet", "tmp", "example", "sample"];

/// Returns whether a file's ending is one of plain text, or not one of letters and digits at all.
fn is_text_file(path: &str) -> bool {
    let name = path.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let Some((stem, ending)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else { return false };
    let is_word = (1..=10).contains(&ending.len()) && ending.chars().all(|c| c.is_ascii_alphanumeric());
    !stem.is_empty() && (!is_word || TEXT_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}
