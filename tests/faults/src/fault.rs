//! The faults: what each does to a cluster, and how it is taken back.

use std::fs::{self, File};
use std::io::Read;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::cluster::{Cluster, Node, Process, Weather, Wire};

/// The word for whichever broker leads the log when the fault strikes.
const LEADER: &str = "leader";
/// The word for whichever Redis serves when the fault strikes.
const REDIS: &str = "redis";
/// A process that was asked to end is killed after this long.
const DRAIN: Duration = Duration::from_secs(30);
/// The size that a disk has before it fills up, unless more is on it already.
const SMALL_DISK_KILOBYTES: u64 = 16 * 1024;
const BALLAST: &str = "ballast";

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
    /// Every run of code kills its worker, until the fault ends: the steps run out of attempts.
    Poison,
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
    /// It cannot be made here, for this reason.
    Impossible(String),
}

impl Fault {
    /// Begins it, and keeps it up for `hold`; then takes it back.
    pub async fn strike(self, cluster: &Cluster, hold: Duration) -> Struck {
        if let Some(reason) = self.begin(cluster).await {
            return Struck::Impossible(reason);
        }
        let end = tokio::time::Instant::now() + hold;
        while self == Self::Cut && tokio::time::Instant::now() < end {
            cluster.wires.iter().for_each(Wire::cut);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep_until(end).await;
        let is_untouched = self.is_untouched(cluster);
        self.end(cluster);
        if is_untouched {
            return Struck::Impossible("nobody came to the place meanwhile".to_owned());
        }
        if self == Self::RedisFailover && !cluster.fail_over_redis().await {
            return Struck::Impossible("the replica of Redis did not take over".to_owned());
        }
        Struck::Yes
    }

    async fn begin(self, cluster: &Cluster) -> Option<String> {
        match self {
            Self::None | Self::Cut => {}
            Self::Kill(names) => each(cluster, names).await.for_each(|process| process.signal(Signal::KILL)),
            Self::Down(names) => each(cluster, names).await.for_each(Process::hold_down),
            Self::Stop(names) => each(cluster, names).await.for_each(|process| process.signal(Signal::STOP)),
            Self::Roll(names) => {
                for process in each(cluster, names).await {
                    process.renew(DRAIN).await;
                }
            }
            Self::At { kind, place, order } => {
                cluster.all(kind).for_each(|process| cluster.order(process.name(), place, order));
            }
            Self::Poison => {
                cluster.all("worker").for_each(|worker| cluster.order(worker.name(), "sandbox.before", "always abort"));
            }
            Self::Isolate(name) => {
                let name = true_name(cluster, name).await;
                weather(cluster, |from, to| from == name || to == name, Weather::Held);
            }
            Self::Mute(name) => {
                let name = true_name(cluster, name).await;
                weather(cluster, |from, _| from == name, Weather::Held);
            }
            Self::Deaf(name) => {
                let name = true_name(cluster, name).await;
                weather(cluster, |_, to| to == name, Weather::Held);
            }
            Self::Apart => {
                weather(cluster, |from, to| from.starts_with("nats") && to.starts_with("nats"), Weather::Held);
            }
            Self::Bridge(left, right) => {
                weather(
                    cluster,
                    |from, to| (from == left && to == right) || (from == right && to == left),
                    Weather::Held,
                );
            }
            Self::Slow(delay) => weather(cluster, |_, _| true, Weather::Slow(delay)),
            Self::Lossy(percent) => weather(cluster, |_, _| true, Weather::Lossy(percent)),
            Self::FullDisk(name) => return fill(cluster, &true_name(cluster, name).await),
            Self::SlowSync(name) => return trace(cluster, name, "fsync,fdatasync:delay_enter=20000"),
            Self::FailingSync(name) => {
                return trace(cluster, &true_name(cluster, name).await, "fsync,fdatasync:error=EIO");
            }
            Self::Clock(names, seconds) => each(cluster, names)
                .await
                .for_each(|process| cluster.order(process.name(), "clock", &(seconds * 1_000).to_string())),
            Self::FewFiles(name) => return limit(cluster, name, "--nofile=24:"),
            Self::LittleMemory(name) => return limit(cluster, name, "--data=67108864:unlimited"),
            Self::RedisFlush => return (!cluster.redis(&["FLUSHALL"])).then(|| "Redis refused".to_owned()),
            Self::RedisReadOnly => {
                return (!cluster.redis(&["REPLICAOF", "127.0.0.1", "1"])).then(|| "Redis refused".to_owned());
            }
            Self::RedisFull => {
                return (!cluster.redis(&["CONFIG", "SET", "maxmemory", "1"])).then(|| "Redis refused".to_owned());
            }
            Self::RedisFailover => {
                return (!cluster.part_redis()).then(|| "the replica of Redis did not follow".to_owned());
            }
        }
        None
    }

    /// Whether nobody has taken the order that was left at a place; what holds always stays there, and does not show.
    fn is_untouched(self, cluster: &Cluster) -> bool {
        let Self::At { kind, place, order } = self else { return false };
        !order.starts_with("always ") && cluster.all(kind).all(|process| cluster.has_order(process.name(), place))
    }

    fn end(self, cluster: &Cluster) {
        match self {
            Self::None | Self::Cut | Self::Kill(_) | Self::Roll(_) | Self::RedisFlush | Self::RedisFailover => {}
            Self::Down(_) => cluster.processes.iter().for_each(Process::let_up),
            Self::Stop(_) => cluster.processes.iter().for_each(|process| process.signal(Signal::CONT)),
            Self::At { .. } | Self::Poison | Self::Clock(..) => cluster.countermand(),
            Self::Isolate(_)
            | Self::Mute(_)
            | Self::Deaf(_)
            | Self::Bridge(..)
            | Self::Apart
            | Self::Slow(_)
            | Self::Lossy(_) => {
                cluster.wires.iter().for_each(Wire::mend);
            }
            Self::FullDisk(_) => empty(cluster),
            Self::SlowSync(_) | Self::FailingSync(_) => {
                for process in cluster.processes.iter().filter(|process| process.is_wrapped()) {
                    process.wrap(Vec::new());
                    process.signal(Signal::KILL);
                }
            }
            Self::FewFiles(name) => drop(limit(cluster, name, "--nofile=4096:")),
            Self::LittleMemory(name) => drop(limit(cluster, name, "--data=unlimited:unlimited")),
            Self::RedisReadOnly => drop(cluster.redis(&["REPLICAOF", "NO", "ONE"])),
            Self::RedisFull => drop(cluster.redis(&["CONFIG", "SET", "maxmemory", "0"])),
        }
    }
}

/// The name itself, or the leader's.
async fn true_name(cluster: &Cluster, name: &str) -> String {
    if name == LEADER { cluster.leader().await.unwrap_or("nats-1".to_owned()) } else { name.to_owned() }
}

/// The components of these names.
async fn each<'a>(cluster: &'a Cluster, names: &[&str]) -> impl Iterator<Item = &'a Process> + use<'a> {
    let mut true_names = Vec::new();
    for name in names {
        true_names.push(if *name == REDIS { cluster.redis_name() } else { true_name(cluster, name).await });
    }
    cluster.processes.iter().filter(move |process| true_names.iter().any(|name| process.name().starts_with(name)))
}

