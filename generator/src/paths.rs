//! Names of files that may be written into a sandbox.

/// Below the sandbox's 255, with room for the prefix of a file of tests.
const MAX_PATH_BYTES: usize = 200;
const MAX_DEPTH: usize = 4;
/// Punctuation of names that people give to their files. Left out are separators, quotes, brackets of test parameters,
/// and the characters with a meaning to a shell, to Markdown or to Windows.
const PUNCTUATION: &str = " _-.+,=@#~()";

/// Returns whether a path is relative, without `..`, and consists of plain ASCII names.
pub(crate) fn is_plain_path(path: &str) -> bool {
    is_path_of(path, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Returns whether a path is relative, without `..`, and consists of ordinary names: letters and digits of any script,
/// blanks inside, and common punctuation.
fn is_ordinary_path(path: &str) -> bool {
    // macOS writes an accent as a character of its own.
    let is_accent = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    is_path_of(path, |c| c.is_alphanumeric() || is_accent(c) || PUNCTUATION.contains(c))
}

/// Returns whether the last component of the caller's path is a plain ASCII name.
pub(crate) fn has_plain_name(path: &str) -> bool {
    path.trim().rsplit(['/', '\\']).next().is_some_and(is_plain_path)
}

fn is_path_of(path: &str, is_allowed: impl Fn(char) -> bool) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.trim() == name && !name.starts_with(['.', '-']) && name.chars().all(&is_allowed)
    };
    path.len() <= MAX_PATH_BYTES && path.split('/').count() <= MAX_DEPTH && path.split('/').all(is_name)
}

/// Returns the last component of the caller's path if it is an ordinary name with one of the extensions.
pub(crate) fn base_name<'a>(path: &'a str, extensions: &[&str]) -> Option<&'a str> {
    let name = path.trim().rsplit(['/', '\\']).next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let fits = !stem.is_empty()
        && is_ordinary_path(name)
        && extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
    fits.then_some(name)
}

/// Returns whether the test runner of the file's language collects a file of this name.
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    match extension {
        "py" | "sh" => stem.starts_with("test_") || stem.ends_with("_test"),
        "js" | "mjs" | "cjs" => {
            stem == "test"
                || stem.starts_with("test-")
                || [".test", "-test", "_test"].iter().any(|end| stem.ends_with(end))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_downwards_and_hold_no_special_characters() {
        for path in ["main.py", "a/b/c.py", "x-1_2.py"] {
            assert!(is_plain_path(path) && is_ordinary_path(path), "{path}");
        }
        for path in ["my script.py", "größe.py", "gro\u{308}ße.py", "a+b.js", "copy (1).py", "数据.py"] {
            assert!(!is_plain_path(path) && is_ordinary_path(path), "{path}");
        }
        let hostile = [
            "",
            "/etc/passwd",
            "../x.py",
            "a/../b",
            "a//b",
            ".hidden",
            "-rf",
            "a\\b",
            "a/b/c/d/e",
            " a.py",
            "a.py ",
            "a\0.py",
            "a\n.py",
            "a\u{1b}[m.py",
            "a\u{202e}.py",
            "a\u{200b}.py",
            "a\u{a0}b.py",
            "a`b.py",
            "a\"b.py",
            "<b>.py",
            "a:b.py",
            "a?.py",
            "a*.py",
            "a|b.py",
            "it's.py",
            "a[b].py",
        ];
        for path in hostile.into_iter().chain([format!("{}.py", "x".repeat(198)).as_str()]) {
            assert!(!is_plain_path(path) && !is_ordinary_path(path), "{path:?}");
        }
    }

    #[test]
    fn the_base_name_is_taken_from_any_kind_of_path() {
        assert_eq!(base_name("/home/ada/app.py", &["py"]), Some("app.py"));
        assert_eq!(base_name("C:\\work\\app.PY", &["py"]), Some("app.PY"));
        assert_eq!(base_name(" /home/ada/my app.py\n", &["py"]), Some("my app.py"));
        for path in ["", "app", "app.js", ".py", " .py", "/x/", "a?.py", "..", "/x/.hidden.py"] {
            assert_eq!(base_name(path, &["py"]), None, "{path}");
        }
    }

    #[test]
    fn test_files_are_known_by_name() {
        assert!(is_test_file("test_app.py") && is_test_file("tests/app_test.py"));
        assert!(is_test_file("app.test.js") && is_test_file("test-app.mjs") && is_test_file("test_app.sh"));
        assert!(!is_test_file("app.py") && !is_test_file("contest.py") && !is_test_file("test_app.js"));
        assert!(!is_test_file("latest.js") && !is_test_file("test_query.sql") && !is_test_file("test"));
    }
}
