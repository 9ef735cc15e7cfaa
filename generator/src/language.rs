//! Detects the language that a goal asks for, and the name of a language that the caller gives.

use source_text::languages::{LANGUAGES, Language, PYTHON, by_name};

/// Returns the name of the runtime that executes a language.
pub(crate) fn runtime(language: &Language) -> &'static str {
    if language.id == "javascript" { "node" } else { language.id }
}

/// Returns the names by which a goal mentions the language of its code, in lower case.
pub(crate) fn names(language: &Language) -> Vec<String> {
    let names = language.names.iter().chain(language.common_words).map(|name| (*name).to_owned());
    names.chain([language.title.to_lowercase(), runtime(language).to_owned()]).collect()
}

fn in_prose(word: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.contains(&word) || language.common_words.contains(&word))
}

fn goal_words(goal: &str) -> Vec<String> {
    let separates = |c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#'));
    goal.to_lowercase().split(separates).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the language other than Python that a goal asks for, if any.
///
/// A goal that names Python means Python, unless another language is the target ("to Rust", "in Go").
pub(crate) fn requested_other_than_python(goal: &str) -> Option<&'static str> {
    let words = goal_words(goal);
    let python = words.iter().any(|word| PYTHON.names.contains(&word.as_str()));
    for (index, word) in words.iter().enumerate() {
        let Some(language) = in_prose(word).filter(|language| *language != PYTHON) else { continue };
        let before = index.checked_sub(1).map_or("", |at| words[at].as_str());
        let after = words.get(index + 1).map_or("", String::as_str);
        // "Markdown to HTML" names a format.
        let is_format = matches!(language.id, "html" | "css" | "sql");
        let targeted = matches!(before, "in" | "using") || matches!(before, "into" | "to") && !is_format;
        let qualifies =
            matches!(after, "program" | "function" | "script" | "class" | "module" | "code" | "package" | "binary");
        let meant = if language.common_words.contains(&word.as_str()) {
            qualifies && language.id != "sql" || targeted && after != "back"
        } else {
            true
        };
        if meant && (!python || targeted) {
            return Some(language.title);
        }
    }
    None
}

/// The language in which a request asks for new code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestedLanguage {
    /// No language is named.
    Any,
    Python,
    JavaScript,
    /// A language without recipes, and its name if known.
    Other(Option<&'static str>),
}

impl RequestedLanguage {
    /// Returns the runtimes whose recipes may serve, the preferred one first.
    pub(crate) fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["python", "node"],
            Self::Python => &["python"],
            Self::JavaScript => &["node"],
            Self::Other(_) => &[],
        }
    }

    /// Returns the runtime of the language, by default Python's; `None` for an unknown language.
    pub(crate) fn runtime(self) -> Option<&'static str> {
        match self {
            Self::Any | Self::Python | Self::JavaScript => self.runtimes().first().copied(),
            Self::Other(name) => declared(name).ok().flatten().map(runtime),
        }
    }
}

/// Returns the language that the goal asks for, else the one that the caller names.
pub(crate) fn requested(goal: &str, named: Option<&str>) -> RequestedLanguage {
    let of = |name: &'static str| {
        if name == "JavaScript" { RequestedLanguage::JavaScript } else { RequestedLanguage::Other(Some(name)) }
    };
    if let Some(name) = requested_other_than_python(goal) {
        return of(name);
    }
    if declared_name(named).is_some() {
        return match declared(named) {
            Ok(Some(language)) if language == PYTHON => RequestedLanguage::Python,
            Ok(Some(language)) => of(language.title),
            Ok(None) | Err(UnknownLanguage) => RequestedLanguage::Other(None),
        };
    }
    let is_python = goal_words(goal).iter().any(|word| PYTHON.names.contains(&word.as_str()));
    if is_python { RequestedLanguage::Python } else { RequestedLanguage::Any }
}

/// The caller named a language that is not in the table.
#[derive(Debug, PartialEq, Eq)]
struct UnknownLanguage;

/// Returns the caller's name of the language in lower case; `None` for "auto" and the like.
pub(crate) fn declared_name(named: Option<&str>) -> Option<String> {
    let named = named.map(|name| name.trim().to_lowercase()).unwrap_or_default();
    (!matches!(named.as_str(), "" | "auto" | "unknown" | "text" | "plaintext")).then_some(named)
}

/// Returns the language by the caller's name for it; `Ok(None)` without a name.
fn declared(named: Option<&str>) -> Result<Option<&'static Language>, UnknownLanguage> {
    let Some(named) = declared_name(named) else { return Ok(None) };
    by_name(&named).filter(|language| !language.is_data()).map(Some).ok_or(UnknownLanguage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_name_languages() {
        for (goal, expected) in [
            ("create a kubernetes operator in Go", Some("Go")),
            ("Write an LRU cache in Rust", Some("Rust")),
            ("JavaScript debounce function", Some("JavaScript")),
            ("a C++ ring buffer", Some("C++")),
            ("ring buffer in C", Some("C")),
            ("convert this Python script to Go", Some("Go")),
            ("write a bash script that greets", Some("Bash")),
            ("a shell script that greets", Some("Bash")),
            ("quicksort using swift", Some("Swift")),
            ("let it go and write python", None),
            ("a Python LRU cache like the one Java has", None),
            ("prevent SQL injection in the repository", None),
            ("a swift implementation of quicksort", None),
            ("implement grade C handling", None),
            ("convert Roman numerals to integers", None),
        ] {
            assert_eq!(requested_other_than_python(goal), expected, "{goal}");
        }
    }

    #[test]
    fn the_goal_wins_over_the_language_that_the_caller_names() {
        for (goal, named, expected) in [
            ("a stack", None, RequestedLanguage::Any),
            ("a stack", Some("auto"), RequestedLanguage::Any),
            ("a stack", Some("Python 3"), RequestedLanguage::Python),
            ("a stack in Python", None, RequestedLanguage::Python),
            ("a stack", Some("js"), RequestedLanguage::JavaScript),
            ("a stack in node", Some("python"), RequestedLanguage::JavaScript),
            ("debounce for Node.js", None, RequestedLanguage::JavaScript),
            ("a stack in TypeScript", None, RequestedLanguage::Other(Some("TypeScript"))),
            ("a stack", Some("rust"), RequestedLanguage::Other(Some("Rust"))),
            ("a stack", Some("klingon"), RequestedLanguage::Other(None)),
        ] {
            assert_eq!(requested(goal, named), expected, "{goal} {named:?}");
        }
    }
}
