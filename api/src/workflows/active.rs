//! Every workflow that has not ended, by what it waits for: the source of the gauges of queues and open approvals.

use std::collections::{HashMap, HashSet};

use domain::Timestamp;
use domain::approval::RiskLevel;
use domain::ids::WorkflowId;
use domain::workflow::Workflow;
use service::telemetry::{LANES, bounded};

/// The state of a workflow that has not ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Waiting {
    /// For a worker, or for the approver to judge its gate.
    Step { phase: &'static str, lane: &'static str, since: Timestamp },
    /// For a decision.
    Decision { risk: RiskLevel, since: Timestamp, expires_at: Timestamp },
}

impl Waiting {
    /// Returns the wait of a workflow; `None` if it has ended.
    fn of(workflow: &Workflow) -> Option<Self> {
        if workflow.status().is_terminal() {
            return None;
        }
        Some(match workflow.park() {
            Some(park) => Self::Decision { risk: park.risk, since: park.requested_at, expires_at: park.expires_at },
            None => Self::Step {
                phase: workflow.phase.kind().as_str(),
                lane: bounded(workflow.phase.lane().as_str(), LANES),
                since: workflow.updated_at,
            },
        })
    }
}

/// The workflows that have not ended, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct ActiveWorkflows {
    /// By id, the newest known sequence; `None` for one that ended while the table is filled.
    known: HashMap<WorkflowId, (u64, Option<Waiting>)>,
    /// True while older states may still arrive.
    is_filling: bool,
}

impl ActiveWorkflows {
    /// Forgets everything, because transitions may have been missed.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }

    /// Records that older states may arrive from now on.
    pub(crate) fn begin_fill(&mut self) {
        self.is_filling = true;
    }

    /// Records a state, unless a newer one is known.
    pub(crate) fn observe(&mut self, sequence: u64, workflow: &Workflow) {
        if self.known.get(&workflow.id).is_some_and(|(newest, _)| *newest >= sequence) {
            return;
        }
        match Waiting::of(workflow) {
            None if !self.is_filling => {
                self.known.remove(&workflow.id);
            }
            waiting => {
                self.known.insert(workflow.id, (sequence, waiting));
            }
        }
    }

    /// Records that no older states arrive any more.
    pub(crate) fn finish(&mut self) {
        self.is_filling = false;
        self.known.retain(|_, (_, waiting)| waiting.is_some());
    }

    /// Returns every wait, without that of a step that runs.
    pub(crate) fn waiting<'a>(&'a self, running: &'a HashSet<WorkflowId>) -> impl Iterator<Item = Waiting> + 'a {
        self.known.iter().filter_map(|(id, (_, waiting))| {
            waiting.filter(|waiting| match waiting {
                Waiting::Step { .. } => !running.contains(id),
                Waiting::Decision { .. } => true,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::samples::{START, options, submitted};
    use domain::workflow::{Failure, Phase};

    use super::*;

    fn counts(active: &ActiveWorkflows, running: &[WorkflowId]) -> usize {
        active.waiting(&running.iter().copied().collect()).count()
    }

    #[test]
    fn an_ended_workflow_does_not_return_while_the_table_is_filled() {
        let started = submitted("ann", options());
        let phase = Phase::Failed { failure: Failure::new("timeout", "message", "hint") };
        let ended = Workflow { phase, ..started.clone() };
        let mut active = ActiveWorkflows::default();
        active.begin_fill();
        active.observe(2, &ended);
        active.observe(1, &started);
        active.finish();
        assert_eq!(counts(&active, &[]), 0);
        active.observe(3, &started);
        assert_eq!(counts(&active, &[]), 1);
        active.observe(4, &ended);
        assert_eq!(active.known.len(), 0, "an ended workflow takes no memory");
    }

    #[test]
    fn a_running_step_does_not_wait_and_unknown_lanes_are_one_series() {
        let (mut active, started) = (ActiveWorkflows::default(), submitted("ann", options()));
        active.observe(1, &started);
        assert_eq!(counts(&active, &[started.id]), 0);
        let odd = Workflow { phase: Phase::Execute { runtime: "made-up".to_owned() }, ..started };
        active.observe(2, &odd);
        let waits: Vec<Waiting> = active.waiting(&HashSet::new()).collect();
        assert_eq!(waits, [Waiting::Step { phase: "execute", lane: "other", since: START }]);
    }
}
