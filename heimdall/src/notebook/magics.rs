//! Replaces IPython magics and shell commands, so that cells are plain Python.
//!
//! Syntax: <https://ipython.readthedocs.io/en/stable/interactive/magics.html>.

use std::panic::catch_unwind;

use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::parse_unchecked_source;
use ruff_text_size::{Ranged, TextRange};
use source_text::depth_limit;

use crate::dedent;

/// Content of a cell, with unchanged line numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CellContent {
    Python { text: String, is_valid: bool },
    Other { language: &'static str, text: String },
    Skipped,
}

/// Cell magics after which the cell is Python.
const PYTHON_CELL_MAGICS: &[&str] =
    &["time", "timeit", "capture", "prun", "debug", "memit", "mprun", "lprun", "python", "python3", "pypy"];

/// Line magics that run the rest of the line as Python.
const PYTHON_LINE_MAGICS: &[&str] = &["time", "timeit", "prun", "memit"];

/// Replacement of a magic, valid as a statement and as a value.
const REPLACEMENT: &str = "None";

/// Maximum depth of a cell in which magics are replaced.
const MAX_DEPTH: usize = 300;

/// Reads a cell.
pub(super) fn read(text: &str) -> CellContent {
    let start = text.len() - text.trim_start().len();
    let Some(command) = text[start..].strip_prefix("%%") else { return python(text) };
    let line = command.lines().next().unwrap_or_default();
    let rest = &command[line.len()..];
    let mut words = line.split_whitespace();
    let name = match words.next() {
        Some("script") => words.find(|word| !word.starts_with('-')).unwrap_or_default(),
        name => name.unwrap_or_default(),
    };
    let text = format!("{}{rest}", &text[..start]);
    match name {
        name if PYTHON_CELL_MAGICS.contains(&name) => python(&text),
        "bash" | "sh" | "zsh" | "system" | "sx" => CellContent::Other { language: "bash", text },
        "javascript" | "js" => CellContent::Other { language: "javascript", text },
        _ => CellContent::Skipped,
    }
}

fn python(text: &str) -> CellContent {
    let text = dedent::normalize(text);
    if depth_limit::cell_depth(&text) > MAX_DEPTH {
        return CellContent::Python { text: text.into_owned(), is_valid: false };
    }
    let replaced = || {
        let (found, is_valid) = commands(&text);
        if !is_valid && let Some(marked) = without_bare_commands(&text) {
            let (found, is_valid) = commands(&marked);
            if is_valid {
                return CellContent::Python { text: without(&marked, &found), is_valid };
            }
        }
        CellContent::Python { text: without(&text, &found), is_valid }
    };
    match catch_unwind(|| stacker::maybe_grow(1024 * 1024, 4 * 1024 * 1024, replaced)) {
        Ok(content) => content,
        Err(_) => CellContent::Python { text: text.clone().into_owned(), is_valid: false },
    }
}

/// Returns the ranges of magics in order, and whether the whole cell parses.
fn commands(text: &str) -> (Vec<TextRange>, bool) {
    let parsed = parse_unchecked_source(text, PySourceType::Ipynb);
    let mut ranges = Vec::new();
    let mut began = None;
    for token in parsed.tokens() {
        match token.kind() {
            TokenKind::IpyEscapeCommand => ranges.push(token.range()),
            // A question mark after a name shows its help.
            TokenKind::Question => {
                let start = began.take().unwrap_or(token.start());
                ranges.retain(|range| range.end() <= start);
                ranges.push(TextRange::new(start, token.end()));
            }
            TokenKind::Newline => began = None,
            TokenKind::Comment | TokenKind::NonLogicalNewline | TokenKind::Indent | TokenKind::Dedent => {}
            _ => began = began.or(Some(token.start())),
        }
    }
    (ranges, parsed.has_valid_syntax())
}

/// Commands that are recognised without `%` if the line is not valid Python.
const BARE_COMMANDS: &[&str] =
    &["pip", "conda", "mamba", "cd", "ls", "pwd", "cat", "mkdir", "rm", "cp", "mv", "matplotlib", "pylab"];

/// Returns the text with bare commands replaced; `None` if it has none.
fn without_bare_commands(text: &str) -> Option<String> {
    let is_command = |line: &str| {
        let (name, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        BARE_COMMANDS.contains(&name) && !rest.trim_start().starts_with(['=', '(', '.', ',', '['])
    };
    let lines = text.split_inclusive('\n');
    let replaced: String = lines
        .map(|line| match (is_command(line), line.ends_with('\n')) {
            (true, true) => "None\n",
            (true, false) => REPLACEMENT,
            (false, _) => line,
        })
        .collect();
    (replaced != text).then_some(replaced)
}

/// Returns the Python statement that a line magic runs.
fn statement(command: &str) -> Option<&str> {
    let rest = command.strip_prefix('%')?;
    let (name, mut rest) = rest.split_once(' ')?;
    if !PYTHON_LINE_MAGICS.contains(&name) || command.contains('\n') {
        return None;
    }
    while let Some(option) = rest.trim_start().strip_prefix('-') {
        rest = option.split_once(' ')?.1;
    }
    let rest = rest.trim_start();
    let is_valid = depth_limit::python_depth(rest) <= MAX_DEPTH
        && parse_unchecked_source(rest, PySourceType::Python).has_valid_syntax()
        && !rest.is_empty();
    is_valid.then_some(rest)
}

/// Replaces each magic and keeps the number of lines.
fn without(text: &str, commands: &[TextRange]) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    for range in commands {
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        if start < at {
            continue;
        }
        plain.push_str(&text[at..start]);
        plain.push_str(statement(&text[start..end]).unwrap_or(REPLACEMENT));
        plain.extend(text[start..end].chars().filter(|c| *c == '\n'));
        at = end;
    }
    plain.push_str(&text[at..]);
    plain
}

#[cfg(test)]
mod tests {
    use super::{CellContent, read};

    #[track_caller]
    fn check(text: &str, plain: &str) {
        assert_eq!(read(text), CellContent::Python { text: plain.to_owned(), is_valid: true });
    }

    #[test]
    fn commands_become_constants_on_the_same_lines() {
        check("%matplotlib inline\nx = 1\n", "None\nx = 1\n");
        check("files = !ls \\\n  -l\nif files:\n    !rm x\n", "files = None\n\nif files:\n    None\n");
        check("x = (a\n  % b)\n", "x = (a\n  % b)\n");
        check("text = '''\n%not\n!this\n'''\n", "text = '''\n%not\n!this\n'''\n");
        check("%time x = f()\ny = %timeit -n1 -o f(x)\n%time\n", "x = f()\ny = f(x)\nNone\n");
        check("print?\nx = 1\n", "None\nx = 1\n");
        check("%%time\nx = f()\n", "\nx = f()\n");
        check("pip install a\ncd b\nls\nx = 1\n", "None\nNone\nNone\nx = 1\n");
        check("ls = 1\ncd\n", "ls = 1\ncd\n");
    }

    #[test]
    fn a_cell_may_be_in_another_language() {
        assert_eq!(read("%%bash -s\necho a\n"), CellContent::Other { language: "bash", text: "\necho a\n".to_owned() });
        assert_eq!(
            read("\n%%script --no-raise-error sh\na\n"),
            CellContent::Other { language: "bash", text: "\n\na\n".to_owned() }
        );
        assert_eq!(read("%%html\n<b>\n"), CellContent::Skipped);
    }

    #[test]
    fn an_open_bracket_is_not_valid() {
        assert!(matches!(read("x = (\n"), CellContent::Python { is_valid: false, .. }));
    }
}
