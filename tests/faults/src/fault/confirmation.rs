//! Confirmation that a fault had an effect: a row without an effect shows nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use messaging::Cause;
use tokio::time::{Instant, sleep};

use super::{Fault, Injected, POLL_INTERVAL, strace};
use crate::cluster::{Cluster, jobs_of};

/// The failpoint that sets a process's clock; it counts its reads.
pub(super) const CLOCK: &str = "clock";
const IN_RUN: &str = "sandbox.started";
/// Maximum time until a job runs.
const JOB_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time until a failpoint is triggered.
const HIT_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum time until a step has used up its attempts.
const POISON_TIMEOUT: Duration = Duration::from_secs(90);

/// Observations while a fault is injected.
pub(super) struct Confirmation<'a> {
    fault: Fault,
    cluster: &'a Cluster,
    began: Instant,
    /// Failpoints by kind of process, and their hits before the fault; none for a fault without failpoints.
    places: Vec<(&'static str, &'static str)>,
    hits: u64,
    letters: Option<u64>,
    has_more_letters: bool,
    traced: BTreeSet<String>,
    untraced: BTreeSet<String>,
    bypassing_connections: Vec<String>,
}

impl<'a> Confirmation<'a> {
    /// Call this before the fault begins.
    pub(super) async fn begin(fault: Fault, cluster: &'a Cluster) -> Self {
        let mut confirmation = Self {
            fault,
            cluster,
            began: Instant::now(),
            places: places(fault),
            hits: 0,
            letters: None,
            has_more_letters: false,
            traced: BTreeSet::new(),
            untraced: BTreeSet::new(),
            bypassing_connections: Vec::new(),
        };
        confirmation.hits = confirmation.count();
        confirmation.letters = confirmation.exhausted().await;
        confirmation.observe();
        confirmation
    }

    /// Returns the number of triggered failpoints.
    fn count(&self) -> u64 {
        self.places.iter().map(|(kind, place)| self.cluster.hits(kind, place)).sum()
    }

    /// Returns the number of dead letters of exhausted steps; `None` if it cannot be read.
    async fn exhausted(&self) -> Option<u64> {
        if !matches!(self.fault, Fault::Poison(_)) {
            return None;
        }
        self.cluster.dead_letters().counts().await.ok().and_then(|counts| counts.get(&Cause::Exhausted).copied())
    }

    /// Returns whether the fault must be kept up because its effect was not observed yet.
    pub(super) async fn is_pending(&mut self) -> bool {
        let letters = self.exhausted().await;
        self.has_more_letters |= letters.is_some_and(|now| now > self.letters.unwrap_or(0));
        let is_obeyed = self.places.is_empty() || self.count() > self.hits;
        if matches!(self.fault, Fault::Poison(_)) {
            return !(self.has_more_letters && is_obeyed) && self.began.elapsed() < POISON_TIMEOUT;
        }
        !is_obeyed && self.began.elapsed() < HIT_TIMEOUT
    }

    /// Observes its effect.
    pub(super) fn observe(&mut self) {
        if self.fault.is_of_network() {
            self.bypassing_connections.extend(self.cluster.bypassing_connections());
        }
        if matches!(self.fault, Fault::SlowSync(_) | Fault::FailingSync(_)) {
            let tracers = strace::tracers();
            for process in strace::wrapped(self.cluster) {
                let is_traced = process.pid().is_some_and(|pid| tracers.contains(&pid.as_raw_nonzero().get()));
                let seen = if is_traced { &mut self.traced } else { &mut self.untraced };
                seen.insert(process.name().to_owned());
            }
        }
    }

    /// Returns the reason why it had no effect.
    pub(super) fn failure(&self) -> Option<String> {
        if !self.places.is_empty() && self.count() == self.hits {
            return Some("the failpoint was not triggered".to_owned());
        }
        if matches!(self.fault, Fault::Poison(_)) && !self.has_more_letters {
            return Some("no step ran out of attempts".to_owned());
        }
        if let Some(connection) = self.bypassing_connections.first() {
            return Some(format!("brokers bypass the proxies: {connection}"));
        }
        self.untraced.difference(&self.traced).next().map(|name| format!("{name} was not traced"))
    }
}

fn places(fault: Fault) -> Vec<(&'static str, &'static str)> {
    if let Fault::At { kind, place, .. } = fault {
        return vec![(kind, place)];
    }
    if let Fault::Refill { place, .. } = fault {
        return vec![("api", place)];
    }
    if let Fault::Poison(also) = fault {
        return vec![("worker", also.unwrap_or("sandbox.before"))];
    }
    if let Fault::Clock(names, _) = fault {
        return names.iter().map(|name| (*name, CLOCK)).collect();
    }
    if matches!(fault, Fault::InRun { .. }) { vec![("worker", IN_RUN)] } else { Vec::new() }
}

/// Arms the failpoint of the first worker that runs a job of the load.
pub(super) async fn arm_in_run(cluster: &Cluster, order: &str) -> Result<(), Injected> {
    let give_up = Instant::now() + JOB_TIMEOUT;
    while Instant::now() < give_up {
        let is_running = |pid| jobs_of(&[pid]).iter().any(|job| job.contains("main.py"));
        if let Some(worker) = cluster.all("worker").find(|worker| worker.pid().is_some_and(is_running)) {
            cluster.arm(worker.name(), IN_RUN, order);
            return Ok(());
        }
        sleep(POLL_INTERVAL / 10).await;
    }
    Err(Injected::NotInjected("no job ran".to_owned()))
}
