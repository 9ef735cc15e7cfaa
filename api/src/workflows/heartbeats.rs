//! Live workers and approvers, by their heartbeats.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use messaging::WorkerReport;
use tokio::time::Instant;

/// Time without heartbeat after which a process counts as down.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// The last report of each live process.
#[derive(Debug)]
pub(crate) struct LivenessTable<T> {
    reports: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T> Default for LivenessTable<T> {
    fn default() -> Self {
        Self { reports: Mutex::default() }
    }
}

impl<T: Clone> LivenessTable<T> {
    pub(crate) fn record_heartbeat(&self, instance: String, report: T) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|_, (at, _)| at.elapsed() < HEARTBEAT_TIMEOUT);
        reports.insert(instance, (Instant::now(), report));
    }

    /// Returns the last report of every live process.
    pub(crate) fn all(&self) -> Vec<T> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.values().filter(|(at, _)| at.elapsed() < HEARTBEAT_TIMEOUT).map(|(_, report)| report.clone()).collect()
    }
}

/// Returns the phases that no worker serves.
pub(crate) fn unserved(workers: &[WorkerReport]) -> Vec<&'static str> {
    let served: BTreeSet<&str> = workers.iter().flat_map(|report| report.phases.iter().map(String::as_str)).collect();
    ["plan", "generate", "analyze", "execute", "analyses"].into_iter().filter(|phase| !served.contains(phase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::worker_report as report;

    #[tokio::test(start_paused = true)]
    async fn a_worker_without_heartbeats_counts_as_down() {
        let workers = LivenessTable::default();
        workers.record_heartbeat("a".to_owned(), report("a", &["plan", "generate", "analyze"]));
        tokio::time::advance(Duration::from_secs(3)).await;
        workers.record_heartbeat("b".to_owned(), report("b", &["execute", "analyses"]));
        assert_eq!(unserved(&workers.all()), [""; 0]);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(unserved(&workers.all()), ["plan", "generate", "analyze"]);
    }
}
