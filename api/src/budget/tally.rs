//! The cost of each user's workflows of the day, summed from the log.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use domain::Timestamp;
use domain::ids::{UserName, WorkflowId};
use domain::workflow::Workflow;
use futures_util::StreamExt;
use messaging::{ReadError, ReadFrom, WorkflowLog};
use tokio::time::Instant;

/// Maximum lag of the broker's clock behind this process's.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The cost of today's workflows. Each read continues after the last entry read before.
#[derive(Debug, Default)]
pub(crate) struct SpendingTally(tokio::sync::Mutex<DaySums>);

#[derive(Debug, Default)]
struct DaySums {
    day: String,
    /// The sequence after the last entry read; 0 before the first.
    next: u64,
    /// Start of the last completed read.
    read_at: Option<Instant>,
    workflows: HashMap<WorkflowId, f64>,
    users: HashMap<UserName, f64>,
}

impl SpendingTally {
    /// Returns the cost of the user's workflows of the day, read after the call began; concurrent callers share one
    /// read.
    ///
    /// Cancel safe: keeps the entries read so far.
    pub(crate) async fn of(&self, user: &UserName, log: &WorkflowLog, now: Timestamp) -> Result<f64, ReadError> {
        let asked = Instant::now();
        let mut sums = self.0.lock().await;
        if sums.day != now.day() {
            *sums = DaySums { day: now.day(), ..DaySums::default() };
        }
        if sums.read_at.is_none_or(|began| began < asked) {
            let began = Instant::now();
            sums.read_new_entries(log, now).await?;
            sums.read_at = Some(began);
        }
        Ok(sums.users.get(user).copied().unwrap_or(0.0))
    }
}

impl DaySums {
    async fn read_new_entries(&mut self, log: &WorkflowLog, now: Timestamp) -> Result<(), ReadError> {
        let start = if self.next == 0 {
            ReadFrom::Time(now.day_began().before(MAX_CLOCK_SKEW))
        } else {
            ReadFrom::Sequence(self.next)
        };
        let mut entries = pin!(log.read_from(start).await?);
        while let Some(entry) = entries.next().await {
            match entry {
                Ok(entry) => {
                    self.next = entry.sequence + 1;
                    self.add(&entry.workflow);
                }
                Err(ReadError::Decode(error)) => tracing::warn!(%error, "Skipped an unreadable log entry"),
                Err(error @ ReadError::Unavailable(_)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds the difference between this state's cost and that of the workflow's previous state.
    fn add(&mut self, workflow: &Workflow) {
        if workflow.created_at.day() != self.day {
            return;
        }
        let cost = workflow.metrics.total_cost;
        let before = self.workflows.insert(workflow.id, cost).unwrap_or(0.0);
        *self.users.entry(workflow.owner.clone()).or_insert(0.0) += cost - before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{submitted, tested};

    #[test]
    fn each_workflow_of_the_day_counts_once_with_what_it_cost_last() {
        let workflow = tested("ann");
        let mut sums = DaySums { day: workflow.created_at.day(), ..DaySums::default() };
        sums.add(&Workflow { metrics: submitted("ann").metrics, ..workflow.clone() });
        sums.add(&workflow);
        sums.add(&workflow);
        let mut yesterdays = Workflow { id: WorkflowId::fresh(), ..workflow.clone() };
        yesterdays.created_at = workflow.created_at.day_began().before(Duration::from_millis(1));
        sums.add(&yesterdays);
        assert!(workflow.metrics.total_cost > 0.0);
        assert_eq!(sums.users, HashMap::from([(workflow.owner.clone(), workflow.metrics.total_cost)]));
    }
}
