//! Detects the language of a text by its content.

use super::data_formats;
use super::line_kinds::{LineCounts, ParseEvidence, of_python};
use super::table::{ANALYZED, MAX_LINES_READ};
use super::triple_quotes::TripleQuotes;
use super::unsupported;

/// Line prefixes typical of a language, with their weight.
const LINE_STARTS: &[(&str, &str, u32)] = &[
    ("python", "def ", 3),
    ("python", "async def ", 3),
    ("python", "elif ", 3),
    ("python", "from ", 1),
    ("python", "import ", 1),
    ("python", "except", 2),
    ("python", "print(", 1),
    ("python", "with ", 1),
    ("python", "@", 1),
    ("python", "if __name__", 4),
    ("javascript", "function ", 2),
    ("javascript", "const ", 2),
    ("javascript", "let ", 2),
    ("javascript", "var ", 2),
    ("javascript", "export ", 2),
    ("javascript", "module.exports", 3),
    ("javascript", "document.", 3),
    ("javascript", "console.", 3),
    ("typescript", "interface ", 2),
    ("typescript", "export type ", 4),
    ("typescript", "export interface ", 4),
    ("go", "package ", 3),
    ("go", "func ", 3),
    ("go", "import (", 3),
    ("rust", "fn ", 3),
    ("rust", "pub fn ", 4),
    ("rust", "let mut ", 4),
    ("rust", "use ", 2),
    ("rust", "impl ", 3),
    ("rust", "#[", 3),
    ("java", "public class ", 4),
    ("java", "import java", 4),
    ("java", "private ", 1),
    ("java", "public static void ", 4),
    ("java", "package ", 1),
    ("c", "#include ", 4),
    ("php", "<?php", 6),
    ("sql", "select ", 3),
    ("sql", "insert into ", 3),
    ("sql", "create table ", 4),
    ("sql", "update ", 2),
    ("sql", "delete from ", 3),
    ("html", "<!doctype", 6),
    ("html", "<html", 6),
    ("bash", "echo ", 2),
    ("bash", "fi", 2),
    ("bash", "done", 2),
    ("bash", "export ", 1),
    ("bash", "set -e", 4),
    ("bash", "curl ", 2),
    ("bash", "sudo ", 3),
    ("dockerfile", "from ", 1),
    ("dockerfile", "run ", 2),
];

/// Returns the most likely language; `None` for prose, data and unsupported languages.
pub(super) fn language(source: &str) -> Option<&'static str> {
    let source = source.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = source.lines().take(MAX_LINES_READ).map(str::trim).collect();
    if lines.iter().all(|line| line.is_empty()) {
        return None;
    }
    let evidence = of_python(source);
    // A Python program is not data, whatever its strings contain.
    let is_program = evidence == ParseEvidence::Program && !data_formats::is_marked(&lines);
    let lines = unquoted(&lines);
    if let Some(format) = data_formats::of(source, &lines).filter(|_| !is_program) {
        return format.language();
    }
    let shape = LineCounts::of(&lines);
    if shape.is_prose() {
        return None;
    }
    let guess = by_line_starts(source);
    let unsupported = unsupported::signs(source, &lines);
    let clear = guess.map_or(0, |language| clear_weight(language, &lines));
    if !is_program && unsupported > 0 && unsupported * UNSUPPORTED_WEIGHT >= clear {
        return None;
    }
    let is_python = shape.is_code() || evidence != ParseEvidence::None;
    guess.or_else(|| is_python.then_some("python"))
}

/// Returns the weight of the lines with a prefix of the language, ignoring punctuation.
fn clear_weight(language: &str, lines: &[&str]) -> usize {
    let weight = |line: &&str| {
        let head: String = line.chars().take(40).collect::<String>().to_ascii_lowercase();
        let starts = LINE_STARTS.iter().filter(|(of, start, _)| *of == language && head.starts_with(start));
        starts.filter_map(|(.., weight)| usize::try_from(*weight).ok()).sum::<usize>()
    };
    lines.iter().map(weight).sum()
}

/// Weight of a line that occurs in unsupported languages only, relative to [`LINE_STARTS`].
const UNSUPPORTED_WEIGHT: usize = 4;

