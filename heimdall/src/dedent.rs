//! Dedents a snippet for the parser without moving any line.

use std::borrow::Cow;

/// Removes the byte order mark, NUL bytes and the indentation shared with the first code line. The line count is kept.
///
/// Lines without that indentation (a less indented comment, the inside of a long string) are not changed: with the
/// first line indented, the input could not have parsed anyway.
pub(crate) fn normalize(source: &str) -> Cow<'_, str> {
    let without_mark = source.strip_prefix('\u{feff}').unwrap_or(source);
    let text = if without_mark.contains('\0') {
        Cow::Owned(without_mark.replace('\0', " "))
    } else {
        Cow::Borrowed(without_mark)
    };
    match shared_indentation(&text) {
        "" => text,
        prefix => {
            let prefix = prefix.to_owned();
            Cow::Owned(
                text.split_inclusive(['\n', '\r']).map(|line| line.strip_prefix(&*prefix).unwrap_or(line)).collect(),
            )
        }
    }
}

/// The indentation of the first code line.
fn shared_indentation(text: &str) -> &str {
    text.split(['\n', '\r'])
        .find(|line| {
            let code = line.trim_start();
            !code.is_empty() && !code.starts_with('#')
        })
        .map_or("", |line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()])
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
        check("  s = '''\nraw\n  '''\n", "s = '''\nraw\n'''\n");
    }

    #[test]
    fn removes_byte_order_marks_and_nul_bytes() {
        check("\u{feff}x = 1\n", "x = 1\n");
        check("x\0= 1\n", "x = 1\n");
    }
}
