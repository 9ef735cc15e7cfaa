//! Normalization of source files: encodings, byte order marks and line endings that an interpreter would misread.
//!
//! Python handles line endings and byte order marks by itself; other interpreters do not. Data files are not changed.

use std::borrow::Cow;

use serde::Deserialize;

/// The source encoding an interpreter expects; see `runtimes/*/runtime.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SourceForm {
    /// UTF-8 with an optional encoding comment (PEP 263).
    Utf8WithEncodingComment,
    /// UTF-8 without a byte order mark, with lines that end in `\n` only.
    Plain,
}

/// Converts a file's content to the form its interpreter expects.
pub(crate) fn normalize(content: Vec<u8>, form: SourceForm) -> Vec<u8> {
    let content = decode_utf16(&content).unwrap_or(content);
    match form {
        SourceForm::Utf8WithEncodingComment => fix_encoding_comment(content),
        SourceForm::Plain => normalize_lines(content),
    }
}

/// Decodes UTF-16 with a byte order mark, which Windows calls "Unicode"; `None` for anything else.
fn decode_utf16(content: &[u8]) -> Option<Vec<u8>> {
    let (mark, rest) = content.split_at_checked(2)?;
    let read: fn([u8; 2]) -> u16 = match mark {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let (units, []) = rest.as_chunks::<2>() else { return None };
    char::decode_utf16(units.iter().map(|unit| read(*unit))).collect::<Result<String, _>>().ok().map(String::into_bytes)
}

fn normalize_lines(content: Vec<u8>) -> Vec<u8> {
    let text = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&content);
    if !text.contains(&b'\r') {
        return text.to_vec();
    }
    let mut lines = Vec::with_capacity(text.len());
    let mut rest = text.iter().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' if rest.peek() == Some(&&b'\n') => {}
            b'\r' => lines.push(b'\n'),
            other => lines.push(*other),
        }
    }
    lines
}

/// Corrects an encoding comment that does not match UTF-8 text, because the text was re-encoded on its way here.
///
/// The name is overwritten in place, which keeps lines and columns. Text that is not UTF-8 keeps its comment.
fn fix_encoding_comment(mut content: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&content) else { return content };
    if text.is_ascii() {
        return content;
    }
    if let Some(name) = encoding_name(text)
        && let Some(own) = utf8_name(&text[name.clone()])
    {
        content[name].copy_from_slice(own.as_bytes());
    }
    content
}

/// Returns the range of the encoding name in the first two lines: a comment with `coding`, `:` or `=`, and the name.
fn encoding_name(text: &str) -> Option<std::ops::Range<usize>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut at = 0;
    for line in text.split_inclusive('\n').take(2) {
        let code = line.trim_start_matches(['\u{feff}', ' ', '\t', '\u{c}']);
        if !code.starts_with('#') && !code.trim().is_empty() {
            return None;
        }
        if let Some(found) = line.find("coding:").or_else(|| line.find("coding=")) {
            let after = found + "coding:".len();
            let start = after + line[after..].len() - line[after..].trim_start_matches([' ', '\t']).len();
            let end = line[start..].find(|c| !is_name(c)).map_or(line.len(), |length| start + length);
            return (end > start && code.starts_with('#')).then_some(at + start..at + end);
        }
        at += line.len();
    }
    None
}

/// Returns a name of UTF-8 padded to the same length; `None` if the name is one of UTF-8 already.
fn utf8_name(named: &str) -> Option<Cow<'static, str>> {
    let is_utf8 =
        matches!(named.to_ascii_lowercase().replace('_', "-").as_str(), "utf-8" | "utf8" | "u8" | "utf-8-sig");
    if is_utf8 || named.len() < 2 {
        return None;
    }
    let own = if named.len() < 5 { "u8" } else { "utf-8" };
    Some(format!("{own:width$}", width = named.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: SourceForm, content: &[u8], expect: &[u8]) {
        assert_eq!(normalize(content.to_vec(), form), expect, "{form:?}");
    }

    #[test]
    fn utf16_is_read_by_its_mark() {
        let text = "print('ä')\r\n";
        let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        check(SourceForm::Utf8WithEncodingComment, &little, text.as_bytes());
        check(SourceForm::Utf8WithEncodingComment, &big, text.as_bytes());
        check(SourceForm::Plain, &big, "print('ä')\n".as_bytes());
        check(SourceForm::Plain, &[0xff, 0xfe, 0x41], &[0xff, 0xfe, 0x41]);
    }

    #[test]
    fn marks_and_carriage_returns_go_where_they_would_be_commands() {
        check(SourceForm::Plain, b"\xef\xbb\xbfecho a\r\necho b\rdone", b"echo a\necho b\ndone");
        check(SourceForm::Utf8WithEncodingComment, b"\xef\xbb\xbfx\r\n", b"\xef\xbb\xbfx\r\n");
        check(SourceForm::Plain, b"\xff\r\n", b"\xff\n");
    }

    #[test]
    fn an_encoding_comment_that_is_out_of_date_is_corrected_in_place() {
        let form = SourceForm::Utf8WithEncodingComment;
        check(
            form,
            "# -*- coding: latin-1 -*-\nx = 'ä'\n".as_bytes(),
            "# -*- coding: utf-8   -*-\nx = 'ä'\n".as_bytes(),
        );
        check(
            form,
            "#!x\n# vim: set fileencoding=gbk :\n'ä'".as_bytes(),
            "#!x\n# vim: set fileencoding=u8  :\n'ä'".as_bytes(),
        );
        check(form, b"# coding: latin-1\nx = '\xe4'\n", b"# coding: latin-1\nx = '\xe4'\n");
        check(form, b"# coding: latin-1\nx = 1\n", b"# coding: latin-1\nx = 1\n");
        for kept in [
            "# coding: utf-8\n'ä'",
            "x = 1\n# coding: latin-1\n'ä'",
            "'ä coding: latin-1'",
            "\n\n\n# coding: latin-1\n'ä'",
        ] {
            check(form, kept.as_bytes(), kept.as_bytes());
        }
    }
}
