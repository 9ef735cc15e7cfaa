//! Recovery times after a kill, measured from the kill and without load.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep, timeout};

use crate::client::history::ClientOperation;
use crate::cluster::{Cluster, SupervisedProcess, jobs_of};
use crate::rounds::Harness;

/// Samples of each measure.
const SAMPLES: usize = 5;
/// Maximum recovery time; a longer one counts as none.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The kill, and the end of the measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// A worker in the middle of a run: until the run begins at another worker.
    Worker,
    /// The broker that leads the log: until the next append, and until the submitted workflow has ended.
    Leader,
    /// Every broker, restarted by the supervisors: until the next append, and until the submitted workflow has ended.
    Brokers,
}

impl Recovery {
    /// Every measure.
    pub const ALL: [Self; 3] = [Self::Worker, Self::Leader, Self::Brokers];

    /// Returns the rows of the measure and their goals.
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

impl Harness {
    /// Takes [`SAMPLES`] samples and returns the rows of the table.
    pub async fn recover(&mut self, recovery: Recovery) -> Result<String, String> {
        let lines = recovery.lines();
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); lines.len()];
        for _ in 0..SAMPLES {
            let taken = match recovery {
                Recovery::Worker => self.recover_step().await.map(|taken| vec![taken]),
                Recovery::Leader => {
                    let leader = self.cluster.leader().await.ok_or("no broker leads the log")?;
                    self.recover_broker(&leader).await
                }
                Recovery::Brokers => self.recover_broker("nats").await,
            };
            let taken = taken.ok_or(format!("{}: not within {RECOVERY_TIMEOUT:?}", lines[0].0))?;
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
            self.settle().await?;
        }
        let rows = lines.iter().zip(times).map(|((name, goal), mut times)| {
            times.sort();
            let (median, worst) = (times[SAMPLES / 2], times[SAMPLES - 1]);
            let verdict = if worst < *goal { "reached" } else { "NOT REACHED" };
            format!("{name:<44} median {median:>6.1?}  worst {worst:>6.1?}  goal {goal:?}: {verdict}")
        });
        Ok(rows.collect::<Vec<_>>().join("\n"))
    }

    /// Waits until everything has been up for a while, so that one sample does not affect the next.
    async fn settle(&self) -> Result<(), String> {
        self.cluster.until_ready(RECOVERY_TIMEOUT).await?;
        self.client.probe(RECOVERY_TIMEOUT).await.ok_or("the cluster did not recover")?;
        sleep(Duration::from_secs(5)).await;
        Ok(())
    }

    async fn recover_step(&self) -> Option<Duration> {
        let run = self.client.run_long();
        let watch = async {
            let victim = until(|| worker_with_a_job(&self.cluster, None)).await?;
            let dead = victim.pid();
            victim.signal(Signal::KILL);
            let killed = Instant::now();
            until(|| worker_with_a_job(&self.cluster, dead)).await?;
            Some(killed.elapsed())
        };
        let (taken, ended) = tokio::join!(watch, timeout(RECOVERY_TIMEOUT, run));
        ended.ok().and(taken)
    }

    /// Returns the time until a submission is accepted, and until its workflow has ended.
    async fn recover_broker(&self, name: &str) -> Option<Vec<Duration>> {
        self.cluster.signal(name, Signal::KILL);
        let (killed, killed_ms) = (Instant::now(), self.client.history.now_ms());
        let number = timeout(RECOVERY_TIMEOUT, self.client.run_one()).await.ok()?;
        let ended = killed.elapsed();
        let history = self.client.history.since(number).into_iter().next()?;
        let accepted =
            history.calls.iter().find(|call| call.operation == ClientOperation::Submit && call.response.code == 202)?;
        Some(vec![Duration::from_millis(accepted.to_ms.saturating_sub(killed_ms)), ended])
    }
}

/// Returns a worker, other than the process `but`, that runs a job.
fn worker_with_a_job(cluster: &Cluster, but: Option<Pid>) -> Option<&SupervisedProcess> {
    cluster.all("worker").find(|worker| {
        let pid = worker.pid();
        // A starting worker also runs a probe in its sandbox.
        pid.is_some() && pid != but && jobs_of(pid.as_slice()).iter().any(|job| job.contains("main.py"))
    })
}

async fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up = Instant::now() + RECOVERY_TIMEOUT;
    while Instant::now() < give_up {
        if let Some(found) = look() {
            return Some(found);
        }
        sleep(POLL_INTERVAL).await;
    }
    None
}
