//! The broker's side of the wire protocol, rewritten so that the client reads all of it.
//!
//! A publisher chooses the bytes of its subject and of its header block, and the broker passes them on. The client ends
//! the connection, or panics, on some of them (decision 0036).

use bytes::{Buf, BytesMut};
use serde_json::{Map, Value};

use super::header_block::HeaderBlock;

/// Maximum length of a line: the broker accepts subjects of up to 4 KiB; lists of cluster addresses are longer.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;
/// Maximum length of a header block, which is buffered whole: the largest `max_payload` that a broker accepts.
const MAX_BLOCK_BYTES: usize = 64 * 1024 * 1024;
/// Replacement for a byte of a subject that the client cannot read. No valid subject has it.
const REPLACEMENT: u8 = b'?';

/// Input that violates the broker's side of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProtocolError {
    #[error("the broker sent a line of more than {MAX_LINE_BYTES} bytes")]
    LongLine,
    #[error("the broker sent an unknown operation: {0}")]
    Unknown(String),
    #[error("the broker sent a malformed message line: {0}")]
    Malformed(String),
}

/// Rewrites the broker's frames one after the other. Buffers at most one line or header block; payloads pass through
/// unbuffered.
#[derive(Debug, Default)]
pub(super) struct Frames {
    next: Next,
    /// Bytes of the input already searched for a line end.
    searched: usize,
}

#[derive(Debug, Default)]
enum Next {
    #[default]
    Line,
    Block(Head),
    /// Remaining bytes of a payload and its line end.
    Payload(usize),
}

/// The line of a message with headers, written once the new length of its header block is known.
#[derive(Debug)]
struct Head {
    /// Subject, subscription and, if present, reply subject.
    address: Vec<String>,
    block_bytes: usize,
    payload_bytes: usize,
}

