//! Collects findings, maps offsets to lines and drops duplicates.

use std::cmp::Reverse;
use std::collections::HashMap;

use ruff_text_size::TextRange;

use crate::fingerprint;
use crate::layout::Layout;
use crate::lines::LineIndex;
use crate::rules::{self, Rule};
use analysis_report::AnalysisType;
use analysis_report::{Finding, FindingKind, Severity};

/// Maximum findings in a report; the most severe are kept.
const MAX_FINDINGS: usize = 2_000;

/// The findings of one analysis, at most one per rule and line.
pub(crate) struct Findings<'a> {
    source: &'a str,
    lines: LineIndex,
    found: HashMap<(&'static str, u32), Hit>,
    layout: Option<Layout>,
}

struct Hit {
    rule: &'static Rule,
    severity: Severity,
    line_end: u32,
    confidence: f32,
    note: Option<String>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, lines: LineIndex::of(source), found: HashMap::new(), layout: None }
    }

    /// The submitted text.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Maps byte offsets by the lines of `text`, which has as many lines as the source.
    pub(crate) fn count_lines_in(&mut self, text: &str) {
        self.lines = LineIndex::of(text);
    }

    /// Stores the layout of the source.
    pub(crate) fn set_layout(&mut self, layout: Layout) {
        self.layout = Some(layout);
    }

    /// Returns the layout, if the analysis stored one.
    pub(crate) fn take_layout(&mut self) -> Option<Layout> {
        self.layout.take()
    }

    pub(crate) fn report(&mut self, rule: &'static Rule, range: TextRange) {
        self.report_as(rule, range, rule.severity, rule.confidence);
    }

    pub(crate) fn report_as(&mut self, rule: &'static Rule, range: TextRange, severity: Severity, confidence: f32) {
        let first = self.line_of(range.start().to_u32());
        let last = self.line_of(range.end().to_u32().saturating_sub(1)).max(first);
        self.insert(rule, first, last, severity, confidence, None);
    }

    pub(crate) fn report_line(&mut self, rule: &'static Rule, first: u32, last: u32) {
        self.insert(rule, first, last, rule.severity, rule.confidence, None);
    }

    /// Reports one line and appends a fixed sentence to the rule's description.
    pub(crate) fn report_line_with_note(&mut self, rule: &'static Rule, line: u32, note: String) {
        self.insert(rule, line, line, rule.severity, rule.confidence, Some(note));
    }

    /// Reports a range and appends a fixed sentence to the rule's description.
    pub(crate) fn report_with_note(&mut self, rule: &'static Rule, range: TextRange, note: String) {
        let first = self.line_of(range.start().to_u32());
        let last = self.line_of(range.end().to_u32().saturating_sub(1)).max(first);
        self.insert(rule, first, last, rule.severity, rule.confidence, Some(note));
    }

    fn insert(
        &mut self,
        rule: &'static Rule,
        first: u32,
        last: u32,
        severity: Severity,
        confidence: f32,
        note: Option<String>,
    ) {
        let hit = Hit { rule, severity, line_end: last, confidence, note };
        self.found
            .entry((rule.id, first))
            .and_modify(|known| {
                if known.severity < severity {
                    known.severity = severity;
                    known.confidence = confidence;
                }
            })
            .or_insert(hit);
    }

    /// Returns the line of a byte offset, counted from 1.
    pub(crate) fn line_of(&self, offset: u32) -> u32 {
        self.lines.line_of(offset)
    }

    /// Returns the number of lines that a range covers.
    pub(crate) fn lines_in(&self, range: TextRange) -> u32 {
        self.line_of(range.end().to_u32()) - self.line_of(range.start().to_u32()) + 1
    }

    pub(crate) fn into_sorted(self, kind: AnalysisType) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .found
            .into_iter()
            .filter(|(_, hit)| is_requested(kind, hit.rule))
            .map(|((_, line), hit)| hit.into_finding(line))
            .collect();
        findings.sort_by_key(importance);
        findings.truncate(MAX_FINDINGS);
        findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then(a.line_start.cmp(&b.line_start)).then_with(|| a.rule.cmp(&b.rule))
        });
        findings
    }
}

/// Bounds the findings of several reports like those of one. Those that decide the risk are kept, and one says that
/// others are missing.
pub fn limit_findings(findings: &mut Vec<Finding>) {
    if findings.len() <= MAX_FINDINGS {
        return;
    }
    findings.sort_by_key(importance);
    findings.truncate(MAX_FINDINGS - 1);
    let mut missing = Findings::new("");
    let note = format!("The files have more than {MAX_FINDINGS} findings; the gravest are listed.");
    missing.report_line_with_note(&rules::NOT_ANALYSED, 1, note);
    let mut missing = missing.into_sorted(AnalysisType::General);
    fingerprint::assign(&mut missing, "", "text", None);
    findings.append(&mut missing);
}

/// Orders findings so that truncation keeps those that decide the risk of the code.
fn importance(finding: &Finding) -> (bool, bool, Reverse<Severity>, u32) {
    let is_security = finding.kind == FindingKind::Security;
    (!is_about_analysis(&finding.rule), !is_security, Reverse(finding.severity), finding.line_start)
}

impl Hit {
    fn into_finding(self, line_start: u32) -> Finding {
        let mut description = self.rule.description.to_owned();
        if let Some(note) = self.note {
            description.push(' ');
            description.push_str(&note);
        }
        Finding {
            rule: self.rule.id.to_owned(),
            kind: self.rule.kind,
            severity: self.severity,
            file: None,
            line_start,
            line_end: self.line_end,
            title: self.rule.title.to_owned(),
            description,
            recommendation: self.rule.recommendation.to_owned(),
            example_fix: self.rule.example_fix.map(str::to_owned),
            references: self.rule.references.iter().map(|&reference| reference.to_owned()).collect(),
            confidence: self.confidence,
            fingerprint: String::new(),
        }
    }
}

/// Returns true for rules which report that part of the code was not analysed.
fn is_about_analysis(rule: &str) -> bool {
    rule.starts_with("SOURCE-")
}

fn is_requested(kind: AnalysisType, rule: &Rule) -> bool {
    if rule.id.ends_with("-SYNTAX") || is_about_analysis(rule.id) {
        return true;
    }
    match rule.kind {
        FindingKind::Security => true,
        FindingKind::Performance => matches!(kind, AnalysisType::Performance | AnalysisType::General),
        FindingKind::Style | FindingKind::Architecture => {
            matches!(kind, AnalysisType::Architecture | AnalysisType::General)
        }
    }
}
