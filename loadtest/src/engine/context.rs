//! State shared by all requests of a run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::{Api, Session};
use crate::measure::ledger::Ledger;
use crate::measure::recorder::Recorder;
use crate::scenario::{Scenario, Series};

/// Interval of the checks whether a token must be renewed.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(10);

/// State shared by all requests of a run.
pub(crate) struct Context {
    pub(crate) api: Api,
    pub(crate) scenario: Scenario,
    pub(crate) recorder: Recorder,
    pub(crate) ledger: Ledger,
    /// Users who submit.
    pub(crate) sessions: Vec<Session>,
    /// The user who decides; `None` if submitters approve their own work.
    pub(crate) approver: Option<Session>,
    /// Distinguishes the texts and keys of this run from those of others.
    pub(crate) run: String,
    /// One permit for each arrival whose first request may be in flight.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
    /// Ends all tasks after the drain.
    pub(crate) stop: CancellationToken,
}

/// One planned request of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) operation: Series,
    pub(crate) planned: Instant,
    /// Number of the arrival within its operation, from 0.
    pub(crate) number: u64,
}

impl Context {
    /// Returns the index of the user of an arrival.
    pub(crate) fn user_of(&self, arrival: Arrival) -> usize {
        usize::try_from(arrival.number % self.sessions.len().max(1) as u64).unwrap_or(0)
    }

    /// Returns the access token of a user.
    pub(crate) fn token_of(&self, user: usize) -> String {
        self.sessions[user].token()
    }

    /// Runs a task until it ends or the drain is over.
    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            // None: stopped; its workflow then counts as lost.
            stop.run_until_cancelled(task).await;
        })
    }

    /// Renews tokens before they expire. Never returns.
    pub(crate) async fn renew_tokens<T>(&self) -> T {
        loop {
            sleep(RENEWAL_INTERVAL).await;
            for session in self.sessions.iter().chain(&self.approver) {
                session.renew(&self.api, &self.recorder).await;
            }
        }
    }
}
