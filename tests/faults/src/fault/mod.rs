//! The faults: their effect on a cluster, and how it is undone.

mod confirmation;
mod disks;
mod network;
mod packet_loss;
mod resource_limits;
mod strace;
mod targets;

use std::io;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::cluster::{Cluster, LinkState, Proxy, SupervisedProcess};
use confirmation::Confirmation;
use network::set_links;
use targets::{resolve, select};

/// Time after SIGTERM until a process is killed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum time until a supervisor has restarted a process.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval between observations of a fault.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A fault. Processes are selected by a prefix of their name: `worker` is all workers, `worker-1` is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// None: the baseline row.
    None,
    /// SIGKILL; the supervisor restarts them at once.
    Kill(&'static [&'static str]),
    /// SIGKILL, and down until the fault ends.
    Down(&'static [&'static str]),
    /// SIGSTOP until the fault ends.
    Stop(&'static [&'static str]),
    /// SIGTERM, one after the other, each when its predecessor is back.
    RollingRestart(&'static [&'static str]),
    /// Each of these triggers a failpoint, once.
    At {
        kind: &'static str,
        place: &'static str,
        order: &'static str,
    },
    /// A worker triggers a failpoint in the middle of a run.
    InRun {
        order: &'static str,
    },
    /// Redis is emptied, and every API triggers a failpoint while it rebuilds the read model.
    Refill {
        place: &'static str,
        order: &'static str,
    },
    /// Every run of code kills its worker, until a step has used up its attempts. The workers also die once at this
    /// failpoint.
    Poison(Option<&'static str>),
    /// Neither its outgoing nor its incoming packets arrive.
    Isolate(&'static str),
    /// Its outgoing packets are lost, its incoming ones arrive.
    DropOutgoing(&'static str),
    /// Its incoming packets are lost, its outgoing ones arrive.
    DropIncoming(&'static str),
    /// The two cannot reach each other, and all others reach both.
    PartitionPair(&'static str, &'static str),
    /// No broker reaches another, and all others reach every broker.
    PartitionBrokers,
    /// Every packet is delayed.
    Slow(Duration),
    /// This percentage of packets is retransmitted.
    Lossy(usize),
    /// Every connection breaks, five times a second.
    Cut,
    /// The disks of these brokers are full.
    FullDisk(&'static str),
    /// Every sync of these brokers is delayed, or fails with EIO.
    SlowSync(&'static str),
    FailingSync(&'static str),
    /// The clocks of these are ahead by this many seconds, or behind.
    Clock(&'static [&'static str], i64),
    /// The limit of open files is what they have open.
    FewFiles(&'static str),
    /// The limit of memory is what they use.
    LittleMemory(&'static str),
    RedisFlush,
    RedisReadOnly,
    RedisFull,
    /// Replication stops. When the fault ends, Redis dies and the replica serves without what it missed.
    RedisFailover,
}

/// The result of [`Fault::inject`].
#[derive(Debug, PartialEq, Eq)]
pub enum Injected {
    Yes,
    /// This machine cannot make the fault.
    Unsupported(String),
    /// The fault was tried and had no effect, for this reason.
    NotInjected(String),
}

impl Fault {
    /// Injects the fault, keeps it up for `hold`, then undoes it.
    pub async fn inject(self, cluster: &Cluster, hold: Duration) -> Injected {
        let mut confirmation = Confirmation::begin(self, cluster).await;
        if let Err(why) = self.begin(cluster).await {
            self.end(cluster);
            return why;
        }
        let end = Instant::now() + hold;
        while Instant::now() < end || confirmation.is_pending().await {
            if self == Self::Cut {
                cluster.proxies.iter().for_each(Proxy::cut);
            }
            confirmation.observe();
            sleep(POLL_INTERVAL).await;
        }
        let not_injected = confirmation.failure();
        self.end(cluster);
        if let Some(reason) = not_injected {
            return Injected::NotInjected(reason);
        }
        if self == Self::RedisFailover && !cluster.fail_over_redis().await {
            return Injected::NotInjected("the replica of Redis did not take over".to_owned());
        }
        Injected::Yes
    }

    /// Returns whether it is a network fault, which a connection that bypasses the proxies would not feel.
    fn is_of_network(self) -> bool {
        matches!(
            self,
            Self::Isolate(_)
                | Self::DropOutgoing(_)
                | Self::DropIncoming(_)
                | Self::PartitionPair(..)
                | Self::PartitionBrokers
                | Self::Slow(_)
                | Self::Lossy(_)
                | Self::Cut
        )
    }

    async fn begin(self, cluster: &Cluster) -> Result<(), Injected> {
        match self {
            Self::None | Self::Cut => {}
            Self::Kill(names) => {
                running(select(cluster, names).await).await?.iter().for_each(|one| one.signal(Signal::KILL))
            }
            Self::Down(names) => running(select(cluster, names).await).await?.iter().for_each(|one| one.keep_down()),
            Self::Stop(names) => running(select(cluster, names).await).await?.iter().for_each(|one| one.stop()),
            Self::RollingRestart(names) => {
                for process in running(select(cluster, names).await).await? {
                    process.restart(DRAIN_TIMEOUT).await;
                }
            }
            Self::At { kind, place, order } => arm_all(cluster, kind, place, order),
            Self::InRun { order } => confirmation::arm_in_run(cluster, order).await?,
            Self::Refill { place, order } => {
                arm_all(cluster, "api", place, order);
                require(cluster.redis(&["FLUSHALL"]))?;
            }
            Self::Poison(also) => {
                if let Some(place) = also {
                    arm_all(cluster, "worker", place, "abort");
                }
                arm_all(cluster, "worker", "sandbox.before", "always abort");
            }
            Self::Isolate(_)
            | Self::DropOutgoing(_)
            | Self::DropIncoming(_)
            | Self::PartitionPair(..)
            | Self::PartitionBrokers
            | Self::Slow(_)
            | Self::Lossy(_) => {
                self.set_network(cluster)
                    .await
                    .map_err(|error| Injected::NotInjected(format!("packets cannot be dropped: {error}")))?;
            }
            Self::FullDisk(name) => disks::fill(cluster, &resolve(cluster, name).await)?,
            Self::SlowSync(name) => strace::trace(cluster, name, strace::SLOW)?,
            Self::FailingSync(name) => strace::trace(cluster, &resolve(cluster, name).await, strace::FAILING)?,
            Self::Clock(names, seconds) => {
                let ahead = (seconds * 1_000).to_string();
                select(cluster, names)
                    .await
                    .for_each(|process| cluster.arm(process.name(), confirmation::CLOCK, &ahead));
            }
            Self::FewFiles(name) => resource_limits::freeze_files(cluster, name)?,
            Self::LittleMemory(name) => resource_limits::freeze_memory(cluster, name)?,
            Self::RedisFlush => require(cluster.redis(&["FLUSHALL"]))?,
            Self::RedisReadOnly => require(cluster.redis(&["REPLICAOF", "127.0.0.1", "1"]))?,
            Self::RedisFull => require(cluster.redis(&["CONFIG", "SET", "maxmemory", "1"]))?,
            Self::RedisFailover if cluster.stop_replication() => {}
            Self::RedisFailover => {
                return Err(Injected::NotInjected("the replica of Redis was not in sync".to_owned()));
            }
        }
        Ok(())
    }

    /// Sets the state of the links.
    async fn set_network(self, cluster: &Cluster) -> io::Result<()> {
        let is_broker = |name: &str| name.starts_with("nats");
        match self {
            Self::Isolate(name) => {
                let name = resolve(cluster, name).await;
                set_links(cluster, |from, to| from == name || to == name, LinkState::Held)
            }
            Self::DropOutgoing(name) => {
                let name = resolve(cluster, name).await;
                set_links(cluster, |from, _| from == name, LinkState::Held)
            }
            Self::DropIncoming(name) => {
                let name = resolve(cluster, name).await;
                set_links(cluster, |_, to| to == name, LinkState::Held)
            }
            Self::PartitionPair(left, right) => {
                let is_between = |from: &str, to: &str| (from == left && to == right) || (from == right && to == left);
                set_links(cluster, is_between, LinkState::Held)
            }
            Self::Slow(delay) => set_links(cluster, |_, _| true, LinkState::Slow(delay)),
            Self::Lossy(percent) => set_links(cluster, |_, _| true, LinkState::Lossy(percent)),
            Self::PartitionBrokers => set_links(cluster, |from, to| is_broker(from) && is_broker(to), LinkState::Held),
            Self::None
            | Self::Kill(_)
            | Self::Down(_)
            | Self::Stop(_)
            | Self::RollingRestart(_)
            | Self::At { .. }
            | Self::InRun { .. }
            | Self::Refill { .. }
            | Self::Poison(_)
            | Self::Cut
            | Self::FullDisk(_)
            | Self::SlowSync(_)
            | Self::FailingSync(_)
            | Self::Clock(..)
            | Self::FewFiles(_)
            | Self::LittleMemory(_)
            | Self::RedisFlush
            | Self::RedisReadOnly
            | Self::RedisFull
            | Self::RedisFailover => Ok(()),
        }
    }

    fn end(self, cluster: &Cluster) {
        match self {
            Self::None
            | Self::Cut
            | Self::Kill(_)
            | Self::RollingRestart(_)
            | Self::RedisFlush
            | Self::RedisFailover => {}
            Self::Down(_) => cluster.processes.iter().for_each(SupervisedProcess::allow_start),
            Self::Stop(_) => cluster.processes.iter().for_each(SupervisedProcess::resume),
            Self::At { .. } | Self::InRun { .. } | Self::Refill { .. } | Self::Poison(_) | Self::Clock(..) => {
                cluster.clear_failpoints();
            }
            Self::Isolate(_)
            | Self::DropOutgoing(_)
            | Self::DropIncoming(_)
            | Self::PartitionPair(..)
            | Self::PartitionBrokers
            | Self::Slow(_)
            | Self::Lossy(_) => network::restore_links(cluster),
            Self::FullDisk(_) => disks::empty(cluster),
            Self::SlowSync(_) | Self::FailingSync(_) => strace::end(cluster),
            Self::FewFiles(name) => resource_limits::restore_files(cluster, name),
            Self::LittleMemory(name) => resource_limits::restore_memory(cluster, name),
            Self::RedisReadOnly => drop(cluster.redis(&["REPLICAOF", "NO", "ONE"])),
            Self::RedisFull => drop(cluster.redis(&["CONFIG", "SET", "maxmemory", "0"])),
        }
    }

    /// Returns whether a step may use up its attempts because of it.
    pub fn may_exhaust_attempts(self) -> bool {
        if let Self::At { kind, order, .. } = self {
            return kind == "worker" && order.ends_with("abort");
        }
        matches!(self, Self::InRun { .. } | Self::Poison(_))
    }

    /// Returns whether a time limit may elapse because of it.
    pub fn may_cause_timeouts(self) -> bool {
        matches!(self, Self::Clock(..))
    }
}

/// Returns all of them once all run; waits for restarts.
async fn running<'a>(
    processes: impl Iterator<Item = &'a SupervisedProcess>,
) -> Result<Vec<&'a SupervisedProcess>, Injected> {
    let all: Vec<&SupervisedProcess> = processes.collect();
    let give_up = Instant::now() + START_TIMEOUT;
    while let Some(missing) = all.iter().find(|process| process.pid().is_none()) {
        if Instant::now() > give_up {
            return Err(Injected::NotInjected(format!("{} did not run", missing.name())));
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(all)
}

fn arm_all(cluster: &Cluster, kind: &str, place: &str, order: &str) {
    cluster.all(kind).for_each(|process| cluster.arm(process.name(), place, order));
}

/// Fails if Redis refused the command.
fn require(accepted: bool) -> Result<(), Injected> {
    if accepted { Ok(()) } else { Err(Injected::NotInjected("Redis refused".to_owned())) }
}

/// Runs a program and returns its output, if it succeeds.
fn run(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
