//! Every fault once: the rows of the matrix, and random schedules drawn from them.

use std::time::Duration;

use crate::cluster::Topology;
use crate::fault::Fault;
use crate::random::Random;
use crate::rounds::Injection;

/// Faults in one random schedule.
pub const SCHEDULE: usize = 4;
/// Maximum hold of a short row. Longer rows are one in [`LONG_ONE_IN`] draws.
const SHORT: Duration = Duration::from_secs(10);
const LONG_ONE_IN: usize = 12;

const EVERYTHING: &[&str] = &["nats", "redis", "api", "approver", "worker"];

fn seconds(name: &'static str, fault: Fault, hold: u64) -> Injection {
    Injection { name, fault, hold: Duration::from_secs(hold) }
}

fn at(name: &'static str, kind: &'static str, place: &'static str, order: &'static str) -> Injection {
    seconds(name, Fault::At { kind, place, order }, 3)
}

fn refill(name: &'static str, place: &'static str) -> Injection {
    seconds(name, Fault::Refill { place, order: "abort" }, 6)
}

/// Returns every row, in groups that share a cluster: kills, stops, places in the code, the network, disks, resource
/// limits, Redis, expiries.
pub fn groups() -> Vec<(Topology, Vec<Injection>)> {
    let open = Topology::FULL;
    let gated = open.gated(true);
    vec![
        (open, [vec![seconds("nothing", Fault::None, 4)], kills()].concat()),
        (gated, stops()),
        (open, worker_places()),
        (gated, approver_places()),
        (open, api_places()),
        (gated, network()),
        (open, disks()),
        (gated, limits()),
        (open, redis()),
        (gated.expiring(), expiries()),
    ]
}

fn kills() -> Vec<Injection> {
    vec![
        seconds("kill workers", Fault::Kill(&["worker"]), 4),
        seconds("kill approvers", Fault::Kill(&["approver"]), 4),
        seconds("kill apis", Fault::Kill(&["api"]), 4),
        seconds("kill the leading broker", Fault::Kill(&["leader"]), 4),
        seconds("kill two brokers of three", Fault::Kill(&["nats-1", "nats-2"]), 4),
        seconds("kill all brokers", Fault::Kill(&["nats"]), 4),
        seconds("kill everything", Fault::Kill(EVERYTHING), 4),
        seconds("two brokers down", Fault::Down(&["nats-1", "nats-2"]), 6),
        seconds("leading broker down", Fault::Down(&["leader"]), 6),
        seconds("approvers down", Fault::Down(&["approver"]), 6),
        seconds(
            "one worker, api, approver, broker down",
            Fault::Down(&["worker-1", "api-1", "approver-1", "nats-3"]),
            6,
        ),
        seconds("workers end one after the other", Fault::RollingRestart(&["worker"]), 1),
        seconds("everything ends one after the other", Fault::RollingRestart(EVERYTHING), 1),
    ]
}

fn stops() -> Vec<Injection> {
    vec![
        seconds("stop a worker 1 s", Fault::Stop(&["worker-1"]), 1),
        seconds("stop a worker 5 s, beyond ack_wait", Fault::Stop(&["worker-1"]), 5),
        seconds("stop an approver 1 s", Fault::Stop(&["approver-1"]), 1),
        seconds("stop an approver 5 s", Fault::Stop(&["approver-1"]), 5),
        seconds("stop all approvers 5 s", Fault::Stop(&["approver"]), 5),
        seconds("stop an api 1 s", Fault::Stop(&["api-1"]), 1),
        seconds("stop an api 5 s", Fault::Stop(&["api-1"]), 5),
        seconds("stop a worker, api and approver 60 s", Fault::Stop(&["worker-1", "api-1", "approver-1"]), 60),
        seconds("stop the leading broker 1 s", Fault::Stop(&["leader"]), 1),
        seconds("stop the leading broker 5 s", Fault::Stop(&["leader"]), 5),
        seconds("stop the leading broker 60 s", Fault::Stop(&["leader"]), 60),
        seconds("stop two brokers 5 s", Fault::Stop(&["nats-1", "nats-2"]), 5),
        seconds("stop Redis 1 s", Fault::Stop(&["redis"]), 1),
        seconds("stop Redis 5 s", Fault::Stop(&["redis"]), 5),
        seconds("stop everything 5 s", Fault::Stop(EVERYTHING), 5),
    ]
}

