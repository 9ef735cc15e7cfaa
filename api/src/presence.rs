//! Which workers live, by what they say of themselves every second.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use shared::messaging::WorkerReport;
use tokio::time::Instant;

use crate::state::State;

/// A worker that said nothing for this long counts as gone.
const SILENCE: Duration = Duration::from_secs(5);

/// The workers that were heard of lately.
#[derive(Debug, Default)]
pub(crate) struct Workforce {
    reports: Mutex<HashMap<String, (Instant, WorkerReport)>>,
}

impl Workforce {
    fn heard(&self, report: WorkerReport) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|_, (at, _)| at.elapsed() < SILENCE);
        reports.insert(report.instance.clone(), (Instant::now(), report));
    }

    /// What every living worker said last.
    pub(crate) fn present(&self) -> Vec<WorkerReport> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.values().filter(|(at, _)| at.elapsed() < SILENCE).map(|(_, report)| report.clone()).collect()
    }
}

/// The phases that nobody of `present` serves.
pub(crate) fn unserved(present: &[WorkerReport]) -> Vec<&'static str> {
    let served: BTreeSet<&str> = present.iter().flat_map(|report| report.phases.iter().map(String::as_str)).collect();
    ["plan", "generate", "analyze", "execute", "analyses"].into_iter().filter(|phase| !served.contains(phase)).collect()
}

/// Listens to workers until the life ends.
pub(crate) async fn run_presence(state: Arc<State>) {
    let stopping = state.life.stopping();
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = listen(&state) => {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn listen(state: &State) {
    match state.control.presence().await {
        Ok(mut reports) => {
            while let Some(report) = reports.next().await {
                state.workforce.heard(report);
            }
        }
        Err(reason) => tracing::warn!(%reason, "workers cannot be listened to"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(instance: &str, phases: &[&str]) -> WorkerReport {
        WorkerReport {
            instance: instance.to_owned(),
            phases: phases.iter().map(|phase| (*phase).to_owned()).collect(),
            runtimes: vec!["python".to_owned()],
            running: 0,
            sandbox_backend: "bubblewrap".to_owned(),
            sandbox_ok: true,
            sandbox_detail: String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_worker_is_gone() {
        let workforce = Workforce::default();
        workforce.heard(report("a", &["plan", "generate", "analyze"]));
        tokio::time::advance(Duration::from_secs(3)).await;
        workforce.heard(report("b", &["execute", "analyses"]));
        assert_eq!(unserved(&workforce.present()), [""; 0]);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(unserved(&workforce.present()), ["plan", "generate", "analyze"]);
    }
}
