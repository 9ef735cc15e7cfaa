//! `promptcraft up`: runs the whole stack on this machine.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::CommandError;
use crate::output::{self, Style, out, styled};
use crate::stack::StatusDisplay;
use crate::stack::{DEMO_BOT, DataDirectory, Manifest, Ports, Programs, Stack, StackConfig, StackError};

/// Run the whole stack on this machine until Ctrl-C: broker, Redis, approver, workers, API
#[derive(clap::Args)]
pub struct Up {
    /// Data directory
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// Number of workers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Port of the API on the loopback interface
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Create the demo users and the demo bot
    #[arg(long)]
    demo: bool,
    /// Sandbox backend
    #[arg(long, default_value = "auto", value_parser = ["auto", "docker", "bubblewrap"])]
    backend: String,
    /// Program to run once the stack is ready; PROMPTCRAFT_STACK is the path of stack.json
    #[arg(long, value_name = "PROGRAM")]
    then: Option<PathBuf>,
}

impl Up {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        let began = Instant::now();
        output::ignore_broken_pipe();
        let config = Arc::new(self.stack_config()?);
        out!("{} {}", styled(Style::Bold, "PromptCraft"), styled(Style::Dim, &self.data.display().to_string()));
        let (sender, events) = mpsc::unbounded_channel();
        let mut display = StatusDisplay::new(Arc::clone(&config), events)?;
        let mut stack = Stack::new(Arc::clone(&config), sender);
        let mut signals = SignalListener::listen()?;

        let outcome = tokio::select! {
            started = start(&mut stack) => started.map(|()| true),
            () = display.run() => Ok(false),
            () = signals.next() => Ok(false),
        };
        display.show_pending();
        if let Err(error) = &outcome {
            output::error(error);
        }
        if let Ok(true) = outcome {
            print_ready(&config, began);
            let then = self.then.as_ref().map(|program| start_companion(program, &config)).transpose()?;
            tokio::select! {
                () = display.run() => {}
                () = wait_for_companion(then) => {}
                () = signals.next() => {}
            }
        }
        drain(&mut stack, &mut signals).await;
        Manifest::remove(config.data.root());
        Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn stack_config(&self) -> Result<StackConfig, CommandError> {
        let data = DataDirectory::open(&self.data)?;
        let programs = Programs::find(data.root())?;
        let ports = Ports::choose(self.port, self.workers.into())?;
        if self.demo {
            data.bot(DEMO_BOT.parse()?)?;
        }
        let config = StackConfig { data, ports, programs, demo: self.demo, backend: self.backend.clone() };
        let missing = config.runtimes_without_root();
        if !missing.is_empty() {
            let folder = config.data.sandbox().display().to_string();
            let error = format!(
                "no sandbox root of {} in {folder}; run as root: sandbox/build-root.sh {folder} {}",
                missing.join(", "),
                missing.join(" ")
            );
            return Err(error.into());
        }
        Ok(config)
    }
}

async fn start(stack: &mut Stack) -> Result<(), StackError> {
    stack.start_servers().await?;
    let began = Instant::now();
    let seeded = stack.seed().await?;
    let detail = match seeded.users {
        0 => String::new(),
        users => format!("{users} demo users created"),
    };
    output::status_line(
        "streams",
        Style::Success,
        &format!("ready in {}", output::format_duration(began.elapsed())),
        &detail,
    );
    stack.start_services().await
}

fn print_ready(config: &StackConfig, began: Instant) {
    let url = config.api_url();
    out!("\n{} after {}", styled(Style::Success, "Ready"), output::format_duration(began.elapsed()));
    out!("  API        {url}");
    out!("  Explorer   {url}/docs");
    if config.demo {
        out!("  Sign in    test_user / test_pass, stress_user / stress_pass, approver / approver_pass");
        out!("  Bot        {DEMO_BOT} at {}, password in DATA/secrets/bot-{DEMO_BOT}", config.broker_url());
    }
    out!("  Press Ctrl-C to stop\n");
}

/// Starts the program of `--then`. It is killed when this process ends.
fn start_companion(program: &PathBuf, config: &StackConfig) -> io::Result<tokio::process::Child> {
    Command::new(program)
        .env("PROMPTCRAFT_STACK", Manifest::path(config.data.root()))
        .env("PROMPTCRAFT_BIN", std::env::current_exe()?)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::other(format!("cannot run {}: {error}", program.display())))
}

/// Waits for the companion and reports its failure. Never returns: the stack keeps running.
async fn wait_for_companion(companion: Option<tokio::process::Child>) {
    if let Some(mut companion) = companion {
        match companion.wait().await {
            Ok(status) if status.success() => {}
            Ok(status) => {
                out!("{}", styled(Style::Error, &format!("The program of --then failed: {status}")))
            }
            Err(error) => out!("{}", styled(Style::Error, &error.to_string())),
        }
    }
    std::future::pending().await
}

/// Drains the stack; a second signal kills it.
async fn drain(stack: &mut Stack, signals: &mut SignalListener) {
    out!("\n{}", styled(Style::Dim, "Stopping; press Ctrl-C again to kill"));
    let began = Instant::now();
    let kill = stack.kill_token();
    let mut draining = std::pin::pin!(stack.drain());
    tokio::select! {
        () = &mut draining => {}
        () = signals.next() => {
            kill.cancel();
            // Bounds the wait for killed processes.
            drop(tokio::time::timeout(Duration::from_secs(5), draining).await);
        }
    }
    out!("{}", styled(Style::Dim, &format!("Stopped in {}", output::format_duration(began.elapsed()))));
}

struct SignalListener {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl SignalListener {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
