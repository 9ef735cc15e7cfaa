//! A cluster of real processes on the loopback interface, every connection over a [`Proxy`].

pub mod broker;
mod health;
mod jobs;
mod process;
pub mod proxy;
mod redis_pair;
mod routes;
mod secrets;
mod services;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use messaging::{Broker, DeadLetters, WorkflowLog};
use read_model::ReadModel;
use rustix::process::{Pid, Signal};

pub use broker::Node;
pub use jobs::{cgroups_of, jobs_of, mounts_below, remove_cgroups};
pub use process::SupervisedProcess;
pub use proxy::{LinkState, Proxy};
pub use services::DEVELOPERS;

use crate::programs::ClusterPrograms;
use redis_pair::RedisPair;
use secrets::ClusterSecrets;

/// Users of the brokers: the operator, and an approval bot.
pub(crate) const OPERATOR: &str = "cli";
pub(crate) const BOT: &str = "release_bot";

/// Expiry of questions in an expiring topology.
const EXPIRY: Duration = Duration::from_secs(20);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// The number of processes of each kind, and their settings.
#[derive(Debug, Clone, Copy)]
pub struct Topology {
    /// 1 or 3.
    pub brokers: usize,
    pub apis: usize,
    pub workers: usize,
    pub approvers: usize,
    /// True if code runs only after approval.
    pub is_gated: bool,
    /// Time after which an unanswered question expires.
    pub expiry: Duration,
}

impl Topology {
    /// The smallest cluster with a second worker.
    pub const SMALL: Self = Self { brokers: 1, apis: 1, workers: 2, approvers: 1, is_gated: false, expiry: A_DAY };
    /// A cluster as in production.
    pub const FULL: Self = Self { brokers: 3, apis: 2, workers: 3, approvers: 2, is_gated: false, expiry: A_DAY };

    /// Returns the same with or without approval before code runs.
    pub const fn gated(self, is_gated: bool) -> Self {
        Self { is_gated, ..self }
    }

    /// Returns the same with questions that expire while the load runs. Answers are faster than that, unless a fault
    /// delays them.
    pub const fn expiring(self) -> Self {
        Self { expiry: EXPIRY, ..self }
    }

    /// Returns whether questions expire within a round.
    pub fn is_expiring(self) -> bool {
        self.expiry < A_DAY
    }
}

/// A running cluster. [`Cluster::stop`] stops it and removes its folder; if it is dropped, its processes are killed and
/// the folder stays.
#[derive(Debug)]
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub processes: Vec<SupervisedProcess>,
    pub proxies: Vec<Proxy>,
    pub api_urls: Vec<String>,
    pub folder: PathBuf,
    pub topology: Topology,
    secrets: ClusterSecrets,
    redis: RedisPair,
    operator: Broker,
}

impl Cluster {
    /// Starts a cluster in a new temporary folder and waits until it is ready.
    pub async fn start(topology: Topology) -> Result<Self, String> {
        let folder = fresh_folder().map_err(|error| error.to_string())?;
        let programs = ClusterPrograms::find()?;
        let secrets = ClusterSecrets::fresh();
        let mut plan = services::ClusterPlan::new(topology, &folder, &programs, &secrets);
        let servers = plan.servers().await.map_err(|error| error.to_string())?;
        let processes: Vec<SupervisedProcess> = servers.into_iter().map(SupervisedProcess::start).collect();
        let operator = plan.prepare().await?;
        let services = plan.services().await.map_err(|error| error.to_string())?;
        let services::ClusterPlan { nodes, proxies, api_urls, redis, .. } = plan;
        let mut cluster = Self { nodes, processes, proxies, api_urls, folder, topology, secrets, redis, operator };
        cluster.processes.extend(services.into_iter().map(SupervisedProcess::start));
        cluster.start_replication().await;
        match cluster.until_ready(Duration::from_secs(60)).await {
            Ok(()) => Ok(cluster),
            Err(reason) => {
                cluster.stop(true).await;
                Err(reason)
            }
        }
    }

    /// Waits until every API is healthy.
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