fn worker_places() -> Vec<Injection> {
    vec![
        at("worker dies before an append", "worker", "append.before", "abort"),
        at("worker dies after an append", "worker", "append.after", "abort"),
        at("worker dies before a blob", "worker", "content.before", "abort"),
        at("worker dies after a blob", "worker", "content.after", "abort"),
        at("worker dies before the sandbox", "worker", "sandbox.before", "abort"),
        seconds("worker dies in the middle of a run", Fault::InRun { order: "abort" }, 4),
        at("worker dies after the sandbox", "worker", "sandbox.after", "abort"),
        at("worker dies before an ack", "worker", "ack.before", "abort"),
        at("worker dies after an ack", "worker", "ack.after", "abort"),
        at("worker dies before a Redis write", "worker", "lease.before", "abort"),
        at("worker dies after a Redis write", "worker", "lease.after", "abort"),
        at("worker dies before it gives a lease back", "worker", "release.before", "abort"),
        at("worker dies after it gave a lease back", "worker", "release.after", "abort"),
        at("worker dies before a bucket's write", "worker", "bucket.before", "abort"),
        at("worker dies after a bucket's write", "worker", "bucket.after", "abort"),
        at("worker loses an ack", "worker", "ack.before", "skip"),
        at("worker loses every ack", "worker", "ack.before", "always skip"),
        at("worker acks twice, always", "worker", "ack.before", "always repeat"),
        at("worker acks 4 s late", "worker", "ack.before", "pause 4000"),
        at("worker appends 4 s late", "worker", "append.before", "pause 4000"),
        seconds("poison: every run kills its worker", Fault::Poison(None), 15),
        seconds("poison, and death before a dead letter", Fault::Poison(Some("letter.before")), 15),
        seconds("poison, and death after a dead letter", Fault::Poison(Some("letter.after")), 15),
    ]
}

fn approver_places() -> Vec<Injection> {
    vec![
        at("approver dies before an append", "approver", "append.before", "abort"),
        at("approver dies after an append", "approver", "append.after", "abort"),
        at("approver dies before a decision", "approver", "decision.before", "abort"),
        at("approver dies after a decision", "approver", "decision.after", "abort"),
        at("approver dies before an audit record", "approver", "record.before", "abort"),
        at("approver dies after an audit record", "approver", "record.after", "abort"),
        at("approver dies before a webhook", "approver", "webhook.before", "abort"),
        at("approver dies after a webhook", "approver", "webhook.after", "abort"),
        at("approver dies before it sets a timer", "approver", "timer.before", "abort"),
        at("approver dies after it set a timer", "approver", "timer.after", "abort"),
        at("approver dies before it clears a timer", "approver", "purge.before", "abort"),
        at("approver dies after it cleared a timer", "approver", "purge.after", "abort"),
        at("approver dies before an announcement", "approver", "announcement.before", "abort"),
        at("approver dies after an announcement", "approver", "announcement.after", "abort"),
        at("approver dies before a Redis write", "approver", "view.before", "abort"),
        at("approver dies after a Redis write", "approver", "view.after", "abort"),
        at("approver dies before an ack", "approver", "ack.before", "abort"),
        at("approver dies after an ack", "approver", "ack.after", "abort"),
        at("approver loses every ack", "approver", "ack.before", "always skip"),
        at("approver acks twice, always", "approver", "ack.before", "always repeat"),
        at("approver acks 4 s late", "approver", "ack.before", "pause 4000"),
    ]
}

fn api_places() -> Vec<Injection> {
    vec![
        at("api dies before an append", "api", "append.before", "abort"),
        at("api dies after an append", "api", "append.after", "abort"),
        at("api dies before a Redis write", "api", "view.before", "abort"),
        at("api dies after a Redis write", "api", "view.after", "abort"),
        at("api dies before it takes from a rate", "api", "rate.before", "abort"),
        at("api dies after it took from a rate", "api", "rate.after", "abort"),
        at("api dies before it caches a response", "api", "cache.before", "abort"),
        at("api dies after it cached a response", "api", "cache.after", "abort"),
        at("api dies before it asks for an analysis", "api", "analyse.before", "abort"),
        at("api dies after it asked for an analysis", "api", "analyse.after", "abort"),
        refill("api dies before it fills the view", "filling.before"),
        refill("api dies as it fills the view", "filling.after"),
        refill("api dies before the view is complete", "complete.before"),
        refill("api dies once the view is complete", "complete.after"),
        at("api dies before a blob", "api", "content.before", "abort"),
        at("api dies after a blob", "api", "content.after", "abort"),
        at("api dies before a bucket's write", "api", "bucket.before", "abort"),
        at("api dies after a bucket's write", "api", "bucket.after", "abort"),
        at("api dies before an ack", "api", "ack.before", "abort"),
        at("api dies after an ack", "api", "ack.after", "abort"),
        at("api loses every ack", "api", "ack.before", "always skip"),
        at("api acks twice, always", "api", "ack.before", "always repeat"),
        at("api acks 4 s late", "api", "ack.before", "pause 4000"),
    ]
}

fn network() -> Vec<Injection> {
    vec![
        seconds("worker isolated", Fault::Isolate("worker-1"), 6),
        seconds("approver isolated", Fault::Isolate("approver-1"), 6),
        seconds("api isolated", Fault::Isolate("api-1"), 6),
        seconds("leading broker isolated", Fault::Isolate("leader"), 8),
        seconds("worker: outgoing packets lost", Fault::DropOutgoing("worker-1"), 6),
        seconds("leading broker: outgoing packets lost", Fault::DropOutgoing("leader"), 8),
        seconds("worker: incoming packets lost", Fault::DropIncoming("worker-1"), 6),
        seconds("leading broker: incoming packets lost", Fault::DropIncoming("leader"), 8),
        seconds("brokers partitioned", Fault::PartitionBrokers, 8),
        seconds("two brokers partitioned", Fault::PartitionPair("nats-1", "nats-3"), 8),
        seconds("every packet 30 ms late", Fault::Slow(Duration::from_millis(30)), 6),
        seconds("a tenth of all packets lost", Fault::Lossy(10), 6),
        seconds("connections break", Fault::Cut, 4),
    ]
}

