//! Dedents a snippet for the parser without moving any line.

use std::borrow::Cow;

/// Removes the byte order mark, NUL bytes and the shared indentation. The line count is kept.
pub(crate) fn normalize(source: &str) -> Cow<'_, str> {
    let without_mark = source.strip_prefix('\u{feff}').unwrap_or(source);
    if without_mark.contains('\0') {
        Cow::Owned(source_text::dedent(&without_mark.replace('\0', " ")).into_owned())
    } else {
        source_text::dedent(without_mark)
    }
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[track_caller]
    fn check(input: &str, expect: &str) {
        let normal = normalize(input);
        assert_eq!(normal, expect);
        assert_eq!(normal.lines().count(), input.lines().count());
    }

    #[test]
    fn removes_shared_indentation() {
        check("    a = 1\n    if a:\n        b = 2\n", "a = 1\nif a:\n    b = 2\n");
        check("\n\t\tx = 1\r\n\t\ty = 2\r\n", "\nx = 1\r\ny = 2\r\n");
        check("# note\n  x = 1\n  y = 2", "# note\nx = 1\ny = 2");
    }

    #[test]
    fn keeps_other_text() {
        check("a = 1\n    b\n", "a = 1\n    b\n");
        check("", "");
        check("  \n\t\n", "  \n\t\n");
        check("  s = '''\nraw\n  '''\n", "s = '''\nraw\n  '''\n");
    }

    #[test]
    fn removes_byte_order_marks_and_nul_bytes() {
        check("\u{feff}x = 1\n", "x = 1\n");
        check("x\0= 1\n", "x = 1\n");
    }
}
