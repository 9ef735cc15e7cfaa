//! Finds blank lines in received bytes. Every request head ends with one, so a piece with one blank line after text
//! holds at most one head. Parsers skip blank lines before a head.

/// State at the end of the bytes read last.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlankLines {
    is_line_empty: bool,
    /// The current piece has more than line ends.
    has_text: bool,
    /// The current piece is empty.
    is_piece_empty: bool,
}

/// A piece of the received bytes, with at most one blank line after text.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) length: usize,
    pub(super) is_blank_line_last: bool,
    /// State after the piece.
    pub(super) lines: BlankLines,
}

impl Piece {
    /// Returns whether the piece has only line ends so far.
    pub(super) fn is_blank(&self) -> bool {
        !self.is_blank_line_last && !self.lines.has_text
    }
}

impl Default for BlankLines {
    /// Returns the state at the start of a connection: the start of a line and of a piece.
    fn default() -> Self {
        Self { is_line_empty: true, has_text: false, is_piece_empty: true }
    }
}

impl BlankLines {
    /// Returns the part of `bytes` up to and including the first blank line after text, or all of them, with the state
    /// after it.
    pub(super) fn first_piece(mut self, bytes: &[u8]) -> Piece {
        let end = bytes.iter().position(|byte| self.ends_piece(*byte));
        if end.is_some() {
            self = Self::default();
        } else if !bytes.is_empty() {
            self.is_piece_empty = false;
        }
        Piece { length: end.map_or(bytes.len(), |end| end + 1), is_blank_line_last: end.is_some(), lines: self }
    }

    fn ends_piece(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => std::mem::replace(&mut self.is_line_empty, true) && self.has_text,
            // Parsers accept a bare line feed as a line end.
            b'\r' => false,
            _ => {
                (self.is_line_empty, self.has_text) = (false, true);
                false
            }
        }
    }

    /// Returns the number of bytes of whole blank lines at the start of `bytes`; 0 within a piece.
    pub(super) fn leading_blank_bytes(self, bytes: &[u8]) -> usize {
        if !self.is_piece_empty {
            return 0;
        }
        let mut rest = bytes;
        while let [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] = rest {
            rest = after;
        }
        bytes.len() - rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, pieces: &[&str]) {
        for step in 1..=text.len() {
            let (mut lines, mut found, mut last) = (BlankLines::default(), Vec::new(), String::new());
            // The pieces do not depend on how the text is split on arrival.
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
    fn a_piece_ends_with_the_first_blank_line_after_text() {
        check("GET / HTTP/1.1\r\na: b\r\n\r\nGET", &["GET / HTTP/1.1\r\na: b\r\n\r\n", "GET"]);
        check("GET / HTTP/1.1\na: b\n\nGET /\n\n", &["GET / HTTP/1.1\na: b\n\n", "GET /\n\n"]);
        check("\r\n\r\nGET /\r\n\n", &["\r\n\r\nGET /\r\n\n"]);
        check("GET /\n\n\n\n\r\nGET /\n\n\n", &["GET /\n\n", "\n\n\r\nGET /\n\n", "\n"]);
        check(&"\n".repeat(50), &[&"\n".repeat(50)]);
        check("no line", &["no line"]);
    }

    #[test]
    fn whole_blank_lines_before_a_piece_are_counted() {
        let start = BlankLines::default();
        for (text, count) in [("", 0), ("\n\r\n\nGET", 4), ("\r", 0), ("\n\r", 1), ("\rGET", 0), ("GET\n\n", 0)] {
            assert_eq!(start.leading_blank_bytes(text.as_bytes()), count, "{text:?}");
        }
        // The parser already has the first half of this line end.
        assert_eq!(start.first_piece(b"\r").lines.leading_blank_bytes(b"\n\n"), 0);
        assert_eq!(start.first_piece(b"GET /\n\n").lines.leading_blank_bytes(b"\n\n"), 2);
    }
}
