//! A stack of real processes.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::Client;
use crate::eventually;

/// Options of a stack.
#[derive(Debug, Clone)]
pub struct Options {
    pub workers: usize,
    pub backend: &'static str,
    /// Settings by dotted name, over those of the demo.
    pub settings: Vec<(&'static str, String)>,
    /// The folder of the broker's streams, if it is not in the stack's directory.
    pub broker_store: Option<PathBuf>,
    /// Matches goals by meaning, with the model that `scripts/setup.sh embeddings` fetched, instead of keywords only.
    pub embeddings: bool,
}

impl Default for Options {
    fn default() -> Self {
        // Rate limits are raised for tests about other topics.
        let settings = vec![("limits.profile", "load".to_owned())];
        Self { workers: 1, backend: "bubblewrap", settings, broker_store: None, embeddings: false }
    }
}

impl Options {
    /// Returns the options with one more setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
        self
    }
}

/// A running stack. When it is dropped, it is drained and its directory removed; after a panic the directory stays.
pub struct Stack {
    process: Child,
    directory: PathBuf,
    manifest: Value,
}

impl Stack {
    /// Starts a demo stack with one worker under bubblewrap.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts a demo stack with these options.
    ///
    /// # Panics
    ///
    /// If it does not start; the message holds the last lines of its logs.
    pub async fn start_with(options: Options) -> Self {
        let directory = fresh_directory();
        link_what_was_built(&directory, options.embeddings);
        if let Some(store) = &options.broker_store {
            std::os::unix::fs::symlink(store, directory.join("jetstream")).expect("a link");
        }
        let mut command = Command::new(program("promptcraft"));
        command
            .arg("up")
            .arg("--demo")
            .args(["--port", "0", "--workers", &options.workers.to_string(), "--backend", options.backend])
            .arg("--data")
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(fs::File::create(directory.join("up.log")).expect("a log"))
            .stderr(fs::File::create(directory.join("up.err")).expect("a log"))
            .process_group(0);
        for (name, value) in &options.settings {
            command.env(format!("PROMPTCRAFT__{}", name.replace('.', "__").to_uppercase()), value);
        }
        let mut process = command.spawn().expect("promptcraft was built: cargo build --workspace --bins");
        let manifest = wait_until_ready(&mut process, &directory).await;
        Self { process, directory, manifest }
    }

    /// Returns the address of the API.
    pub fn url(&self) -> &str {
        self.text("/api_url")
    }

    /// Returns a text of the stack's manifest by its JSON pointer.
    ///
    /// # Panics
    ///
    /// If the manifest has no such text.
    pub fn text(&self, pointer: &str) -> &str {
        self.manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is in the manifest"))
    }

    /// Returns a number of the stack's manifest by its JSON pointer.
    ///
    /// # Panics
    ///
    /// If the manifest has no such number.
    pub fn number(&self, pointer: &str) -> i64 {
        self.manifest.pointer(pointer).and_then(Value::as_i64).unwrap_or_else(|| panic!("{pointer} is in the manifest"))
    }

    /// Returns the data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a client without a token.
    pub fn stranger(&self) -> Client {
        Client::new(self.url())
    }

    /// Returns a client that is signed in.
    pub async fn client(&self, user: &str, password: &str) -> Client {
        self.stranger().sign_in(user, password).await
    }

    /// Returns a client of the demo's developer, who has self-approval.
    pub async fn developer(&self) -> Client {
        self.client("test_user", "test_pass").await
    }

    /// Returns the current process id of a component, e.g. `worker-1`.
    pub fn pid(&self, component: &str) -> Pid {
        let text = fs::read_to_string(self.directory.join("stack.json")).expect("a manifest");
        let manifest: Value = serde_json::from_str(&text).expect("JSON");
        let raw = manifest["pids"][component].as_i64().unwrap_or_else(|| panic!("{component} runs"));
        Pid::from_raw(i32::try_from(raw).expect("a pid")).expect("a pid")
    }

    /// Kills a component with SIGKILL; the stack restarts it.
    pub fn kill(&self, component: &str) {
        self.signal(component, Signal::KILL);
    }

    /// Sends a signal to a component.
    pub fn signal(&self, component: &str, signal: Signal) {
        kill_process(self.pid(component), signal).expect("the process exists");
    }

    /// Stops the whole stack and waits for it; returns whether it succeeded.
    pub async fn stop(&mut self) -> bool {
        if let Some(pid) = Pid::from_raw(i32::try_from(self.process.id()).unwrap_or(0)) {
            kill_process(pid, Signal::TERM).expect("the stack runs");
        }
        let process = &mut self.process;
        let status = eventually("the stack stops", Duration::from_secs(60), || {
            let ended = process.try_wait().expect("a child");
            async move { ended }
        });
        status.await.success()
    }

    /// Returns the number of steps that run in the workers.
    pub async fn running_steps(&self) -> u32 {
        let mut running = 0;
        for number in 1..=self.manifest["worker_metrics_urls"].as_array().map_or(0, Vec::len) {
            running += self.running_steps_of(number).await;
        }
        running
    }

    /// Returns the number of steps that run in the worker of this number, from 1; 0 without a response.
    pub async fn running_steps_of(&self, worker: usize) -> u32 {
        self.worker_metric(worker, "promptcraft_steps_running").await
    }

