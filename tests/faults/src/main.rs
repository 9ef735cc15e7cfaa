//! `faults`: plays faults against a cluster and prints what held.

use std::iter::repeat_n;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use faults::cluster::Shape;
use faults::lanes::{self, Lane};
use faults::matrix::{SCHEDULE, groups, schedule, shape};
use faults::namespaces;
use faults::recovery::Recovery;
use faults::report;
use faults::round::{Blow, Ring};
use faults::tally::Tally;
use shared::lifecycle::Lifecycle;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The whole matrix takes at most so many minutes on two cores.
const GOAL_MINUTES: f64 = 40.0;

#[derive(Parser)]
#[command(about = "Plays faults against a cluster of real processes and judges what came of it")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Only the part of one of several runs beside each other, e.g. 1/2.
    #[arg(long, global = true, hide = true)]
    lane: Option<Lane>,
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

impl Command {
    /// Whether several runs beside each other share it. What is measured is measured alone.
    fn is_shared(&self) -> bool {
        match self {
            Self::Matrix(choice) => choice.is_whole(),
            Self::Seeds { count, .. } => *count > 1,
            Self::Recovery => false,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { command, lane } = Arguments::parse();
    let is_shared = lane.is_none() && command.is_shared();
    let begun = faults::can_run().and_then(|()| {
        if !is_shared && let Err(reason) = namespaces::begin_in_own() {
            println!("no network of our own, so partitions hold what is sent and lose no packet: {reason}");
        }
        Runtime::new().map_err(|error| error.to_string())
    });
    let played = begun.and_then(|runtime| {
        runtime.block_on(async {
            let life = Lifecycle::with_signals().map_err(|error| error.to_string())?;
            let told = life.stopping();
            Ok(if is_shared { share(&command, &told).await } else { play_alone(command, lane, &told).await })
        })
    });
    match played {
        Ok(tally) if tally.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// In lanes, and then what has to be alone.
async fn share(command: &Command, told: &CancellationToken) -> Tally {
    let began = Instant::now();
    println!("{}", report::head());
    let mut tally = lanes::play(told).await;
    let is_matrix = matches!(command, Command::Matrix(_));
    if is_matrix && !told.is_cancelled() {
        tally.add(lanes::run(vec!["recovery".into(), "--lane=1/1".into()], told).await);
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!("{}", report::end(&tally, minutes));
    if is_matrix {
        let verdict = if minutes <= GOAL_MINUTES { "reached" } else { "NOT REACHED" };
        println!("{minutes:.1} of {GOAL_MINUTES:.0} min: {verdict}");
    }
    tally
}

/// All of it or a lane's part; a lane says what it counted to whoever began it. Dropped, a cluster dies.
async fn play_alone(command: Command, lane: Option<Lane>, told: &CancellationToken) -> Tally {
    let began = Instant::now();
    if lane.is_none() && !matches!(command, Command::Recovery) {
        println!("{}", report::head());
    }
    let mut tally = Tally::default();
    let played = tokio::select! {
        played = play(command, lane, &mut tally) => played,
        () = told.cancelled() => Err("told to stop".to_owned()),
    };
    tally.failed.extend(played.err());
    match serde_json::to_string(&tally) {
        Ok(text) if lane.is_some() => println!("{text}"),
        Ok(_) | Err(_) => println!("{}", report::end(&tally, began.elapsed().as_secs_f64() / 60.0)),
    }
    tally
}

async fn play(command: Command, lane: Option<Lane>, tally: &mut Tally) -> Result<(), String> {
    let is_ours = |place| lane.is_none_or(|lane| lane.takes(place));
    match command {
        Command::Matrix(choice) => matrix(&choice, is_ours, tally).await,
        Command::Recovery => recoveries().await,
        Command::Seeds { first, count, hours } => seeds(first, count, hours, is_ours, tally).await,
    }
}

async fn matrix(choice: &Choice, is_ours: impl Fn(u64) -> bool, tally: &mut Tally) -> Result<(), String> {
    let mut place = 0;
    for (number, (shape, mut rows)) in (1..).zip(groups()) {
        rows.retain(|row| {
            place += 1;
            place > choice.skip && place - choice.skip <= choice.take && row.name.contains(&choice.only)
        });
        if rows.is_empty() || !is_ours(number) {
            continue;
        }
        // A young log is compared with its view sooner, and fits on a small disk.
        let mut ring = Ring::open(shape).await?;
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

async fn seeds(
    first: u64,
    count: u64,
    hours: f64,
    is_ours: impl Fn(u64) -> bool,
    tally: &mut Tally,
) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs_f64(hours * 3_600.0);
    for seed in (first..).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if !is_ours(seed) {
            continue;
        }
        if Instant::now() >= end {
            break;
        }
        let blows = schedule(seed, SCHEDULE);
        for Blow { name, hold, .. } in &blows {
            println!("  seed {seed}: {name}, {:.1} s", hold.as_secs_f64());
        }
        let mut ring = Ring::open(shape(seed, &blows)).await?;
        let verdict = ring.round(&format!("seed {seed}"), seed, &blows).await;
        println!("  seed {seed}: {} of {} faults made", verdict.made, blows.len());
        ring.close(!verdict.is_good()).await;
        tally.book(&verdict);
    }
    Ok(())
}
