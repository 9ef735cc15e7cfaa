//! Queries built over several lines, recognised without a grammar.

use super::queries::{self, ExpressionStart};

/// Maximum lines of one expression.
const MAX_LINES: usize = 40;
/// Maximum bytes of one expression.
const MAX_BYTES: usize = super::MAX_LINE_BYTES;

/// Returns the number of lines over which a query is joined with values; `None` if it is not, or is on one line.
/// Subtracts the bytes read from `read_budget` and stops when it is used up.
pub(super) fn joined_query(language: &str, lines: &[&str], read_budget: &mut usize) -> Option<usize> {
    let first = lines.first()?.trim();
    let (start, arguments) = match queries::expression_start(first)? {
        ExpressionStart::Arguments(start) => (start, true),
        ExpressionStart::Value(start) => (start, false),
    };
    let mut reader = ExpressionReader::new(language, arguments);
    let rest = lines.iter().skip(1).map(|line| line.trim());
    let mut line = first.get(start..)?;
    let mut following = rest.take(MAX_LINES - 1).peekable();
    let mut count = 1;
    loop {
        *read_budget = read_budget.checked_sub(line.len())?;
        reader.read(line);
        if reader.ended || !reader.continues(following.peek().copied()) {
            reader.end_expression();
            break;
        }
        line = following.next()?;
        count += 1;
    }
    (reader.found && count > 1).then_some(count)
}

/// The next line with an SQL verb. Expressions far from one are not read.
#[derive(Default)]
pub(super) struct NextVerb {
    next: usize,
}

impl NextVerb {
    /// Returns true if this line, or a following line that its expression can reach, has a verb. Lines must be passed
    /// in ascending order.
    pub(super) fn is_near(&mut self, lines: &[&str], at: usize) -> bool {
        self.next = self.next.max(at);
        while lines.get(self.next).is_some_and(|line| !queries::has_verb(line)) {
            self.next += 1;
        }
        self.next < lines.len().min(at + MAX_LINES)
    }
}

/// Reads one expression, or the arguments of one call.
struct ExpressionReader {
    /// True if double-quoted strings may span lines.
    long_strings: bool,
    arguments: bool,
    /// Delimiter of the open string.
    quote: Option<char>,
    depth: usize,
    bytes: usize,
    /// The current expression, with line breaks as spaces.
    text: String,
    /// True if the current expression contains a block: a function or table, whose content is separate.
    block: bool,
    found: bool,
    ended: bool,
}

impl ExpressionReader {
    fn new(language: &str, arguments: bool) -> Self {
        let long_strings = matches!(language, "rust" | "php" | "ruby" | "bash");
        Self {
            long_strings,
            arguments,
            quote: None,
            depth: 0,
            bytes: 0,
            text: String::new(),
            block: false,
            found: false,
            ended: false,
        }
    }

    fn read(&mut self, line: &str) {
        self.bytes += line.len();
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if self.quote.is_none() && c == '/' && chars.peek() == Some(&'/') {
                break;
            }
            self.read_char(c);
            if self.ended {
                return;
            }
            if c == '\\'
                && let (Some(_), Some(escaped)) = (self.quote, chars.next())
            {
                self.text.push(escaped);
            }
        }
        if self.quote == Some('\'') || self.quote == Some('"') && !self.long_strings {
            self.quote = None;
        }
        // An operator must be next to its quote, even across lines.
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        self.text.push(' ');
    }

    fn read_char(&mut self, c: char) {
        match (self.quote, c) {
            (Some(quote), _) if quote == c => self.quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => self.quote = Some(c),
            (None, '(' | '[') => self.depth += 1,
            (None, ')' | ']') if self.depth > 0 => self.depth -= 1,
            (None, ')' | ']' | ';') => {
                self.end_expression();
                self.ended = true;
                return;
            }
            (None, ',') if self.depth == 0 => {
                self.end_expression();
                self.ended = !self.arguments;
                return;
            }
            (None, '{') => self.block = true,
            (None, _) => {}
        }
        self.text.push(c);
    }

    fn end_expression(&mut self) {
        let has_text = self.text.contains(['"', '\'', '`']);
        self.found |= has_text && !self.block && queries::is_joined_query(&self.text);
        self.text.clear();
        self.block = false;
    }

    /// Returns true if the next line belongs to the expression.
    fn continues(&self, next: Option<&str>) -> bool {
        let Some(next) = next else { return false };
        if self.block && !self.arguments || self.bytes + next.len() > MAX_BYTES {
            return false;
        }
        let open = self.quote.is_some() || self.depth > 0 || self.arguments;
        let joined = self.text.trim_end().ends_with(['+', '.']) || next.starts_with(['+', '.']);
        let begins = self.text.trim().is_empty();
        open || joined || begins
    }
}

#[cfg(test)]
mod tests {
    use super::joined_query;

    #[track_caller]
    fn check(language: &str, text: &str, expect: Option<usize>) {
        assert_eq!(joined_query(language, &text.lines().collect::<Vec<_>>(), &mut 10_000), expect);
    }

    #[test]
    fn a_query_is_read_to_its_end() {
        check("javascript", "db.execute(`\n  SELECT a\n  FROM b WHERE c = ${d}\n`)", Some(4));
        check("javascript", "db.execute(`SELECT a\n  FROM b WHERE c = ${d}`, [\n])", Some(3));
        check("javascript", "const q = 'SELECT a' // of b\n  + b;\nc()", Some(2));
        check("typescript", "return `SELECT a\n  FROM ${b}`\nc()", Some(2));
        check("go", "q := fmt.Sprintf(`SELECT a\n FROM b WHERE c = %s`, d)\n", Some(2));
        check("rust", "let q = format!(\n  \"SELECT a\n FROM {}\", b\n);", Some(4));
    }

    #[test]
    fn other_expressions_are_not_joined_with_the_query() {
        check("javascript", "db.execute(`SELECT a\n FROM b`, [`${c}`])", None);
        check("javascript", "db.query('SELECT a', [],\n  () => { log('b' + c) })", None);
        check("javascript", "const q = 'SELECT a'\nconst b = 'c' + d", None);
        check("javascript", "const q = sql`SELECT a\n FROM ${b}`", None);
        check("javascript", "if (a == 'SELECT a') {\n  b('c' + d)", None);
        check("javascript", "const q = `SELECT a\n FROM b", None);
        check("javascript", "const q = () => {\n  b('SELECT c' + d) }", None);
        check("javascript", "a = 'b'", None);
        check("javascript", "", None);
    }
}