    /// Returns the sum of a worker's metric over its series, or the value of the series whose labels `name` includes; 0
    /// if it is missing.
    pub async fn worker_metric(&self, worker: usize, name: &str) -> u32 {
        let url = format!("{}/metrics", self.text(&format!("/worker_metrics_urls/{}", worker - 1)));
        let text = match reqwest_client().get(url).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => return 0,
        };
        let of_series = |line: &str| {
            let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']))?;
            rest.rsplit(' ').next()?.parse::<u32>().ok()
        };
        text.lines().filter_map(of_series).sum()
    }

    /// Returns the number of Python interpreters below a component, in sandboxes of bubblewrap.
    pub fn interpreters_below(&self, component: &str) -> usize {
        let running: Vec<Process> = fs::read_dir("/proc")
            .expect("/proc")
            .flatten()
            .filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?))
            .collect();
        let mut below = vec![self.pid(component).as_raw_nonzero().get()];
        let mut next = 0;
        while let Some(parent) = below.get(next).copied() {
            below.extend(running.iter().filter(|process| process.parent == parent).map(|process| process.pid));
            next += 1;
        }
        running.iter().filter(|process| process.name.starts_with("python") && below.contains(&process.pid)).count()
    }

    /// Returns every log of the stack, by file name.
    ///
    /// # Panics
    ///
    /// If there are no logs.
    pub fn logs(&self) -> Vec<(String, String)> {
        let folder = fs::read_dir(self.directory.join("logs")).expect("logs");
        let own = ["up.log", "up.err"].map(|name| self.directory.join(name));
        let paths = folder.flatten().map(|entry| entry.path()).chain(own);
        paths.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text"))).collect()
    }

    /// Returns the log of a component.
    pub fn log(&self, component: &str) -> String {
        fs::read_to_string(self.directory.join(format!("logs/{component}.log"))).unwrap_or_default()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap_or(0));
        if let (Some(pid), Ok(None)) = (pid, self.process.try_wait()) {
            if kill_process(pid, Signal::TERM).is_err() {
                eprintln!("the stack had ended already");
            }
            for _ in 0..400 {
                if !matches!(self.process.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            drop(self.process.kill());
            drop(self.process.wait());
        }
        if std::thread::panicking() {
            eprintln!("the stack's directory is kept: {}", self.directory.display());
        } else {
            drop(fs::remove_dir_all(&self.directory));
        }
    }
}

/// A running process, not a zombie.
struct Process {
    pid: i32,
    parent: i32,
    name: String,
}

impl Process {
    fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (head, tail) = stat.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields = tail.split_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        (state != "Z").then(|| Self { pid, parent, name: name.to_owned() })
    }
}

async fn wait_until_ready(process: &mut Child, directory: &Path) -> Value {
    let client = reqwest_client();
    let give_up = tokio::time::Instant::now() + Duration::from_secs(90);
    loop {
        let ended = process.try_wait().expect("a child");
        if ended.is_some() || tokio::time::Instant::now() > give_up {
            drop(process.kill());
            panic!("the stack did not start: {ended:?}\n{}", log_tail(directory));
        }
        let manifest =
            fs::read_to_string(directory.join("stack.json")).ok().and_then(|text| serde_json::from_str(&text).ok());
        if let Some(manifest) = manifest.filter(|manifest: &Value| manifest["pids"]["api"].is_i64()) {
            let url = format!("{}/health", manifest["api_url"].as_str().unwrap_or_default());
            if client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return manifest;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn reqwest_client() -> reqwest::Client {
    // Once per process; a second call has no effect.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}

fn log_tail(directory: &Path) -> String {
    let mut words = String::new();
    let logs = fs::read_dir(directory.join("logs")).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in [directory.join("up.log"), directory.join("up.err")].into_iter().chain(logs) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(15).collect();
        words.push_str(&format!("--- {}\n", path.display()));
        words.extend(tail.into_iter().rev().map(|line| format!("{line}\n")));
    }
    words
}

/// Returns the path of a program of the workspace, in a parent folder of this test program.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let folder = own.ancestors().find(|folder| folder.join(name).is_file());
    folder.unwrap_or_else(|| panic!("{name} was not built: cargo build --workspace --bins")).join(name)
}

fn fresh_directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("promptcraft-test-{}-{number}", std::process::id()));
    drop(fs::remove_dir_all(&directory));
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// Links the sandbox roots and the broker that `make` prepared, and, if asked, the embedding model and its cache.
fn link_what_was_built(directory: &Path, embeddings: bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness has no settings of its own but where the roots were built"
    )]
    let roots = std::env::var("SANDBOX_ROOTS").map_or_else(|_| root.join("target/sandbox-roots"), PathBuf::from);
    let data = |name| (root.join("data").join(name), name);
    let mut links = vec![(roots, "sandbox"), data("bin")];
    if embeddings {
        links.extend([data("models"), data("cache")]);
        fs::create_dir_all(root.join("data/cache")).expect("a folder for the cache");
    }
    for (built, name) in links {
        if built.exists() {
            std::os::unix::fs::symlink(built, directory.join(name)).expect("a link");
        }
    }
}
