//! Proof that a fault was made: a row in which nothing happened shows nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::messaging::Cause;
use tokio::time::{Instant, sleep};

use super::{Fault, GLANCE, Struck, tracer};
use crate::cluster::{Cluster, jobs_of};

/// The file that sets a process's clock, and under whose name it counts that it was read.
pub(super) const CLOCK: &str = "clock";
const IN_RUN: &str = "sandbox.started";
/// A job runs within so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Somebody comes to a place within so long, or the row is broken.
const VISIT: Duration = Duration::from_secs(60);
/// A step has run out of attempts within so long.
const POISON: Duration = Duration::from_secs(90);

/// What is known of a fault while it is made.
pub(super) struct Proof<'a> {
    fault: Fault,
    cluster: &'a Cluster,
    began: Instant,
    /// Who obeys orders at which place, and how often that was before; none where the fault orders nothing.
    places: Vec<(&'static str, &'static str)>,
    hits: u64,
    letters: Option<u64>,
    more_letters: bool,
    traced: BTreeSet<String>,
    untraced: BTreeSet<String>,
    strangers: Vec<String>,
}

impl<'a> Proof<'a> {
    /// To be called before the fault begins.
    pub(super) async fn begin(fault: Fault, cluster: &'a Cluster) -> Self {
        let mut proof = Self {
            fault,
            cluster,
            began: Instant::now(),
            places: places(fault),
            hits: 0,
            letters: None,
            more_letters: false,
            traced: BTreeSet::new(),
            untraced: BTreeSet::new(),
            strangers: Vec::new(),
        };
        proof.hits = proof.count();
        proof.letters = proof.exhausted().await;
        proof.look();
        proof
    }

    /// Orders that were obeyed.
    fn count(&self) -> u64 {
        self.places.iter().map(|(kind, place)| self.cluster.hits(kind, place)).sum()
    }

    /// Letters of steps that were given up; `None` where they cannot be counted now.
    async fn exhausted(&self) -> Option<u64> {
        if !matches!(self.fault, Fault::Poison(_)) {
            return None;
        }
        self.cluster.letters().counts().await.ok().and_then(|counts| counts.get(&Cause::Exhausted).copied())
    }

    /// Whether the fault has to be kept up because it has not done yet what it is there for.
    pub(super) async fn is_awaited(&mut self) -> bool {
        let letters = self.exhausted().await;
        self.more_letters |= letters.is_some_and(|now| now > self.letters.unwrap_or(0));
        let is_obeyed = self.places.is_empty() || self.count() > self.hits;
        if matches!(self.fault, Fault::Poison(_)) {
            return !(self.more_letters && is_obeyed) && self.began.elapsed() < POISON;
        }
        !is_obeyed && self.began.elapsed() < VISIT
    }

    /// Looks at what it does.
    pub(super) fn look(&mut self) {
        if self.fault.is_of_network() {
            self.strangers.extend(self.cluster.strangers());
        }
        if matches!(self.fault, Fault::SlowSync(_) | Fault::FailingSync(_)) {
            let tracers = tracer::tracers();
            for process in tracer::wrapped(self.cluster) {
                let is_traced = process.pid().is_some_and(|pid| tracers.contains(&pid.as_raw_nonzero().get()));
                let seen = if is_traced { &mut self.traced } else { &mut self.untraced };
                seen.insert(process.name().to_owned());
            }
        }
    }

    /// Why it was not made.
    pub(super) fn missed(&self) -> Option<String> {
        if !self.places.is_empty() && self.count() == self.hits {
            return Some("nobody came to the place meanwhile".to_owned());
        }
        if matches!(self.fault, Fault::Poison(_)) && !self.more_letters {
            return Some("no step ran out of attempts".to_owned());
        }
        if let Some(stranger) = self.strangers.first() {
            return Some(format!("brokers speak past the wires: {stranger}"));
        }
        self.untraced.difference(&self.traced).next().map(|name| format!("{name} was never traced"))
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

/// Gives the order to the first worker in which a job of ours is seen.
pub(super) async fn order_in_run(cluster: &Cluster, order: &str) -> Result<(), Struck> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        let is_running = |pid| jobs_of(&[pid]).iter().any(|job| job.contains("main.py"));
        if let Some(worker) = cluster.all("worker").find(|worker| worker.pid().is_some_and(is_running)) {
            cluster.order(worker.name(), IN_RUN, order);
            return Ok(());
        }
        sleep(GLANCE / 10).await;
    }
    Err(Struck::Missed("no job ran".to_owned()))
}
