//! Layout of languages without a grammar. Recognises comments outside of strings, and statement ends.

use super::{Comment, Layout, Statement, comment_extent, is_line_end};

/// Comment marks, string delimiters and statement ends of a language.
struct Lexicon {
    line_comments: &'static [&'static str],
    block_comments: &'static [(&'static str, &'static str)],
    /// String delimiters; longer ones come before their prefixes.
    strings: &'static [Mark],
    /// Characters that end a statement; empty if a line end does.
    statement_ends: &'static [char],
    /// True if a line comment must follow whitespace or start the line.
    needs_space: bool,
    /// True if the language has heredocs.
    has_heredocs: bool,
    raw_strings: bool,
}

struct Mark {
    open: &'static str,
    close: &'static str,
    escape: Escape,
    /// True if the string may span lines.
    is_multiline: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Backslash,
    /// The closing delimiter, doubled.
    Doubled,
    Nothing,
}

const fn mark(open: &'static str, close: &'static str, escape: Escape, is_multiline: bool) -> Mark {
    Mark { open, close, escape, is_multiline }
}

const TRIPLE: Mark = mark("\"\"\"", "\"\"\"", Escape::Backslash, true);
const DOUBLE: Mark = mark("\"", "\"", Escape::Backslash, false);
const SINGLE: Mark = mark("'", "'", Escape::Backslash, false);
const LONG_DOUBLE: Mark = mark("\"", "\"", Escape::Backslash, true);
const LONG_SINGLE: Mark = mark("'", "'", Escape::Backslash, true);

const C: Lexicon = Lexicon {
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    strings: &[TRIPLE, DOUBLE, SINGLE],
    statement_ends: &[';', '{', '}'],
    needs_space: false,
    has_heredocs: false,
    raw_strings: false,
};
const CPP: Lexicon = Lexicon { strings: &[DOUBLE, SINGLE], raw_strings: true, ..C };
const CSHARP: Lexicon = Lexicon {
    strings: &[
        TRIPLE,
        mark("@\"", "\"", Escape::Doubled, true),
        mark("@$\"", "\"", Escape::Doubled, true),
        DOUBLE,
        SINGLE,
    ],
    ..C
};
const PHP: Lexicon =
    Lexicon { line_comments: &["//", "#"], strings: &[LONG_DOUBLE, LONG_SINGLE], has_heredocs: true, ..C };
const RUBY: Lexicon = Lexicon {
    line_comments: &["#"],
    block_comments: &[("\n=begin", "\n=end")],
    strings: &[LONG_DOUBLE, LONG_SINGLE, mark("`", "`", Escape::Backslash, true)],
    statement_ends: &[],
    needs_space: true,
    has_heredocs: true,
    ..C
};
const SQL: Lexicon = Lexicon {
    line_comments: &["--"],
    strings: &[
        mark("'", "'", Escape::Doubled, true),
        mark("\"", "\"", Escape::Doubled, true),
        mark("`", "`", Escape::Doubled, true),
        mark("$$", "$$", Escape::Nothing, true),
    ],
    statement_ends: &[';'],
    ..C
};
const YAML: Lexicon = Lexicon {
    line_comments: &["#"],
    block_comments: &[],
    strings: &[LONG_DOUBLE, mark("'", "'", Escape::Doubled, false)],
    statement_ends: &[],
    needs_space: true,
    ..C
};
const TOML: Lexicon = Lexicon {
    strings: &[TRIPLE, mark("'''", "'''", Escape::Nothing, true), DOUBLE, mark("'", "'", Escape::Nothing, false)],
    needs_space: false,
    ..YAML
};
const PYTHON: Lexicon = Lexicon {
    strings: &[TRIPLE, mark("'''", "'''", Escape::Backslash, true), DOUBLE, SINGLE],
    needs_space: false,
    ..YAML
};
const DOCKERFILE: Lexicon = Lexicon { strings: &[DOUBLE, SINGLE], ..YAML };
const CSS: Lexicon = Lexicon { line_comments: &[], strings: &[DOUBLE, SINGLE], ..C };
const MARKUP: Lexicon =
    Lexicon { line_comments: &[], block_comments: &[("<!--", "-->")], strings: &[], statement_ends: &[], ..C };

fn lexicon(language: &str) -> Option<&'static Lexicon> {
    Some(match language {
        "java" | "kotlin" => &C,
        "c" | "cpp" => &CPP,
        "csharp" => &CSHARP,
        "php" => &PHP,
        "ruby" => &RUBY,
        "sql" => &SQL,
        // For Python text that the parser cannot handle.
        "python" => &PYTHON,
        "yaml" => &YAML,
        "toml" => &TOML,
        "dockerfile" => &DOCKERFILE,
        "css" => &CSS,
        "html" | "markdown" => &MARKUP,
        _ => return None,
    })
}

/// Reads comments and statements. Returns `None` if the comment syntax is unknown.
pub(crate) fn read(language: &str, source: &str) -> Option<Layout> {
    let lexicon = lexicon(language)?;
    let mut scanner = Scanner::new(lexicon, source);
    while let Some(rest) = source.get(scanner.at..).filter(|rest| !rest.is_empty()) {
        scanner.step(rest);
    }
    let mut layout = Layout::new(scanner.comments, scanner.statements);
    let scripts = comment_extent::Scripts::of(language, source);
    for number in 0..layout.comments.len() {
        let comment = &layout.comments[number];
        let inert = if scripts.contain(comment.range.start) {
            comment.inert.clone()
        } else {
            comment_extent::of(language, source, comment)
        };
        let is_between_statements = comment.is_alone && layout.owner(comment.first).is_none();
        layout.comments[number].is_between_statements = is_between_statements;
        layout.comments[number].inert = inert;
    }
    Some(layout)
}

