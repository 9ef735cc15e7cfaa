//! A supervised process: restarted when it dies, unless it is kept down.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::health::wait_until_unhealthy;

/// Delay between a death and the restart.
const RESTART_DELAY: Duration = Duration::from_millis(250);

/// The specification of a process.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    pub name: String,
    /// The program and its arguments.
    pub words: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
    /// A broker's health page, which returns 200 while it is healthy.
    pub health: Option<String>,
    /// `promptcraft`, whose hidden command `guard` ends the process with its parent.
    pub guard: PathBuf,
}

/// A supervised process.
#[derive(Debug)]
pub struct SupervisedProcess {
    shared: Arc<Shared>,
    is_wanted: watch::Sender<bool>,
    task: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    spec: ProcessSpec,
    state: Mutex<State>,
    /// True while it is stopped.
    is_stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    pid: Option<Pid>,
    /// True if the process is a tracer with the component as its child: a killed tracer detaches from its child.
    is_traced: bool,
    /// Command words before those of the specification, e.g. a tracer.
    wrapper: Vec<String>,
    deaths: Vec<(Pid, Instant)>,
}

impl SupervisedProcess {
    /// Starts it and keeps it running.
    pub fn start(spec: ProcessSpec) -> Self {
        let shared = Arc::new(Shared { spec, state: Mutex::default(), is_stopped: AtomicBool::new(false) });
        let (is_wanted, wanted) = watch::channel(true);
        let mut task = JoinSet::new();
        let supervised = shared.clone();
        task.spawn(async move { supervised.supervise(wanted).await });
        Self { shared, is_wanted, task }
    }

    /// Returns the component's name.
    pub fn name(&self) -> &str {
        &self.shared.spec.name
    }

    /// Returns the current process id, if it runs.
    pub fn pid(&self) -> Option<Pid> {
        self.shared.state().pid
    }

    /// Returns the process ids of dead predecessors, and the times of their deaths.
    pub fn deaths(&self) -> Vec<(Pid, Instant)> {
        self.shared.state().deaths.clone()
    }

    /// Sends a signal; does nothing if it does not run.
    pub fn signal(&self, signal: Signal) {
        self.shared.signal(signal);
    }

    /// Stops it until [`Self::resume`]. It is not restarted as unhealthy meanwhile.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        self.signal(Signal::STOP);
    }

    /// Resumes it.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
        self.shared.is_stopped.store(false, Ordering::Relaxed);
    }

    /// Kills it and keeps it down.
    pub fn keep_down(&self) {
        self.is_wanted.send_replace(false);
    }

    /// Lets it start again.
    pub fn allow_start(&self) {
        self.is_wanted.send_replace(true);
    }

    /// Sends SIGTERM and waits until its successor runs; kills it after `limit`.
    pub async fn restart(&self, limit: Duration) {
        let pid = self.pid();
        self.signal(Signal::TERM);
        let give_up = Instant::now() + limit;
        while self.pid() == pid || self.pid().is_none() {
            if Instant::now() > give_up {
                self.signal(Signal::KILL);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the successor under another program, e.g. a tracer; empty for none.
    pub fn wrap(&self, words: Vec<String>) {
        self.shared.state().wrapper = words;
    }

    /// Returns whether the successor starts under another program.
    pub fn is_wrapped(&self) -> bool {
        !self.shared.state().wrapper.is_empty()
    }

    /// Ends it for good: SIGTERM first, SIGKILL after `limit`.
    pub async fn end(mut self, limit: Duration) {
        self.resume();
        self.signal(Signal::TERM);
        let pid = self.pid();
        let give_up = Instant::now() + limit;
        while self.pid() == pid && pid.is_some() && Instant::now() < give_up {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.keep_down();
        drop(self.is_wanted);
        drop(tokio::time::timeout(Duration::from_secs(10), self.task.join_next()).await);
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        let (pid, is_traced) = {
            let state = self.state();
            (state.pid, state.is_traced)
        };
        match pid {
            Some(pid) if is_traced => kill_process_group(pid, signal).ok(),
            Some(pid) => kill_process(pid, signal).ok(),
            None => None,
        };
    }

    async fn supervise(&self, mut wanted: watch::Receiver<bool>) {
        while wanted.wait_for(|wanted| *wanted).await.is_ok() {
            let mut child = match self.spawn() {
                Ok(child) => child,
                Err(error) => {
                    eprintln!("{} cannot be started: {error}", self.spec.name);
                    tokio::time::sleep(RESTART_DELAY).await;
                    continue;
                }
            };
            let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            self.state().pid = pid;
            tokio::select! {
                _ = child.wait() => {}
                _ = wanted.wait_for(|wanted| !wanted) => {}
                () = self.until_unhealthy() => {}
            }
            // It may be stopped: it must be dead before it counts as dead, with the process that it traced.
            let is_traced = self.state().is_traced;
            if is_traced {
                self.signal(Signal::KILL);
            }
            drop(child.kill().await);
            self.record_death(pid);
            self.is_stopped.store(false, Ordering::Relaxed);
            tokio::time::sleep(RESTART_DELAY).await;
        }
    }

    fn record_death(&self, pid: Option<Pid>) {
        let mut state = self.state();
        state.deaths.extend(pid.map(|pid| (pid, Instant::now())));
        state.pid = None;
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let log = File::options().create(true).append(true).open(&self.spec.log)?;
        let wrapper = self.state().wrapper.clone();
        self.state().is_traced = !wrapper.is_empty();
        Command::new(&self.spec.guard)
            .arg("guard")
            .arg(std::process::id().to_string())
            .args(wrapper.iter().chain(&self.spec.words))
            .envs(self.spec.environment.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
    }

    /// Resolves when a running process must be restarted.
    async fn until_unhealthy(&self) {
        match &self.spec.health {
            Some(page) => wait_until_unhealthy(page, || self.is_stopped.load(Ordering::Relaxed)).await,
            None => std::future::pending().await,
        }
    }
}
