//! `faults`: injects faults into a cluster and prints which invariants held.

use std::fs;
use std::iter::repeat_n;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use faults::cluster::Topology;
use faults::namespaces;
use faults::rounds::counters::Counters;
use faults::rounds::matrix::{SCHEDULE, groups, schedule, topology};
use faults::rounds::recovery::Recovery;
use faults::rounds::report;
use faults::rounds::shards::{self, Shard};
use faults::rounds::{Harness, Injection};
use service::lifecycle::Lifecycle;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Maximum duration of the whole matrix on two cores, in minutes.
const GOAL_MINUTES: f64 = 40.0;

#[derive(Parser)]
#[command(about = "Injects faults into a cluster of real processes and checks the invariants")]
struct Arguments {
    #[command(subcommand)]
    command: HarnessCommand,
    /// Only one of several runs beside each other, e.g. 1/2.
    #[arg(long, global = true, hide = true)]
    shard: Option<Shard>,
    /// Write the counters and the figures of every round to this file.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum HarnessCommand {
    /// Every row of the matrix once.
    Matrix(Choice),
    /// The time until work goes on after a kill.
    Recovery,
    /// Random schedules, one for each seed, each on its own cluster.
    Seeds {
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Maximum number of schedules.
        #[arg(long, default_value_t = u64::MAX)]
        count: u64,
        /// No schedule begins after this many hours.
        #[arg(long, default_value_t = 1.0)]
        hours: f64,
        /// Repeat the faults of a schedule until this many workflows were started.
        #[arg(long, default_value_t = 0)]
        workflows: usize,
    },
}

/// A selection of rows.
#[derive(Args)]
struct Choice {
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Leave out this many rows at the beginning.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Play at most this many rows after those.
    #[arg(long, default_value_t = usize::MAX)]
    take: usize,
    /// Play each row this many times.
    #[arg(long, default_value_t = 1)]
    times: usize,
    /// Keep the clusters' folders even if everything held.
    #[arg(long)]
    keep: bool,
}

impl Choice {
    /// Returns whether every row is played exactly once.
    fn is_whole(&self) -> bool {
        self.only.is_empty() && self.skip == 0 && self.take == usize::MAX && self.times == 1
    }
}