impl Frames {
    /// Moves all complete parts of `input` to `output`, rewritten if necessary.
    pub(super) fn advance(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<(), ProtocolError> {
        while self.step(input, output)? {}
        Ok(())
    }

    /// Processes one part; returns false if more input is needed.
    fn step(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<bool, ProtocolError> {
        match std::mem::take(&mut self.next) {
            Next::Line => {
                let Some(length) = self.line_end(input)? else { return Ok(false) };
                self.next = start_frame(&input[..length], output)?;
                input.advance(length + 2);
            }
            Next::Block(head) if input.len() < head.block_bytes => {
                self.next = Next::Block(head);
                return Ok(false);
            }
            Next::Block(head) => {
                head.write(&input[..head.block_bytes], output);
                input.advance(head.block_bytes);
                self.next = Next::Payload(head.payload_bytes + 2);
            }
            Next::Payload(0) => {}
            Next::Payload(left) => {
                let part = input.len().min(left);
                output.extend_from_slice(&input[..part]);
                input.advance(part);
                self.next = Next::Payload(left - part);
                return Ok(part > 0);
            }
        }
        Ok(true)
    }

    /// Returns the length of the first line of `input`; `None` while its end is missing.
    fn line_end(&mut self, input: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let is_end = |end: &usize| input[*end] == b'\n' && input[*end - 1] == b'\r';
        match (self.searched.max(1)..input.len()).find(is_end) {
            Some(end) => {
                self.searched = 0;
                Ok(Some(end - 1))
            }
            None if input.len() > MAX_LINE_BYTES => Err(ProtocolError::LongLine),
            None => {
                self.searched = input.len();
                Ok(None)
            }
        }
    }
}

/// Writes the line of a frame, except that of a message with headers; returns the part that follows it.
fn start_frame(line: &[u8], output: &mut BytesMut) -> Result<Next, ProtocolError> {
    let (operation, rest) = line.split_at(line.iter().position(|byte| *byte == b' ').unwrap_or(line.len()));
    match operation {
        b"MSG" => {
            let (address, [payload_bytes]) = arguments(rest).ok_or_else(|| malformed(line))?;
            write_line(output, "MSG", &address, &[payload_bytes]);
            Ok(Next::Payload(payload_bytes + 2))
        }
        b"HMSG" => {
            let (address, [block_bytes, total]) = arguments(rest).ok_or_else(|| malformed(line))?;
            let payload_bytes = total.checked_sub(block_bytes).ok_or_else(|| malformed(line))?;
            if block_bytes > MAX_BLOCK_BYTES {
                return Err(malformed(line));
            }
            Ok(Next::Block(Head { address, block_bytes, payload_bytes }))
        }
        b"INFO" => {
            let info = rewrite_info(rest).ok_or_else(|| ProtocolError::Unknown(shown(line)))?;
            output.extend_from_slice(format!("INFO {info}\r\n").as_bytes());
            Ok(Next::Line)
        }
        b"-ERR" => {
            output.extend_from_slice(String::from_utf8_lossy(line).as_bytes());
            output.extend_from_slice(b"\r\n");
            Ok(Next::Line)
        }
        b"+OK" | b"PING" | b"PONG" => {
            output.extend_from_slice(line);
            output.extend_from_slice(b"\r\n");
            Ok(Next::Line)
        }
        _ => Err(ProtocolError::Unknown(shown(line))),
    }
}

impl Head {
    /// Writes line and header block.
    fn write(&self, block: &[u8], output: &mut BytesMut) {
        // Subject and subscription come before it.
        let reply = self.address.get(2).map(String::as_str);
        let block = HeaderBlock::read(block, reply).to_bytes();
        write_line(output, "HMSG", &self.address, &[block.len(), block.len() + self.payload_bytes]);
        output.extend_from_slice(&block);
    }
}

fn write_line(output: &mut BytesMut, operation: &str, address: &[String], lengths: &[usize]) {
    output.extend_from_slice(operation.as_bytes());
    for word in address.iter().cloned().chain(lengths.iter().map(usize::to_string)) {
        output.extend_from_slice(b" ");
        output.extend_from_slice(word.as_bytes());
    }
    output.extend_from_slice(b"\r\n");
}

/// Splits the arguments of a message at spaces, as the broker joins them: subject, subscription, optional reply subject
/// and `N` lengths.
fn arguments<const N: usize>(rest: &[u8]) -> Option<(Vec<String>, [usize; N])> {
    let words: Vec<&[u8]> = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    let (address, lengths) = words.split_at_checked(words.len().checked_sub(N)?)?;
    let mut numbers = [0; N];
    for (number, word) in numbers.iter_mut().zip(lengths) {
        *number = length(word)?;
    }
    let is_whole = matches!(address.len(), 2 | 3) && address[1].iter().all(u8::is_ascii_digit);
    is_whole.then(|| (address.iter().map(|word| readable(word)).collect(), numbers))
}

/// Parses a length of at most nine digits: no message is larger, and sums of such lengths do not overflow.
fn length(word: &[u8]) -> Option<usize> {
    std::str::from_utf8(word).ok().filter(|word| word.len() <= 9)?.parse().ok()
}

/// Returns a subject with every byte replaced that the client cannot read or would split at.
fn readable(word: &[u8]) -> String {
    word.iter().map(|byte| char::from(if byte.is_ascii_graphic() { *byte } else { REPLACEMENT })).collect()
}

/// Returns the broker's INFO without the fields that concern direct connections: TLS and other addresses.
fn rewrite_info(json: &[u8]) -> Option<String> {
    let mut info: Map<String, Value> = serde_json::from_slice(json).ok()?;
    for name in ["tls_required", "tls_available", "tls_verify", "connect_urls", "ws_connect_urls"] {
        info.remove(name);
    }
    serde_json::to_string(&info).ok()
}

fn malformed(line: &[u8]) -> ProtocolError {
    ProtocolError::Malformed(shown(line))
}

/// Returns the start of a line for an error text.
fn shown(line: &[u8]) -> String {
    line[..line.len().min(80)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Rewrites what arrives in these chunks.
    fn rewrite<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, ProtocolError> {
        let (mut frames, mut input, mut output) = (Frames::default(), BytesMut::new(), BytesMut::new());
        for chunk in chunks {
            input.extend_from_slice(chunk);
            frames.advance(&mut input, &mut output)?;
        }
        Ok(output.to_vec())
    }

    #[track_caller]
    fn check(frames: &[u8], expected: &[u8]) {
        let found = rewrite([frames]).unwrap();
        assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn readable_frames_are_unchanged() {
        let frames =
            b"+OK\r\nPING\r\nPONG\r\n-ERR 'Stale Connection'\r\nMSG a.b 1 5\r\nhello\r\nMSG a 2 _INBOX.x 0\r\n\r\n\
            HMSG a 3 21 23\r\nNATS/1.0\r\nA: b, c\r\n\r\nhi\r\nHMSG a 3 $JS.ACK.s 12 12\r\nNATS/1.0\r\n\r\n\r\n";
        check(frames, frames);
        let binary = [b"MSG a 1 6\r\n".as_slice(), b"\r\n\xff\0\r\n", b"\r\n"].concat();
        check(&binary, &binary);
    }

    #[test]
    fn bytes_of_subjects_that_the_client_cannot_read_are_replaced() {
        check(b"MSG a.\xff 1 2\r\nhi\r\n", b"MSG a.? 1 2\r\nhi\r\n");
        check("MSG a.b\u{a0}1 7 2\r\nhi\r\n".as_bytes(), b"MSG a.b??1 7 2\r\nhi\r\n");
        check(b"MSG a\rb 7 r\x0bs 2\r\nhi\r\n", b"MSG a?b 7 r?s 2\r\nhi\r\n");
        check(
            "HMSG a\u{2028} 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n".as_bytes(),
            b"HMSG a??? 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        );
    }

    #[test]
    fn lengths_follow_the_rewritten_header_block() {
        check(
            b"HMSG a 1 _R_.x 30 32\r\nNATS/1.0\r\nBy: a\rb\r\nno name\r\n\r\nhi\r\nPING\r\n",
            b"HMSG a 1 _R_.x 21 23\r\nNATS/1.0\r\nBy: a b\r\n\r\nhi\r\nPING\r\n",
        );
        check(
            b"HMSG a 1 $JS.ACK.x 16 16\r\nNATS/1.0 404\r\n\r\n\r\n",
            b"HMSG a 1 $JS.ACK.x 12 12\r\nNATS/1.0\r\n\r\n\r\n",
        );
        check(b"HMSG a 1 0 2\r\nhi\r\n", b"HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    }

    #[test]
    fn the_client_receives_neither_tls_nor_other_addresses() {
        let info = b"INFO {\"nonce\":\"n\",\"tls_required\":true,\"connect_urls\":[\"b:4222\"]}\r\n";
        check(info, b"INFO {\"nonce\":\"n\"}\r\n");
    }

    #[test]
    fn anything_else_is_an_error() {
        for frames in [
            b"HELLO\r\n".as_slice(),
            b"INFO {\r\n",
            b"MSG a 1\r\n",
            b"MSG a b 1\r\n",
            b"MSG a 1 r 2 3\r\n",
            b"MSG a 1 -1\r\n",
            b"MSG a 1 18446744073709551615\r\n",
            b"HMSG a 1 5 4\r\n",
            b"HMSG a 1 99999999 999999999\r\n",
        ] {
            rewrite([frames]).expect_err(&frames.escape_ascii().to_string());
        }
        assert_eq!(rewrite([[b'a'; MAX_LINE_BYTES + 1].as_slice()]), Err(ProtocolError::LongLine));
    }

    #[test]
    fn payloads_are_not_held() {
        let (mut frames, mut output) = (Frames::default(), BytesMut::new());
        let mut input = BytesMut::from(b"MSG a 1 8000000\r\n".as_slice());
        for _ in 0..100 {
            input.extend_from_slice(&[0; 50_000]);
            frames.advance(&mut input, &mut output).unwrap();
            assert!(input.is_empty());
            output.clear();
        }
    }

    /// Generates a frame as a broker may send it, with arbitrary publisher bytes.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let word = || vec(any::<u8>().prop_filter("ends a word", |byte| !b" \r\n".contains(byte)), 1..8);
        let message = (word(), proptest::option::of(word()), vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..40));
        prop_oneof![
            Just(b"PING\r\n".to_vec()),
            message.prop_map(|(subject, reply, block, payload)| {
                let mut frame = [b"HMSG ".as_slice(), &subject, b" 1 "].concat();
                frame.extend(reply.iter().flatten());
                frame.extend(format!(" {} {}\r\n", block.len(), block.len() + payload.len()).bytes());
                frame.extend([block, payload, b"\r\n".to_vec()].concat());
                frame
            }),
        ]
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(frames in vec(frame(), 0..6), sizes in vec(1_usize..40, 1..20)) {
            let bytes = frames.concat();
            let (mut chunks, mut rest, mut sizes) = (Vec::new(), bytes.as_slice(), sizes.into_iter().cycle());
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
                chunks.push(chunk);
                rest = behind;
            }
            let whole = rewrite([bytes.as_slice()]);
            prop_assert!(whole.is_ok(), "{whole:?}");
            prop_assert_eq!(rewrite(chunks), whole);
        }

        #[test]
        fn no_input_panics(chunks in vec(prop_oneof![vec(any::<u8>(), 0..40), frame()], 0..10)) {
            drop(rewrite(chunks.iter().map(Vec::as_slice)));
        }
    }
}
