//! Fingerprints: digests that identify a finding across edits of other lines.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::layout::{Layout, ScopeDigest};
use analysis_report::Finding;

/// Length of a fingerprint, in bytes.
const FINGERPRINT_BYTES: usize = 8;

/// Maximum lines of a finding that are hashed. Findings may overlap, so this bounds the work.
const MAX_HASHED_LINES: u32 = 40;

/// Rules about the whole file, reported at its first line.
const WHOLE_FILE: &[&str] = &["PY-DEPENDENCY-ABANDONED", "PY-LARGE-MODULE"];

/// Sets each fingerprint from the rule, the finding's code without whitespace and comments, its scope, and its index
/// among equal findings.
pub(crate) fn assign(findings: &mut [Finding], source: &str, language: &str, layout: Option<&Layout>) {
    let without_comments = layout.filter(|_| language != "python").map(|layout| layout.without_comments(source));
    let code = match &without_comments {
        Some(code) => Code::of_lines(code),
        None => layout.map_or_else(|| Code::of_lines(source), |layout| Code::of_python(source, layout)),
    };
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&at| (findings[at].line_start, findings[at].line_end));
    let mut equals: HashMap<[u8; 32], u32> = HashMap::new();
    for at in order {
        let finding = &mut findings[at];
        let digest = code.digest(finding);
        let number = equals.entry(digest).or_default();
        finding.fingerprint = to_hex(digest, *number);
        *number += 1;
    }
}

/// Makes the fingerprints of findings from several parts of a text distinct.
pub(crate) fn distinguish<'f>(findings: impl Iterator<Item = &'f mut Finding>) {
    let mut equals: HashMap<String, u32> = HashMap::new();
    for finding in findings {
        let number = equals.entry(finding.fingerprint.clone()).or_default();
        if *number > 0 {
            finding.fingerprint = to_hex(Sha256::digest(&finding.fingerprint).into(), *number);
        }
        *number += 1;
    }
}

fn to_hex(digest: [u8; 32], number: u32) -> String {
    let numbered = Sha256::new().chain_update(digest).chain_update(number.to_be_bytes()).finalize();
    numbered.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of a text, counted as its analysis counts them.
struct Code<'s> {
    lines: Vec<&'s str>,
    layout: Option<&'s Layout>,
    /// Length of the comment at the end of a line, in bytes.
    comments: HashMap<u32, usize>,
}

impl<'s> Code<'s> {
    fn of_lines(source: &'s str) -> Self {
        Self { lines: source.lines().collect(), layout: None, comments: HashMap::new() }
    }

    /// Splits lines as Python does, where a lone carriage return also ends a line.
    fn of_python(source: &'s str, layout: &'s Layout) -> Self {
        let lines = source.trim_start_matches('\u{feff}').split_inclusive('\n').flat_map(python_lines).collect();
        let comments = layout.comments().iter().map(|comment| (comment.first, comment.text.len()));
        Self { lines, layout: Some(layout), comments: comments.collect() }
    }

    fn digest(&self, finding: &Finding) -> [u8; 32] {
        let is_whole_file = finding.rule.starts_with("SOURCE-") || WHOLE_FILE.contains(&finding.rule.as_str());
        let statement = self.layout.and_then(|layout| layout.statement(finding.line_start));
        let scope: ScopeDigest = statement.map(|statement| statement.scope).unwrap_or_default();
        let mut hasher = Sha256::new().chain_update(&finding.rule).chain_update([0]).chain_update(scope);
        if !is_whole_file {
            let last = statement.map_or(finding.line_end, |statement| statement.last.min(finding.line_end));
            let last = last.min(finding.line_start.saturating_add(MAX_HASHED_LINES - 1));
            for line in finding.line_start..=last {
                self.line(line).split_whitespace().for_each(|word| hasher.update(word));
            }
        }
        hasher.finalize().into()
    }

    fn line(&self, number: u32) -> &'s str {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let line = self.lines.get(at).copied().unwrap_or_default();
        let comment = self.comments.get(&number).copied().unwrap_or_default();
        line.get(..line.len().saturating_sub(comment)).unwrap_or(line)
    }
}

/// Splits a line that ends with a line feed at carriage returns, and removes the line ends.
fn python_lines(piece: &str) -> impl Iterator<Item = &str> {
    piece.trim_end_matches('\n').trim_end_matches('\r').split('\r')
}
