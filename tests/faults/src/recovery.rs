//! How long it takes until work goes on after a kill, measured from the kill and with no load beside it.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{Cluster, Process, jobs_of};
use crate::history::Asked;
use crate::round::Ring;

/// Each is measured so often.
const TIMES: usize = 5;
/// Whoever takes longer never comes back.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(10);

/// What is killed, and what has to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// A worker in the middle of a run: until the run begins at another worker.
    Worker,
    /// The broker that leads the log: until the next append is in it, and until the workflow that it submits has ended.
    Leader,
    /// Every broker, started again by their supervisors: until a workflow that is submitted at that moment has ended.
    Brokers,
}

impl Recovery {
    /// Every measure.
    pub const ALL: [Self; 3] = [Self::Worker, Self::Leader, Self::Brokers];

    /// What is measured, each from the kill, and within which time it should be.
    fn lines(self) -> &'static [(&'static str, Duration)] {
        const STEP: Duration = Duration::from_secs(5);
        const LEADER: Duration = Duration::from_secs(5);
        const BROKERS: Duration = Duration::from_secs(15);
        match self {
            Self::Worker => &[("worker killed, its step runs at another", STEP)],
            Self::Leader => &[
                ("leading broker killed, the next append", LEADER),
                ("leading broker killed, a workflow ends", LEADER),
            ],
            Self::Brokers => {
                &[("all brokers killed, the next append", BROKERS), ("all brokers killed, a workflow ends", BROKERS)]
            }
        }
    }
}

impl Ring {
    /// Measures several times; the lines for the table.
    pub async fn recover(&mut self, recovery: Recovery) -> Result<String, String> {
        let lines = recovery.lines();
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); lines.len()];
        for _ in 0..TIMES {
            let taken = match recovery {
                Recovery::Worker => self.recover_step().await.map(|taken| vec![taken]),
                Recovery::Leader => {
                    let leader = self.cluster.leader().await.ok_or("no broker leads the log")?;
                    self.recover_broker(&leader).await
                }
                Recovery::Brokers => self.recover_broker("nats").await,
            };
            let taken = taken.ok_or(format!("{}: not within {PATIENCE:?}", lines[0].0))?;
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
            self.settle().await?;
        }
        let told = lines.iter().zip(times).map(|((name, goal), mut times)| {
            times.sort();
            let (median, worst) = (times[TIMES / 2], times[TIMES - 1]);
            let verdict = if worst < *goal { "reached" } else { "NOT REACHED" };
            format!("{name:<44} median {median:>6.1?}  worst {worst:>6.1?}  goal {goal:?}: {verdict}")
        });
        Ok(told.collect::<Vec<_>>().join("\n"))
    }

    /// Everything is up and has been for a while, so that no measure suffers from the one before.
    async fn settle(&self) -> Result<(), String> {
        self.cluster.until_ready(PATIENCE).await?;
        self.client.probe(PATIENCE).await.ok_or("the cluster did not recover")?;
        sleep(Duration::from_secs(5)).await;
        Ok(())
    }

    async fn recover_step(&self) -> Option<Duration> {
        let run = self.client.live_long();
        let watch = async {
            let victim = until(|| worker_with_a_job(&self.cluster, None)).await?;
            let dead = victim.pid();
            victim.signal(Signal::KILL);
            let killed = Instant::now();
            until(|| worker_with_a_job(&self.cluster, dead)).await?;
            Some(killed.elapsed())
        };
        let (taken, ended) = tokio::join!(watch, timeout(PATIENCE, run));
        ended.ok().and(taken)
    }

    /// Until a submission is answered, which is in the log then, and until its workflow has ended.
    async fn recover_broker(&self, name: &str) -> Option<Vec<Duration>> {
        self.cluster.signal(name, Signal::KILL);
        let (killed, killed_ms) = (Instant::now(), self.client.history.now_ms());
        let number = timeout(PATIENCE, self.client.live_plainly()).await.ok()?;
        let ended = killed.elapsed();
        let story = self.client.history.since(number).into_iter().next()?;
        let accepted = story.calls.iter().find(|call| call.asked == Asked::Submit && call.answered.code == 202)?;
        Some(vec![Duration::from_millis(accepted.to_ms.saturating_sub(killed_ms)), ended])
    }
}

/// A worker, other than the process `but`, whose job runs now.
fn worker_with_a_job(cluster: &Cluster, but: Option<Pid>) -> Option<&Process> {
    cluster.all("worker").find(|worker| {
        let pid = worker.pid();
        // A worker also tries its sandbox out when it starts.
        pid.is_some() && pid != but && jobs_of(pid.as_slice()).iter().any(|job| job.contains("main.py"))
    })
}

async fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        if let Some(found) = look() {
            return Some(found);
        }
        sleep(GLANCE).await;
    }
    None
}
