//! Languages, their names and the endings of their files.

/// A language or data format. Names and extensions are lower case and unique.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// A stable identifier, such as `python` or `cpp`; also a name.
    pub id: &'static str,
    /// The display name.
    pub title: &'static str,
    /// Names that mean the language wherever prose contains them.
    pub names: &'static [&'static str],
    /// Names that are also common words; prose means the language only after "in", "using" and the like.
    pub common_words: &'static [&'static str],
    /// Names that only editors and tools use; prose with them does not mean the language.
    pub tool_names: &'static [&'static str],
    /// File endings without the dot, the usual one first.
    pub extensions: &'static [&'static str],
    /// The conventional name of a single source file; empty for data formats.
    pub default_file: &'static str,
}

impl Language {
    /// Returns whether the language is a data format, of which there is nothing to run.
    pub const fn is_data(&self) -> bool {
        self.default_file.is_empty()
    }

    fn is_called(&self, name: &str) -> bool {
        self.id == name || [self.names, self.common_words, self.tool_names].iter().any(|names| names.contains(&name))
    }
}

const fn language(
    id: &'static str,
    title: &'static str,
    default_file: &'static str,
    names: &'static [&'static str],
    extensions: &'static [&'static str],
) -> Language {
    Language { id, title, names, common_words: &[], tool_names: &[], extensions, default_file }
}

const fn data(
    id: &'static str,
    title: &'static str,
    tool_names: &'static [&'static str],
    extensions: &'static [&'static str],
) -> Language {
    Language { id, title, names: &[], common_words: &[], tool_names, extensions, default_file: "" }
}

impl Language {
    const fn common(mut self, words: &'static [&'static str]) -> Self {
        self.common_words = words;
        self
    }

    const fn tools(mut self, names: &'static [&'static str]) -> Self {
        self.tool_names = names;
        self
    }
}

/// Python.
pub static PYTHON: &Language = &LANGUAGES[0];

/// The known languages.
pub static LANGUAGES: &[Language] = &[
    language(
        "python",
        "Python",
        "main.py",
        &["python", "python3", "py", "cpython", "pytest"],
        &["py", "pyi", "pyw", "wsgi"],
    )
    .tools(&["ipython"]),
    language(
        "javascript",
        "JavaScript",
        "main.js",
        &["javascript", "js", "nodejs", "node.js", "ecmascript"],
        &["js", "mjs", "cjs", "jsx"],
    )
    .common(&["node"])
    .tools(&["jsx", "mjs", "cjs", "javascriptreact"]),
    language("typescript", "TypeScript", "main.ts", &["typescript"], &["ts", "tsx", "mts", "cts"])
        .common(&["ts"])
        .tools(&["tsx", "typescriptreact", "ts-node"]),
    language("go", "Go", "main.go", &["golang"], &["go"]).common(&["go"]),
    language("rust", "Rust", "main.rs", &["rust", "rustlang"], &["rs"]).tools(&["rs"]),
    language("java", "Java", "Main.java", &["java"], &["java"]),
    language("kotlin", "Kotlin", "main.kt", &["kotlin"], &["kt", "kts"]).tools(&["kt"]),
    language("scala", "Scala", "main.scala", &["scala"], &["scala"]),
    language("cpp", "C++", "main.cpp", &["cpp", "c++", "cplusplus"], &["cpp", "cc", "cxx", "hpp", "hh", "hxx"])
        .tools(&["cxx"]),
    language("csharp", "C#", "Main.cs", &["csharp", "c#", "dotnet"], &["cs"]).tools(&["cs"]),
    language("fsharp", "F#", "main.fs", &["fsharp", "f#"], &["fs"]),
    language("c", "C", "main.c", &[], &["c", "h"]).common(&["c"]),
    language("ruby", "Ruby", "main.rb", &["ruby"], &["rb", "rake", "gemspec"]).tools(&["rb"]),
    language("php", "PHP", "main.php", &["php"], &["php", "phtml"]),
    language("perl", "Perl", "main.pl", &["perl"], &["pl", "pm"]),
    language("bash", "Bash", "main.sh", &["bash"], &["sh", "bash"]).common(&["shell", "sh"]).tools(&[
        "shellscript",
        "shell script",
        "bash script",
        "dash",
        "ash",
    ]),
    // Shells whose scripts bash reads, and executes differently.
    language("zsh", "Zsh", "main.zsh", &["zsh"], &["zsh"]),
    language("ksh", "Korn shell", "main.ksh", &["ksh"], &["ksh"]).tools(&["mksh", "ksh93"]),
    language("powershell", "PowerShell", "main.ps1", &["powershell"], &["ps1"]).tools(&["pwsh"]),
    language("lua", "Lua", "main.lua", &["lua"], &["lua"]),
    language("haskell", "Haskell", "main.hs", &["haskell"], &["hs"]),
    language("elixir", "Elixir", "main.exs", &["elixir"], &["ex", "exs"]),
    language("erlang", "Erlang", "main.erl", &["erlang"], &["erl"]),
    language("clojure", "Clojure", "main.clj", &["clojure"], &["clj"]),
    language("zig", "Zig", "main.zig", &["zig"], &["zig"]),
    language("ocaml", "OCaml", "main.ml", &["ocaml"], &["ml"]),
    language("fortran", "Fortran", "main.f90", &["fortran"], &["f90"]),
    language("cobol", "COBOL", "main.cob", &["cobol"], &["cob", "cbl"]),
    language("matlab", "MATLAB", "main.m", &["matlab"], &[]),
    language("solidity", "Solidity", "main.sol", &["solidity"], &["sol"]),
    language("swift", "Swift", "main.swift", &[], &["swift"]).common(&["swift"]),
    language("dart", "Dart", "main.dart", &[], &["dart"]).common(&["dart"]),
    language("julia", "Julia", "main.jl", &[], &["jl"]).common(&["julia"]),
    language("r", "R", "main.r", &[], &["r"]).common(&["r"]).tools(&["rscript"]),
    language("sql", "SQL", "main.sql", &[], &["sql"]).common(&["sql"]).tools(&[
        "postgresql",
        "mysql",
        "sqlite",
        "sqlite3",
        "plsql",
        "tsql",
    ]),
    language("html", "HTML", "index.html", &[], &["html", "htm", "xhtml", "vue", "svelte"])
        .common(&["html"])
        .tools(&["htm"]),
    language("css", "CSS", "main.css", &[], &["css"]).common(&["css"]),
    data("json", "JSON", &[], &["json"]),
    data("yaml", "YAML", &["yml"], &["yaml", "yml"]),
    data("toml", "TOML", &[], &["toml"]),
    data("dockerfile", "Dockerfile", &["docker"], &["dockerfile"]),
    data("markdown", "Markdown", &["md"], &["md", "markdown"]),
];