fn disks() -> Vec<Injection> {
    vec![
        seconds("a broker's disk is full", Fault::FullDisk("nats-1"), 6),
        seconds("the leading broker's disk is full", Fault::FullDisk("leader"), 6),
        seconds("the leading broker's disk is full for 20 s", Fault::FullDisk("leader"), 20),
        seconds("all brokers' disks are full", Fault::FullDisk("nats"), 6),
        seconds("a broker syncs 20 ms late", Fault::SlowSync("nats-1"), 8),
        seconds("all brokers sync 20 ms late", Fault::SlowSync("nats"), 10),
        seconds("a broker's syncs fail", Fault::FailingSync("nats-1"), 8),
        seconds("the leading broker's syncs fail", Fault::FailingSync("leader"), 8),
        seconds("all brokers' syncs fail", Fault::FailingSync("nats"), 8),
    ]
}

fn limits() -> Vec<Injection> {
    vec![
        seconds("workers' clocks 5 min ahead", Fault::Clock(&["worker"], 300), 5),
        seconds("workers' clocks 5 min behind", Fault::Clock(&["worker"], -300), 5),
        seconds("an approver's clock 5 min ahead", Fault::Clock(&["approver-1"], 300), 5),
        seconds("approvers' clocks 5 min behind", Fault::Clock(&["approver"], -300), 5),
        seconds("an api's clock 5 min ahead", Fault::Clock(&["api-1"], 300), 5),
        seconds("an api's clock 5 min behind", Fault::Clock(&["api-1"], -300), 5),
        seconds("a worker can open no file", Fault::FewFiles("worker-1"), 5),
        seconds("an approver can open no file", Fault::FewFiles("approver-1"), 5),
        seconds("an api can open no file", Fault::FewFiles("api-1"), 5),
        seconds("a broker can open no file", Fault::FewFiles("nats-1"), 5),
        seconds("a worker gets no memory", Fault::LittleMemory("worker-1"), 5),
        seconds("an approver gets no memory", Fault::LittleMemory("approver-1"), 5),
        seconds("an api gets no memory", Fault::LittleMemory("api-1"), 5),
        seconds("a broker gets no memory", Fault::LittleMemory("nats-1"), 5),
    ]
}

fn redis() -> Vec<Injection> {
    vec![
        seconds("Redis is emptied", Fault::RedisFlush, 3),
        seconds("Redis is killed", Fault::Kill(&["redis"]), 3),
        seconds("Redis is down", Fault::Down(&["redis"]), 5),
        seconds("Redis is read-only", Fault::RedisReadOnly, 5),
        seconds("Redis is full", Fault::RedisFull, 5),
        seconds("Redis: outgoing packets lost", Fault::DropOutgoing("redis"), 5),
        seconds("Redis fails over, and loses 3 s", Fault::RedisFailover, 3),
        seconds("Redis fails over again", Fault::RedisFailover, 0),
    ]
}

fn expiries() -> Vec<Injection> {
    vec![
        seconds("questions expire", Fault::None, 4),
        seconds("approvers down when questions expire", Fault::Down(&["approver"]), 22),
        seconds("all brokers killed while questions wait", Fault::Kill(&["nats"]), 4),
        seconds("approvers' clocks behind, questions expire", Fault::Clock(&["approver"], -300), 24),
    ]
}

/// Returns the topology that a schedule is played on, by its seed.
pub fn topology(seed: u64, injections: &[Injection]) -> Topology {
    let topology = Topology::FULL.gated(seed.is_multiple_of(2));
    // A question that was asked while a clock was ahead expires later by that much.
    let is_timely = !injections.iter().any(|injection| matches!(injection.fault, Fault::Clock(..)));
    if seed % 4 >= 2 && is_timely { topology.expiring() } else { topology }
}

/// Draws `length` rows of the matrix, except those about expiries. A short row is held for a random time, a long one
/// for its own.
pub fn schedule(seed: u64, length: usize) -> Vec<Injection> {
    let mut random = Random::new(seed);
    let (short, long): (Vec<Injection>, Vec<Injection>) = groups()
        .into_iter()
        .filter(|(topology, _)| !topology.is_expiring())
        .flat_map(|(_, rows)| rows)
        .partition(|row| row.hold <= SHORT);
    let mut drawn = || {
        if random.below(LONG_ONE_IN) == 0 {
            return *random.choose(&long);
        }
        let row = *random.choose(&short);
        let hold = Duration::from_millis(500 + random.any() % 5_500);
        Injection { hold, ..row }
    };
    (0..length).map(|_| drawn()).collect()
}
