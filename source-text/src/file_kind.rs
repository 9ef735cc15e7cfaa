//! File types by name and extension.

use crate::languages::{Language, by_extension, by_name};

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A language or data format of the table.
    Language(&'static Language),
    /// A Jupyter notebook.
    Notebook,
    /// A file of another type, which is hardly source code.
    Unsupported,
    /// The name does not show the type.
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
    (".zshrc", "zsh"),
    ("pkgbuild", "bash"),
    ("pipfile", "toml"),
];

/// File names without an extension that hold no source code of a language in the table.
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

/// Returns the type of a file by its name. The content of a file with an unknown extension is more often data than code.
pub fn kind(path: &str) -> FileKind {
    let file = path.trim().rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let mut file = file.as_str();
    while let Some((stem, ending)) = file.rsplit_once('.')
        && BACKUP_EXTENSIONS.contains(&ending)
        && !stem.is_empty()
    {
        file = stem;
    }
    if let Some((_, language)) = NAMES.iter().find(|(name, _)| *name == file) {
        return by_name(language).map_or(FileKind::Unsupported, FileKind::Language);
    }
    if ["dockerfile.", "dockerfile-", "containerfile."].iter().any(|start| file.starts_with(start)) {
        return by_name("dockerfile").map_or(FileKind::Unsupported, FileKind::Language);
    }
    match file.rsplit_once('.') {
        Some((_, "ipynb")) => FileKind::Notebook,
        Some((_, ending)) => by_extension(ending).map_or(FileKind::Unsupported, FileKind::Language),
        None if UNSUPPORTED.contains(&file) => FileKind::Unsupported,
        None => FileKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKind, by_name, kind};

    #[test]
    fn an_unknown_extension_is_unsupported() {
        for path in [
            "notes.txt",
            "a.xml",
            "a.tex",
            "a.diff",
            "a.j2",
            "a.pyx",
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
            assert_eq!(kind(path), FileKind::Unsupported, "{path}");
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
            assert_eq!(kind(path), FileKind::Language(by_name(language).expect("in the table")), "{path}");
        }
        assert_eq!(kind("a/n.ipynb"), FileKind::Notebook);
    }

    #[test]
    fn a_name_without_an_extension_has_no_type() {
        for path in ["main", "src.d/run", "", "a/", "untitled"] {
            assert_eq!(kind(path), FileKind::Unknown, "{path}");
        }
    }
}
