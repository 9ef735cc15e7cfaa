//! Finds blank lines in what a client sends. Every head of a request ends with one, so a piece with one blank line behind text
//! holds at most one head. Blank lines before a head are skipped by parsers and end nothing.

/// The end of the bytes that were read last.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlankLines {
    is_line_empty: bool,
    /// True if the present piece has anything but line ends.
    has_text: bool,
    /// True if the present piece has no byte yet.
    is_piece_empty: bool,
}

/// A piece of what a client sends, with at most one blank line behind text.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) length: usize,
    pub(super) is_blank_line_last: bool,
    /// The lines behind it.
    pub(super) lines: BlankLines,
}

impl Piece {
    /// Returns whether nothing but line ends has arrived of it.
    pub(super) fn is_blank(&self) -> bool {
        !self.is_blank_line_last && !self.lines.has_text
    }
}

impl Default for BlankLines {
    /// A connection begins at the start of a line and of a piece.
    fn default() -> Self {
        Self { is_line_empty: true, has_text: false, is_piece_empty: true }
    }
}

impl BlankLines {
    /// The piece of `bytes` up to and including the first blank line behind text, or all of them, and the lines as they are behind it.
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
            // Parsers take a bare line feed as the end of a line, too.
            b'\r' => false,
            _ => {
                (self.is_line_empty, self.has_text) = (false, true);
                false
            }
        }
    }

    /// The bytes of whole blank lines at the start of `bytes`; none within a piece.
    pub(super) fn leading_blank_bytes(self, bytes: &[u8]) -> usize {
        if !self.is_piece_empty {
            return 0;
        }
        let mut rest = bytes;
        while let [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] = rest {
            rest = behind;
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
    fn a_piece_ends_with_the_first_blank_line_behind_text() {
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
        // The parser has the first half of this line end.
        assert_eq!(start.first_piece(b"\r").lines.leading_blank_bytes(b"\n\n"), 0);
        assert_eq!(start.first_piece(b"GET /\n\n").lines.leading_blank_bytes(b"\n\n"), 2);
    }
}
