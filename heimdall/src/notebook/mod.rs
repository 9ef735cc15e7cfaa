//! Analysis of notebooks. All code cells of a kernel are one text; findings have lines of the submitted document.
//!
//! A cell with a syntax error is analysed on its own, so that an open bracket does not swallow the next cell. Cells
//! with a magic for another language are analysed as that language, or skipped.

pub(crate) mod cells;
mod magics;

use std::cmp::Reverse;

use crate::analysis::{MAX_SOURCE_BYTES, examine, not_analysed, oversized, report};
use crate::fingerprint;
use crate::language::{UNKNOWN, canonical};
use crate::metadata::AnalysisMetadata;
use crate::request::AnalysisRequest;
use analysis_report::{AnalysisReport, Finding};
use cells::{Cell, Notebook};
use magics::CellContent;

/// Analyses a notebook.
pub(crate) fn analyze(request: &AnalysisRequest<'_>) -> AnalysisReport {
    if request.source.len() > MAX_SOURCE_BYTES {
        return oversized("python");
    }
    let Some(notebook) = Notebook::read(request.source) else { return not_analysed() };
    let kernel = notebook.language().map_or(Some("python"), |name| kernel_language(&name));
    let Some(language) = kernel.filter(|kernel| *kernel != UNKNOWN) else { return not_analysed() };
    let mut parts = vec![Part::new(language)];
    let mut skipped = false;
    for cell in notebook.code_cells() {
        skipped |= !add(&mut parts, cell);
    }
    let (mut findings, mut suppressed) = (Vec::new(), Vec::new());
    let mut outcome = AnalysisMetadata { parsed: true, confidence: 1.0, tools: vec!["heimdall-notebook"] };
    for (number, part) in parts.iter().enumerate() {
        let (found, accepted, of_part) = part.analyze(request, number == 0);
        findings.extend(found);
        suppressed.extend(accepted);
        outcome.parsed &= of_part.parsed;
        outcome.confidence = outcome.confidence.min(of_part.confidence);
        let new: Vec<_> = of_part.tools.into_iter().filter(|tool| !outcome.tools.contains(tool)).collect();
        outcome.tools.extend(new);
    }
    if skipped {
        outcome.confidence = outcome.confidence.min(MAX_CONFIDENCE_WITH_SKIPPED_CELLS);
    }
    outcome.tools.sort_unstable();
    fingerprint::distinguish(findings.iter_mut().chain(&mut suppressed));
    for list in [&mut findings, &mut suppressed] {
        list.sort_by(|a, b| {
            (Reverse(a.severity), a.line_start, &a.rule).cmp(&(Reverse(b.severity), b.line_start, &b.rule))
        });
    }
    report(language, findings, suppressed, outcome)
}

/// Returns the language of a kernel name. `ipython` is Python.
fn kernel_language(name: &str) -> Option<&'static str> {
    if name.trim().eq_ignore_ascii_case("ipython") { Some("python") } else { canonical(name) }
}

/// Adds a cell to the kernel's text or as a separate part. Returns false if the cell is skipped.
fn add(parts: &mut Vec<Part>, cell: Cell) -> bool {
    if parts[0].language != "python" {
        parts[0].add(&cell.text, &cell);
        return true;
    }
    match magics::read(&cell.text) {
        CellContent::Python { text, is_valid: true } => parts[0].add(&text, &cell),
        CellContent::Python { text, is_valid: false } => parts.push(Part::of("python", &text, &cell)),
        CellContent::Other { language, text } => parts.push(Part::of(language, &text, &cell)),
        CellContent::Skipped => return false,
    }
    true
}

/// Maximum confidence of a report with skipped cells.
const MAX_CONFIDENCE_WITH_SKIPPED_CELLS: f32 = 0.5;

/// A text that is analysed as a unit, with the origins of its lines.
struct Part {
    language: &'static str,
    text: String,
    origins: Vec<LineOrigin>,
}

#[derive(Clone, Copy)]
struct LineOrigin {
    /// Line in the submitted document.
    line: u32,
    cell: usize,
    line_of_cell: usize,
}

impl Part {
    fn new(language: &'static str) -> Self {
        Self { language, text: String::new(), origins: Vec::new() }
    }

    fn of(language: &'static str, text: &str, cell: &Cell) -> Self {
        let mut part = Self::new(language);
        part.add(text, cell);
        part
    }

    /// Appends a cell's text, which has as many lines as the cell.
    fn add(&mut self, text: &str, cell: &Cell) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
        let lines = cell.lines.iter().enumerate();
        self.origins.extend(lines.map(|(at, line)| LineOrigin {
            line: *line,
            cell: cell.number,
            line_of_cell: at + 1,
        }));
    }

    fn analyze(
        &self,
        request: &AnalysisRequest<'_>,
        is_kernel: bool,
    ) -> (Vec<Finding>, Vec<Finding>, AnalysisMetadata) {
        let request = AnalysisRequest {
            source: &self.text,
            file_path: None,
            language: Some(self.language),
            dependencies: if is_kernel { request.dependencies } else { &[] },
            ..*request
        };
        let (mut findings, mut suppressed, outcome) = examine(&request, self.language);
        findings.iter_mut().chain(&mut suppressed).for_each(|finding| self.place(finding));
        (findings, suppressed, outcome)
    }

    /// Maps a finding to the document's lines and appends the cell to its description.
    fn place(&self, finding: &mut Finding) {
        let origin = |line: u32| {
            let at =
                usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1).min(self.origins.len().saturating_sub(1));
            self.origins.get(at).copied()
        };
        let (Some(first), Some(last)) = (origin(finding.line_start), origin(finding.line_end)) else { return };
        finding.line_start = first.line;
        finding.line_end = last.line.max(first.line);
        finding.description.push_str(&format!(" In cell {}, line {}.", first.cell, first.line_of_cell));
    }
}