/// Returns the language with a name in any case: an editor's, a tool's or a media type, with or without a trailing
/// version: "Python 3.11", "C++17", "nodejs18.x", "text/x-python", "Python 3 (ipykernel)".
pub fn by_name(name: &str) -> Option<&'static Language> {
    let name = bare_name(name);
    [name.as_str(), strip_version(&name)]
        .into_iter()
        .filter(|name| !name.is_empty())
        .find_map(|name| LANGUAGES.iter().find(|language| language.is_called(name)))
}

/// Returns a name in lower case without what surrounds it: the parts of a media type, a dot, a note in brackets.
fn bare_name(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.split(['(', ';']).next().unwrap_or_default().trim().trim_start_matches('.');
    let media_type = ["text/", "application/"].iter().find_map(|top| name.strip_prefix(top));
    media_type.map_or(name, |name| name.trim_start_matches("x-")).to_owned()
}

/// Returns a name without a trailing version.
pub fn strip_version(name: &str) -> &str {
    let is_version = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | '-' | '_');
    let name = name.strip_suffix(".x").unwrap_or(name).trim_end_matches(is_version);
    name.strip_suffix(" v").unwrap_or(name)
}

/// Names of interpreters. The version behind another name is that of a standard.
const INTERPRETERS: &[&str] = &[
    "python", "py", "cpython", "ipython", "node", "nodejs", "node.js", "bash", "lua", "sqlite", "ruby", "php", "perl",
];

/// Returns the version behind the name of an interpreter.
pub fn version_of(name: &str) -> Option<String> {
    let name = bare_name(name);
    let stem = strip_version(&name);
    let is_separator = |c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | 'v');
    let version = name[stem.len()..].trim_start_matches(is_separator).trim_end_matches(".x").trim_end_matches('.');
    (INTERPRETERS.contains(&stem) && !version.is_empty()).then(|| version.to_owned())
}

/// Returns the language of files with an ending, without the dot and in any case.
pub fn by_extension(extension: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_extensions_are_lower_case_and_unique() {
        let (mut names, mut extensions) = (HashSet::new(), HashSet::new());
        for language in LANGUAGES {
            let listed = [language.names, language.common_words, language.tool_names].concat();
            let listed: HashSet<&str> = listed.into_iter().chain([language.id]).collect();
            for name in listed {
                assert!(names.insert(name) && name == name.to_lowercase(), "{name}");
            }
            for extension in language.extensions {
                assert!(extensions.insert(*extension) && *extension == extension.to_lowercase(), "{extension}");
            }
        }
    }

    #[test]
    fn names_have_cases_aliases_and_versions() {
        for (name, expected) in [
            (" PY ", Some("python")),
            ("Python 3.11", Some("python")),
            ("python3", Some("python")),
            ("c#", Some("csharp")),
            ("C++17", Some("cpp")),
            ("go1.22", Some("go")),
            ("typescriptreact", Some("typescript")),
            ("yml", Some("yaml")),
            ("Node.js", Some("javascript")),
            ("nodejs18.x", Some("javascript")),
            ("mjs", Some("javascript")),
            ("sqlite3", Some("sql")),
            ("shellscript", Some("bash")),
            ("text/x-python", Some("python")),
            ("application/javascript; charset=utf-8", Some("javascript")),
            ("Python 3 (ipykernel)", Some("python")),
            (".py", Some("python")),
            ("3.11", None),
            ("", None),
            ("klingon", None),
        ] {
            assert_eq!(by_name(name).map(|language| language.id), expected, "{name}");
        }
    }

    #[test]
    fn names_of_interpreters_have_versions() {
        for (name, expected) in [
            ("python3.11", Some("3.11")),
            ("Python 3", Some("3")),
            ("Node.js v20", Some("20")),
            ("nodejs18.x", Some("18")),
            ("lua5.4", Some("5.4")),
            ("sqlite3", Some("3")),
            ("Python 3 (ipykernel)", Some("3")),
            ("python", None),
            ("ecmascript 2020", None),
            ("c++17", None),
        ] {
            assert_eq!(version_of(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn extensions_have_any_case() {
        for (extension, expected) in
            [("PY", Some("python")), ("hxx", Some("cpp")), ("md", Some("markdown")), ("x", None)]
        {
            assert_eq!(by_extension(extension).map(|language| language.id), expected, "{extension}");
        }
    }

    #[test]
    fn data_formats_have_no_source_file() {
        let data: Vec<_> = LANGUAGES.iter().filter(|language| language.is_data()).map(|language| language.id).collect();
        assert_eq!(data, ["json", "yaml", "toml", "dockerfile", "markdown"]);
        assert_eq!(PYTHON.id, "python");
    }
}
