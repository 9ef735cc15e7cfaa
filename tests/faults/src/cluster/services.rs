//! The specifications of a cluster's processes: settings, secrets, and a proxy for every connection.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::identity::{Role, Secret, SigningKey, User};
use messaging::{Broker, Buckets, provision};
use service::clock::Clock;
use service::ports;
use tokio::time::{Duration, Instant, sleep};

use super::broker::{Node, operator};
use super::process::ProcessSpec;
use super::proxy::Proxy;
use super::redis_pair::{self, RedisPair};
use super::secrets::ClusterSecrets;
use super::{BOT, OPERATOR, Topology};
use crate::programs::ClusterPrograms;

/// Developers with self-approval; their password is their name and `_pass`.
pub const DEVELOPERS: [&str; 2] = ["ann", "ben"];

/// Size of the file system in memory that holds a broker's streams, so that a test can fill it.
const STORE: &str = "512m";

/// A rate limit that the load never reaches.
const NO_LIMIT: &str = "1000000/60000000";

/// A cluster that is being started.
pub(super) struct ClusterPlan<'a> {
    topology: Topology,
    folder: &'a Path,
    programs: &'a ClusterPrograms,
    secrets: &'a ClusterSecrets,
    pub(super) nodes: Vec<Node>,
    pub(super) proxies: Vec<Proxy>,
    pub(super) api_urls: Vec<String>,
    pub(super) redis: RedisPair,
}

pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl<'a> ClusterPlan<'a> {
    pub(super) fn new(
        topology: Topology,
        folder: &'a Path,
        programs: &'a ClusterPrograms,
        secrets: &'a ClusterSecrets,
    ) -> Self {
        Self {
            topology,
            folder,
            programs,
            secrets,
            nodes: Vec::new(),
            proxies: Vec::new(),
            api_urls: Vec::new(),
            redis: RedisPair::default(),
        }
    }

    /// Returns the specifications of brokers and Redis.
    pub(super) async fn servers(&mut self) -> io::Result<Vec<ProcessSpec>> {
        let ports = ports::free(self.topology.brokers * 3 + 2)?;
        for (number, ports) in ports.chunks_exact(3).take(self.topology.brokers).enumerate() {
            let name = format!("nats-{}", number + 1);
            let folder = self.folder.join(&name);
            let node = Node { name, port: ports[0], monitor_port: ports[1], route_port: ports[2], folder };
            mount(&node.store())?;
            self.nodes.push(node);
        }
        let mut specs = Vec::new();
        for node in self.nodes.clone() {
            let mut routes = Vec::new();
            for peer in self.nodes.clone().iter().filter(|peer| peer.name != node.name) {
                let proxy = Proxy::start(&node.name, &peer.name, local(peer.route_port)).await?;
                routes.push(proxy.port);
                self.proxies.push(proxy);
            }
            let environment = node.configure(self.secrets, &routes)?;
            specs.push(node.spec(&self.programs.nats_server, environment, &self.programs.promptcraft, &self.logs()));
        }
        self.redis = RedisPair::on([ports[ports.len() - 2], ports[ports.len() - 1]]);
        for (name, port) in self.redis.servers() {
            specs.push(self.redis(name, port)?);
        }
        Ok(specs)
    }

    fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    fn redis(&self, name: &str, port: u16) -> io::Result<ProcessSpec> {
        let directory = self.folder.join(name);
        fs::create_dir_all(&directory)?;
        let configuration = directory.join("redis.conf");
        fs::write(&configuration, redis_pair::configuration(&directory, port, self.secrets))?;
        let words = [&self.programs.redis_server, &configuration].map(|word| word.display().to_string());
        Ok(self.spec(name, words.to_vec(), Vec::new()))
    }

    fn spec(&self, name: &str, words: Vec<String>, environment: Vec<(String, String)>) -> ProcessSpec {
        let log = self.logs().join(format!("{name}.log"));
        ProcessSpec {
            name: name.to_owned(),
            words,
            environment,
            log,
            health: None,
            guard: self.programs.promptcraft.clone(),
        }
    }

    /// Creates streams, the signing key and users, waiting until the brokers have elected leaders.
    pub(super) async fn prepare(&self) -> Result<Broker, String> {
        let settings = operator(&self.nodes, self.secrets.broker(OPERATOR));
        let broker = Broker::connect(&settings).await.map_err(|error| error.to_string())?;
        let give_up = Instant::now() + Duration::from_secs(60);
        let lanes = ["python".to_owned()];
        while let Err(error) = provision(&broker, self.nodes.len(), &lanes).await {
            if Instant::now() > give_up {
                return Err(error.to_string());
            }
            sleep(Duration::from_millis(200)).await;
        }
        let now = Clock::system().now();
        let buckets = Buckets::new(&broker);
        let key = SigningKey::fresh(false, now);
        let keys = buckets.signing_keys().await.map_err(|error| error.to_string())?;
        keys.create(&key.kid, &key).await.map_err(|error| error.to_string())?;
        let users = buckets.users().await.map_err(|error| error.to_string())?;
        let user = |name: &str, role| {
            let name = name.parse().map_err(|error| format!("{name}: {error}"))?;
            Ok::<_, String>(User::new(name, role, now))
        };
        for name in DEVELOPERS {
            let password = service::password::hash(&format!("{name}_pass")).map_err(|error| error.to_string())?;
            let user = User { password: Some(password), self_approval: true, ..user(name, Role::Developer)? };
            users.create(name, &user).await.map_err(|error| error.to_string())?;
        }
        let bot = User { bot: true, ..user(BOT, Role::Approver)? };
        users.create(BOT, &bot).await.map_err(|error| error.to_string())?;
        Ok(broker)
    }

    /// Returns the specifications of approvers, workers and APIs.
    pub(super) async fn services(&mut self) -> io::Result<Vec<ProcessSpec>> {
        let mut specs = Vec::new();
        let webhook_key = Secret::fresh();
        for number in 1..=self.topology.approvers {
            let own = vec![
                ("WEBHOOK__SIGNING_KEY", webhook_key.expose().to_owned()),
                ("APPROVAL__EXPIRY", format!("{}s", self.topology.expiry.as_secs())),
            ];
            specs.push(self.service("approver", number, own).await?);
        }
        for number in 1..=self.topology.workers {
            let own = vec![
                ("WORKER__INSTANCE", format!("worker-{number}")),
                ("SANDBOX__ROOTS_DIR", self.programs.roots.display().to_string()),
                ("SANDBOX__BACKEND", "bubblewrap".to_owned()),
                ("WORKER__EXECUTE_CONCURRENCY", "2".to_owned()),
                // Attempts are lost `ack_wait` apart: with the default a poison fault would last for minutes.
                ("WORKER__MAX_ATTEMPTS", "4".to_owned()),
            ];
            specs.push(self.service("worker", number, own).await?);
        }
        for (number, port) in (1..).zip(ports::free(self.topology.apis)?) {
            let own = vec![
                ("API__LISTEN", format!("127.0.0.1:{port}")),
                ("API__WORKERS", "2".to_owned()),
                // Raised instead of disabled, so that each call takes from its bucket.
                ("LIMITS__EXECUTE", NO_LIMIT.to_owned()),
                ("LIMITS__ANALYZE", NO_LIMIT.to_owned()),
                ("LIMITS__DECIDE", NO_LIMIT.to_owned()),
                ("LIMITS__STATUS", NO_LIMIT.to_owned()),
                ("BUDGET__PER_USER_DAY", "1000000".to_owned()),
                ("AUTH__ACCESS_TTL", "24h".to_owned()),
            ];
            specs.push(self.service("api", number, own).await?);
            self.api_urls.push(format!("http://127.0.0.1:{port}"));
        }
        Ok(specs)
    }

    async fn service(&mut self, kind: &str, number: usize, own: Vec<(&str, String)>) -> io::Result<ProcessSpec> {
        let name = format!("{kind}-{number}");
        let mut urls = Vec::new();
        for node in self.nodes.clone() {
            let proxy = Proxy::start(&name, &node.name, local(node.port)).await?;
            urls.push(format!("nats://127.0.0.1:{}", proxy.port));
            self.proxies.push(proxy);
        }
        let redis = Proxy::start(&name, "redis", local(self.redis.serving_port())).await?;
        let redis_user = if kind == "worker" { "worker" } else { "promptcraft" };
        let redis_password = self.secrets.redis(redis_user);
        let failpoints = self.folder.join("failpoints").join(&name);
        fs::create_dir_all(&failpoints)?;
        let monitors: Vec<String> = self.nodes.iter().map(Node::monitor_url).collect();
        let mut settings = vec![
            ("PROFILE", "development".to_owned()),
            ("TELEMETRY__LOG", "text".to_owned()),
            ("NATS__URL", urls.join(",")),
            ("NATS__USER", kind.to_owned()),
            ("NATS__PASSWORD", self.secrets.broker(kind).expose().to_owned()),
            ("NATS__MONITOR_URL", monitors.join(",")),
            ("WEBHOOK__ALLOW_PRIVATE", "true".to_owned()),
            ("NATS__REPLICAS", self.nodes.len().to_string()),
            ("REDIS__URL", format!("redis://{redis_user}:{}@127.0.0.1:{}/0", redis_password.expose(), redis.port)),
        ];
        self.proxies.push(redis);
        let metrics = ports::free(1)?[0];
        let metrics_setting = format!("{}__METRICS_LISTEN", kind.to_uppercase());
        settings.extend(own);
        if kind != "worker" {
            settings.push(("APPROVAL__GATE_BEFORE_EXECUTE", self.topology.is_gated.to_string()));
        }
        let mut environment: Vec<(String, String)> =
            settings.into_iter().map(|(name, value)| (format!("PROMPTCRAFT__{name}"), value)).collect();
        environment.push((format!("PROMPTCRAFT__{metrics_setting}"), format!("127.0.0.1:{metrics}")));
        environment.push(("PROMPTCRAFT_FAILPOINTS".to_owned(), failpoints.display().to_string()));
        Ok(self.spec(&name, vec![self.programs.instrumented(kind)], environment))
    }
}

/// Mounts a file system of a bounded size, where this process may; otherwise a plain folder remains.
fn mount(store: &Path) -> io::Result<()> {
    fs::create_dir_all(store)?;
    let output =
        Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={STORE}"), "tmpfs"]).arg(store).output();
    if !output.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no file system can be mounted, so no disk will be filled");
    }
    Ok(())
}

/// Unmounts the file system, if there is one.
pub(super) fn unmount(store: &Path) {
    // Fails for a plain folder.
    drop(Command::new("umount").arg("-l").arg(store).output());
}
