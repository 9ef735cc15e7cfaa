//! `stack.json`: what runs and where, for the other commands and for test suites.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::private_file;
use super::recipe::Recipe;

/// A running stack. Secrets are named by their files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The process of `promptcraft up`.
    pub pid: i32,
    pub demo: bool,
    pub api_url: String,
    pub api_metrics_url: String,
    pub approver_metrics_url: String,
    pub worker_metrics_urls: Vec<String>,
    pub nats_url: String,
    pub nats_monitor_url: String,
    /// The password file of each user of the services' accounts.
    pub nats_password_files: BTreeMap<String, PathBuf>,
    pub redis_port: u16,
    /// Holds the address that the services use, password included.
    pub redis_url_file: PathBuf,
    /// Holds the password of Redis' `default` user, who may do everything.
    pub redis_password_file: PathBuf,
    pub bots: Vec<Bot>,
    /// Process ids by component: `nats`, `redis`, `approver`, `worker-1`, .., `api`.
    pub pids: BTreeMap<String, i32>,
    pub logs: PathBuf,
}

/// An approval bot that may sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bot {
    pub name: String,
    pub password_file: PathBuf,
}

impl Manifest {
    /// What `recipe` will run; the process ids come as the processes do.
    pub fn of(recipe: &Recipe) -> io::Result<Self> {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let data = &recipe.data;
        let mut nats_password_files = BTreeMap::new();
        for user in super::broker_files::SERVICE_USERS {
            nats_password_files.insert(user.to_owned(), data.secret_file(&format!("nats-{user}"))?);
        }
        let mut bots = Vec::new();
        for bot in data.bots()? {
            let password_file = data.secret_file(&format!("bot-{}", bot.name))?;
            bots.push(Bot { name: bot.name.to_string(), password_file });
        }
        Ok(Self {
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            demo: recipe.demo,
            api_url: recipe.api_url(),
            api_metrics_url: local(recipe.ports.api_metrics),
            approver_metrics_url: local(recipe.ports.approver_metrics),
            worker_metrics_urls: recipe.ports.worker_metrics.iter().copied().map(local).collect(),
            nats_url: recipe.broker_url(),
            nats_monitor_url: recipe.broker_monitor_url(),
            nats_password_files,
            redis_port: recipe.ports.redis,
            redis_url_file: data.root().join("secrets/redis-url"),
            redis_password_file: data.secret_file("redis-default")?,
            bots,
            pids: BTreeMap::new(),
            logs: data.root().join("logs"),
        })
    }

    /// Where the manifest of a data directory stands.
    pub fn path(data: &Path) -> PathBuf {
        data.join("stack.json")
    }

    /// The manifest of the stack that runs on `data`, if one does.
    pub fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(data)).ok()?;
        let manifest: Self = serde_json::from_slice(&text).ok()?;
        // What a killed stack left behind describes nothing.
        let pid = rustix::process::Pid::from_raw(manifest.pid)?;
        rustix::process::test_kill_process(pid).is_ok().then_some(manifest)
    }

    /// Names a bot that was added.
    pub fn remember_bot(&mut self, name: &str, password_file: &Path) {
        if self.bots.iter().all(|bot| bot.name != name) {
            self.bots.push(Bot { name: name.to_owned(), password_file: password_file.to_owned() });
        }
    }

    /// Replaces the manifest of a data directory.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        private_file::write(&Self::path(data), &serde_json::to_vec_pretty(self).map_err(io::Error::other)?)
    }

    /// Takes it away: nothing runs any more.
    pub fn remove(data: &Path) {
        // It may not have been written yet.
        drop(std::fs::remove_file(Self::path(data)));
    }
}
