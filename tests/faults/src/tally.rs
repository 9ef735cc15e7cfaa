//! What was played, counted.

use serde::{Deserialize, Serialize};

use crate::report;
use crate::round::Verdict;

/// For the last lines of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    pub played: usize,
    /// Faults that were made.
    pub made: usize,
    pub skipped: usize,
    /// Names of rounds in which something did not hold.
    pub broken: Vec<String>,
    /// Why not all of it was played.
    pub failed: Vec<String>,
}

impl Tally {
    /// Counts a round, and prints it.
    pub fn book(&mut self, verdict: &Verdict) {
        println!("{}", report::row(verdict));
        print!("{}", verdict.told);
        self.made += verdict.made;
        self.played += usize::from(verdict.impossible.is_none());
        self.skipped += usize::from(verdict.impossible.is_some());
        if !verdict.is_good() {
            self.broken.push(verdict.name.clone());
        }
    }

    /// Nothing was played, for this reason.
    pub fn failure(reason: impl Into<String>) -> Self {
        Self { failed: vec![reason.into()], ..Self::default() }
    }

    /// Whether all of it was played, and held.
    pub fn is_good(&self) -> bool {
        self.broken.is_empty() && self.failed.is_empty()
    }

    /// Counts what another counted.
    pub fn add(&mut self, other: Self) {
        self.played += other.played;
        self.made += other.made;
        self.skipped += other.skipped;
        self.broken.extend(other.broken);
        self.failed.extend(other.failed);
    }
}
