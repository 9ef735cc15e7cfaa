//! Counters of a run.

use serde::{Deserialize, Serialize};

use crate::rounds::RoundVerdict;
use crate::rounds::figures::RoundFigures;
use crate::rounds::report;

/// The sums in the last lines of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    pub played: usize,
    /// Injected faults.
    pub made: usize,
    pub skipped: usize,
    /// Names of rounds in which an invariant did not hold.
    pub broken: Vec<String>,
    /// Reasons why not every round was played.
    pub failed: Vec<String>,
    pub rounds: Vec<RoundFigures>,
}

impl Counters {
    /// Counts a round and prints it.
    pub fn book(&mut self, verdict: &RoundVerdict) {
        println!("{}", report::row(verdict));
        print!("{}", verdict.description);
        self.rounds.push(RoundFigures::of(verdict));
        self.made += verdict.made;
        self.played += usize::from(verdict.unsupported.is_none());
        self.skipped += usize::from(verdict.unsupported.is_some());
        if !verdict.is_good() {
            self.broken.push(verdict.name.clone());
        }
    }

    /// Returns counters of a run that failed before its first round.
    pub fn failure(reason: impl Into<String>) -> Self {
        Self { failed: vec![reason.into()], ..Self::default() }
    }

    /// Returns whether every round was played and every invariant held.
    pub fn is_good(&self) -> bool {
        self.broken.is_empty() && self.failed.is_empty()
    }

    /// Adds the counters of another run.
    pub fn add(&mut self, other: Self) {
        self.played += other.played;
        self.made += other.made;
        self.skipped += other.skipped;
        self.broken.extend(other.broken);
        self.failed.extend(other.failed);
        self.rounds.extend(other.rounds);
    }
}
