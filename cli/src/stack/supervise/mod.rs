//! Keeps one process running until told to stop.

pub(super) mod child;
mod log_rotation;
pub(super) mod probe;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::child::{ChildSpec, Running};
use self::log_rotation::rotate_forever;
use self::probe::{Confession, Probe};

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// A process that lived this long starts again without delay.
const STEADY: Duration = Duration::from_secs(30);
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// What happens to a process.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Started {
        name: String,
        pid: i32,
    },
    Ready {
        name: String,
        after: Duration,
    },
    /// It ended, or was ended for being sick, and starts again after `pause`.
    Lost {
        name: String,
        reason: String,
        pause: Duration,
    },
}

/// How a supervised process is told to end.
#[derive(Clone, Default)]
pub(super) struct Orders {
    /// Ask it to end, and wait.
    pub stop: CancellationToken,
    /// Do not wait any longer.
    pub kill: CancellationToken,
}

/// What supervision tells its owner.
#[derive(Clone)]
pub(super) struct Reports {
    pub events: mpsc::UnboundedSender<Event>,
    /// How often the process was lost, and whether it is ready now.
    pub state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub ready: bool,
    pub losses: u32,
}

impl Reports {
    fn tell(&self, event: Event) {
        // Nobody listens any more while the stack is drained.
        drop(self.events.send(event));
    }
}

/// Starts the process, starts it again whenever it is lost, and returns when it was told to end and has ended.
pub(super) async fn supervise(spec: ChildSpec, orders: Orders, reports: Reports) {
    tokio::select! {
        () = keep_running(&spec, orders, reports) => {}
        () = rotate_forever(&spec.log) => {}
    }
}

async fn keep_running(spec: &ChildSpec, orders: Orders, reports: Reports) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let began = Instant::now();
        let reason = match spec.start() {
            Err(error) => format!("cannot be started: {error}"),
            Ok(mut process) => {
                reports.tell(Event::Started { name: spec.name.clone(), pid: process.pid() });
                tokio::select! {
                    reason = life(spec, &mut process, &reports, began) => {
                        process.kill().await;
                        reason
                    }
                    () = orders.stop.cancelled() => return end(process, spec, &orders).await,
                    () = orders.kill.cancelled() => return process.kill().await,
                }
            }
        };
        if began.elapsed() > STEADY {
            backoff = FIRST_BACKOFF;
        }
        reports.state.send_modify(|state| *state = State { ready: false, losses: state.losses + 1 });
        reports.tell(Event::Lost { name: spec.name.clone(), reason, pause: backoff });
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = orders.stop.cancelled() => return,
            () = orders.kill.cancelled() => return,
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

async fn end(process: Running, spec: &ChildSpec, orders: &Orders) {
    let limit = async {
        tokio::select! {
            () = tokio::time::sleep(spec.drain) => {}
            () = orders.kill.cancelled() => {}
        }
    };
    process.end(limit).await;
}

/// Follows the process from its start to its end; returns why it is lost.
async fn life(spec: &ChildSpec, process: &mut Running, reports: &Reports, began: Instant) -> String {
    tokio::select! {
        reason = process.ended() => return reason,
        reason = resignation(spec) => return reason,
        () = ready(&spec.probe) => {}
    }
    reports.state.send_modify(|state| state.ready = true);
    reports.tell(Event::Ready { name: spec.name.clone(), after: began.elapsed() });
    tokio::select! {
        reason = process.ended() => reason,
        reason = resignation(spec) => reason,
        reason = sickness(spec) => reason,
    }
}

/// Resolves when the process has said for long enough that it has given up.
async fn resignation(spec: &ChildSpec) -> String {
    let Some(limit) = spec.restart_when_sick.filter(|_| !spec.given_up.is_empty()) else {
        return std::future::pending().await;
    };
    let mut trying = Instant::now();
    while trying.elapsed() < limit {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        if !join_all(spec.given_up.iter().map(Confession::is_made)).await.contains(&true) {
            trying = Instant::now();
        }
    }
    format!("gave up, and has not come back for {} s", limit.as_secs())
}

async fn ready(probe: &Probe) {
    while !probe.passes().await {
        tokio::time::sleep(PROBE_INTERVAL).await;
    }
}

/// Resolves when the probe has failed for as long as the process may be sick.
async fn sickness(spec: &ChildSpec) -> String {
    let Some(limit) = spec.restart_when_sick else { return std::future::pending().await };
    let mut well = Instant::now();
    while well.elapsed() < limit {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        if spec.probe.passes().await {
            well = Instant::now();
        }
    }
    format!("not healthy for {} s", limit.as_secs())
}
