//! Names of files that may be written into a sandbox.

const MAX_PATH_BYTES: usize = 120;
const MAX_DEPTH: usize = 4;

/// Returns whether a path is relative, without `..`, and consists of plain ASCII names.
pub(crate) fn is_safe_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let segment = |name: &str| !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(plain);
    path.len() <= MAX_PATH_BYTES && path.split('/').count() <= MAX_DEPTH && path.split('/').all(segment)
}

/// Returns the last component of the caller's path if it is a plain name with one of the extensions.
pub(crate) fn base_name<'a>(path: &'a str, extensions: &[&str]) -> Option<&'a str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let fits =
        !stem.is_empty() && is_safe_path(name) && extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
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
    fn only_plain_downward_paths_are_safe() {
        for path in ["main.py", "a/b/c.py", "x-1_2.py"] {
            assert!(is_safe_path(path), "{path}");
        }
        for path in
            ["", "/etc/passwd", "../x.py", "a/../b", "a//b", ".hidden", "-rf", "a b.py", "é.py", "a\\b", "a/b/c/d/e"]
        {
            assert!(!is_safe_path(path), "{path}");
        }
        assert!(!is_safe_path(&"x".repeat(121)));
    }

    #[test]
    fn the_base_name_is_taken_from_any_kind_of_path() {
        assert_eq!(base_name("/home/ada/app.py", &["py"]), Some("app.py"));
        assert_eq!(base_name("C:\\work\\app.PY", &["py"]), Some("app.PY"));
        for path in ["", "app", "app.js", ".py", "/x/", "a b.py", "..", "/x/.hidden.py"] {
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
