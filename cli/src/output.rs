//! Terminal output: colours, tables, wrapping, sanitizing.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::env::is_set;

#[derive(Debug, Clone, Copy)]
pub enum Style {
    Success,
    Error,
    Warning,
    Dim,
    Bold,
}

/// Replaces control characters (except newline and tab) and bidirectional controls, which could manipulate the
/// terminal. Use it for all text from a server.
pub fn sanitize(text: &str) -> String {
    let is_unsafe = |letter: char| {
        let turns =
            matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (letter.is_control() && letter != '\n' && letter != '\t')
    };
    text.chars().map(|letter| if is_unsafe(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Returns `text` in `style`, or unchanged if stdout is not a terminal or `NO_COLOR` is set.
pub fn styled(style: Style, text: &str) -> String {
    if !std::io::stdout().is_terminal() || is_set("NO_COLOR") {
        return text.to_owned();
    }
    let code = match style {
        Style::Success => "32",
        Style::Error => "31",
        Style::Warning => "33",
        Style::Dim => "2",
        Style::Bold => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Set if the command keeps running after its stdout is closed.
static IGNORE_BROKEN_PIPE: AtomicBool = AtomicBool::new(false);

/// Lets the command keep running after its stdout is closed; output is then discarded.
pub(crate) fn ignore_broken_pipe() {
    IGNORE_BROKEN_PIPE.store(true, Ordering::Relaxed);
}

/// Prints a line like `println!`, but exits with 0 if stdout is closed (`promptcraft list | head`).
macro_rules! out {
    ($($text:tt)*) => { $crate::output::write_line(format_args!($($text)*)) };
}
pub(crate) use out;

pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !IGNORE_BROKEN_PIPE.load(Ordering::Relaxed) => {
            std::process::exit(0);
        }
        // Other write errors, e.g. of a full disk, have no output to be reported on.
        Ok(()) | Err(_) => {}
    }
}

/// Prints the state of one component of a stack.
pub fn status_line(name: &str, style: Style, state: &str, detail: &str) {
    out!("  {name:<13} {} {}", styled(style, &format!("{state:<16}")), styled(Style::Dim, detail));
}

/// Prints the error of a failed command to stderr.
pub fn error(error: &dyn Error) {
    let label = if std::io::stderr().is_terminal() && !is_set("NO_COLOR") { "\x1b[31merror:\x1b[0m" } else { "error:" };
    eprintln!("{label} {error}");
}

/// Formats a duration, e.g. `0.3 s`, `42 s`, `3 min 5 s`.
pub fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Formats a size, e.g. `12 bytes`, `3.4 KiB`, `1.0 MiB`.
pub fn format_bytes(bytes: usize) -> String {
    let units = |unit: usize| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", units(1024)),
        _ => format!("{} MiB", units(1 << 20)),
    }
}

/// Minimum characters of a wrapped line, however narrow the terminal is.
const MIN_WRAP_WIDTH: usize = 20;
/// Columns between two cells of a table.
const COLUMN_GAP: usize = 2;

/// Returns the columns of the terminal on stdout; `None` if stdout is not a terminal.
pub fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// Truncates `text` to `width` characters, the last being an ellipsis.
pub fn truncate(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Wraps text and list items of Markdown at `width` characters. Code, tables and headings are unchanged.
pub fn wrap_markdown(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        let start = line.trim_start();
        let is_fence = start.starts_with("```") || start.starts_with("~~~");
        is_code ^= is_fence;
        let is_fixed = is_code || is_fence || line.starts_with("    ") || start.starts_with(['|', '#']);
        if is_fixed || line.chars().count() <= width {
            lines.push(line.to_owned());
        } else {
            wrap_line(line, width, &mut lines);
        }
    }
    lines.join("\n")
}

/// Returns `text` with every line behind `indent`, wrapped to the terminal on stdout.
pub fn indented(text: &str, indent: &str) -> String {
    let width = terminal_width().map_or(usize::MAX, |columns| columns.saturating_sub(indent.len()).max(MIN_WRAP_WIDTH));
    let mut lines = Vec::new();
    text.lines().for_each(|line| wrap_line(line, width, &mut lines));
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

/// Wraps a line and aligns its continuation lines with its text.
fn wrap_line(line: &str, width: usize, lines: &mut Vec<String>) {
    let start = line.trim_start();
    let indent = line.len() - start.len();
    let mark = if start.starts_with("- ") || start.starts_with("* ") { 2 } else { 0 };
    let mut current = " ".repeat(indent);
    for word in start.split_whitespace() {
        let is_first = current.trim_start().is_empty();
        if !is_first && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut current, " ".repeat(indent + mark)));
        } else if !is_first {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
}

/// Collapses whitespace, so that the text is one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints a table. Whitespace in cells is collapsed, so that each row is one line.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let widths: Vec<usize> = (0..heading.len()).map(|column| column_width(heading, &rows, column)).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join(&" ".repeat(COLUMN_GAP)).trim_end().to_owned()
    };
    out!("{}", styled(Style::Bold, &line(&mut heading.iter().copied())));
    for row in &rows {
        out!("{}", line(&mut row.iter().map(String::as_str)));
    }
}

fn column_width(heading: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
    cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
}

/// Returns the columns of a terminal that the last column of a table has for itself.
pub fn last_column_width(heading: &[&str], rows: &[Vec<String>], columns: usize) -> usize {
    let before: usize = (0..heading.len() - 1).map(|column| column_width(heading, rows, column) + COLUMN_GAP).sum();
    columns.saturating_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        for (text, shown) in [
            ("two\n\tlines é 漢", "two\n\tlines é 漢"),
            ("\x1b[2Jgone", "\u{fffd}[2Jgone"),
            ("a\rb\u{9b}c\u{7f}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("\u{202e}txt.exe\u{2069}", "\u{fffd}txt.exe\u{fffd}"),
        ] {
            assert_eq!(sanitize(text), shown);
        }
    }

    #[test]
    fn text_is_wrapped_and_code_and_tables_stay() {
        let text = "# A heading that is long\n\nNine words of text that go over the edge.\n- an item that goes over it\n| a | table that is long |\n```\na line of code that is long\n```\nan-unbroken-word-of-some-length";
        let shown = "# A heading that is long\n\nNine words of text\nthat go over the\nedge.\n- an item that goes\n  over it\n| a | table that is long |\n```\na line of code that is long\n```\nan-unbroken-word-of-some-length";
        assert_eq!(wrap_markdown(text, 20), shown);
        assert_eq!(wrap_markdown(text, 80), text);
    }

    #[test]
    fn sizes_are_formatted() {
        for (bytes, text) in [(12, "12 bytes"), (3_500, "3.4 KiB"), (1 << 20, "1.0 MiB"), (1_500_000, "1.4 MiB")] {
            assert_eq!(format_bytes(bytes), text);
        }
    }

    #[test]
    fn durations_are_formatted() {
        for (millis, text) in [(40, "0.0 s"), (340, "0.3 s"), (42_000, "42 s"), (185_000, "3 min 5 s")] {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }
}
