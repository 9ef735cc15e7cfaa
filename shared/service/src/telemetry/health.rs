//! Liveness and readiness of a process: its main tasks run, and everything that it needs to do its work is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::Gauge;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Maximum time between two beats of a task; more than any timeout of a loop that beats.
const MAX_SILENCE: Duration = Duration::from_secs(15);
/// Interval of beats of a task that waits for something else.
pub const BEAT_INTERVAL: Duration = Duration::from_secs(1);
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the process's tasks and requirements. Clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<Mutex<State>>,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    tasks: BTreeMap<String, Task>,
    /// By name, the reason why it is missing.
    requirements: BTreeMap<String, Option<String>>,
}

#[derive(Debug)]
struct Task {
    /// `None` for a task that does not beat: only its end is noticed.
    beaten_at: Option<Instant>,
    has_ended: bool,
}

/// A running main task. Dropped before a stop, the process is not alive.
#[derive(Debug)]
pub struct RunningTask {
    health: Health,
    name: String,
}

/// Something without which the process is not ready. Missing until the first report.
#[derive(Debug, Clone)]
pub struct ReadinessRequirement {
    health: Health,
    name: String,
}

impl Health {
    /// Creates the state of a process that drains once `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { state: Arc::default(), stopping }
    }

    /// Registers a main task that runs from now on.
    pub fn task(&self, name: impl Into<String>) -> RunningTask {
        let name = name.into();
        self.lock().tasks.insert(name.clone(), Task { beaten_at: None, has_ended: false });
        RunningTask { health: self.clone(), name }
    }

    /// Registers a requirement.
    pub fn requirement(&self, name: impl Into<String>) -> ReadinessRequirement {
        let name = name.into();
        self.lock().requirements.insert(name.clone(), Some("not there yet".to_owned()));
        ReadinessRequirement { health: self.clone(), name }
    }

    /// Returns the main tasks that ended or hang; none while the process drains.
    pub fn dead_tasks(&self) -> Vec<String> {
        if self.stopping.is_cancelled() {
            return Vec::new();
        }
        let state = self.lock();
        let dead = state.tasks.iter().filter_map(|(name, task)| {
            if task.has_ended {
                return Some(format!("{name}: ended"));
            }
            let silence = task.beaten_at.map(|at| at.elapsed()).filter(|silence| *silence > MAX_SILENCE)?;
            Some(format!("{name}: no beat for {} s", silence.as_secs()))
        });
        dead.collect::<Vec<String>>()
    }

    /// Returns everything that is missing to be ready.
    pub fn missing(&self) -> Vec<String> {
        let draining = self.stopping.is_cancelled().then(|| "draining".to_owned());
        let state = self.lock();
        let absent = state.requirements.iter();
        let absent = absent.filter_map(|(name, missing)| missing.as_ref().map(|reason| format!("{name}: {reason}")));
        draining.into_iter().chain(absent).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningTask {
    /// Reports progress. After the first beat, a silence of [`MAX_SILENCE`] means that the task hangs.
    pub fn beat(&self) {
        if let Some(task) = self.health.lock().tasks.get_mut(&self.name) {
            task.beaten_at = Some(Instant::now());
        }
    }

    /// Awaits `work`, beating meanwhile: for waits without a bound. Cancel safe if `work` is.
    pub async fn beat_during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            self.beat();
            if let Ok(done) = tokio::time::timeout(BEAT_INTERVAL, &mut work).await {
                return done;
            }
        }
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        if let Some(task) = self.health.lock().tasks.get_mut(&self.name) {
            task.has_ended = true;
        }
    }
}

impl ReadinessRequirement {
    /// Reports that it is there, or the reason why it is missing.
    pub fn report(&self, missing: Option<String>) {
        self.health.lock().requirements.insert(self.name.clone(), missing);
    }
}

/// Checks a server once a second until the process stops, and reports it to the gauge and the requirement, if it is one.
///
/// It beats on the runtime of the caller, so a blocked runtime is noticed too.
pub async fn watch_server<F: Future<Output = bool>>(
    task: RunningTask,
    gauge: Gauge,
    requirement: Option<ReadinessRequirement>,
    answers: impl Fn() -> F,
    stopping: CancellationToken,
) {
    while !stopping.is_cancelled() {
        task.beat();
        let is_up = tokio::time::timeout(CHECK_TIMEOUT, answers()).await.unwrap_or(false);
        gauge.set(f64::from(u8::from(is_up)));
        if let Some(requirement) = &requirement {
            requirement.report((!is_up).then(|| "no answer".to_owned()));
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(BEAT_INTERVAL) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_ended_or_silent_task_is_dead_and_a_waiting_one_is_not() {
        let health = Health::new(CancellationToken::new());
        let (ending, silent, waiting) = (health.task("ending"), health.task("silent"), health.task("waiting"));
        silent.beat();
        drop(ending);
        assert_eq!(health.dead_tasks(), ["ending: ended"]);
        waiting.beat_during(tokio::time::sleep(MAX_SILENCE * 2)).await;
        assert_eq!(health.dead_tasks(), ["ending: ended", "silent: no beat for 30 s"]);
        silent.beat();
        assert_eq!(health.dead_tasks().len(), 1);
        health.stopping.cancel();
        assert!(health.dead_tasks().is_empty(), "a draining process is alive");
    }

    #[tokio::test]
    async fn readiness_names_everything_that_is_missing() {
        let health = Health::new(CancellationToken::new());
        let (broker, queue) = (health.requirement("broker"), health.requirement("queue"));
        queue.report(None);
        assert_eq!(health.missing(), ["broker: not there yet"]);
        broker.report(None);
        assert!(health.missing().is_empty());
        queue.report(Some("pull failed".to_owned()));
        health.stopping.cancel();
        assert_eq!(health.missing(), ["draining", "queue: pull failed"]);
    }
}
