//! Compares the caller's files with their replacements: a unified diff, and a summary without source lines.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::types::SourceFile;

/// Timeout of the search for the shortest diff of a file; after it the diff is correct but may be longer.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(1);

/// The differences between two sets of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    /// A unified diff that `patch -p1` and `git apply` accept.
    pub(crate) unified: String,
    /// A Markdown section with the added and removed lines of each changed file.
    pub(crate) summary: String,
}

/// Compares files by path; `None` if no file of `after` changed. A file that `before` lacks is new.
pub(crate) fn changes(before: &[SourceFile], after: &[SourceFile]) -> Option<Changes> {
    let mut unified = String::new();
    let mut summary = "## Changes\n\nThe artifact `files/changes.diff` has every changed line.\n\n\
                       | file | lines added | lines removed |\n|---|---|---|\n"
        .to_owned();
    for file in after {
        let old = before.iter().find(|old| old.path == file.path);
        let text = old.map_or("", |old| old.content.as_str());
        if text == file.content {
            continue;
        }
        let diff = TextDiff::configure().timeout(SEARCH_TIMEOUT).diff_lines(text, &file.content);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        // `patch` takes a name with blanks only up to a tab.
        let end = if file.path.contains(' ') { "\t" } else { "" };
        let from = old.map_or_else(|| "/dev/null".to_owned(), |old| format!("a/{}{end}", old.path));
        unified.push_str(&diff.unified_diff().header(&from, &format!("b/{}{end}", file.path)).to_string());
        let is_new = if old.is_none() { " (new)" } else { "" };
        let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        summary.push_str(&format!("| `{}`{is_new} | {added} | {removed} |\n", file.path));
    }
    (!unified.is_empty()).then_some(Changes { unified, summary })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::FilePurpose;

    fn file(path: &str, content: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), content: content.to_owned(), kind: FilePurpose::Code, from_caller: false }
    }

    #[test]
    fn changed_and_new_files_are_in_the_diff_and_equal_ones_are_not() {
        let before = [file("app.py", "a = 1\nb = 2\nc = 3\n"), file("same.py", "x\n")];
        let after = [file("app.py", "a = 1\nb = 20\nc = 3\n"), file("same.py", "x\n"), file("test_app.py", "t = 1\n")];
        let changes = changes(&before, &after).unwrap();
        let expected = "--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 20\n c = 3\n\
                        --- /dev/null\n+++ b/test_app.py\n@@ -0,0 +1 @@\n+t = 1\n";
        assert_eq!(changes.unified, expected);
        let blank = super::changes(&[], &[file("my app.py", "a\n")]).unwrap();
        assert!(blank.unified.starts_with("--- /dev/null\n+++ b/my app.py\t\n"), "{}", blank.unified);
        assert!(changes.summary.contains("| `app.py` | 1 | 1 |\n| `test_app.py` (new) | 1 | 0 |\n"), "{changes:?}");
        assert!(!changes.summary.contains("same.py") && !changes.summary.contains("b = 2"), "{changes:?}");
    }

    #[test]
    fn a_last_line_without_an_end_is_marked_as_patch_has_it() {
        let unified = changes(&[file("a.py", "x")], &[file("a.py", "x\n")]).unwrap().unified;
        assert!(unified.contains("-x\n\\ No newline at end of file\n+x\n"), "{unified}");
        assert_eq!(changes(&[file("a.py", "x")], &[file("a.py", "x")]), None);
    }

    #[test]
    fn files_that_have_nothing_in_common_are_compared_in_bounded_time() {
        let lines = |word: &str| (0..60_000).map(|number| format!("{word} {number}\n")).collect::<String>();
        let (old, new) = (lines("old"), lines("new"));
        let changes = changes(&[file("a.py", &old)], &[file("a.py", &new)]).unwrap();
        assert!(changes.summary.contains("| 60000 | 60000 |"), "{}", changes.summary);
    }
}
