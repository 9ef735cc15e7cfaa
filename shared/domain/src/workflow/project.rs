//! The files of a submission with several files, and the rules for their paths.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::artifacts::Content;

/// Maximum files of a submission.
pub const MAX_PROJECT_FILES: usize = 50;
/// Maximum size of all files of a submission together.
pub const MAX_PROJECT_BYTES: usize = 3 << 20;
/// Maximum size of a path in bytes.
const MAX_PATH_BYTES: usize = 255;
/// Maximum folders of a path, its file included.
const MAX_PATH_PARTS: usize = 16;
/// Beginning of names that the sandbox uses.
const RESERVED_PREFIX: &str = ".promptcraft";

/// A file of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFile {
    /// Relative to the folder in which the code runs.
    pub path: String,
    pub content: Content,
}

/// Returns the problem of a path, or `None` if it is relative, plain and bounded. The text names no part of the path.
pub fn path_problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("must not be empty");
    }
    if path.len() > MAX_PATH_BYTES {
        return Some("must be at most 255 bytes");
    }
    if path.starts_with('/') {
        return Some("must be relative, without a slash at the start");
    }
    if path.contains('\\') {
        return Some("must separate folders with /, not with a backslash");
    }
    if path.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Some("must not contain control characters or invisible ones");
    }
    if path.split('/').count() > MAX_PATH_PARTS {
        return Some("must have at most 16 parts");
    }
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Some("must not have an empty part, \".\" or \"..\"");
    }
    if path.split('/').any(|part| part.to_lowercase().starts_with(RESERVED_PREFIX)) {
        return Some("must not have a part that starts with .promptcraft, which is reserved");
    }
    None
}

/// Returns the index of the first path that an earlier one repeats, or that needs a file or folder of another kind than
/// an earlier path; with the reason.
pub fn clashing_path<'p>(paths: impl IntoIterator<Item = &'p str>) -> Option<(usize, &'static str)> {
    let (mut files, mut folders) = (HashSet::new(), HashSet::new());
    for (index, path) in paths.into_iter().enumerate() {
        if folders.contains(path) {
            return Some((index, "is a folder of another file"));
        }
        if !files.insert(path) {
            return Some((index, "is the path of an earlier file"));
        }
        for folder in path.match_indices('/').map(|(end, _)| &path[..end]) {
            if files.contains(folder) {
                return Some((index, "is below the path of another file"));
            }
            folders.insert(folder);
        }
    }
    None
}

/// Returns true for characters that change how a name is shown: marks of direction, joiners, and the byte order mark.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_stays_in_its_folder_and_shows_what_it_is() {
        for path in ["main.py", "package/__init__.py", "..hidden", ".env", "a b/é.txt", "-c", "数据.csv", "conftest.py"]
        {
            assert_eq!(path_problem(path), None, "{path}");
        }
        let (deep, long) = ("a/".repeat(16) + "b", "x".repeat(256));
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            ".",
            "a\\b",
            "C:\\x",
            "a\0b",
            "a\nb",
            "a\u{1b}[2Jb",
            "gpj.\u{202e}yp.txt",
            "a\u{200b}.py",
            ".promptcraft/report",
            "a/.PromptCraft-stdin",
            &deep,
            &long,
        ] {
            assert!(path_problem(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn a_path_is_one_file_and_no_folder_of_another() {
        let check = |paths: &[&str], expected: Option<usize>| {
            assert_eq!(clashing_path(paths.iter().copied()).map(|(index, _)| index), expected, "{paths:?}");
        };
        check(&[], None);
        check(&["a", "b/a", "b/b", "B/a", "A"], None);
        check(&["a", "b", "a"], Some(2));
        check(&["a", "a/b"], Some(1));
        check(&["a/b/c", "x", "a/b"], Some(2));
        check(&["ab", "a/b", "a"], Some(2));
    }

    fn any_path() -> impl Strategy<Value = String> {
        let part = prop_oneof![Just("..".to_owned()), Just(".".to_owned()), "[a-b.]{0,3}", ".{0,4}"];
        prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/"))
    }

    proptest! {
        #[test]
        fn an_accepted_path_leads_below_its_folder(path in any_path()) {
            if path_problem(&path).is_none() {
                use std::path::{Component, Path};
                let parts: Vec<_> = Path::new(&path).components().collect();
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))), "{}", path);
                prop_assert_eq!(parts.len(), path.split('/').count());
                prop_assert!(!path.contains('\0'));
            }
        }

        #[test]
        fn accepted_paths_can_all_exist_together(paths in prop::collection::vec("[ab](/[ab]){0,2}", 0..6)) {
            let clashes = clashing_path(paths.iter().map(String::as_str)).is_some();
            let clash = |(i, one): (usize, &String)| {
                paths.iter().enumerate().any(|(j, other)| i != j && (one == other || one.starts_with(&format!("{other}/"))))
            };
            prop_assert_eq!(clashes, paths.iter().enumerate().any(clash));
        }
    }
}
