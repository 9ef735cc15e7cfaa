//! What the terminal shows, in colour where it is one.

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

/// `text` without what could make a terminal do or show something else: control characters but for line ends and tabs, and those
/// that turn the direction of writing. For everything that comes from a server.
pub fn sanitize(text: &str) -> String {
    let is_unsafe = |letter: char| {
        let turns =
            matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (letter.is_control() && letter != '\n' && letter != '\t')
    };
    text.chars().map(|letter| if is_unsafe(letter) { '\u{fffd}' } else { letter }).collect()
}

/// `text` in `style`, or plain where colours are unwanted.
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

/// Whether the command has more to do than to be read.
static IGNORE_BROKEN_PIPE: AtomicBool = AtomicBool::new(false);

/// From now on the command goes on, in silence, where nobody reads its output any more.
pub(crate) fn ignore_broken_pipe() {
    IGNORE_BROKEN_PIPE.store(true, Ordering::Relaxed);
}

/// Prints a line as `println!` does, but where its reader has gone (`promptcraft list | head`) the command ends quietly.
macro_rules! out {
    ($($text:tt)*) => { $crate::output::write_line(format_args!($($text)*)) };
}
pub(crate) use out;

pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !IGNORE_BROKEN_PIPE.load(Ordering::Relaxed) => {
            std::process::exit(0);
        }
        // On a full disk or a closed terminal there is nowhere to complain.
        Ok(()) | Err(_) => {}
    }
}

/// One line about one component of a stack.
pub fn status_line(name: &str, style: Style, state: &str, detail: &str) {
    out!("  {name:<13} {} {}", styled(style, &format!("{state:<16}")), styled(Style::Dim, detail));
}

/// A failed command: one clear line.
pub fn error(error: &dyn Error) {
    let label = if std::io::stderr().is_terminal() && !is_set("NO_COLOR") { "\x1b[31merror:\x1b[0m" } else { "error:" };
    eprintln!("{label} {error}");
}

/// E.g. `0.3 s`, `42 s`, `3 min 5 s`.
pub fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Columns between two cells of a table.
const COLUMN_GAP: usize = 2;

/// Columns of the terminal that is written to; `None` where it is none.
pub fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// Returns `text`, or its beginning and an ellipsis, in at most `width` characters.
pub fn truncate(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Returns Markdown in lines of at most `width` characters: text and list items are wrapped; code, tables and headings stay as they are.
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

/// Wraps a line; the rest of it goes under the beginning of its text.
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

/// Rows in columns as wide as their widest cell, under a heading; each row is one line, whatever its cells hold.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let one_line = |cell: &String| cell.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(one_line).collect()).collect();
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
    fn nothing_that_a_server_says_moves_the_cursor_or_turns_the_line() {
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
    fn durations_read_like_speech() {
        for (millis, text) in [(40, "0.0 s"), (340, "0.3 s"), (42_000, "42 s"), (185_000, "3 min 5 s")] {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }
}
