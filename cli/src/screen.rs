//! What the terminal shows, in colour where it is one.

use std::error::Error;
use std::io::IsTerminal as _;
use std::time::Duration;

use crate::config::is_set;

#[derive(Debug, Clone, Copy)]
pub enum Style {
    Good,
    Bad,
    Attention,
    Faint,
    Strong,
}

/// `text` in `style`, or plain where colours are unwanted.
pub fn styled(style: Style, text: &str) -> String {
    if !std::io::stdout().is_terminal() || is_set("NO_COLOR") {
        return text.to_owned();
    }
    let code = match style {
        Style::Good => "32",
        Style::Bad => "31",
        Style::Attention => "33",
        Style::Faint => "2",
        Style::Strong => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// One line about one component of a stack.
pub fn component(name: &str, style: Style, state: &str, detail: &str) {
    println!("  {name:<13} {} {}", styled(style, &format!("{state:<16}")), styled(Style::Faint, detail));
}

/// A failed command: one clear line.
pub fn error(error: &dyn Error) {
    let label = if std::io::stderr().is_terminal() && !is_set("NO_COLOR") { "\x1b[31merror:\x1b[0m" } else { "error:" };
    eprintln!("{label} {error}");
}

/// E.g. `0.3 s`, `42 s`, `3 min 5 s`.
pub fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Rows in columns as wide as their widest cell, under a heading.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    println!("{}", styled(Style::Strong, &line(&mut heading.iter().copied())));
    for row in rows {
        println!("{}", line(&mut row.iter().map(String::as_str)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        for (millis, text) in [(40, "0.0 s"), (340, "0.3 s"), (42_000, "42 s"), (185_000, "3 min 5 s")] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }
}
