//! `faults`: plays faults against a cluster and prints what held.

use std::iter::repeat_n;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use faults::cluster::Shape;
use faults::matrix::{groups, schedule};
use faults::recovery::Recovery;
use faults::report;
use faults::round::{Blow, Ring, Verdict};
use tokio::time::Instant;

/// Faults in one random schedule.
const SCHEDULE: usize = 4;

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
    skipped: usize,
    broken: Vec<String>,
}

impl Tally {
    fn book(&mut self, verdict: &Verdict) {
        println!("{}", report::row(verdict));
        if let Some(told) = &verdict.told {
            println!("{told}");
        }
        self.played += usize::from(verdict.impossible.is_none());
        self.skipped += usize::from(verdict.impossible.is_some());
        if !verdict.is_good() {
            self.broken.push(verdict.name.clone());
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(reason) = faults::can_run() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let mut tally = Tally::default();
    let began = Instant::now();
    let command = Arguments::parse().command;
    if !matches!(command, Command::Recovery) {
        println!("{}", report::head());
    }
    let played = match command {
        Command::Matrix(choice) => {
            let played = matrix(&choice, &mut tally).await;
            if choice.is_whole() { played.and(recoveries().await) } else { played }
        }
        Command::Recovery => recoveries().await,
        Command::Seeds { first, count, hours } => seeds(first, count, hours, &mut tally).await,
    };
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!("{} played in {minutes:.1} min, {} skipped, {} broken", tally.played, tally.skipped, tally.broken.len());
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
        let mut ring = Ring::open(Shape::FULL).await?;
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
        let mut ring = Ring::open(Shape::FULL).await?;
        let verdict = ring.round(&format!("seed {seed}"), seed, &blows).await;
        ring.close(!verdict.is_good()).await;
        tally.book(&verdict);
    }
    Ok(())
}
