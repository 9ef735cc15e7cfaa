//! The table of faults and invariants.

use std::fmt::Write;

use crate::checker::Invariant;
use crate::rounds::RoundVerdict;
use crate::rounds::counters::Counters;

/// Returns the head of the table.
pub fn head() -> String {
    let mut line = format!("{:<44}", "fault");
    for invariant in Invariant::ALL {
        // Writing into a string never fails.
        write!(line, " {:>10}", invariant.name()).ok();
    }
    line + "  workflows  recovery  took"
}

/// Returns one row of the table.
pub fn row(verdict: &RoundVerdict) -> String {
    let mut line = format!("{:<44}", verdict.name);
    if let Some(reason) = &verdict.unsupported {
        line += &format!(" SKIPPED: {reason}");
        return line;
    }
    for invariant in Invariant::ALL {
        let count = verdict.violations.iter().filter(|violation| violation.invariant == invariant).count();
        let mark = match (&verdict.unreadable, count) {
            (Some(_), _) => "UNKNOWN".to_owned(),
            (None, 0) => "held".to_owned(),
            (None, count) => format!("BROKEN {count}"),
        };
        write!(line, " {mark:>10}").ok();
    }
    let recovery = verdict.recovery.map_or("none".to_owned(), |recovery| format!("{:.1} s", recovery.as_secs_f64()));
    write!(line, "  {:>9}  {recovery:>8}  {:>2.0} s", verdict.workflows, verdict.took.as_secs_f64()).ok();
    if let Some(reason) = &verdict.not_injected {
        write!(line, "  NOT INJECTED: {reason}").ok();
    }
    if let Some(reason) = &verdict.unreadable {
        write!(line, "  the log cannot be read: {reason}").ok();
    }
    line
}

/// Returns the last lines.
pub fn end(counters: &Counters, minutes: f64) -> String {
    let Counters { played, made, skipped, broken, failed, rounds: _ } = counters;
    let count = broken.len();
    let mut text =
        format!("{played} played in {minutes:.1} min, {made} faults injected, {skipped} skipped, {count} broken");
    for name in broken {
        write!(text, "\nBROKEN: {name}").ok();
    }
    for reason in failed {
        write!(text, "\nNOT PLAYED TO ITS END: {reason}").ok();
    }
    text
}

impl RoundVerdict {
    /// Returns whether every invariant held and the round showed something. A fault that this machine does not support
    /// is no failure.
    pub fn is_good(&self) -> bool {
        let is_shown = self.made > 0 || self.unsupported.is_some();
        is_shown && self.violations.is_empty() && self.not_injected.is_none() && self.unreadable.is_none()
    }
}
