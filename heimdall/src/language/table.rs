//! Names, aliases and file extensions of languages.

/// Supported languages: canonical name, aliases, file extensions.
pub(super) const LANGUAGES: &[(&str, &[&str], &[&str])] = &[
    ("python", &["py", "python3", "python2", "cpython"], &["py", "pyi", "pyw", "wsgi"]),
    ("javascript", &["js", "jsx", "node", "nodejs", "ecmascript", "javascriptreact"], &["js", "jsx", "mjs", "cjs"]),
    ("typescript", &["ts", "tsx", "typescriptreact"], &["ts", "tsx", "mts", "cts"]),
    ("go", &["golang"], &["go"]),
    ("rust", &["rs"], &["rs"]),
    ("bash", &["sh", "shell", "zsh", "shellscript"], &["sh", "bash", "zsh", "ksh"]),
    ("java", &[], &["java"]),
    ("kotlin", &["kt"], &["kt", "kts"]),
    ("csharp", &["c#", "cs"], &["cs"]),
    ("c", &[], &["c", "h"]),
    ("cpp", &["c++", "cxx"], &["cpp", "cc", "cxx", "hpp", "hh", "hxx"]),
    ("ruby", &["rb"], &["rb", "rake", "gemspec"]),
    ("php", &[], &["php", "phtml"]),
    ("sql", &["postgresql", "mysql", "sqlite", "plsql", "tsql"], &["sql"]),
    ("html", &["htm"], &["html", "htm", "xhtml", "vue", "svelte"]),
    ("css", &[], &["css"]),
    ("json", &[], &["json"]),
    ("yaml", &["yml"], &["yaml", "yml"]),
    ("toml", &[], &["toml"]),
    ("dockerfile", &["docker"], &["dockerfile"]),
    ("markdown", &["md"], &["md", "markdown"]),
];

/// Language of a report if the caller names a language without rules.
pub(crate) const UNKNOWN: &str = "unknown";

/// Returns the canonical name of a language, given with or without a version.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ' | '-' | '_'));
    [name.as_str(), bare].into_iter().find_map(named)
}

fn named(name: &str) -> Option<&'static str> {
    LANGUAGES
        .iter()
        .find(|(language, aliases, _)| *language == name || aliases.contains(&name))
        .map(|(language, ..)| *language)
}

/// Maximum lines that the heuristics read.
pub(super) const MAX_LINES_READ: usize = 400;