/// Changes the weather for what goes from one to another of all pairs that are chosen.
fn weather(cluster: &Cluster, chosen: impl Fn(&str, &str) -> bool, weather: Weather) {
    for wire in &cluster.wires {
        if chosen(&wire.from, &wire.to) {
            wire.weather_from(&wire.from, weather);
        }
        if chosen(&wire.to, &wire.from) {
            wire.weather_from(&wire.to, weather);
        }
    }
}

fn fill(cluster: &Cluster, name: &str) -> Option<String> {
    for store in cluster.nodes.iter().filter(|node| node.name.starts_with(name)).map(Node::store) {
        let place = store.display().to_string();
        let used = run("df", &["--output=used", "-k", &place])?;
        let used: u64 = used.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        let size = SMALL_DISK_KILOBYTES.max(used + 64);
        if run("mount", &["-o", &format!("remount,size={size}k"), &place]).is_none() {
            return Some("no file system could be mounted for the brokers".to_owned());
        }
        // To the last byte; the broker writes on meanwhile, so how much fits is not known before.
        let filled = File::create(store.join(BALLAST))
            .and_then(|mut ballast| std::io::copy(&mut std::io::repeat(0).take(size * 1024), &mut ballast));
        if filled.is_ok() {
            return Some("the disk of a broker did not fill up".to_owned());
        }
    }
    None
}

fn empty(cluster: &Cluster) {
    for store in cluster.nodes.iter().map(Node::store).filter(|store| store.join(BALLAST).exists()) {
        if fs::remove_file(store.join(BALLAST)).is_err()
            || run("mount", &["-o", "remount,size=512m", &store.display().to_string()]).is_none()
        {
            eprintln!("{} stays full", store.display());
        }
    }
}

/// Has brokers start anew under a tracer that changes what their system calls do.
fn trace(cluster: &Cluster, name: &str, injection: &str) -> Option<String> {
    if run("strace", &["-V"]).is_none() {
        return Some("strace is missing".to_owned());
    }
    for process in cluster.all(name) {
        let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e"];
        let injection = format!("inject={injection}");
        process.wrap(words.iter().map(|word| (*word).to_owned()).chain([injection]).collect());
        process.signal(Signal::KILL);
    }
    None
}

fn limit(cluster: &Cluster, name: &str, limit: &str) -> Option<String> {
    for pid in cluster.all(name).filter_map(Process::pid) {
        let pid = pid.as_raw_nonzero().to_string();
        if run("prlimit", &["--pid", &pid, limit]).is_none() {
            return Some("prlimit is missing, or the process is just not there".to_owned());
        }
    }
    None
}

fn run(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
