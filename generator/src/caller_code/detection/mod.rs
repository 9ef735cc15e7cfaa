//! Decides which language the caller's code is in.
//!
//! In this order: the interpreter of the first line, the language that the caller names, the file's name, the content.
//! Strings and comments never count. Start reading at [`content`].

pub(crate) mod content;
pub(crate) mod data_format;
pub(crate) mod dialect;
mod grammar_evidence;
mod line_signs;
pub(crate) mod modules;
pub(crate) mod pasted;
mod python_builtins;
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser has many kinds of nodes, and may add some")]
mod python_evidence;
pub(crate) mod shebang;
#[cfg(test)]
mod tests;

use source_text::file_kind::{self, FileKind};
use source_text::languages::{Language, PYTHON, by_name};

use crate::language::declared_name;
use content::ContentGuess;

/// Returns the language of code, offered or not; `None` if it is unknown or no program.
pub(crate) fn language_of(named: Option<&str>, file: Option<&str>, code: &str) -> Option<&'static Language> {
    if let Some(language) = shebang::interpreter(code).and_then(by_name) {
        return Some(language);
    }
    if let Some(name) = declared_name(named) {
        return by_name(&name).filter(|language| !language.is_data());
    }
    match file.map_or(FileKind::Unknown, file_kind::kind) {
        FileKind::Language(language) => Some(language).filter(|language| !language.is_data()),
        FileKind::Notebook => None,
        FileKind::Unsupported | FileKind::Unknown => match content::guess(code) {
            ContentGuess::Program(language) => Some(language),
            ContentGuess::Unclear => Some(PYTHON),
            ContentGuess::Data(_) => None,
        },
    }
}
