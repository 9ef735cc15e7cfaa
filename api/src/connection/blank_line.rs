//! Finds blank lines in what a client sends. Every head of a request ends with one, so a piece with one blank line holds at most one head.

/// The end of the bytes that were read last.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlankLines {
    is_line_empty: bool,
}

/// A piece of what a client sends, with at most one blank line.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) length: usize,
    pub(super) is_blank_line_last: bool,
    /// The lines behind it.
    pub(super) lines: BlankLines,
}

impl Default for BlankLines {
    /// A connection begins at the start of a line, and blank lines before a head are skipped.
    fn default() -> Self {
        Self { is_line_empty: true }
    }
}

impl BlankLines {
    /// The piece of `bytes` up to and including the first blank line, or all of them, and the lines as they are behind it.
    pub(super) fn first_piece(mut self, bytes: &[u8]) -> Piece {
        let end = bytes.iter().position(|byte| self.ends_blank_line(*byte));
        Piece { length: end.map_or(bytes.len(), |end| end + 1), is_blank_line_last: end.is_some(), lines: self }
    }

    fn ends_blank_line(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => std::mem::replace(&mut self.is_line_empty, true),
            // Parsers take a bare line feed as the end of a line, too.
            b'\r' => false,
            _ => {
                self.is_line_empty = false;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, pieces: &[&str]) {
        for step in 1..=text.len() {
            let (mut lines, mut found, mut last) = (BlankLines::default(), Vec::new(), String::new());
            // The same pieces come out, however the text arrives.
            for mut part in text.as_bytes().chunks(step) {
                while !part.is_empty() {
                    let piece = lines.first_piece(part);
                    let (text, rest) = part.split_at(piece.length);
                    last.push_str(std::str::from_utf8(text).unwrap());
                    lines = piece.lines;
                    if piece.is_blank_line_last {
                        found.push(std::mem::take(&mut last));
                    }
                    part = rest;
                }
            }
            found.extend(Some(last).filter(|last| !last.is_empty()));
            assert_eq!(found, pieces, "in parts of {step}");
        }
    }

    #[test]
    fn a_piece_ends_with_the_first_blank_line() {
        check("GET / HTTP/1.1\r\na: b\r\n\r\nGET", &["GET / HTTP/1.1\r\na: b\r\n\r\n", "GET"]);
        check("GET / HTTP/1.1\na: b\n\nGET /\n\n", &["GET / HTTP/1.1\na: b\n\n", "GET /\n\n"]);
        check("\r\n\r\nGET /\r\n\n", &["\r\n", "\r\n", "GET /\r\n\n"]);
        check("no line", &["no line"]);
    }
}
