//! Shapes in which code is pasted that no interpreter reads: Markdown, prompts, cells of notebooks.

use super::python_evidence;

/// A shape in which code was pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pasted {
    /// The likely shape of the code, and the form to send instead.
    pub(crate) hint: &'static str,
    /// True if the lines of the code show no language, because something surrounds or precedes them.
    pub(crate) hides_language: bool,
}

/// Returns the shape of code, unless it is a Python program.
pub(crate) fn shape(code: &str) -> Option<Pasted> {
    let (hides_language, hint) =
        surrounded(code).map(|hint| (true, hint)).or(garbled(code).map(|hint| (false, hint)))?;
    (!python_evidence::read(code).is_program).then_some(Pasted { hint, hides_language })
}

fn lines(code: &str) -> impl Iterator<Item = &str> {
    code.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn surrounded(code: &str) -> Option<&'static str> {
    let (first, last) = (lines(code).next()?, lines(code).last()?);
    let begins = |starts: &[&str]| starts.iter().any(|start| first.starts_with(start));
    let is_fence = |line: &str| line.starts_with("```") || line.starts_with("~~~");
    // A fence in between may be text that a program writes, in a here-document or a long string.
    let writes_text = code.contains("<<") || code.contains("[[");
    if is_fence(first) || is_fence(last) || !writes_text && lines(code).any(is_fence) {
        Some("the code seems to be in a Markdown fence (```); send only the lines inside of it")
    } else if begins(&[">>> ", "In ["]) {
        Some("the lines seem to begin with the prompts of an interactive session; send them without the prompts")
    } else if begins(&["$ ", "% ", "# $ "]) {
        Some("the lines seem to begin with a shell prompt; send them without it")
    } else if begins(&["%%"]) {
        Some(
            "the code seems to be a notebook cell with a magic (%%); send it without the magic, and name its `language`",
        )
    } else {
        None
    }
}

fn garbled(code: &str) -> Option<&'static str> {
    let starts = |at: usize, number: char| lines(code).nth(at).is_some_and(|line| is_numbered(line, number));
    if lines(code).any(is_line_magic) {
        Some("the code seems to hold magics or shell commands of a notebook (%, !); remove those lines")
    } else if starts(0, '1') && starts(1, '2') {
        Some("the lines seem to be numbered; send them without the numbers")
    } else if code.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        Some("the code seems to have typographic quotation marks; replace them by straight ones")
    } else if ["&lt;", "&gt;", "&quot;", "&amp;"].iter().any(|escape| code.contains(escape)) {
        Some("the code seems to be escaped for HTML; send it unescaped")
    } else {
        None
    }
}

fn is_numbered(line: &str, number: char) -> bool {
    line.strip_prefix(number).is_some_and(|rest| rest.starts_with([' ', ':', '|', '\t', '.']))
}

/// Matches `%matplotlib inline` and `!pip install x`.
fn is_line_magic(line: &str) -> bool {
    line.strip_prefix(['%', '!']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_shapes_are_named() {
        for (code, expected) in [
            ("```python\nprint(1)\n```", Some("Markdown fence")),
            ("Here it is:\n\n~~~\nls\n~~~\n", Some("Markdown fence")),
            ("Here it is:\n```python\nprint(1)\n```\nHave fun!\n", Some("Markdown fence")),
            (">>> x = 1\n>>> x\n1\n", Some("prompts")),
            ("In [1]: x = 1\n", Some("prompts")),
            ("$ ls -la\n", Some("shell prompt")),
            ("%%bash\necho hi\n", Some("notebook cell")),
            ("import os\n%matplotlib inline\n", Some("magics")),
            ("!pip install x\nimport x\n", Some("magics")),
            ("1: x = 1\n2: y = = 2\n", Some("numbered")),
            ("print(\u{201c}hi\u{201d})\n", Some("quotation marks")),
            ("if a &lt; b: pass\n", Some("HTML")),
            ("print(1", None),
            ("cat > a.md <<E\n```\nls\n```\nE\n", None),
            ("text = '''\n```python\n```\n'''\n", None),
            ("print('\u{201c}')\n", None),
        ] {
            let found = shape(code).map(|shape| shape.hint);
            assert_eq!(found.is_some(), expected.is_some(), "{code}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{code}: {found:?}");
        }
    }
}
