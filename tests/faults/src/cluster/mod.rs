//! A cluster of real processes on the loopback interface, every connection over a [`Wire`].

pub mod broker;
mod leftovers;
mod process;
mod redis_pair;
mod routes;
mod secrets;
mod services;
mod sickness;
pub mod wire;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use shared::messaging::{Broker, DeadLetters, WorkflowLog};
use shared::read_model::ReadModel;

pub use broker::Node;
pub use leftovers::{cgroups_of, jobs_of, mounts_below, remove_cgroups};
pub use process::Process;
pub use services::DEVELOPERS;
pub use wire::{Weather, Wire};

use crate::programs::Programs;
use redis_pair::RedisPair;
use secrets::Secrets;

/// Who signs in to the brokers as the operator, and as an approval bot.
pub(crate) const OPERATOR: &str = "cli";
pub(crate) const BOT: &str = "release_bot";

/// Where questions expire while the load runs, they do so after this.
const EXPIRY: Duration = Duration::from_secs(20);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// How many of each kind there are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// 1 or 3.
    pub brokers: usize,
    pub apis: usize,
    pub workers: usize,
    pub approvers: usize,
    /// Whether no code runs before a human agreed.
    pub is_gated: bool,
    /// A question that was not answered by then is closed.
    pub expiry: Duration,
}

impl Shape {
    /// Just enough to have a second of everything that may be killed.
    pub const SMALL: Self = Self { brokers: 1, apis: 1, workers: 2, approvers: 1, is_gated: false, expiry: A_DAY };
    /// What production has.
    pub const FULL: Self = Self { brokers: 3, apis: 2, workers: 3, approvers: 2, is_gated: false, expiry: A_DAY };

    /// The same, in which code runs before a human agreed or not.
    pub const fn gated(self, is_gated: bool) -> Self {
        Self { is_gated, ..self }
    }

    /// The same, in which questions expire while the load runs. Nobody who answers takes as long, unless a fault lasts.
    pub const fn expiring(self) -> Self {
        Self { expiry: EXPIRY, ..self }
    }

    /// Whether a question expires within a round.
    pub fn is_expiring(self) -> bool {
        self.expiry < A_DAY
    }
}

/// A running cluster. [`Cluster::end`] takes it away; dropped, its processes die and its folder stays.
#[derive(Debug)]
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub processes: Vec<Process>,
    pub wires: Vec<Wire>,
    pub api_urls: Vec<String>,
    pub folder: PathBuf,
    pub shape: Shape,
    secrets: Secrets,
    redis: RedisPair,
    operator: Broker,
}

impl Cluster {
    /// Starts a cluster in a fresh folder below the system's temporary one, and waits until it serves.
    pub async fn start(shape: Shape) -> Result<Self, String> {
        let folder = fresh_folder().map_err(|error| error.to_string())?;
        let programs = Programs::find()?;
        let secrets = Secrets::fresh();
        let mut plan = services::Plan::new(shape, &folder, &programs, &secrets);
        let servers = plan.servers().await.map_err(|error| error.to_string())?;
        let processes: Vec<Process> = servers.into_iter().map(Process::start).collect();
        let operator = plan.prepare().await?;
        let services = plan.services().await.map_err(|error| error.to_string())?;
        let services::Plan { nodes, wires, api_urls, redis, .. } = plan;
        let mut cluster = Self { nodes, processes, wires, api_urls, folder, shape, secrets, redis, operator };
        cluster.processes.extend(services.into_iter().map(Process::start));
        cluster.pair_redis().await;
        match cluster.until_ready(Duration::from_secs(60)).await {
            Ok(()) => Ok(cluster),
            Err(reason) => {
                cluster.end(true).await;
                Err(reason)
            }
        }
    }

