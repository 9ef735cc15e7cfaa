//! A round: one fault against a steady load, then judged.

use std::collections::HashSet;
use std::time::Duration;

use shared::ids::WorkflowId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::checker::{RECOVERY, Violation, check, tell};
use crate::cluster::{Cluster, DEVELOPERS, Shape, jobs_of};
use crate::evidence::{Evidence, gather};
use crate::fault::{Fault, Struck};
use crate::history::Story;
use crate::load::Client;
use crate::receiver::Receiver;

/// The load runs so long before the fault.
const BEFORE: Duration = Duration::from_secs(2);
/// What is under way when the fault ends has so long to end.
const AFTER: Duration = Duration::from_secs(60);

/// One fault, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Blow {
    pub name: &'static str,
    pub fault: Fault,
    pub hold: Duration,
}

/// What came of a round.
#[derive(Debug)]
pub struct Verdict {
    pub name: String,
    /// Why a fault could not be made here; then nothing was judged.
    pub impossible: Option<String>,
    pub workflows: usize,
    pub recovery: Option<Duration>,
    pub violations: Vec<Violation>,
    /// The first violation with its history.
    pub told: Option<String>,
}

/// A cluster with a client, and what of its log was judged already.
#[derive(Debug)]
pub struct Ring {
    pub cluster: Cluster,
    pub(crate) client: Client,
    receiver: Receiver,
    known: HashSet<WorkflowId>,
    /// Whether a job was ever seen in a living worker's cgroup; else nobody would see one in a dead worker's.
    sees_jobs: bool,
}

impl Ring {
    /// Starts a cluster and signs in.
    pub async fn open(shape: Shape) -> Result<Self, String> {
        let cluster = Cluster::start(shape).await?;
        let receiver = Receiver::listen().await.map_err(|error| error.to_string())?;
        let client = Client::sign_in(&cluster.api_urls, &DEVELOPERS, &receiver.url).await?;
        Ok(Self { cluster, client, receiver, known: HashSet::new(), sees_jobs: false })
    }

    /// Plays one round of one or several blows, one after the other.
    pub async fn round(&mut self, name: &str, seed: u64, blows: &[Blow]) -> Verdict {
        let first = self.client.history.count();
        let stop = CancellationToken::new();
        let play = async {
            sleep(BEFORE).await;
            let mut impossible = Vec::new();
            for blow in blows {
                if let Struck::Impossible(reason) = blow.fault.strike(&self.cluster, blow.hold).await {
                    impossible.push(format!("{}: {reason}", blow.name));
                }
            }
            let recovery = self.client.probe(RECOVERY * 2).await;
            stop.cancel();
            (impossible, recovery)
        };
        let load = self.client.run(seed, stop.clone(), AFTER);
        let seen = self.see_a_job(&stop);
        let ((impossible, recovery), (), seen) = tokio::join!(play, load, seen);
        self.sees_jobs |= seen;
        self.client.look_again(first).await;
        let impossible = match impossible.as_slice() {
            [only] if blows.len() == 1 => Some(only.clone()),
            several => {
                several.iter().for_each(|reason| println!("  not made: {reason}"));
                None
            }
        };
        let stories = self.client.history.since(first);
        let told = stories.iter().filter_map(|story| story.id).collect();
        let verdict = Verdict {
            name: name.to_owned(),
            impossible,
            workflows: stories.iter().filter(|story| story.id.is_some()).count(),
            recovery,
            violations: Vec::new(),
            told: None,
        };
        match gather(&self.cluster, &self.receiver, &told, &self.known).await {
            Ok(mut evidence) => {
                if !self.sees_jobs {
                    evidence.leftovers.push("no job was ever seen, so what is left of one would not be".to_owned());
                }
                self.judge(verdict, &stories, Evidence { recovery, ..evidence })
            }
            Err(reason) => Verdict { told: Some(format!("the log cannot be read: {reason}")), ..verdict },
        }
    }

    /// Looks for a job of a living worker until `stop`.
    async fn see_a_job(&self, stop: &CancellationToken) -> bool {
        while !self.sees_jobs && !stop.is_cancelled() {
            if !jobs_of(&self.cluster.living_workers()).is_empty() {
                return true;
            }
            sleep(Duration::from_millis(100)).await;
        }
        false
    }

    fn judge(&mut self, verdict: Verdict, stories: &[Story], evidence: Evidence) -> Verdict {
        let violations = check(stories, &evidence);
        let told = violations.first().map(|first| tell(first, stories, &evidence));
        self.known.extend(evidence.logs.keys().copied());
        Verdict { violations, told, ..verdict }
    }

    /// Takes the cluster away, unless its folder is to be looked at.
    pub async fn close(self, keep: bool) {
        self.cluster.end(keep).await;
    }
}
