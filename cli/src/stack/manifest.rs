//! `stack.json`: the addresses and processes of a running stack, for other commands and test suites.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::data_directory::DataDirectory;
use super::private_file;
use super::process_specs::StackConfig;

/// A running stack. Contains the files of secrets, not the secrets.
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
    /// Password file by service user.
    pub nats_password_files: BTreeMap<String, PathBuf>,
    pub redis_port: u16,
    /// File with the Redis URL of the services, password included.
    pub redis_url_file: PathBuf,
    /// File with the password of Redis' `default` user, who has all permissions.
    pub redis_password_file: PathBuf,
    pub bots: Vec<BotEntry>,
    /// Process ids by component: `nats`, `redis`, `approver`, `worker-1`, .., `api`.
    pub pids: BTreeMap<String, i32>,
    pub logs: PathBuf,
}

/// An approval bot with an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BotEntry {
    pub name: String,
    pub password_file: PathBuf,
}

impl Manifest {
    /// Returns the manifest of a stack whose processes have not started yet.
    pub fn of(config: &StackConfig) -> io::Result<Self> {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let data = &config.data;
        let mut nats_password_files = BTreeMap::new();
        for user in super::broker_config::SERVICE_USERS {
            nats_password_files.insert(user.to_owned(), data.secret_file(&format!("nats-{user}"))?);
        }
        let mut bots = Vec::new();
        for bot in data.bots()? {
            let password_file = data.secret_file(&format!("bot-{}", bot.name))?;
            bots.push(BotEntry { name: bot.name.to_string(), password_file });
        }
        Ok(Self {
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            demo: config.demo,
            api_url: config.api_url(),
            api_metrics_url: local(config.ports.api_metrics),
            approver_metrics_url: local(config.ports.approver_metrics),
            worker_metrics_urls: config.ports.worker_metrics.iter().copied().map(local).collect(),
            nats_url: config.broker_url(),
            nats_monitor_url: config.broker_monitor_url(),
            nats_password_files,
            redis_port: config.ports.redis,
            redis_url_file: data.root().join("secrets/redis-url"),
            redis_password_file: data.secret_file("redis-default")?,
            bots,
            pids: BTreeMap::new(),
            logs: data.root().join("logs"),
        })
    }

    /// Returns the path of the manifest in a data directory.
    pub fn path(data: &Path) -> PathBuf {
        data.join("stack.json")
    }

    /// Reads the manifest of the stack that runs on `data`; `None` if no stack runs.
    pub fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read(Self::path(data)).ok()?;
        let manifest: Self = serde_json::from_slice(&text).ok()?;
        // The manifest of a killed stack is stale; its process ids may have been reused.
        (DataDirectory::lock_holder(data)? == manifest.pid).then_some(manifest)
    }

    /// Sends SIGTERM to a component, after checking that its process is a child of the stack and runs `program`.
    pub fn terminate(&self, component: &str, program: &str) -> Result<(), String> {
        let number = *self.pids.get(component).ok_or("stack.json has no such process")?;
        let pid = Pid::from_raw(number).ok_or("stack.json has no valid process id")?;
        // The pidfd keeps the checked process the signalled one, even if its id is reused.
        let process = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| format!("process {number}: {error}"))?;
        if self.pid != parent_pid(number).unwrap_or_default() || program_name(number).as_deref() != Some(program) {
            return Err(format!("process {number} is not {program} of this stack"));
        }
        pidfd_send_signal(process, Signal::TERM).map_err(|error| format!("process {number}: {error}"))
    }

    /// Adds a bot, unless it is present.
    pub fn add_bot(&mut self, name: &str, password_file: &Path) {
        if self.bots.iter().all(|bot| bot.name != name) {
            self.bots.push(BotEntry { name: name.to_owned(), password_file: password_file.to_owned() });
        }
    }

    /// Writes the manifest to the data directory, atomically.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        private_file::write(&Self::path(data), &serde_json::to_vec_pretty(self).map_err(io::Error::other)?)
    }

    /// Deletes the manifest of a stopped stack.
    pub fn remove(data: &Path) {
        // It may not exist yet.
        drop(std::fs::remove_file(Self::path(data)));
    }
}

fn parent_pid(process: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

/// Returns the file name of the program, from the command line of the process.
fn program_name(process: i32) -> Option<String> {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let path = String::from_utf8_lossy(line.split(|byte| *byte == 0).next()?).into_owned();
    Some(path.rsplit('/').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Child, Command};

    use super::*;

    fn manifest(pid: i32, component: i32) -> Manifest {
        Manifest {
            pid,
            demo: true,
            api_url: String::new(),
            api_metrics_url: String::new(),
            approver_metrics_url: String::new(),
            worker_metrics_urls: Vec::new(),
            nats_url: String::new(),
            nats_monitor_url: String::new(),
            nats_password_files: BTreeMap::new(),
            redis_port: 0,
            redis_url_file: PathBuf::new(),
            redis_password_file: PathBuf::new(),
            bots: Vec::new(),
            pids: [("worker-1".to_owned(), component)].into(),
            logs: PathBuf::new(),
        }
    }

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    /// Starts a process that sleeps; returns it and its id.
    fn sleeper() -> (Child, i32) {
        let child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        // Until `exec` the process is a copy of this program.
        while program_name(pid).as_deref() != Some("sleep") {
            std::thread::yield_now();
        }
        (child, pid)
    }

    #[test]
    fn only_the_stacks_own_program_is_terminated() {
        let (mut child, pid) = sleeper();
        for (manifest, program) in [
            (manifest(own_pid(), pid), "worker"),
            (manifest(1, pid), "sleep"),
            (manifest(own_pid(), own_pid()), "sleep"),
        ] {
            let error = manifest.terminate("worker-1", program).unwrap_err();
            assert!(error.ends_with(&format!("is not {program} of this stack")), "{error}");
        }
        assert!(manifest(own_pid(), pid).terminate("worker-2", "sleep").is_err());
        assert!(child.try_wait().unwrap().is_none(), "it was not signalled");
        manifest(own_pid(), pid).terminate("worker-1", "sleep").unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn a_manifest_is_valid_while_its_stack_holds_the_lock() {
        let path = std::env::temp_dir().join(format!("promptcraft-manifest-{}", std::process::id()));
        let data = DataDirectory::open(&path).unwrap();
        manifest(own_pid(), 1).write(&path).unwrap();
        assert!(Manifest::read(&path).is_some());
        manifest(1, 1).write(&path).unwrap();
        assert!(Manifest::read(&path).is_none(), "another stack runs meanwhile");
        manifest(own_pid(), 1).write(&path).unwrap();
        drop(data);
        assert!(Manifest::read(&path).is_none(), "no stack runs, though the process does");
        std::fs::remove_dir_all(path).unwrap();
    }
}
