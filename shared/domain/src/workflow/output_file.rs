//! Files that a run left for the caller.

use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// A file that a run left in its folder `outputs`. Its content is in the blob stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// Path below that folder.
    pub name: String,
    pub size_bytes: u64,
    pub digest: Digest,
    pub media_type: MediaType,
}

impl OutputFile {
    /// Describes a file by its content.
    pub fn new(name: String, content: &[u8]) -> Self {
        let media_type = MediaType::of(&name, content);
        Self { size_bytes: content.len() as u64, digest: Digest::of(content), media_type, name }
    }
}

/// The media types under which files of a run are served. None of them is executed by a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    Png,
    Jpeg,
    Json,
    Csv,
    Markdown,
    Pdf,
    Zip,
    /// Text of any other kind, HTML and SVG included.
    Text,
    Binary,
}

impl MediaType {
    /// Returns the type of a file: by its content if that is an image, else by its file ending as far as the content is
    /// text, or begins as such a document.
    pub fn of(name: &str, content: &[u8]) -> Self {
        let extension = name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
        let extension = extension.unwrap_or_default().to_ascii_lowercase();
        if std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0')) {
            return match extension.as_str() {
                "json" => Self::Json,
                "csv" => Self::Csv,
                "md" => Self::Markdown,
                _ => Self::Text,
            };
        }
        if is_png(content) {
            return Self::Png;
        }
        if is_jpeg(content) {
            return Self::Jpeg;
        }
        match extension.as_str() {
            "pdf" if content.starts_with(b"%PDF-") => Self::Pdf,
            "zip" if content.starts_with(b"PK") => Self::Zip,
            _ => Self::Binary,
        }
    }

    /// Returns the value of the header `Content-Type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
            Self::Text => "text/plain; charset=utf-8",
            Self::Binary => "application/octet-stream",
        }
    }

    /// Returns true if a browser may show the file in place: it is an image, by its content.
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg)
    }
}

/// Returns whether the bytes are one PNG image: its signature, an `IHDR` chunk, whole chunks, and an `IEND` chunk at the
/// end, so that nothing of another kind is appended.
fn is_png(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") else { return false };
    let mut is_first = true;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((kind, after)) = after.split_first_chunk::<4>() else { return false };
        // The data, and four bytes of checksum.
        let Some(after) = length.checked_add(4).and_then(|length| after.get(length..)) else { return false };
        if is_first && (kind != b"IHDR" || length != 13) {
            return false;
        }
        if kind == b"IEND" {
            return after.is_empty();
        }
        (is_first, rest) = (false, after);
    }
    false
}

/// Returns whether the bytes are one JPEG image: whole segments from the start of the image to that of a scan, a frame
/// among them, and the end of the image at the end.
fn is_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let Some(mut rest) = bytes.strip_prefix(b"\xff\xd8").and_then(|rest| rest.strip_suffix(b"\xff\xd9")) else {
        return false;
    };
    let mut has_frame = false;
    while let [0xff, kind, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 || rest.len() < length + 2 {
            return false;
        }
        if kind == START_OF_SCAN {
            return has_frame;
        }
        // Three kinds between those of frames are tables.
        has_frame |= matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc);
        rest = &rest[length + 2..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest PNG image: one pixel.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDATx\xdac\xf8\x0f\0\x01\x01\x01\0\x1b\xb6\xeeV\0\0\0\0IEND\xaeB`\x82";

    /// The segments of a JPEG image: application data, a frame, a scan.
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x04JF\xff\xc0\0\x03\x08\xff\xda\0\x02\x12\x34\xff\xd9";

    #[track_caller]
    fn check(name: &str, content: &[u8], expected: &str) {
        let media_type = MediaType::of(name, content);
        assert_eq!(media_type.as_str(), expected, "{name}");
        assert_eq!(media_type.is_image(), expected.starts_with("image/"), "{name}");
    }

    #[test]
    fn a_file_is_an_image_only_if_its_content_is_one() {
        let appended = [PNG, b"<script>\xff</script>"].concat();
        check("plot.png", PNG, "image/png");
        check("a.b/plot.PNG", PNG, "image/png");
        check("plot.png", &appended, "application/octet-stream");
        check("plot.png", &PNG[..PNG.len() - 1], "application/octet-stream");
        check("plot.png", b"<html>", "text/plain; charset=utf-8");
        check("plot.html", PNG, "image/png");
        check("photo.jpeg", JPEG, "image/jpeg");
        check("photo", JPEG, "image/jpeg");
        check("photo.jpg", &[JPEG, b"<script>"].concat(), "application/octet-stream");
        check("photo.jpg", b"\xff\xd8\xff<script>\xff\xd9", "application/octet-stream");
        // A scan without a frame.
        check("photo.jpg", b"\xff\xd8\xff\xda\0\x02\xff\xd9", "application/octet-stream");
        for cut in 0..PNG.len() {
            assert!(!is_png(&PNG[..cut]), "{cut}");
        }
        assert!(!is_png(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR"));
    }

    #[test]
    fn text_keeps_its_type_and_what_a_browser_would_execute_is_plain() {
        check("a.csv", b"a,b\n", "text/csv; charset=utf-8");
        check("a.csv", b"a,\xff\n", "application/octet-stream");
        check("a.json", b"{}", "application/json");
        check("notes.md", b"# Notes", "text/markdown; charset=utf-8");
        for name in ["page.html", "image.svg", "script.js", "noextension", ".hidden", "feed.xml"] {
            check(name, b"<script>alert(1)</script>", "text/plain; charset=utf-8");
        }
        check("a.txt", b"a\0b", "application/octet-stream");
        check("a.pdf", b"%PDF-1.7\n\xff", "application/pdf");
        check("a.zip", b"PK\x03\x04\xff", "application/zip");
    }
}
