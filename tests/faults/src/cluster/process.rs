//! A process that is started again whenever it dies, until it is told to stay down.

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

use super::sickness::sickness;

/// Between a death and the next start.
const PAUSE: Duration = Duration::from_millis(250);

/// How to start a process.
#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    /// The program and its arguments.
    pub words: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
    /// A broker's page that answers 200 while it is well.
    pub health: Option<String>,
    /// `promptcraft`, whose hidden command `guard` lets the process die with us.
    pub guard: PathBuf,
}

/// A supervised process.
#[derive(Debug)]
pub struct Process {
    shared: Arc<Shared>,
    is_wanted: watch::Sender<bool>,
    task: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    spec: Spec,
    life: Mutex<Life>,
    /// Whether it was stopped and not let go on.
    is_stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Life {
    pid: Option<Pid>,
    /// Whether the present process is another program with ours as its child: a tracer that is killed lets go of what it traced.
    is_traced: bool,
    /// Words before those of the specification, e.g. a tracer.
    wrapper: Vec<String>,
    deaths: Vec<(Pid, Instant)>,
}

impl Process {
    /// Starts it and keeps it running.
    pub fn start(spec: Spec) -> Self {
        let shared = Arc::new(Shared { spec, life: Mutex::default(), is_stopped: AtomicBool::new(false) });
        let (is_wanted, wanted) = watch::channel(true);
        let mut task = JoinSet::new();
        let supervised = shared.clone();
        task.spawn(async move { supervised.supervise(wanted).await });
        Self { shared, is_wanted, task }
    }

    /// The component's name.
    pub fn name(&self) -> &str {
        &self.shared.spec.name
    }

    /// The present process, if one runs.
    pub fn pid(&self) -> Option<Pid> {
        self.shared.life().pid
    }

    /// Processes of this component that died, and when.
    pub fn deaths(&self) -> Vec<(Pid, Instant)> {
        self.shared.life().deaths.clone()
    }

    /// Sends a signal; a process that is just not there does not mind.
    pub fn signal(&self, signal: Signal) {
        self.shared.signal(signal);
    }

    /// Stops it until [`Self::go_on`]; nobody starts it again meanwhile because it does not answer.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
        self.shared.is_stopped.store(false, Ordering::Relaxed);
    }

    /// Kills it and keeps it down.
    pub fn hold_down(&self) {
        self.is_wanted.send_replace(false);
    }

    /// Lets it up again.
    pub fn let_up(&self) {
        self.is_wanted.send_replace(true);
    }

    /// Asks it to end and waits until it has, and until another is started in its place; kills it after `limit`.
    pub async fn renew(&self, limit: Duration) {
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

    /// Has the next start happen under another program, e.g. a tracer; empty for none.
    pub fn wrap(&self, words: Vec<String>) {
        self.shared.life().wrapper = words;
    }

    /// Whether the next start happens under another program.
    pub fn is_wrapped(&self) -> bool {
        !self.shared.life().wrapper.is_empty()
    }

    /// Ends it for good: asks first, kills after `limit`.
    pub async fn end(mut self, limit: Duration) {
        self.go_on();
        self.signal(Signal::TERM);
        let pid = self.pid();
        let give_up = Instant::now() + limit;
        while self.pid() == pid && pid.is_some() && Instant::now() < give_up {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.hold_down();
        drop(self.is_wanted);
        drop(tokio::time::timeout(Duration::from_secs(10), self.task.join_next()).await);
    }
}

impl Shared {
    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        let (pid, is_traced) = {
            let life = self.life();
            (life.pid, life.is_traced)
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
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            self.life().pid = pid;
            tokio::select! {
                _ = child.wait() => {}
                _ = wanted.wait_for(|wanted| !wanted) => {}
                () = self.is_sick() => {}
            }
            // It may be stopped or gone; either way it must be dead before it counts as dead, and what it traced as well.
            let is_traced = self.life().is_traced;
            if is_traced {
                self.signal(Signal::KILL);
            }
            drop(child.kill().await);
            self.bury(pid);
            self.is_stopped.store(false, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn bury(&self, pid: Option<Pid>) {
        let mut life = self.life();
        life.deaths.extend(pid.map(|pid| (pid, Instant::now())));
        life.pid = None;
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let log = File::options().create(true).append(true).open(&self.spec.log)?;
        let wrapper = self.life().wrapper.clone();
        self.life().is_traced = !wrapper.is_empty();
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

    /// Resolves once it has to be started again although it runs.
    async fn is_sick(&self) {
        match &self.spec.health {
            Some(page) => sickness(page, || self.is_stopped.load(Ordering::Relaxed)).await,
            None => std::future::pending().await,
        }
    }
}
