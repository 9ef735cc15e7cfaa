//! Reads a pipe to its end and keeps the first bytes.

use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// One output stream of the job. Bytes beyond the limit are read and dropped, so that the writer never blocks.
pub(crate) struct Capture {
    pipe: Option<PipeReader>,
    kept: Vec<u8>,
    limit: usize,
    truncated: bool,
    /// Number of kept bytes that were sent while the job runs.
    sent: usize,
}

impl Capture {
    pub(crate) fn new(pipe: PipeReader, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { pipe: Some(pipe), kept: Vec::new(), limit, truncated: false, sent: 0 }
    }

    /// Returns the descriptor to wait on; `None` once every writer has closed.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads once from a pipe that is ready.
    pub(crate) fn read_ready(&mut self, buffer: &mut [u8]) {
        let Some(pipe) = self.pipe.as_mut() else { return };
        match pipe.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => self.pipe = None,
            Ok(count) => {
                let remaining = self.limit - self.kept.len();
                self.kept.extend_from_slice(&buffer[..count.min(remaining)]);
                self.truncated |= count > remaining;
            }
        }
    }

    /// Returns the next kept bytes that were not sent, at most `maximum`; empty if there are none.
    pub(crate) fn unsent(&self, maximum: usize) -> &[u8] {
        let unsent = &self.kept[self.sent..];
        &unsent[..unsent.len().min(maximum)]
    }

    /// Marks the next bytes as sent.
    pub(crate) fn mark_sent(&mut self, count: usize) {
        self.sent += count;
    }

    /// Returns the kept bytes, which end with a whole character, and whether others were dropped.
    pub(crate) fn into_kept(mut self) -> (Vec<u8>, bool) {
        if self.truncated {
            self.kept.truncate(self.kept.len() - cut_character_bytes(&self.kept));
        }
        (self.kept, self.truncated)
    }
}

/// Returns the number of bytes at the end that begin a UTF-8 character and do not complete it.
fn cut_character_bytes(bytes: &[u8]) -> usize {
    const LONGEST_BEGINNING: usize = 3;
    let begins = |count: &usize| {
        let end = std::str::from_utf8(&bytes[bytes.len() - count..]);
        end.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=LONGEST_BEGINNING.min(bytes.len())).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_first_bytes_are_kept_and_the_rest_is_drained() {
        let (reader, mut writer) = std::io::pipe().expect("opens a pipe");
        writer.write_all(b"0123456789").expect("writes");
        drop(writer);
        let mut capture = Capture::new(reader, 4);
        let mut buffer = [0; 3];
        while capture.fd().is_some() {
            capture.read_ready(&mut buffer);
        }
        assert_eq!(capture.into_kept(), (b"0123".to_vec(), true));
    }

    #[test]
    fn the_cut_is_between_characters() {
        for (kept, expect) in [
            ("aä€😀".as_bytes(), 0),
            (b"a\xc3".as_slice(), 1),
            (b"a\xe2\x82".as_slice(), 2),
            (b"\xf0\x9f\x98".as_slice(), 3),
            // Not the beginning of a character.
            (b"\x80\x80\x80".as_slice(), 0),
            (b"a\xff".as_slice(), 0),
            (b"".as_slice(), 0),
        ] {
            assert_eq!(cut_character_bytes(kept), expect, "{kept:?}");
        }
    }

    #[test]
    fn exactly_the_limit_is_not_truncated() {
        let (reader, mut writer) = std::io::pipe().expect("opens a pipe");
        writer.write_all(b"0123").expect("writes");
        drop(writer);
        let mut capture = Capture::new(reader, 4);
        let mut buffer = [0; 3];
        while capture.fd().is_some() {
            capture.read_ready(&mut buffer);
        }
        assert_eq!(capture.into_kept(), (b"0123".to_vec(), false));
    }
}
