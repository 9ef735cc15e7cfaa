//! Supervises one process: starts it, probes it, restarts it with backoff.

pub(super) mod child;
mod log_rotation;
pub(super) mod probe;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::child::{ChildProcess, ChildSpec};
use self::log_rotation::rotate_forever;
use self::probe::{FailureIndicator, Probe};

const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// Time of readiness after which a lost process starts again at once and its backoff is reset.
const STABLE_AFTER: Duration = Duration::from_secs(5);
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// A change of a process.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessEvent {
    Started {
        name: String,
        pid: i32,
    },
    Ready {
        name: String,
        after: Duration,
    },
    /// It ended or was killed as unhealthy, and restarts after `pause`.
    Lost {
        name: String,
        reason: String,
        pause: Duration,
    },
}

/// The tokens that stop a supervised process.
#[derive(Clone, Default)]
pub(super) struct StopSignals {
    /// Terminate and wait.
    pub stop: CancellationToken,
    /// Kill.
    pub kill: CancellationToken,
}

/// The channels from a supervisor to its owner.
#[derive(Clone)]
pub(super) struct Reporter {
    pub events: mpsc::UnboundedSender<ProcessEvent>,
    /// Readiness and number of losses.
    pub state: watch::Sender<ProcessState>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ProcessState {
    pub ready: bool,
    pub losses: u32,
}

impl Reporter {
    fn send(&self, event: ProcessEvent) {
        // The receiver is dropped while the stack drains.
        drop(self.events.send(event));
    }
}

/// Runs the process, restarts it when it is lost, and returns after a stop signal once it has ended.
pub(super) async fn supervise(spec: ChildSpec, stop_signals: StopSignals, reporter: Reporter) {
    tokio::select! {
        () = keep_running(&spec, stop_signals, reporter) => {}
        () = rotate_forever(&spec.log) => {}
    }
}

async fn keep_running(spec: &ChildSpec, stop_signals: StopSignals, reporter: Reporter) {
    let mut backoff = MIN_BACKOFF;
    loop {
        let (began, mut ready_at) = (Instant::now(), None);
        let reason = match spec.start() {
            Err(error) => format!("cannot start: {error}"),
            Ok(mut process) => {
                reporter.send(ProcessEvent::Started { name: spec.name.clone(), pid: process.pid() });
                tokio::select! {
                    reason = run_until_lost(spec, &mut process, &reporter, began, &mut ready_at) => {
                        process.kill().await;
                        reason
                    }
                    () = stop_signals.stop.cancelled() => return terminate(process, spec, &stop_signals).await,
                    () = stop_signals.kill.cancelled() => return process.kill().await,
                }
            }
        };
        let pause = next_pause(&mut backoff, ready_at.map(|at| at.elapsed()));
        reporter.state.send_modify(|state| *state = ProcessState { ready: false, losses: state.losses + 1 });
        reporter.send(ProcessEvent::Lost { name: spec.name.clone(), reason, pause });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop_signals.stop.cancelled() => return,
            () = stop_signals.kill.cancelled() => return,
        }
    }
}

/// Returns the pause before the next start: none after [`STABLE_AFTER`] of readiness, else the growing backoff.
fn next_pause(backoff: &mut Duration, ready_for: Option<Duration>) -> Duration {
    if ready_for.is_some_and(|time| time >= STABLE_AFTER) {
        *backoff = MIN_BACKOFF;
        return Duration::ZERO;
    }
    let pause = *backoff;
    *backoff = (pause * 2).min(MAX_BACKOFF);
    pause
}

async fn terminate(process: ChildProcess, spec: &ChildSpec, stop_signals: &StopSignals) {
    let limit = async {
        tokio::select! {
            () = tokio::time::sleep(spec.drain_timeout) => {}
            () = stop_signals.kill.cancelled() => {}
        }
    };
    process.terminate(limit).await;
}

/// Watches the process until it is lost; sets the time at which it was ready, and returns the reason.
async fn run_until_lost(
    spec: &ChildSpec,
    process: &mut ChildProcess,
    reporter: &Reporter,
    began: Instant,
    ready_at: &mut Option<Instant>,
) -> String {
    tokio::select! {
        reason = process.wait() => return reason,
        reason = wait_until_fatal(spec) => return reason,
        () = wait_until_ready(&spec.probe) => {}
    }
    *ready_at = Some(Instant::now());
    reporter.state.send_modify(|state| state.ready = true);
    reporter.send(ProcessEvent::Ready { name: spec.name.clone(), after: began.elapsed() });
    tokio::select! {
        reason = process.wait() => reason,
        reason = wait_until_fatal(spec) => reason,
        reason = wait_until_unhealthy(spec) => reason,
    }
}

/// Resolves when a fatal indicator has been present for the restart time; returns the reason.
async fn wait_until_fatal(spec: &ChildSpec) -> String {
    let Some(limit) = spec.restart_when_unhealthy.filter(|_| !spec.fatal_indicators.is_empty()) else {
        return std::future::pending().await;
    };
    let mut last_healthy = Instant::now();
    while last_healthy.elapsed() < limit {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        if !join_all(spec.fatal_indicators.iter().map(FailureIndicator::is_present)).await.contains(&true) {
            last_healthy = Instant::now();
        }
    }
    format!("fatal state for {} s", limit.as_secs())
}

async fn wait_until_ready(probe: &Probe) {
    while !probe.passes().await {
        tokio::time::sleep(PROBE_INTERVAL).await;
    }
}

/// Resolves when the probe has failed for the restart time; returns the reason.
async fn wait_until_unhealthy(spec: &ChildSpec) -> String {
    let Some(limit) = spec.restart_when_unhealthy else { return std::future::pending().await };
    let mut last_healthy = Instant::now();
    while last_healthy.elapsed() < limit {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        if spec.probe.passes().await {
            last_healthy = Instant::now();
        }
    }
    format!("not healthy for {} s", limit.as_secs())
}
