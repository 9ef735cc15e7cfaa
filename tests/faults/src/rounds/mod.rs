//! A round: faults under a steady load, then the checker. The rest of the module repeats rounds and reports them.

pub mod counters;
pub mod figures;
pub mod matrix;
pub mod recovery;
pub mod report;
pub mod shards;

use std::fs;
use std::time::Duration;

use domain::Timestamp;
use service::clock::Clock;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::checker::{MAX_RECOVERY, Violation, check, describe};
use crate::client::Client;
use crate::client::history::WorkflowHistory;
use crate::cluster::{Cluster, Topology};
use crate::evidence::leftovers::LeftoverWatch;
use crate::evidence::webhook_receiver::WebhookReceiver;
use crate::evidence::{AllowedOutcomes, EarlierRounds, Evidence, gather};
use crate::fault::{Fault, Injected};

/// Load time before the first fault.
const WARM_UP: Duration = Duration::from_secs(2);
/// Maximum time for workflows in flight to end after the faults.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

/// A fault and its duration.
#[derive(Debug, Clone, Copy)]
pub struct Injection {
    pub name: &'static str,
    pub fault: Fault,
    pub hold: Duration,
}

/// The result of a round.
#[derive(Debug, Default)]
pub struct RoundVerdict {
    pub name: String,
    /// Reason why this machine cannot make its only fault.
    pub unsupported: Option<String>,
    /// Reason why its only fault had no effect; the round shows nothing then.
    pub not_injected: Option<String>,
    /// Reason why the log could not be read; nothing is known then.
    pub unreadable: Option<String>,
    /// Injected faults.
    pub made: usize,
    pub workflows: usize,
    pub recovery: Option<Duration>,
    /// Duration of the whole round, including the checker.
    pub took: Duration,
    pub violations: Vec<Violation>,
    /// Every violation with its history.
    pub description: String,
}

/// Maximum passes through a schedule that is repeated until enough workflows were started.
const MAX_PASSES: usize = 12;

/// A cluster with a client, and the state at the end of earlier rounds.
#[derive(Debug)]
pub struct Harness {
    pub cluster: Cluster,
    pub(crate) client: Client,
    receiver: WebhookReceiver,
    known: EarlierRounds,
    sees_jobs: bool,
}

/// The result of the faults alone.
struct Played {
    verdict: RoundVerdict,
    healed: Timestamp,
}

impl Harness {
    /// Starts a cluster and signs in.
    pub async fn open(topology: Topology) -> Result<Self, String> {
        let cluster = Cluster::start(topology).await?;
        let receiver = WebhookReceiver::listen().await.map_err(|error| error.to_string())?;
        let client = Client::sign_in(&cluster, &receiver.url).await?;
        Ok(Self { cluster, client, receiver, known: EarlierRounds::default(), sees_jobs: false })
    }

    /// Plays one round of one or several faults, one after the other.
    pub async fn round(&mut self, name: &str, seed: u64, injections: &[Injection]) -> RoundVerdict {
        self.long_round(name, seed, injections, 0).await
    }

    /// Plays one round. The faults are injected again from the first one until `workflows` were started, at most
    /// [`MAX_PASSES`] times.
    pub async fn long_round(
        &mut self,
        name: &str,
        seed: u64,
        injections: &[Injection],
        workflows: usize,
    ) -> RoundVerdict {
        let first = self.client.history.count();
        let began = Instant::now();
        let (stop, over) = (CancellationToken::new(), CancellationToken::new());
        let load = async {
            self.client.run(seed, stop.clone(), DRAIN_TIMEOUT).await;
            over.cancel();
        };
        let watch = LeftoverWatch::watch(&self.cluster, &over);
        let (Played { verdict, healed }, (), watched) =
            tokio::join!(self.play(name, first, (injections, workflows), &stop), load, watch);
        self.sees_jobs |= watched.sees_jobs;
        let accepted = self.client.history.since(first).iter().filter_map(|history| history.id).collect();
        let gathered = gather(&self.cluster, &self.receiver, &accepted, &self.known).await;
        self.client.read_final_statuses(first).await;
        let histories = self.client.history.since(first);
        let verdict = RoundVerdict { workflows: accepted.len(), ..verdict };
        let verdict = match gathered {
            Ok(mut evidence) => {
                evidence.leftovers.extend(watched.left);
                if !self.sees_jobs {
                    evidence.leftovers.insert("no job was seen, so leftovers would not be seen either".to_owned());
                }
                evidence.healed = Some(healed);
                evidence.recovery = verdict.recovery;
                evidence.allowed = allowed(injections);
                self.judge(verdict, &histories, &evidence)
            }
            Err(reason) => RoundVerdict { unreadable: Some(reason), ..verdict },
        };
        RoundVerdict { took: began.elapsed(), ..verdict }
    }

    /// Injects the faults, measures the recovery, then stops the load.
    async fn play(
        &self,
        name: &str,
        first: usize,
        (injections, workflows): (&[Injection], usize),
        stop: &CancellationToken,
    ) -> Played {
        sleep(WARM_UP).await;
        self.client.until_left_open(first).await;
        let mut verdict = RoundVerdict { name: name.to_owned(), ..RoundVerdict::default() };
        for pass in 0..MAX_PASSES {
            for injection in injections {
                let is_enough = pass > 0 && self.client.history.count() >= first + workflows;
                if !is_enough {
                    self.inject(injection, injections.len() == 1, &mut verdict).await;
                }
            }
        }
        let healed = Clock::system().now();
        verdict.recovery = self.client.probe(MAX_RECOVERY * 2).await;
        stop.cancel();
        Played { verdict, healed }
    }

    /// Injects a fault and counts it, or records the reason why it had no effect.
    async fn inject(&self, injection: &Injection, is_only: bool, verdict: &mut RoundVerdict) {
        match injection.fault.inject(&self.cluster, injection.hold).await {
            Injected::Yes => verdict.made += 1,
            Injected::Unsupported(reason) if is_only => verdict.unsupported = Some(reason),
            Injected::NotInjected(reason) if is_only => verdict.not_injected = Some(reason),
            Injected::Unsupported(reason) | Injected::NotInjected(reason) => {
                println!("  not injected: {}: {reason}", injection.name);
            }
        }
    }

    fn judge(&mut self, verdict: RoundVerdict, histories: &[WorkflowHistory], evidence: &Evidence) -> RoundVerdict {
        let violations = check(histories, evidence);
        let description = describe(&violations, histories, evidence);
        self.known.add(evidence);
        RoundVerdict { violations, description, ..verdict }
    }

    /// Stops the cluster. With `keep` its folder stays, with the client's history in it.
    pub async fn close(self, keep: bool) {
        if keep {
            let file = self.cluster.folder.join("history.json");
            let text = serde_json::to_string_pretty(&self.client.history.since(0)).unwrap_or_default();
            match fs::write(&file, text) {
                Ok(()) => println!("kept: {}", self.cluster.folder.display()),
                Err(error) => eprintln!("{}: {error}", file.display()),
            }
        }
        self.cluster.stop(keep).await;
    }
}

fn allowed(injections: &[Injection]) -> AllowedOutcomes {
    AllowedOutcomes {
        exhausted: injections.iter().any(|injection| injection.fault.may_exhaust_attempts()),
        timeouts: injections.iter().any(|injection| injection.fault.may_cause_timeouts()),
        late_answers: injections.iter().any(|injection| injection.fault != Fault::None),
    }
}