impl HarnessCommand {
    /// Returns whether it is split into shards. Measurements run alone.
    fn is_shared(&self) -> bool {
        match self {
            Self::Matrix(choice) => choice.is_whole(),
            Self::Seeds { count, .. } => *count > 1,
            Self::Recovery => false,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { command, shard, json } = Arguments::parse();
    let is_shared = shard.is_none() && command.is_shared();
    let begun = faults::can_run().and_then(|()| {
        if !is_shared && let Err(reason) = namespaces::run_isolated() {
            println!("no network namespace, so partitions hold bytes and drop no packets: {reason}");
        }
        Runtime::new().map_err(|error| error.to_string())
    });
    let played = begun.and_then(|runtime| {
        runtime.block_on(async {
            let lifecycle = Lifecycle::with_signals().map_err(|error| error.to_string())?;
            let stop = lifecycle.stopping();
            Ok(if is_shared { share(&command, &stop).await } else { play_alone(command, shard, &stop).await })
        })
    });
    // A shard passes its counters to its parent, which writes the file.
    let is_parent = shard.is_none();
    let written = match (&played, json) {
        (Ok(counters), Some(path)) if is_parent => write_json(counters, &path),
        (Ok(_) | Err(_), _) => Ok(()),
    };
    match written.and(played) {
        Ok(counters) if counters.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn write_json(counters: &Counters, path: &Path) -> Result<(), String> {
    let text = serde_json::to_string_pretty(counters).map_err(|error| error.to_string())?;
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Runs the shards, and then what must run alone.
async fn share(command: &HarnessCommand, stop: &CancellationToken) -> Counters {
    let began = Instant::now();
    println!("{}", report::head());
    let mut counters = shards::play(stop).await;
    let is_matrix = matches!(command, HarnessCommand::Matrix(_));
    if is_matrix && !stop.is_cancelled() {
        counters.add(shards::run(vec!["recovery".into(), "--shard=1/1".into()], stop).await);
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!("{}", report::end(&counters, minutes));
    if is_matrix {
        let verdict = if minutes <= GOAL_MINUTES { "reached" } else { "NOT REACHED" };
        println!("{minutes:.1} of {GOAL_MINUTES:.0} min: {verdict}");
    }
    counters
}

/// Runs all of it, or one shard, which prints its counters for its parent. A dropped cluster dies.
async fn play_alone(command: HarnessCommand, shard: Option<Shard>, stop: &CancellationToken) -> Counters {
    let began = Instant::now();
    if shard.is_none() && !matches!(command, HarnessCommand::Recovery) {
        println!("{}", report::head());
    }
    let mut counters = Counters::default();
    let played = tokio::select! {
        played = play(command, shard, &mut counters) => played,
        () = stop.cancelled() => Err("interrupted".to_owned()),
    };
    counters.failed.extend(played.err());
    match serde_json::to_string(&counters) {
        Ok(text) if shard.is_some() => println!("{text}"),
        Ok(_) | Err(_) => println!("{}", report::end(&counters, began.elapsed().as_secs_f64() / 60.0)),
    }
    counters
}

async fn play(command: HarnessCommand, shard: Option<Shard>, counters: &mut Counters) -> Result<(), String> {
    let is_ours = |place| shard.is_none_or(|shard| shard.takes(place));
    match command {
        HarnessCommand::Matrix(choice) => matrix(&choice, is_ours, counters).await,
        HarnessCommand::Recovery => recoveries().await,
        HarnessCommand::Seeds { first, count, hours, workflows } => {
            let end = Instant::now() + Duration::from_secs_f64(hours * 3_600.0);
            let all = (first..).take(usize::try_from(count).unwrap_or(usize::MAX));
            seeds(all.filter(|seed| is_ours(*seed)), end, workflows, counters).await
        }
    }
}

async fn matrix(choice: &Choice, is_ours: impl Fn(u64) -> bool, counters: &mut Counters) -> Result<(), String> {
    let mut place = 0;
    for (number, (topology, mut rows)) in (1..).zip(groups()) {
        rows.retain(|row| {
            place += 1;
            place > choice.skip && place - choice.skip <= choice.take && row.name.contains(&choice.only)
        });
        if rows.is_empty() || !is_ours(number) {
            continue;
        }
        // A new cluster has a small log, which is compared with the read model sooner and fits on a small disk.
        let mut harness = Harness::open(topology).await?;
        let before = counters.broken.len();
        for (seed, row) in (number * 1_000..).zip(rows.iter().flat_map(|row| repeat_n(row, choice.times))) {
            counters.book(&harness.round(row.name, seed, &[*row]).await);
        }
        harness.close(choice.keep || counters.broken.len() > before).await;
    }
    Ok(())
}

async fn recoveries() -> Result<(), String> {
    let mut harness = Harness::open(Topology::FULL).await?;
    for recovery in Recovery::ALL {
        println!("{}", harness.recover(recovery).await?);
    }
    harness.close(false).await;
    Ok(())
}

/// Plays the schedules of the seeds; none begins after `end`.
async fn seeds(
    seeds: impl Iterator<Item = u64>,
    end: Instant,
    workflows: usize,
    counters: &mut Counters,
) -> Result<(), String> {
    for seed in seeds {
        if Instant::now() >= end {
            break;
        }
        let injections = schedule(seed, SCHEDULE);
        for Injection { name, hold, .. } in &injections {
            println!("  seed {seed}: {name}, {:.1} s", hold.as_secs_f64());
        }
        let mut harness = Harness::open(topology(seed, &injections)).await?;
        let verdict = harness.long_round(&format!("seed {seed}"), seed, &injections, workflows).await;
        let planned = injections.len();
        println!("  seed {seed}: {} faults injected, {planned} planned for each pass", verdict.made);
        harness.close(!verdict.is_good()).await;
        counters.book(&verdict);
    }
    Ok(())
}
