//! File types by name and extension.

use super::table::by_extension;

/// File type of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathKind {
    Language(&'static str),
    Notebook,
    /// A file type that is not analysed.
    Unsupported,
    /// The path does not show the type.
    Unknown,
}

/// Extensions of backup copies; the extension before them decides.
const BACKUP_EXTENSIONS: &[&str] = &["bak", "old", "orig", "save"];

/// File names that imply a language.
const NAMES: &[(&str, &str)] = &[
    ("dockerfile", "dockerfile"),
    ("containerfile", "dockerfile"),
    ("gemfile", "ruby"),
    ("rakefile", "ruby"),
    ("vagrantfile", "ruby"),
    ("podfile", "ruby"),
    ("brewfile", "ruby"),
    ("sconstruct", "python"),
    ("sconscript", "python"),
    (".bashrc", "bash"),
    (".bash_profile", "bash"),
    (".bash_aliases", "bash"),
    (".profile", "bash"),
    (".zshrc", "bash"),
    ("pkgbuild", "bash"),
    ("pipfile", "toml"),
];

/// File names without an extension that are not analysed.
const UNSUPPORTED: &[&str] = &[
    "authors",
    "build",
    "caddyfile",
    "changelog",
    "changes",
    "codeowners",
    "contributing",
    "copying",
    "gnumakefile",
    "jenkinsfile",
    "justfile",
    "kconfig",
    "license",
    "licence",
    "makefile",
    "notice",
    "procfile",
    "readme",
    "tiltfile",
    "todo",
    "version",
    "workspace",
];

/// Returns the type of a file. Unknown extensions are unsupported, because guessing by content would be wrong more
/// often.
pub(super) fn kind(path: &str) -> PathKind {
    let file = path.trim().rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let mut file = file.as_str();
    while let Some((stem, ending)) = file.rsplit_once('.')
        && BACKUP_EXTENSIONS.contains(&ending)
        && !stem.is_empty()
    {
        file = stem;
    }
    if let Some((_, language)) = NAMES.iter().find(|(name, _)| *name == file) {
        return PathKind::Language(language);
    }
    if ["dockerfile.", "dockerfile-", "containerfile."].iter().any(|start| file.starts_with(start)) {
        return PathKind::Language("dockerfile");
    }
    match file.rsplit_once('.') {
        Some((_, "ipynb")) => PathKind::Notebook,
        Some((_, ending)) => by_extension(ending).map_or(PathKind::Unsupported, PathKind::Language),
        None if UNSUPPORTED.contains(&file) => PathKind::Unsupported,
        None => PathKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{PathKind, kind};

    #[test]
    fn an_unknown_extension_is_unsupported() {
        for path in [
            "notes.txt",
            "a.xml",
            "a.tex",
            "a.lua",
            "a.diff",
            "a.j2",
            "a.pyx",
            "a.ps1",
            "main.tf",
            "nginx.conf",
            "a.proto",
            "Jenkinsfile",
            "x/Makefile",
            "Cargo.lock",
            "a.png",
            ".env",
            ".gitignore",
            "settings.py.j2",
            "LICENSE",
            "a.unheard",
        ] {
            assert_eq!(kind(path), PathKind::Unsupported, "{path}");
        }
    }

    #[test]
    fn names_and_extensions_of_languages_are_known() {
        for (path, language) in [
            ("a/b.PY", "python"),
            ("C:\\x\\App.TSX", "typescript"),
            ("settings.py.bak", "python"),
            ("Dockerfile", "dockerfile"),
            ("Dockerfile.prod", "dockerfile"),
            ("prod.dockerfile", "dockerfile"),
            ("Rakefile", "ruby"),
            (".bashrc", "bash"),
        ] {
            assert_eq!(kind(path), PathKind::Language(language), "{path}");
        }
        assert_eq!(kind("a/n.ipynb"), PathKind::Notebook);
    }

    #[test]
    fn a_name_without_an_extension_has_no_type() {
        for path in ["main", "src.d/run", "", "a/", "untitled"] {
            assert_eq!(kind(path), PathKind::Unknown, "{path}");
        }
    }
}
