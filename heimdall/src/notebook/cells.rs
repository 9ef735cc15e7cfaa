//! Cells of a notebook and their lines in the document.
//!
//! Format: <https://nbformat.readthedocs.io/en/latest/format_description.html>. Version 3 stores cells in worksheets.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Document<'s> {
    nbformat: f64,
    #[serde(borrow, default)]
    cells: Vec<RawCell<'s>>,
    #[serde(borrow, default)]
    worksheets: Vec<Worksheet<'s>>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Worksheet<'s> {
    #[serde(borrow, default)]
    cells: Vec<RawCell<'s>>,
}

#[derive(Deserialize)]
struct RawCell<'s> {
    #[serde(default)]
    cell_type: Option<String>,
    #[serde(borrow, default)]
    source: Option<&'s RawValue>,
    /// The cell's source in version 3.
    #[serde(borrow, default)]
    input: Option<&'s RawValue>,
}

/// Returns true if the text is a notebook.
pub(crate) fn is_notebook(source: &str) -> bool {
    Notebook::read(source).is_some()
}

/// A submitted notebook.
pub(super) struct Notebook<'s> {
    source: &'s str,
    document: Document<'s>,
}

/// A code cell.
pub(super) struct Cell {
    /// Index among all cells, from 1.
    pub(super) number: usize,
    /// Text with line feeds only.
    pub(super) text: String,
    /// For each line of the cell, its line in the document.
    pub(super) lines: Vec<u32>,
}

impl<'s> Notebook<'s> {
    /// Parses a document; returns `None` if it is not a notebook.
    pub(super) fn read(source: &'s str) -> Option<Self> {
        let json = source.trim_start_matches('\u{feff}');
        if !json.trim_start().starts_with('{') || !json.contains("\"nbformat\"") {
            return None;
        }
        let document: Document<'s> = serde_json::from_str(json).ok()?;
        (document.nbformat >= 3.0).then_some(Self { source, document })
    }

    /// Returns the language of the kernel as the notebook names it.
    pub(super) fn language(&self) -> Option<String> {
        let named = |pointer| self.document.metadata.pointer(pointer).and_then(Value::as_str);
        named("/language_info/name").or_else(|| named("/kernelspec/language")).map(str::to_owned)
    }

    pub(super) fn code_cells(&self) -> impl Iterator<Item = Cell> {
        let starts = line_starts(self.source);
        let sheets = self.document.worksheets.iter().flat_map(|sheet| &sheet.cells);
        let cells = self.document.cells.iter().chain(sheets).enumerate();
        // A cell without a type may contain code.
        let code = cells.filter(|(_, cell)| cell.cell_type.as_deref().is_none_or(|kind| kind == "code"));
        code.filter_map(move |(at, cell)| self.cell(at + 1, cell.source.or(cell.input)?, &starts))
    }

    fn cell(&self, number: usize, source: &'s RawValue, starts: &[usize]) -> Option<Cell> {
        let pieces: Vec<&'s RawValue> = match serde_json::from_str(source.get()) {
            Ok(pieces) => pieces,
            Err(_) => vec![source],
        };
        let mut cell = Cell { number, text: String::new(), lines: Vec::new() };
        for piece in pieces {
            let line = self.line_of(piece, starts);
            let text = decode(piece.get())?;
            cell.append(&text.replace("\r\n", "\n").replace('\r', "\n"), line);
        }
        Some(cell)
    }

    /// Returns the line of the document on which a JSON value starts.
    fn line_of(&self, piece: &RawValue, starts: &[usize]) -> u32 {
        let offset = piece.get().as_ptr().addr().saturating_sub(self.source.as_ptr().addr());
        u32::try_from(starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

impl Cell {
    fn append(&mut self, text: &str, line: u32) {
        for part in text.split_inclusive('\n') {
            if self.text.is_empty() || self.text.ends_with('\n') {
                self.lines.push(line);
            }
            self.text.push_str(part);
        }
    }
}

/// Decodes a JSON string. Unpaired surrogates, which Rust strings cannot hold, are replaced.
fn decode(piece: &str) -> Option<String> {
    if let Ok(text) = serde_json::from_str(piece) {
        return Some(text);
    }
    let mut whole = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        let escape = rest[at..].chars().take(2).map(char::len_utf8).sum::<usize>();
        let unit = unit(&rest[at..]);
        let (length, kept) = match unit {
            Some(0xD800..=0xDBFF) if matches!(unit_after(&rest[at..]), Some(0xDC00..=0xDFFF)) => (12, true),
            Some(0xD800..=0xDFFF) => (6, false),
            _ => (escape, true),
        };
        whole.push_str(if kept { &rest[at..at + length] } else { "\u{fffd}" });
        rest = &rest[at + length..];
    }
    whole.push_str(rest);
    serde_json::from_str(&whole).ok()
}

/// Returns the code unit of an escape at the start of a text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

fn unit_after(text: &str) -> Option<u16> {
    unit(text.get(6..)?)
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}
