//! Accepted workflows and their ends: every 202 must reach exactly one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The book of accepted workflows.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<String, AcceptedWorkflow>>);

/// A workflow that the service accepted.
#[derive(Debug, Clone, Default)]
pub struct AcceptedWorkflow {
    /// Index of the user who submitted it.
    pub user: usize,
    /// The first end that was observed.
    pub end: Option<End>,
    pub is_doubled: bool,
    pub is_mismatched: bool,
    pub is_reordered: bool,
    pub is_wrong: bool,
    pub was_repeated: bool,
    /// Its history was read after its end and has no second end.
    pub is_verified: bool,
}

/// A terminal state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `completed`, `failed` or `cancelled`.
    pub status: String,
    /// The error code of a failed workflow.
    pub code: Option<String>,
    /// Time of the last transition, as the service reports it.
    pub at: String,
    /// CPU time of the job in the sandbox.
    pub job_cpu_ms: u64,
}

/// Totals over all accepted workflows.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Balance {
    pub accepted: u64,
    pub ended: u64,
    /// Accepted workflows without an end.
    pub lost: u64,
    /// Workflows with more than one end, or with two different ends.
    pub doubled: u64,
    /// Keys whose repetition returned another workflow, and ids that were given to two submissions.
    pub mismatched: u64,
    /// Workflows whose step or event id went backwards.
    pub reordered: u64,
    /// Workflows with another end than expected, or with another output of their script.
    pub wrong: u64,
    /// Ended workflows whose history could not be read after the run.
    pub unverified: u64,
    /// CPU time of all jobs in the sandbox, as their workflows report it.
    pub job_cpu_ms: u64,
    /// Submissions sent twice with the same key.
    pub repeated: u64,
    /// Ends by status, and by error code for failed workflows, e.g. `failed: no_generator`.
    pub ends: BTreeMap<String, u64>,
}

impl Ledger {
    /// Records the workflow of a 202. A second 202 with the same id for another submission is a mismatch.
    pub fn accept(&self, id: &str, user: usize) {
        let mut workflows = self.lock();
        match workflows.get_mut(id) {
            Some(workflow) => workflow.is_mismatched = true,
            None => {
                workflows.insert(id.to_owned(), AcceptedWorkflow { user, ..AcceptedWorkflow::default() });
            }
        }
    }

    /// Records that the submission was repeated, and the id that the repetition returned.
    pub fn repeat(&self, id: &str, second: &str) {
        if let Some(workflow) = self.lock().get_mut(id) {
            workflow.was_repeated = true;
            workflow.is_mismatched |= id != second;
        }
    }

    /// Records an observed end. An end that differs from the first one is a second delivery.
    pub fn end(&self, id: &str, end: End) {
        if let Some(workflow) = self.lock().get_mut(id) {
            match &workflow.end {
                Some(first) => workflow.is_doubled |= *first != end,
                None => workflow.end = Some(end),
            }
        }
    }

    /// Records that the history of the workflow was read to its end.
    pub fn mark_verified(&self, id: &str) {
        if let Some(workflow) = self.lock().get_mut(id) {
            workflow.is_verified = true;
        }
    }

    pub fn mark_doubled(&self, id: &str) {
        if let Some(workflow) = self.lock().get_mut(id) {
            workflow.is_doubled = true;
        }
    }

    pub fn mark_reordered(&self, id: &str) {
        if let Some(workflow) = self.lock().get_mut(id) {
            workflow.is_reordered = true;
        }
    }

    /// Records that the workflow ended otherwise than expected.
    pub fn mark_wrong(&self, id: &str) {
        if let Some(workflow) = self.lock().get_mut(id) {
            workflow.is_wrong = true;
        }
    }

    /// Returns the number of accepted workflows without an end.
    pub fn open(&self) -> usize {
        self.lock().values().filter(|workflow| workflow.end.is_none()).count()
    }

    /// Returns id and user of every accepted workflow.
    pub fn workflows(&self) -> Vec<(String, usize)> {
        self.lock().iter().map(|(id, workflow)| (id.clone(), workflow.user)).collect()
    }

    pub fn balance(&self) -> Balance {
        let workflows = self.lock();
        let mut balance = Balance { accepted: workflows.len() as u64, ..Balance::default() };
        for workflow in workflows.values() {
            balance.doubled += u64::from(workflow.is_doubled);
            balance.mismatched += u64::from(workflow.is_mismatched);
            balance.reordered += u64::from(workflow.is_reordered);
            balance.wrong += u64::from(workflow.is_wrong);
            balance.repeated += u64::from(workflow.was_repeated);
            let Some(end) = &workflow.end else {
                balance.lost += 1;
                continue;
            };
            balance.ended += 1;
            balance.job_cpu_ms += end.job_cpu_ms;
            balance.unverified += u64::from(!workflow.is_verified);
            let name = match &end.code {
                Some(code) => format!("{}: {code}", end.status),
                None => end.status.clone(),
            };
            *balance.ends.entry(name).or_default() += 1;
        }
        balance
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, AcceptedWorkflow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(status: &str, at: &str) -> End {
        End { status: status.to_owned(), code: None, at: at.to_owned(), job_cpu_ms: 10 }
    }

    #[test]
    fn a_workflow_has_one_id_and_one_end() {
        let ledger = Ledger::default();
        for id in ["a", "b", "c", "d"] {
            ledger.accept(id, 0);
        }
        ledger.end("a", end("completed", "1"));
        ledger.mark_verified("a");
        ledger.end("a", end("completed", "1"));
        ledger.end("b", end("completed", "1"));
        ledger.end("b", end("completed", "2"));
        ledger.repeat("c", "x");
        ledger.accept("d", 1);
        ledger.mark_wrong("b");
        ledger.mark_wrong("b");
        let balance = ledger.balance();
        assert_eq!((balance.accepted, balance.ended, balance.lost, balance.job_cpu_ms), (4, 2, 2, 20));
        assert_eq!((balance.doubled, balance.mismatched, balance.repeated, balance.unverified), (1, 2, 1, 1));
        assert_eq!((balance.wrong, balance.reordered), (1, 0));
        assert_eq!(balance.ends, BTreeMap::from([("completed".to_owned(), 2)]));
    }
}