    /// Returns the processes whose name begins with `kind`, e.g. `worker`.
    pub fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a SupervisedProcess> + 'a {
        self.processes.iter().filter(move |process| process.name().starts_with(kind))
    }

    /// Returns the process of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn process(&self, name: &str) -> &SupervisedProcess {
        self.processes
            .iter()
            .find(|process| process.name() == name)
            .unwrap_or_else(|| panic!("there is no process {name}"))
    }

    /// Sends a signal to every process whose name begins with `kind`.
    pub fn signal(&self, kind: &str, signal: Signal) {
        self.all(kind).for_each(|process| process.signal(signal));
    }

    /// Arms a failpoint of one process.
    pub fn arm(&self, name: &str, place: &str, order: &str) {
        let folder = self.folder.join("failpoints").join(name);
        // Atomic, because the process may read it at any moment.
        let draft = folder.join(".draft");
        if fs::write(&draft, order).and_then(|()| fs::rename(&draft, folder.join(place))).is_err() {
            eprintln!("failpoint {place} of {name} was not armed: its file cannot be written");
        }
    }

    /// Returns how often processes whose name begins with `kind` triggered a failpoint.
    pub fn hits(&self, kind: &str, place: &str) -> u64 {
        let file = |process: &SupervisedProcess| {
            self.folder.join("failpoints").join(process.name()).join(format!("{place}.hits"))
        };
        self.all(kind).filter_map(|process| fs::metadata(file(process)).ok()).map(|hits| hits.len()).sum()
    }

    /// Disarms every failpoint that was not triggered yet, and resets every clock.
    pub fn clear_failpoints(&self) {
        for process in &self.processes {
            let orders = fs::read_dir(self.folder.join("failpoints").join(process.name()));
            let is_order = |name: &Path| name.extension().is_none_or(|extension| extension != "hits");
            for order in orders.into_iter().flatten().flatten().filter(|order| is_order(&order.path())) {
                // The process may have taken it meanwhile.
                drop(fs::remove_file(order.path()));
            }
        }
    }

    /// Returns the operator's connection to the brokers, without proxies.
    pub fn operator(&self) -> &Broker {
        &self.operator
    }

    /// Returns the addresses of the brokers, without proxies.
    pub(crate) fn broker_urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// Returns the password of a user of the brokers.
    pub(crate) fn password_of(&self, user: &str) -> String {
        self.secrets.broker(user).expose().to_owned()
    }

    /// Returns the log, read without proxies.
    pub fn log(&self) -> WorkflowLog {
        WorkflowLog::new(&self.operator)
    }

    /// Returns the read model, read without proxies.
    pub fn view(&self) -> Result<ReadModel, String> {
        let password = self.secrets.redis("promptcraft");
        let url = format!("redis://promptcraft:{}@127.0.0.1:{}/0", password.expose(), self.redis.serving_port());
        ReadModel::open(&url).map_err(|error| error.to_string())
    }

    /// Runs a command in the serving Redis as its operator; returns false if it fails.
    pub fn redis(&self, words: &[&str]) -> bool {
        redis_pair::command(self.redis.serving_port(), &self.secrets, words).is_some()
    }

    /// Returns the name of the serving Redis.
    pub fn redis_name(&self) -> String {
        self.redis.serving_name().to_owned()
    }

    /// Makes the other Redis a replica of the serving one; returns false if it is not in sync within 10 s.
    async fn start_replication(&self) -> bool {
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

    /// Stops the replication, so that the other Redis misses later writes. Returns false if it was not replicating.
    pub fn stop_replication(&self) -> bool {
        let follower = self.redis.following_port();
        redis_pair::is_following(follower, &self.secrets) && redis_pair::follow(follower, None, &self.secrets)
    }

    /// Kills the serving Redis and makes the replica serve. The killed one becomes the replica when it is back.
    pub async fn fail_over_redis(&self) -> bool {
        let fallen = self.process(self.redis.serving_name());
        self.redis.swap();
        let target = services::local(self.redis.serving_port());
        self.proxies.iter().filter(|proxy| proxy.to == "redis").for_each(|proxy| proxy.redirect(target));
        fallen.signal(Signal::KILL);
        self.start_replication().await
    }

    /// Returns the node that leads the log.
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

    /// Returns process ids of running workers.
    pub fn living_workers(&self) -> Vec<Pid> {
        self.all("worker").filter_map(SupervisedProcess::pid).collect()
    }

    /// Returns process ids of workers that died more than 5 s ago and were not reused by a running one.
    pub fn dead_workers(&self) -> Vec<Pid> {
        let living = self.living_workers();
        let deaths = self.all("worker").flat_map(SupervisedProcess::deaths);
        let long_ago = deaths.filter(|(_, at)| at.elapsed() > Duration::from_secs(5));
        long_ago.map(|(pid, _)| pid).filter(|pid| !living.contains(pid)).collect()
    }

    /// Returns connections between brokers that bypass the proxies.
    pub fn bypassing_connections(&self) -> Vec<String> {
        routes::bypassing_connections(&self.nodes.iter().map(|node| node.route_port).collect::<Vec<_>>())
    }

    /// Returns the dead letters, read without proxies.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(&self.operator)
    }

    /// Stops every process, and removes the folder unless `keep`.
    pub async fn stop(self, keep: bool) {
        // Clients before their servers.
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
        // Another run in a process namespace of its own may have the same id.
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

/// Returns the root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"))
}