/// Returns the lines, with those inside of triple-quoted strings empty.
fn unquoted<'s>(lines: &[&'s str]) -> Vec<&'s str> {
    let mut quote = TripleQuotes::default();
    lines.iter().for_each(|line| quote.read(line));
    let closes = !quote.is_open();
    let mut quote = TripleQuotes::default();
    let kept = lines.iter().map(|line| {
        let quoted = quote.is_open() && closes;
        quote.read(line);
        if quoted { "" } else { *line }
    });
    kept.collect()
}

fn by_line_starts(source: &str) -> Option<&'static str> {
    let mut scores: Vec<(&'static str, u32)> = ANALYZED.iter().map(|language| (*language, 0)).collect();
    let mut add = |language: &str, weight: u32| {
        if let Some(entry) = scores.iter_mut().find(|(name, _)| *name == language) {
            entry.1 += weight;
        }
    };
    let lines = || source.trim_start_matches('\u{feff}').lines().take(MAX_LINES_READ).map(str::trim);
    let is_sql = first_code(lines()).is_some_and(is_statement);
    if is_sql {
        add("sql", 3);
    }
    let mut quote = TripleQuotes::default();
    lines().for_each(|line| quote.read(line));
    // If the last quote is never closed, the text has no such strings.
    let closes = !quote.is_open();
    for line in lines() {
        let quoted = quote.is_open() && closes;
        quote.read(line);
        if !quoted {
            score_line(line, is_sql, &mut add);
        }
    }
    // On a tie the first language wins. Python is first, because it is analysed best.
    scores.iter().rev().max_by_key(|(_, score)| *score).filter(|(_, score)| *score > 0).map(|(language, _)| *language)
}

/// Returns the first line that is neither empty nor a comment of SQL or Python.
fn first_code<'s>(lines: impl Iterator<Item = &'s str>) -> Option<&'s str> {
    let mut in_comment = false;
    for line in lines {
        in_comment |= line.starts_with("/*");
        let commented = in_comment || line.is_empty() || line.starts_with("--") || line.starts_with('#');
        in_comment &= !line.contains("*/");
        if !commented {
            return Some(line);
        }
    }
    None
}

/// Returns true if a line starts an SQL statement. A query within another language's strings starts later.
fn is_statement(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let mut words = line.split_whitespace();
    let (verb, next) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match verb {
        "with" => line.contains(" as (") && !line.ends_with(':') || line.ends_with(" as"),
        "delete" => next == "from",
        "insert" | "replace" | "merge" => next == "into",
        "update" => line.contains(" set ") || words.next().is_none() && !next.is_empty(),
        "drop" => matches!(next, "table" | "view" | "index" | "schema" | "database"),
        "select" | "create" | "alter" | "truncate" | "grant" | "pragma" | "explain" => next != "=",
        _ => false,
    }
}

fn score_line(line: &str, is_sql: bool, add: &mut impl FnMut(&str, u32)) {
    let head: String = line.chars().take(40).collect::<String>().to_ascii_lowercase();
    for (language, start, weight) in LINE_STARTS {
        if head.starts_with(start) && (*language != "sql" || is_sql) {
            add(language, *weight);
        }
    }
    if line.ends_with(':') {
        add("python", 1);
    }
    if line.ends_with("{") || line.ends_with("};") {
        for language in ["javascript", "typescript", "go", "rust", "java"] {
            add(language, 1);
        }
    }
    if line.ends_with(';') {
        for language in ["javascript", "typescript", "rust", "java", "c"] {
            add(language, 1);
        }
        if is_sql {
            add("sql", 1);
        }
    }
    if line.contains(" => ") || line.contains("===") || line.contains("require(") {
        add("javascript", 2);
        add("typescript", 2);
    }
    if line.contains(": string") || line.contains(": number") {
        add("typescript", 3);
    }
    if line.contains(":= ") && !line.contains('(') {
        add("go", 1);
    }
    if line.ends_with("; then") || line.ends_with("; do") || line.starts_with("$(") {
        add("bash", 4);
    }
}
