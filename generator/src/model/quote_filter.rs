//! Removes quotes of the caller's source from documentation.

/// Distinct lines of a source text, sorted for binary search.
pub(super) struct QuoteFilter {
    /// With single spaces; none is a prefix of another.
    lines: Vec<String>,
}

/// Minimum length of a line that counts as a quote.
const MIN_LINE_BYTES: usize = 8;
/// Maximum characters of a line that are compared.
const MAX_LINE_CHARS: usize = 200;
/// Maximum bytes of a filtered text; the rest is cut off.
const MAX_TEXT_BYTES: usize = 64 << 10;

impl QuoteFilter {
    pub(super) fn of(source: &str) -> Self {
        let beginning = |line: &str| plain(line).chars().take(MAX_LINE_CHARS).collect::<String>();
        let mut lines: Vec<String> =
            source.lines().map(beginning).filter(|line| line.len() >= MIN_LINE_BYTES).collect();
        lines.sort_unstable();
        // In sorted order a line follows its prefixes, and whatever quotes it quotes them as well.
        lines.dedup_by(|line, shorter| line.starts_with(shorter.as_str()));
        Self { lines }
    }

    /// Removes code blocks and lines that quote the source.
    pub(super) fn filter_text(&self, text: &str) -> String {
        let mut in_block = false;
        let mut kept = String::new();
        for line in bounded(text).lines() {
            let is_fence = line.trim_start().starts_with("```");
            in_block ^= is_fence;
            if !is_fence && !in_block && !self.is_quoted_in(line) {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        kept
    }

    fn is_quoted_in(&self, line: &str) -> bool {
        let line = plain(line);
        line.char_indices().any(|(at, _)| {
            let rest = &line[at..];
            // Only the greatest line that is not greater than the rest can be its prefix.
            let behind = self.lines.partition_point(|own| own.as_str() <= rest);
            behind.checked_sub(1).is_some_and(|last| rest.starts_with(self.lines[last].as_str()))
        })
    }
}

fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_quote_the_source_are_removed() {
        let quotes = QuoteFilter::of("def f(secret):\n    return  secret * 2\n    return secret\nx = 1\n");
        for (text, kept) in [
            ("It doubles.\nSee `def f(secret):` there.\n", "It doubles.\n"),
            ("It has return\tsecret  * 2 in it.\n", ""),
            ("return secret\n", ""),
            ("return the secret\n", "return the secret\n"),
            ("x = 1\n", "x = 1\n"),
            ("a\n```\nb\n```\nc\n", "a\nc\n"),
        ] {
            assert_eq!(quotes.filter_text(text), kept, "{text}");
        }
        assert_eq!(QuoteFilter::of("").filter_text("any text\n"), "any text\n");
    }

    #[test]
    fn a_large_source_and_a_large_text_take_bounded_time() {
        let begun = tokio::time::Instant::now();
        let source: String = (0..60_000).map(|number| format!("{}{number:06}\n", "x".repeat(180))).collect();
        let quotes = QuoteFilter::of(&source);
        let text = format!("{}\n{}", "x".repeat(MAX_TEXT_BYTES / 2), "y z\n".repeat(1 << 20));
        let kept = quotes.filter_text(&text);
        assert!(kept.len() <= MAX_TEXT_BYTES + 1 && kept.starts_with('x'), "{}", kept.len());
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }
}
