//! `promptcraft up`: the whole stack on this machine.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::Failure;
use crate::output::{self, Style, say, styled};
use crate::stack::Board;
use crate::stack::{DEMO_BOT, DataDirectory, Manifest, Ports, Programs, Recipe, Stack, StackError};

/// Run the whole stack on this machine until Ctrl-C: broker, Redis, approver, workers, API.
#[derive(clap::Args)]
pub struct Up {
    /// Where everything is kept.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// How many workers run.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Where the API listens on the loopback interface.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Create the demo users and the demo bot.
    #[arg(long)]
    demo: bool,
    /// The sandbox: auto, docker or bubblewrap.
    #[arg(long, default_value = "auto", value_parser = ["auto", "docker", "bubblewrap"])]
    backend: String,
    /// A program to run once the stack is ready; PROMPTCRAFT_STACK tells it where stack.json is.
    #[arg(long, value_name = "PROGRAM")]
    then: Option<PathBuf>,
}

impl Up {
    pub async fn run(self) -> Result<ExitCode, Failure> {
        let began = Instant::now();
        output::outlive_the_reader();
        let recipe = Arc::new(self.recipe()?);
        say!("{} {}", styled(Style::Strong, "PromptCraft"), styled(Style::Faint, &self.data.display().to_string()));
        let (sender, events) = mpsc::unbounded_channel();
        let mut board = Board::new(Arc::clone(&recipe), events)?;
        let mut stack = Stack::new(Arc::clone(&recipe), sender);
        let mut signals = Signals::listen()?;

        let outcome = tokio::select! {
            started = start(&mut stack) => started.map(|()| true),
            () = board.follow() => Ok(false),
            () = signals.next() => Ok(false),
        };
        board.catch_up();
        if let Err(error) = &outcome {
            output::error(error);
        }
        if let Ok(true) = outcome {
            ready(&recipe, began);
            let then = self.then.as_ref().map(|program| companion(program, &recipe)).transpose()?;
            tokio::select! {
                () = board.follow() => {}
                () = finish(then) => {}
                () = signals.next() => {}
            }
        }
        drain(&mut stack, &mut signals).await;
        Manifest::remove(recipe.data.root());
        Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn recipe(&self) -> Result<Recipe, Failure> {
        let data = DataDirectory::open(&self.data)?;
        let programs = Programs::find(data.root())?;
        let ports = Ports::choose(self.port, self.workers.into())?;
        if self.demo {
            data.bot(DEMO_BOT.parse()?)?;
        }
        Ok(Recipe { data, ports, programs, demo: self.demo, backend: self.backend.clone() })
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
    output::component("streams", Style::Good, &format!("ready in {}", output::duration(began.elapsed())), &detail);
    stack.start_services().await
}

fn ready(recipe: &Recipe, began: Instant) {
    let url = recipe.api_url();
    say!("\n{} after {}", styled(Style::Good, "Ready"), output::duration(began.elapsed()));
    say!("  API        {url}");
    say!("  Explorer   {url}/docs");
    if recipe.demo {
        say!("  Sign in    test_user / test_pass, stress_user / stress_pass, approver / approver_pass");
        say!("  Bot        {DEMO_BOT} at {}, password in data directory, secrets/bot-{DEMO_BOT}", recipe.broker_url());
    }
    say!("  Ctrl-C ends it all\n");
}

/// Starts the program that runs once the stack is ready. It ends when this process does.
fn companion(program: &PathBuf, recipe: &Recipe) -> io::Result<tokio::process::Child> {
    Command::new(program)
        .env("PROMPTCRAFT_STACK", Manifest::path(recipe.data.root()))
        .env("PROMPTCRAFT_BIN", std::env::current_exe()?)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::other(format!("{} cannot be run: {error}", program.display())))
}

/// Waits for the companion and then for ever: the stack outlives it.
async fn finish(companion: Option<tokio::process::Child>) {
    if let Some(mut companion) = companion {
        match companion.wait().await {
            Ok(status) if status.success() => {}
            Ok(status) => {
                say!("{}", styled(Style::Bad, &format!("The program that ran on the stack failed: {status}")))
            }
            Err(error) => say!("{}", styled(Style::Bad, &error.to_string())),
        }
    }
    std::future::pending().await
}

/// Drains; a second signal kills.
async fn drain(stack: &mut Stack, signals: &mut Signals) {
    say!("\n{}", styled(Style::Faint, "Ending; once more Ctrl-C kills"));
    let began = Instant::now();
    let impatience = stack.impatience();
    let mut draining = std::pin::pin!(stack.drain());
    tokio::select! {
        () = &mut draining => {}
        () = signals.next() => {
            impatience.cancel();
            // Nothing survives a kill for longer.
            drop(tokio::time::timeout(Duration::from_secs(5), draining).await);
        }
    }
    say!("{}", styled(Style::Faint, &format!("Ended in {}", output::duration(began.elapsed()))));
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
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