    /// Waits until every API answers that it is ready.
    pub async fn until_ready(&self, limit: Duration) -> Result<(), String> {
        let client = crate::http_client(Duration::from_secs(5));
        let give_up = tokio::time::Instant::now() + limit;
        for url in &self.api_urls {
            loop {
                let answer = client.get(format!("{url}/health")).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if tokio::time::Instant::now() > give_up {
                    return Err(format!("{url} is not healthy after {limit:?}; logs in {}", self.folder.display()));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// The components whose name begins so, e.g. `worker`.
    pub fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Process> + 'a {
        self.processes.iter().filter(move |process| process.name().starts_with(kind))
    }

    /// One component.
    ///
    /// # Panics
    /// Where there is none of this name.
    pub fn process(&self, name: &str) -> &Process {
        self.processes.iter().find(|process| process.name() == name).unwrap_or_else(|| panic!("{name} is a component"))
    }

    /// Sends every component whose name begins so a signal.
    pub fn signal(&self, kind: &str, signal: Signal) {
        self.all(kind).for_each(|process| process.signal(signal));
    }

    /// Orders a failpoint of one component.
    pub fn order(&self, name: &str, place: &str, order: &str) {
        let folder = self.folder.join("failpoints").join(name);
        // Whole or not at all: the process may look at any moment.
        let draft = folder.join(".draft");
        if fs::write(&draft, order).and_then(|()| fs::rename(&draft, folder.join(place))).is_err() {
            eprintln!("the order {place} for {name} could not be written");
        }
    }

    /// How often those whose name begins so obeyed an order at a place.
    pub fn hits(&self, kind: &str, place: &str) -> u64 {
        let file =
            |process: &Process| self.folder.join("failpoints").join(process.name()).join(format!("{place}.hits"));
        self.all(kind).filter_map(|process| fs::metadata(file(process)).ok()).map(|hits| hits.len()).sum()
    }

    /// Takes back every order that was not obeyed yet, and sets every clock right.
    pub fn countermand(&self) {
        for process in &self.processes {
            let orders = fs::read_dir(self.folder.join("failpoints").join(process.name()));
            let is_order = |name: &Path| name.extension().is_none_or(|extension| extension != "hits");
            for order in orders.into_iter().flatten().flatten().filter(|order| is_order(&order.path())) {
                // The process may have taken it meanwhile.
                drop(fs::remove_file(order.path()));
            }
        }
    }

    /// The operator's connection to the brokers, past the wires.
    pub fn operator(&self) -> &Broker {
        &self.operator
    }

    /// The brokers' own addresses.
    pub(crate) fn broker_urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// What a user of the brokers signs in with.
    pub(crate) fn password_of(&self, user: &str) -> String {
        self.secrets.broker(user).expose().to_owned()
    }

    /// The log, past the wires.
    pub fn log(&self) -> WorkflowLog {
        WorkflowLog::new(&self.operator)
    }

    /// The read model, past the wires.
    pub fn view(&self) -> Result<ReadModel, String> {
        let password = self.secrets.redis("promptcraft");
        let url = format!("redis://promptcraft:{}@127.0.0.1:{}/0", password.expose(), self.redis.serving_port());
        ReadModel::open(&url).map_err(|error| error.to_string())
    }

    /// Runs a command in the Redis that serves, as its operator; false where it refused or is away.
    pub fn redis(&self, words: &[&str]) -> bool {
        redis_pair::command(self.redis.serving_port(), &self.secrets, words).is_some()
    }

    /// The name of the Redis that serves.
    pub fn redis_name(&self) -> String {
        self.redis.serving_name().to_owned()
    }

    /// Has the other Redis follow the one that serves; false where it does not after a while.
    async fn pair_redis(&self) -> bool {
        let (leader, follower) = (self.redis.serving_port(), self.redis.following_port());
        let give_up = tokio::time::Instant::now() + Duration::from_secs(10);
        let mut has_followed = false;
        while tokio::time::Instant::now() < give_up {
            has_followed = has_followed || redis_pair::follow(follower, Some(leader), &self.secrets);
            if has_followed && redis_pair::is_following(follower, &self.secrets) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    /// Parts the other Redis from the one that serves: what is written from now on, it misses. False where it did not follow.
    pub fn part_redis(&self) -> bool {
        let follower = self.redis.following_port();
        redis_pair::is_following(follower, &self.secrets) && redis_pair::follow(follower, None, &self.secrets)
    }

    /// Kills the Redis that serves and has the other take its place, which the killed one follows once it is back.
    pub async fn fail_over_redis(&self) -> bool {
        let fallen = self.process(self.redis.serving_name());
        self.redis.swap();
        let target = services::local(self.redis.serving_port());
        self.wires.iter().filter(|wire| wire.to == "redis").for_each(|wire| wire.lead_to(target));
        fallen.signal(Signal::KILL);
        self.pair_redis().await
    }

    /// The node that leads the log now.
    pub async fn leader(&self) -> Option<String> {
        if self.nodes.len() == 1 {
            return Some(self.nodes[0].name.clone());
        }
        let client = crate::http_client(Duration::from_secs(2));
        for node in &self.nodes {
            let url = format!("{}/jsz?accounts=true&streams=true", node.monitor_url());
            let Ok(answer) = client.get(url).send().await else { continue };
            let Ok(text) = answer.text().await else { continue };
            let Ok(page) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
            let accounts = page["account_details"].as_array().cloned().unwrap_or_default();
            let streams =
                accounts.iter().flat_map(|account| account["stream_detail"].as_array().cloned().unwrap_or_default());
            let log = streams.into_iter().find(|stream| stream["name"] == "WORKFLOWS");
            if let Some(leader) = log.and_then(|log| log["cluster"]["leader"].as_str().map(str::to_owned)) {
                return Some(leader);
            }
        }
        None
    }

    /// Process ids of the workers that run.
    pub fn living_workers(&self) -> Vec<Pid> {
        self.all("worker").filter_map(Process::pid).collect()
    }

    /// Process ids of workers that died more than 5 s ago, but those that a living one has by now.
    pub fn dead_workers(&self) -> Vec<Pid> {
        let living = self.living_workers();
        let deaths = self.all("worker").flat_map(Process::deaths);
        let long_ago = deaths.filter(|(_, at)| at.elapsed() > Duration::from_secs(5));
        long_ago.map(|(pid, _)| pid).filter(|pid| !living.contains(pid)).collect()
    }

    /// Connections between brokers that go past the wires.
    pub fn strangers(&self) -> Vec<String> {
        routes::strangers(&self.nodes.iter().map(|node| node.route_port).collect::<Vec<_>>())
    }

    /// The dead letters, past the wires.
    pub fn letters(&self) -> DeadLetters {
        DeadLetters::new(&self.operator)
    }

    /// Ends everything, and takes the folder away unless it is to be kept.
    pub async fn end(self, keep: bool) {
        // Those who use others first.
        for process in self.processes.into_iter().rev() {
            process.end(Duration::from_secs(5)).await;
        }
        for node in &self.nodes {
            services::unmount(&node.store());
        }
        if !keep {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

fn fresh_folder() -> io::Result<PathBuf> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let folder = loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("promptcraft-faults-{}-{number}", std::process::id()));
        // In a process namespace of its own another run may have the same id.
        match fs::create_dir(&folder) {
            Ok(()) => break folder,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    };
    for part in ["logs", "failpoints"] {
        fs::create_dir_all(folder.join(part))?;
    }
    Ok(folder)
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"))
}
