//! A round: one fault against a steady load, then judged.

use std::fs;
use std::time::Duration;

use shared::clock::{Clock, Timestamp};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::checker::{RECOVERY, Violation, check, tell};
use crate::cluster::{Cluster, Shape};
use crate::evidence::{Evidence, Explained, Known, gather};
use crate::fault::{Fault, Struck};
use crate::history::Story;
use crate::litter::Litter;
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
#[derive(Debug, Default)]
pub struct Verdict {
    pub name: String,
    /// Why its only fault cannot be made on this machine.
    pub impossible: Option<String>,
    /// Why its only fault was tried and not made: it showed nothing then.
    pub missed: Option<String>,
    /// Why the log could not be read: nothing is known then.
    pub unreadable: Option<String>,
    /// Faults that were made.
    pub made: usize,
    pub workflows: usize,
    pub recovery: Option<Duration>,
    /// The whole round, judged.
    pub took: Duration,
    pub violations: Vec<Violation>,
    /// Every violation with its history.
    pub told: String,
}

/// A cluster with a client, and what of its log was judged already.
#[derive(Debug)]
pub struct Ring {
    pub cluster: Cluster,
    pub(crate) client: Client,
    receiver: Receiver,
    known: Known,
    sees_jobs: bool,
}

/// What happened while the faults were made.
struct Played {
    verdict: Verdict,
    healed: Timestamp,
}

impl Ring {
    /// Starts a cluster and signs in.
    pub async fn open(shape: Shape) -> Result<Self, String> {
        let cluster = Cluster::start(shape).await?;
        let receiver = Receiver::listen().await.map_err(|error| error.to_string())?;
        let client = Client::sign_in(&cluster, &receiver.url).await?;
        Ok(Self { cluster, client, receiver, known: Known::default(), sees_jobs: false })
    }

    /// Plays one round of one or several blows, one after the other.
    pub async fn round(&mut self, name: &str, seed: u64, blows: &[Blow]) -> Verdict {
        let first = self.client.history.count();
        let began = Instant::now();
        let (stop, over) = (CancellationToken::new(), CancellationToken::new());
        let load = async {
            self.client.run(seed, stop.clone(), AFTER).await;
            over.cancel();
        };
        let watch = Litter::watch(&self.cluster, &over);
        let (Played { verdict, healed }, (), litter) = tokio::join!(self.play(name, first, blows, &stop), load, watch);
        self.sees_jobs |= litter.sees_jobs;
        let told = self.client.history.since(first).iter().filter_map(|story| story.id).collect();
        let gathered = gather(&self.cluster, &self.receiver, &told, &self.known).await;
        self.client.look_again(first).await;
        let stories = self.client.history.since(first);
        let verdict = Verdict { workflows: told.len(), ..verdict };
        let verdict = match gathered {
            Ok(mut evidence) => {
                evidence.leftovers.extend(litter.left);
                if !self.sees_jobs {
                    evidence.leftovers.insert("no job was ever seen, so what is left of one would not be".to_owned());
                }
                evidence.healed = Some(healed);
                evidence.recovery = verdict.recovery;
                evidence.explained = explained(blows);
                self.judge(verdict, &stories, &evidence)
            }
            Err(reason) => Verdict { unreadable: Some(reason), ..verdict },
        };
        Verdict { took: began.elapsed(), ..verdict }
    }

    /// Makes the faults, then measures how soon work goes on, then has the load end.
    async fn play(&self, name: &str, first: usize, blows: &[Blow], stop: &CancellationToken) -> Played {
        sleep(BEFORE).await;
        self.client.until_left_open(first).await;
        let mut verdict = Verdict { name: name.to_owned(), ..Verdict::default() };
        for blow in blows {
            let struck = blow.fault.strike(&self.cluster, blow.hold).await;
            let is_only = blows.len() == 1;
            match struck {
                Struck::Yes => verdict.made += 1,
                Struck::Impossible(reason) if is_only => verdict.impossible = Some(reason),
                Struck::Missed(reason) if is_only => verdict.missed = Some(reason),
                Struck::Impossible(reason) | Struck::Missed(reason) => println!("  not made: {}: {reason}", blow.name),
            }
        }
        let healed = Clock::system().now();
        verdict.recovery = self.client.probe(RECOVERY * 2).await;
        stop.cancel();
        Played { verdict, healed }
    }

    fn judge(&mut self, verdict: Verdict, stories: &[Story], evidence: &Evidence) -> Verdict {
        let violations = check(stories, evidence);
        let told = tell(&violations, stories, evidence);
        self.known.add(evidence);
        Verdict { violations, told, ..verdict }
    }

    /// Takes the cluster away, unless its folder is to be looked at; then the client's history is in it as well.
    pub async fn close(self, keep: bool) {
        if keep {
            let file = self.cluster.folder.join("history.json");
            let text = serde_json::to_string_pretty(&self.client.history.since(0)).unwrap_or_default();
            match fs::write(&file, text) {
                Ok(()) => println!("kept: {}", self.cluster.folder.display()),
                Err(error) => eprintln!("{}: {error}", file.display()),
            }
        }
        self.cluster.end(keep).await;
    }
}

fn explained(blows: &[Blow]) -> Explained {
    Explained {
        exhausted: blows.iter().any(|blow| blow.fault.explains_exhaustion()),
        timeouts: blows.iter().any(|blow| blow.fault.explains_timeouts()),
        late_answers: blows.iter().any(|blow| blow.fault != Fault::None),
    }
}
