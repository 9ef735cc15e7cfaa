//! The part of a comment that no interpreter executes.
//!
//! An author could hide code from the rules if code counted as a comment. Where the end of a comment is ambiguous, the
//! earliest end is used.

use std::ops::Range;

use super::Comment;

/// Returns the bytes of a comment that are certainly not executed.
pub(super) fn of(language: &str, source: &str, comment: &Comment) -> Range<usize> {
    let start = comment.range.start;
    let text = &comment.text;
    let before = &source[..start];
    let is_code = match language {
        "javascript" | "typescript" => text.starts_with(['<', '-']),
        "bash" => !before.is_empty() && !before.ends_with([' ', '\t', '\n', ';', '&', '|', '(', ')']),
        "dockerfile" => !comment.is_alone || continues(before),
        "php" => text.starts_with("#["),
        "sql" => text.starts_with("/*!") || text.starts_with("/*M!"),
        _ => false,
    };
    let ends: &[&str] = match language {
        "javascript" | "typescript" if text.starts_with("//") => &["\r", "\u{2028}", "\u{2029}"],
        "php" => &["?>", "<?", "\r"],
        "java" => &["\\u"],
        _ => &[],
    };
    let length = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    start..if is_code { start } else { start + length }
}

/// Returns true if the previous line continues on this one.
fn continues(before: &str) -> bool {
    let line = before.trim_end_matches([' ', '\t']).trim_end_matches('\n').trim_end_matches('\r');
    line.trim_end_matches([' ', '\t']).ends_with('\\')
}

/// Positions of scripts in a page.
pub(super) struct Scripts {
    /// Offsets of script tags in order; true for an opening tag.
    tags: Vec<(usize, bool)>,
}

impl Scripts {
    pub(super) fn of(language: &str, source: &str) -> Self {
        let lower = if language == "html" { source.to_ascii_lowercase() } else { String::new() };
        let opens = lower.match_indices("<script").map(|(at, _)| (at, true));
        let mut tags: Vec<_> = opens.chain(lower.match_indices("</script").map(|(at, _)| (at, false))).collect();
        tags.sort_unstable();
        Self { tags }
    }

    /// Returns true if an offset is inside of a script.
    pub(super) fn contain(&self, at: usize) -> bool {
        let before = self.tags.partition_point(|(tag, _)| *tag < at);
        before.checked_sub(1).is_some_and(|last| self.tags[last].1)
    }
}
