//! Suppression comments, by which developers accept findings.
//!
//! A comment covers its line and its statement. If the tool defines so, a comment on a line of its own covers the
//! statement below. Text inside of strings never counts as a comment (`layout`).

mod codes;
mod directive;

use std::collections::{BTreeSet, HashMap};

use crate::layout::Layout;
use analysis_report::{Finding, FindingKind};
use directive::{Covers, Directive};

/// Returns true for rules that comments cannot accept: they report what was not analysed, or concern more than a line.
fn is_fixed(rule: &str) -> bool {
    rule.starts_with("SOURCE-") || rule.ends_with("-SYNTAX") || rule == "PY-DEPENDENCY-ABANDONED"
}

/// Findings that the comments of a text accept.
#[derive(Debug, Default)]
pub(crate) struct AcceptedFindings {
    lines: HashMap<u32, Coverage>,
    statements: HashMap<usize, Coverage>,
    unknown_rules: Vec<u32>,
}

#[derive(Debug, Default)]
struct Coverage {
    everything: bool,
    security: bool,
    rules: BTreeSet<&'static str>,
}

impl Coverage {
    fn add(&mut self, covers: &Covers) {
        match covers {
            Covers::Everything => self.everything = true,
            Covers::Security => self.security = true,
            Covers::Rules(rules) => self.rules.extend(rules),
        }
    }

    fn covers(&self, finding: &Finding) -> bool {
        self.everything
            || self.security && finding.kind == FindingKind::Security
            || self.rules.contains(finding.rule.as_str())
    }
}

impl AcceptedFindings {
    /// Reads the suppression comments of a text.
    pub(crate) fn read(layout: &Layout, language: &str) -> Self {
        let mut accepted = Self::default();
        let mut below: HashMap<u32, u32> = HashMap::new();
        for comment in layout.comments().iter().rev() {
            let next = comment.last.saturating_add(1);
            let target = below.get(&next).copied().unwrap_or(next);
            if comment.is_alone {
                below.insert(comment.first, target);
            }
            for (line, directive) in directive::parse(&comment.text, language) {
                let line = comment.first.saturating_add(line);
                if directive.has_unknown_rule {
                    accepted.unknown_rules.push(line);
                }
                if !comment.is_between_statements {
                    accepted.cover(layout, comment.first, comment.last, &directive.covers);
                } else if directive.reaches_below {
                    accepted.cover_below(layout, target, &directive);
                }
            }
        }
        accepted
    }

    fn cover(&mut self, layout: &Layout, first: u32, last: u32, covers: &Covers) {
        for line in [first, last] {
            self.lines.entry(line).or_default().add(covers);
        }
        for statement in layout.ending_at(last) {
            self.statements.entry(statement).or_default().add(covers);
        }
    }

    fn cover_below(&mut self, layout: &Layout, line: u32, directive: &Directive) {
        self.lines.entry(line).or_default().add(&directive.covers);
        for statement in layout.beginning_at(line) {
            self.statements.entry(statement).or_default().add(&directive.covers);
        }
    }

    /// Returns the lines of comments that name an unknown rule.
    pub(crate) fn unknown_rules(&self) -> &[u32] {
        &self.unknown_rules
    }

    /// Returns true if a comment accepts the finding.
    pub(crate) fn covers(&self, layout: &Layout, finding: &Finding) -> bool {
        if is_fixed(&finding.rule) || self.lines.is_empty() {
            return false;
        }
        let has_statement = layout.owner(finding.line_start).is_some();
        let last = if has_statement { finding.line_start } else { finding.line_end };
        let on_line = (finding.line_start..=last).filter_map(|line| self.lines.get(&line));
        let in_statement =
            layout.beginning_at(finding.line_start).filter_map(|statement| self.statements.get(&statement));
        on_line.chain(in_statement).any(|coverage| coverage.covers(finding))
    }
}

#[cfg(test)]
mod tests;
