//! Joins several files of one language into one file that runs: the text of `generated_code`.
//!
//! Each file begins with its path in a comment. Imports of one file by another are removed, because the names are then
//! in the same file. Files of different languages, and files that would not run as one, are only concatenated.

mod javascript;
mod javascript_names;
mod python;

/// A file to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'p> {
    pub path: &'p str,
    pub text: String,
}

impl Part<'_> {
    fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }
}

/// Returns the files as one text, in their order; a single file is unchanged.
pub fn joined(parts: &[Part<'_>]) -> String {
    let [first, rest @ ..] = parts else { return String::new() };
    if rest.is_empty() {
        return first.text.clone();
    }
    let is_all = |endings: &[&str]| parts.iter().all(|part| endings.contains(&part.ending()));
    let one_file = if is_all(&["py"]) {
        Some(python::without_own_imports(parts))
    } else if is_all(&["js", "cjs", "mjs"]) {
        Some(javascript::without_own_imports(parts))
    } else {
        None
    };
    let note = if one_file == Some(None) { " (a separate file)" } else { "" };
    let texts = one_file.flatten().unwrap_or_else(|| parts.iter().map(|part| part.text.clone()).collect());
    let headed = parts.iter().zip(texts).map(|(part, text)| {
        let mark = comment_mark(part.ending());
        format!("{mark} file: {}{note}\n{}\n", part.path, text.trim_end_matches('\n'))
    });
    headed.collect::<Vec<_>>().join("\n")
}

fn comment_mark(ending: &str) -> &'static str {
    match ending {
        "js" | "cjs" | "mjs" | "ts" => "//",
        "lua" | "sql" => "--",
        _ => "#",
    }
}

#[cfg(test)]
mod tests;
