//! Runs beside each other, each with its own cluster and a part of the rounds: most of a round is waiting.

use std::env;
use std::ffi::OsString;
use std::process::Stdio;
use std::str::FromStr;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::rounds::counters::Counters;

/// Number of runs; two cores are busy with two.
const SHARDS: u64 = 2;

/// One of several runs: its number, from 1, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// Returns whether the round at this place belongs to this shard.
    #[must_use]
    pub fn takes(self, place: u64) -> bool {
        place % self.of == self.number % self.of
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if number >= 1 && number <= of => Ok(Self { number, of }),
            _ => Err("a shard is written 1/2: its number, from 1, and how many there are"),
        }
    }
}

/// Starts this program once for each shard, with the same arguments, and waits for all of them.
pub async fn play(stop: &CancellationToken) -> Counters {
    let begun = (1..=SHARDS).map(|number| {
        let shard = format!("--shard={number}/{SHARDS}").into();
        run(env::args_os().skip(1).chain([shard]).collect(), stop)
    });
    let mut all = Counters::default();
    for counters in futures_util::future::join_all(begun).await {
        all.add(counters);
    }
    all
}

/// Runs this program with these arguments, prints its output and returns its counters.
pub async fn run(arguments: Vec<OsString>, stop: &CancellationToken) -> Counters {
    try_run(arguments, stop).await.unwrap_or_else(Counters::failure)
}

async fn try_run(arguments: Vec<OsString>, stop: &CancellationToken) -> Result<Counters, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(program).args(arguments).stdout(Stdio::piped()).process_group(0).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut lines = BufReader::new(child.stdout.take().ok_or("it has no output")?).lines();
    let mut counted = None;
    let mut is_stopping = false;
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(counters) => counted = Some(counters),
                    Err(_) => println!("{line}"),
                },
                Ok(None) | Err(_) => break,
            },
            () = stop.cancelled(), if !is_stopping => {
                is_stopping = true;
                // It may have ended already.
                group.map(|group| kill_process_group(group, Signal::TERM));
            }
        }
    }
    // Closes the pipe, so that the child does not block on it.
    drop(lines);
    let status = child.wait().await.map_err(|error| error.to_string())?;
    counted.ok_or(format!("a shard failed: {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_places() {
        let shards: Vec<Shard> = ["1/2", "2/2"].iter().map(|text| text.parse().unwrap()).collect();
        for place in 0..100 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(place)).count(), 1);
        }
        assert!(["1/1"].iter().all(|text| text.parse::<Shard>().unwrap().takes(7)));
        assert!(["", "1", "0/2", "3/2", "1/0", "a/b"].iter().all(|text| text.parse::<Shard>().is_err()));
    }
}
