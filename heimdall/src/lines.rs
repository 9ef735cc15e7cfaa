//! Line numbers of byte offsets.

/// The offsets of line starts. As in Python, `\n`, `\r\n` and a lone `\r` end a line.
#[derive(Debug)]
pub(crate) struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(index + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(u32::try_from(index + 1).unwrap_or(u32::MAX));
            }
        }
        Self { starts }
    }

    /// Returns the line of a byte offset, counted from 1.
    pub(crate) fn line_of(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX).max(1)
    }
}
