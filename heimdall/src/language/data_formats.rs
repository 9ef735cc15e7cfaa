//! Recognises data formats and unsupported languages by their first lines.

/// A format that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Known(&'static str),
    Unsupported,
}

impl Format {
    pub(super) fn language(self) -> Option<&'static str> {
        match self {
            Self::Known(language) => Some(language),
            Self::Unsupported => None,
        }
    }
}

/// Interpreters of unsupported languages.
const INTERPRETERS: &[&str] = &[
    "perl", "lua", "luajit", "awk", "gawk", "sed", "tclsh", "wish", "Rscript", "ocaml", "groovy", "swift", "elixir",
    "escript", "guile", "racket", "fish", "pwsh", "julia", "make", "expect",
];

/// Returns true if the first line is a shebang or starts with markup.
pub(super) fn is_marked(lines: &[&str]) -> bool {
    lines.iter().find(|line| !line.is_empty()).is_some_and(|first| first.starts_with("#!") || first.starts_with('<'))
}

/// Returns the format of a text, given its source and its trimmed lines; `None` if it may be code.
pub(super) fn of(source: &str, lines: &[&str]) -> Option<Format> {
    let first = lines.iter().find(|line| !line.is_empty())?;
    if source.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(source).is_ok() {
        return Some(Format::Known("json"));
    }
    if first.starts_with("#!") && first.split(['/', ' ']).any(|word| INTERPRETERS.contains(&word)) {
        return Some(Format::Unsupported);
    }
    let lower = first.to_ascii_lowercase();
    let is_page = lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<?php");
    let is_markup = first.starts_with('<') && !is_page && source.trim_end().ends_with('>');
    let is_patch = first.starts_with("diff --git ") || first.starts_with("Index: ") || is_patch_head(lines);
    if is_markup || is_patch || first.starts_with("\\") || is_settings(lines) || has_unsupported_variables(lines) {
        return Some(Format::Unsupported);
    }
    is_yaml(lines).then_some(Format::Known("yaml"))
}

fn is_patch_head(lines: &[&str]) -> bool {
    let is_head =
        |lines: &[&str]| lines[0].starts_with("--- ") && lines[1].starts_with("+++ ") && lines[2].starts_with("@@ ");
    lines.windows(3).take(40).any(is_head)
}

/// Returns true for an INI file: a section in brackets, then mostly keys with values.
fn is_settings(lines: &[&str]) -> bool {
    let mut code = lines.iter().filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let is_section = |line: &&&str| {
        let name = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || " ._-:\"[]".contains(c))
    };
    let begins = code.next().is_some_and(|line| is_section(&line));
    let rest: Vec<&&str> = code.collect();
    let settings = rest.iter().filter(|line| is_section(line) || is_setting(line)).count();
    begins && !rest.is_empty() && settings * 2 > rest.len()
}

/// Returns true for a key with a value, or a key alone.
fn is_setting(line: &str) -> bool {
    let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
    let is_key = |c: char| c.is_alphanumeric() || " _-./".contains(c);
    !key.is_empty() && key.chars().all(is_key) && !value.trim_start().starts_with('=') && !line.ends_with(';')
}

/// Returns true if most lines assign variables in the syntax of PowerShell, Perl or Lua.
fn has_unsupported_variables(lines: &[&str]) -> bool {
    let assigns = |line: &&str| {
        let rest = line.strip_prefix('$').or_else(|| line.strip_prefix("my $")).or_else(|| line.strip_prefix("local "));
        let name = rest.and_then(|rest| rest.split_once(" = ")).map(|(name, _)| name).unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
    };
    let is_code = |line: &&&str| !line.is_empty() && !line.starts_with('#');
    let unsupported = lines.iter().filter(|line| assigns(line) && !is_query(line)).count();
    unsupported > 0
        && unsupported * 2 >= lines.iter().filter(is_code).count()
        && !lines.iter().any(|line| line.starts_with("<?") || is_query(line))
}

/// Returns true for JavaScript that queries the document.
fn is_query(line: &str) -> bool {
    ["$('", "$(\"", "$(`", "$.", "document.", "jQuery("].iter().any(|start| line.contains(start))
}

fn is_yaml(lines: &[&str]) -> bool {
    let code: Vec<&&str> = lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let is_entry = |line: &str| {
        let line = line.trim_start_matches("- ");
        line.split_once(':').is_some_and(|(key, value)| {
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-./\"'".contains(c));
            is_key && (value.is_empty() || value.starts_with(' '))
        })
    };
    let entries = code.iter().filter(|line| is_entry(line) || line.starts_with("- ") || **line == &"---").count();
    code.len() >= 2 && entries * 5 >= code.len() * 4
}
