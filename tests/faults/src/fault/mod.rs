//! The faults: what each does to a cluster, and how it is taken back.

mod chosen;
mod disks;
mod limits;
mod proof;
mod tracer;
mod weather;

use std::io;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::cluster::{Cluster, Process, Weather, Wire};
use chosen::{each, true_name};
use proof::Proof;
use weather::change;

/// A process that was asked to end is killed after this long.
const DRAIN: Duration = Duration::from_secs(30);
/// A supervisor starts what died within so long.
const STARTED: Duration = Duration::from_secs(10);
/// Between two looks at what a fault does.
const GLANCE: Duration = Duration::from_millis(200);

/// Something that goes wrong. Components are named by how their names begin: `worker` is all of them, `worker-1` is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the row that every other is compared with.
    None,
    /// Killed with SIGKILL; the supervisor starts them again at once.
    Kill(&'static [&'static str]),
    /// Killed, and down until the fault ends.
    Down(&'static [&'static str]),
    /// Stopped with SIGSTOP until the fault ends.
    Stop(&'static [&'static str]),
    /// Asked to end with SIGTERM, one after the other; the next once the one before has ended.
    Roll(&'static [&'static str]),
    /// Every one of these obeys an order at a place in its code, once.
    At {
        kind: &'static str,
        place: &'static str,
        order: &'static str,
    },
    /// A worker obeys an order in the middle of a run.
    InRun {
        order: &'static str,
    },
    /// Redis is emptied, and every API obeys an order at a place while it fills it again.
    Refill {
        place: &'static str,
        order: &'static str,
    },
    /// Every run of code kills its worker, until a step has run out of attempts; the workers die once at this place as well.
    Poison(Option<&'static str>),
    /// Nothing arrives at it and nothing leaves it.
    Isolate(&'static str),
    /// What it sends does not arrive; what is sent to it does.
    Mute(&'static str),
    /// What is sent to it does not arrive; what it sends does.
    Deaf(&'static str),
    /// The two do not hear each other, and everybody else hears both.
    Bridge(&'static str, &'static str),
    /// No broker hears another, and everybody else hears all of them.
    Apart,
    /// Everything takes longer.
    Slow(Duration),
    /// Of a hundred packets so many are sent twice.
    Lossy(usize),
    /// Every connection breaks, five times a second.
    Cut,
    /// No byte more fits on the disks of these brokers.
    FullDisk(&'static str),
    /// Every sync of these brokers takes longer, or fails with EIO.
    SlowSync(&'static str),
    FailingSync(&'static str),
    /// The clocks of these are ahead, or behind, by so many seconds.
    Clock(&'static [&'static str], i64),
    /// No more files can be opened than are.
    FewFiles(&'static str),
    /// No more memory can be had than is.
    LittleMemory(&'static str),
    RedisFlush,
    RedisReadOnly,
    RedisFull,
    /// The replica hears nothing more; when the fault ends Redis dies, the replica takes its place, and what it missed is lost.
    RedisFailover,
}

/// What [`Fault::strike`] has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Struck {
    Yes,
    /// It cannot be made here: the machine lacks something.
    Impossible(String),
    /// It was tried and not made, for this reason; nothing was shown.
    Missed(String),
}

impl Fault {
    /// Begins it, and keeps it up for `hold`; then takes it back.
    pub async fn strike(self, cluster: &Cluster, hold: Duration) -> Struck {
        let mut proof = Proof::begin(self, cluster).await;
        if let Err(why) = self.begin(cluster).await {
            self.end(cluster);
            return why;
        }
        let end = Instant::now() + hold;
        while Instant::now() < end || proof.is_awaited().await {
            if self == Self::Cut {
                cluster.wires.iter().for_each(Wire::cut);
            }
            proof.look();
            sleep(GLANCE).await;
        }
        let missed = proof.missed();
        self.end(cluster);
        if let Some(reason) = missed {
            return Struck::Missed(reason);
        }
        if self == Self::RedisFailover && !cluster.fail_over_redis().await {
            return Struck::Missed("the replica of Redis did not take over".to_owned());
        }
        Struck::Yes
    }

    /// Whether it is one of the network's, which a connection past the wires would not feel.
    fn is_of_network(self) -> bool {
        matches!(
            self,
            Self::Isolate(_)
                | Self::Mute(_)
                | Self::Deaf(_)
                | Self::Bridge(..)
                | Self::Apart
                | Self::Slow(_)
                | Self::Lossy(_)
                | Self::Cut
        )
    }

    async fn begin(self, cluster: &Cluster) -> Result<(), Struck> {
        match self {
            Self::None | Self::Cut => {}
            Self::Kill(names) => {
                running(each(cluster, names).await).await?.iter().for_each(|one| one.signal(Signal::KILL))
            }
            Self::Down(names) => running(each(cluster, names).await).await?.iter().for_each(|one| one.hold_down()),
            Self::Stop(names) => running(each(cluster, names).await).await?.iter().for_each(|one| one.stop()),
            Self::Roll(names) => {
                for process in running(each(cluster, names).await).await? {
                    process.renew(DRAIN).await;
                }
            }
            Self::At { kind, place, order } => order_all(cluster, kind, place, order),
            Self::InRun { order } => proof::order_in_run(cluster, order).await?,
            Self::Refill { place, order } => {
                order_all(cluster, "api", place, order);
                agreed(cluster.redis(&["FLUSHALL"]))?;
            }
            Self::Poison(also) => {
                if let Some(place) = also {
                    order_all(cluster, "worker", place, "abort");
                }
                order_all(cluster, "worker", "sandbox.before", "always abort");
            }
            Self::Isolate(_)
            | Self::Mute(_)
            | Self::Deaf(_)
            | Self::Bridge(..)
            | Self::Apart
            | Self::Slow(_)
            | Self::Lossy(_) => {
                self.blow(cluster).await.map_err(|error| Struck::Missed(format!("no packets are lost: {error}")))?;
            }
            Self::FullDisk(name) => disks::fill(cluster, &true_name(cluster, name).await)?,
            Self::SlowSync(name) => tracer::trace(cluster, name, tracer::SLOW)?,
            Self::FailingSync(name) => tracer::trace(cluster, &true_name(cluster, name).await, tracer::FAILING)?,
            Self::Clock(names, seconds) => {
                let ahead = (seconds * 1_000).to_string();
                each(cluster, names).await.for_each(|process| cluster.order(process.name(), proof::CLOCK, &ahead));
            }
            Self::FewFiles(name) => limits::no_more_files(cluster, name)?,
            Self::LittleMemory(name) => limits::no_more_memory(cluster, name)?,
            Self::RedisFlush => agreed(cluster.redis(&["FLUSHALL"]))?,
            Self::RedisReadOnly => agreed(cluster.redis(&["REPLICAOF", "127.0.0.1", "1"]))?,
            Self::RedisFull => agreed(cluster.redis(&["CONFIG", "SET", "maxmemory", "1"]))?,
            Self::RedisFailover if cluster.part_redis() => {}
            Self::RedisFailover => return Err(Struck::Missed("the replica of Redis did not follow".to_owned())),
        }
        Ok(())
    }

    /// Changes the weather.
    async fn blow(self, cluster: &Cluster) -> io::Result<()> {
        let is_broker = |name: &str| name.starts_with("nats");
        match self {
            Self::Isolate(name) => {
                let name = true_name(cluster, name).await;
                change(cluster, |from, to| from == name || to == name, Weather::Held)
            }
            Self::Mute(name) => {
                let name = true_name(cluster, name).await;
                change(cluster, |from, _| from == name, Weather::Held)
            }
            Self::Deaf(name) => {
                let name = true_name(cluster, name).await;
                change(cluster, |_, to| to == name, Weather::Held)
            }
            Self::Bridge(left, right) => {
                let is_between = |from: &str, to: &str| (from == left && to == right) || (from == right && to == left);
                change(cluster, is_between, Weather::Held)
            }
            Self::Slow(delay) => change(cluster, |_, _| true, Weather::Slow(delay)),
            Self::Lossy(percent) => change(cluster, |_, _| true, Weather::Lossy(percent)),
            Self::Apart => change(cluster, |from, to| is_broker(from) && is_broker(to), Weather::Held),
            Self::None
            | Self::Kill(_)
            | Self::Down(_)
            | Self::Stop(_)
            | Self::Roll(_)
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
            Self::None | Self::Cut | Self::Kill(_) | Self::Roll(_) | Self::RedisFlush | Self::RedisFailover => {}
            Self::Down(_) => cluster.processes.iter().for_each(Process::let_up),
            Self::Stop(_) => cluster.processes.iter().for_each(Process::go_on),
            Self::At { .. } | Self::InRun { .. } | Self::Refill { .. } | Self::Poison(_) | Self::Clock(..) => {
                cluster.countermand();
            }
            Self::Isolate(_)
            | Self::Mute(_)
            | Self::Deaf(_)
            | Self::Bridge(..)
            | Self::Apart
            | Self::Slow(_)
            | Self::Lossy(_) => weather::mend(cluster),
            Self::FullDisk(_) => disks::empty(cluster),
            Self::SlowSync(_) | Self::FailingSync(_) => tracer::end(cluster),
            Self::FewFiles(name) => limits::many_files(cluster, name),
            Self::LittleMemory(name) => limits::much_memory(cluster, name),
            Self::RedisReadOnly => drop(cluster.redis(&["REPLICAOF", "NO", "ONE"])),
            Self::RedisFull => drop(cluster.redis(&["CONFIG", "SET", "maxmemory", "0"])),
        }
    }

    /// Whether a step may have had all its attempts by it.
    pub fn explains_exhaustion(self) -> bool {
        if let Self::At { kind, order, .. } = self {
            return kind == "worker" && order.ends_with("abort");
        }
        matches!(self, Self::InRun { .. } | Self::Poison(_))
    }

    /// Whether a time limit may have been over by it.
    pub fn explains_timeouts(self) -> bool {
        matches!(self, Self::Clock(..))
    }
}

/// All of them, once all run: who is just being started again is waited for.
async fn running<'a>(processes: impl Iterator<Item = &'a Process>) -> Result<Vec<&'a Process>, Struck> {
    let all: Vec<&Process> = processes.collect();
    let give_up = Instant::now() + STARTED;
    while let Some(gone) = all.iter().find(|process| process.pid().is_none()) {
        if Instant::now() > give_up {
            return Err(Struck::Missed(format!("{} was not there", gone.name())));
        }
        sleep(GLANCE).await;
    }
    Ok(all)
}

fn order_all(cluster: &Cluster, kind: &str, place: &str, order: &str) {
    cluster.all(kind).for_each(|process| cluster.order(process.name(), place, order));
}

/// Whether Redis did as it was told.
fn agreed(agreed: bool) -> Result<(), Struck> {
    if agreed { Ok(()) } else { Err(Struck::Missed("Redis refused".to_owned())) }
}

/// What a program says, where it ends well.
fn run(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