struct Scanner<'s> {
    lexicon: &'static Lexicon,
    source: &'s str,
    at: usize,
    line: u32,
    /// True if only whitespace precedes the position on its line.
    is_line_start: bool,
    /// First line of the current statement.
    began: Option<u32>,
    depth: usize,
    /// Terminator of the heredoc that starts on the next line.
    heredoc: Option<&'s str>,
    comments: Vec<Comment>,
    statements: Vec<Statement>,
}

impl<'s> Scanner<'s> {
    fn new(lexicon: &'static Lexicon, source: &'s str) -> Self {
        Self {
            lexicon,
            source,
            at: 0,
            line: 1,
            is_line_start: true,
            began: None,
            depth: 0,
            heredoc: None,
            comments: Vec::new(),
            statements: Vec::new(),
        }
    }

    fn step(&mut self, rest: &'s str) {
        if let Some(length) = self.comment(rest) {
            self.advance(length);
            return;
        }
        if let Some(length) = self.string(rest) {
            self.mark_code();
            self.advance(length);
            return;
        }
        if self.lexicon.has_heredocs && self.heredoc.is_none() {
            self.heredoc = heredoc_terminator(rest);
        }
        let Some(c) = rest.chars().next() else { return };
        if !c.is_whitespace() {
            self.mark_code();
            self.punctuate(c);
        }
        self.advance(c.len_utf8());
        if c == '\n'
            && let Some(word) = self.heredoc.take()
        {
            self.advance(heredoc_length(&rest[1..], word));
        }
    }

    /// Records a comment that starts here and returns its length.
    fn comment(&mut self, rest: &'s str) -> Option<usize> {
        let spaced = !self.lexicon.needs_space || self.source[..self.at].ends_with(char::is_whitespace) || self.at == 0;
        let is_line = spaced && self.lexicon.line_comments.iter().any(|mark| rest.starts_with(mark));
        let length = if is_line {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            let (open, close) = self.lexicon.block_comments.iter().find(|(open, _)| rest.starts_with(open))?;
            // Only HTML comment marks may overlap.
            let inside = if *open == "<!--" { 2 } else { open.len() };
            rest[inside..].find(close).map_or(rest.len(), |at| inside + at + close.len())
        };
        let text = &rest[..length];
        let breaks = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
        self.comments.push(Comment {
            text: text.to_owned(),
            range: self.at..self.at + length,
            inert: self.at..self.at,
            first: self.line,
            last: self.line.saturating_add(breaks),
            is_alone: self.is_line_start && is_line_end(&rest[length..]),
            is_between_statements: false,
        });
        Some(length)
    }

    /// Returns the length of a string that starts here.
    fn string(&self, rest: &str) -> Option<usize> {
        if self.lexicon.raw_strings
            && let Some(length) = raw_string(rest)
        {
            return Some(length);
        }
        let mark = self.lexicon.strings.iter().find(|mark| rest.starts_with(mark.open))?;
        let mut at = mark.open.len();
        while let Some(inside) = rest.get(at..).filter(|inside| !inside.is_empty()) {
            if inside.starts_with(mark.close) {
                at += mark.close.len();
                let doubled = mark.escape == Escape::Doubled && rest[at..].starts_with(mark.close);
                if !doubled {
                    return Some(at);
                }
                at += mark.close.len();
                continue;
            }
            let mut chars = inside.chars();
            let c = chars.next()?;
            if c == '\n' && !mark.is_multiline {
                return Some(at);
            }
            at += c.len_utf8();
            if c == '\\' && mark.escape == Escape::Backslash {
                at += chars.next().filter(|next| *next != '\n' || mark.is_multiline).map_or(0, char::len_utf8);
            }
        }
        Some(rest.len())
    }

    fn mark_code(&mut self) {
        self.is_line_start = false;
        if !self.lexicon.statement_ends.is_empty() && self.began.is_none() {
            self.began = Some(self.line);
        }
    }

    fn punctuate(&mut self, c: char) {
        match c {
            '(' | '[' => self.depth += 1,
            ')' | ']' => self.depth = self.depth.saturating_sub(1),
            '{' | '}' => self.depth = 0,
            _ => {}
        }
        if self.depth == 0
            && self.lexicon.statement_ends.contains(&c)
            && let Some(first) = self.began.take()
        {
            self.statements.push(Statement::new(first, self.line, [0; 32]));
        }
    }

    fn advance(&mut self, length: usize) {
        let passed = &self.source[self.at..self.at + length];
        self.line += u32::try_from(passed.matches('\n').count()).unwrap_or_default();
        if let Some(at) = passed.rfind('\n') {
            self.is_line_start = passed[at..].trim().is_empty();
        }
        self.at += length;
    }
}

/// Returns the length of a C++ raw string.
fn raw_string(rest: &str) -> Option<usize> {
    // A delimiter has at most 16 characters.
    let opens: usize = rest.strip_prefix("R\"")?.bytes().take(17).position(|byte| byte == b'(')?;
    let delimiter = &rest[2..2 + opens];
    let close = format!("){delimiter}\"");
    Some(rest.find(&close).map_or(rest.len(), |at| at + close.len()))
}

/// Returns the terminator of a heredoc of PHP or Ruby.
fn heredoc_terminator(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("<<<").or_else(|| rest.strip_prefix("<<~")).or_else(|| rest.strip_prefix("<<-"))?;
    let word = rest.trim_start_matches([' ', '"', '\'', '`']);
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
    (!word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()) && end > 0).then(|| &word[..end])
}

/// Returns the length of the heredoc's lines before its terminator.
fn heredoc_length(rest: &str, word: &str) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_start().starts_with(word) {
            break;
        }
        length += line.len();
    }
    length
}
