//! The brokers: one, or three that replicate, each with the product's accounts and permissions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cli::stack::RuntimeName;
use cli::stack::broker_config::{self, BotAccount, BrokerEnvironment};
use domain::identity::Secret;

use super::process::ProcessSpec;
use super::secrets::ClusterSecrets;
use super::{BOT, OPERATOR};

/// Ports and folder of one broker.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    pub port: u16,
    pub monitor_port: u16,
    pub route_port: u16,
    /// Contains `store`, which may be a mounted file system.
    pub folder: PathBuf,
}

impl Node {
    /// Returns the address for clients, without a proxy.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Returns the address of the monitoring endpoints.
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor_port)
    }

    /// Writes the node's configuration. `routes` are the ports of the proxies to its peers; a single broker has none.
    pub fn configure(&self, secrets: &ClusterSecrets, routes: &[u16]) -> io::Result<Vec<(String, String)>> {
        let name = BOT.parse().map_err(io::Error::other)?;
        let bot = BotAccount { name, password: secrets.broker(BOT).expose().to_owned() };
        let server = broker_config::write(&self.folder, &[bot], &RuntimeName::all())?;
        if !routes.is_empty() {
            let urls: Vec<String> = routes.iter().map(|port| format!("\"nats-route://127.0.0.1:{port}\"")).collect();
            // Clients get no address, and brokers one where nothing listens: a real one would let them bypass the
            // proxies.
            let cluster = format!(
                "\ncluster {{\n  name: promptcraft\n  listen: \"127.0.0.1:{}\"\n  advertise: \"127.0.0.1:1\"\n  no_advertise: true\n  routes: [{}]\n}}\n",
                self.route_port,
                urls.join(", ")
            );
            let text = fs::read_to_string(&server)? + &cluster;
            fs::write(&server, text)?;
        }
        let environment = BrokerEnvironment {
            server_name: &self.name,
            listen: &format!("127.0.0.1:{}", self.port),
            monitor_listen: &format!("127.0.0.1:{}", self.monitor_port),
            store: &self.store(),
            password: &|user| secrets.broker(user).expose().to_owned(),
        };
        Ok(environment.variables())
    }

    /// Returns the folder of the streams.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// Returns the specification of its process.
    pub fn spec(&self, program: &Path, environment: Vec<(String, String)>, guard: &Path, logs: &Path) -> ProcessSpec {
        let configuration = self.folder.join("server.conf");
        ProcessSpec {
            name: self.name.clone(),
            words: vec![program.display().to_string(), "--config".to_owned(), configuration.display().to_string()],
            environment,
            log: logs.join(format!("{}.log", self.name)),
            health: Some(format!("{}/healthz", self.monitor_url())),
            guard: guard.to_owned(),
        }
    }
}

/// Returns the harness's settings as the operator.
pub fn operator(nodes: &[Node], password: Secret) -> messaging::BrokerSettings {
    let urls: Vec<String> = nodes.iter().map(Node::url).collect();
    messaging::BrokerSettings {
        url: urls.join(","),
        user: OPERATOR.to_owned(),
        password: Some(password),
        replicas: nodes.len(),
        strict: false,
        monitor_url: None,
        tls_ca_file: None,
    }
}
