//! `faults`: plays faults against a cluster and prints what held.

use std::iter::repeat_n;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use faults::cluster::Shape;
use faults::matrix::{SCHEDULE, groups, schedule};
use faults::packets::begin_in_own_network;
use faults::recovery::Recovery;
use faults::report;
use faults::round::{Blow, Ring, Verdict};
use shared::lifecycle::Lifecycle;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// The whole matrix takes at most so many minutes on two cores.
const GOAL_MINUTES: f64 = 40.0;

#[derive(Parser)]
#[command(about = "Plays faults against a cluster of real processes and judges what came of it")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every row of the matrix once.
    Matrix(Choice),
    /// How long it takes until work goes on after a kill.
    Recovery,
    /// Random schedules, one for each seed, each on a cluster of its own.
    Seeds {
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// How many schedules at most.
        #[arg(long, default_value_t = u64::MAX)]
        count: u64,
        /// No schedule begins after so many hours.
        #[arg(long, default_value_t = 1.0)]
        hours: f64,
    },
}

/// Which rows of the matrix.
#[derive(Args)]
struct Choice {
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Leave out this many rows at the beginning.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Play at most so many rows behind those.
    #[arg(long, default_value_t = usize::MAX)]
    take: usize,
    /// Play each row so often.
    #[arg(long, default_value_t = 1)]
    times: usize,
    /// Keep the clusters' folders, also where everything held.
    #[arg(long)]
    keep: bool,
}

impl Choice {
    /// Whether every row is played, and once.
    fn is_whole(&self) -> bool {
        self.only.is_empty() && self.skip == 0 && self.take == usize::MAX && self.times == 1
    }
}

/// What was played, for the last lines.
#[derive(Default)]
struct Tally {
    played: usize,
    made: usize,
    skipped: usize,
    broken: Vec<String>,
}

impl Tally {
    fn book(&mut self, verdict: &Verdict) {
        println!("{}", report::row(verdict));
        print!("{}", verdict.told);
        self.made += verdict.made;
        self.played += usize::from(verdict.impossible.is_none());
        self.skipped += usize::from(verdict.impossible.is_some());
        if !verdict.is_good() {
            self.broken.push(verdict.name.clone());
        }
    }
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if let Err(reason) = faults::can_run() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    if let Err(reason) = begin_in_own_network() {
        println!("no network of our own, so partitions hold what is sent and lose no packet: {reason}");
    }
    match Runtime::new() {
        Ok(runtime) => runtime.block_on(play_until_told(command)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Dropped, a cluster dies.
async fn play_until_told(command: Command) -> ExitCode {
    let life = match Lifecycle::with_signals() {
        Ok(life) => life,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let told = life.stopping();
    tokio::select! {
        code = play(command) => code,
        () = told.cancelled() => ExitCode::FAILURE,
    }
}

async fn play(command: Command) -> ExitCode {
    let mut tally = Tally::default();
    let began = Instant::now();
    if !matches!(command, Command::Recovery) {
        println!("{}", report::head());
    }
    let mut is_whole = false;
    let played = match command {
        Command::Matrix(choice) => {
            is_whole = choice.is_whole();
            let played = matrix(&choice, &mut tally).await;
            if is_whole { played.and(recoveries().await) } else { played }
        }
        Command::Recovery => recoveries().await,
        Command::Seeds { first, count, hours } => seeds(first, count, hours, &mut tally).await,
    };
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let Tally { played: rows, made, skipped, broken } = &tally;
    println!("{rows} played in {minutes:.1} min, {made} faults made, {skipped} skipped, {} broken", broken.len());
    if is_whole {
        let verdict = if minutes <= GOAL_MINUTES { "reached" } else { "NOT REACHED" };
        println!("{minutes:.1} of {GOAL_MINUTES:.0} min: {verdict}");
    }
    for name in &tally.broken {
        println!("BROKEN: {name}");
    }
    if let Err(reason) = played {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    if tally.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn matrix(choice: &Choice, tally: &mut Tally) -> Result<(), String> {
    let mut place = 0;
    for (number, group) in (1..).zip(groups()) {
        let mut rows = group;
        rows.retain(|row| {
            place += 1;
            place > choice.skip && place - choice.skip <= choice.take && row.name.contains(&choice.only)
        });
        if rows.is_empty() {
            continue;
        }
        // A young log is compared with its view sooner, and fits on a small disk.
        let mut ring = Ring::open(Shape::FULL.gated(number % 2 == 0)).await?;
        let before = tally.broken.len();
        for (seed, row) in (number * 1_000..).zip(rows.iter().flat_map(|row| repeat_n(row, choice.times))) {
            tally.book(&ring.round(row.name, seed, &[*row]).await);
        }
        ring.close(choice.keep || tally.broken.len() > before).await;
    }
    Ok(())
}

async fn recoveries() -> Result<(), String> {
    let mut ring = Ring::open(Shape::FULL).await?;
    for recovery in Recovery::ALL {
        println!("{}", ring.recover(recovery).await?);
    }
    ring.close(false).await;
    Ok(())
}

async fn seeds(first: u64, count: u64, hours: f64, tally: &mut Tally) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs_f64(hours * 3_600.0);
    for seed in (first..).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if Instant::now() >= end {
            break;
        }
        let blows = schedule(seed, SCHEDULE);
        for Blow { name, hold, .. } in &blows {
            println!("  seed {seed}: {name}, {:.1} s", hold.as_secs_f64());
        }
        let mut ring = Ring::open(Shape::FULL.gated(seed % 2 == 0)).await?;
        let verdict = ring.round(&format!("seed {seed}"), seed, &blows).await;
        println!("  seed {seed}: {} of {} faults made", verdict.made, blows.len());
        ring.close(!verdict.is_good()).await;
        tally.book(&verdict);
    }
    Ok(())
}
