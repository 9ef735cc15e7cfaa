//! Two runs beside each other, each with a cluster and a part of the rounds: most of a round is waiting.

use std::env;
use std::ffi::OsString;
use std::process::Stdio;
use std::str::FromStr;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::tally::Tally;

/// Two cores are busy with two.
const LANES: u64 = 2;

/// One of several runs: its number, from 1, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    number: u64,
    of: u64,
}

impl Lane {
    /// Whether what stands at this place is this lane's.
    #[must_use]
    pub fn takes(self, place: u64) -> bool {
        place % self.of == self.number % self.of
    }
}

impl FromStr for Lane {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if number >= 1 && number <= of => Ok(Self { number, of }),
            _ => Err("a lane is written 1/2: its number, from 1, and how many there are"),
        }
    }
}

/// Begins this program once for each lane, with the same arguments besides, and waits for all of them.
pub async fn play(told: &CancellationToken) -> Tally {
    let begun = (1..=LANES).map(|number| {
        let lane = format!("--lane={number}/{LANES}").into();
        run(env::args_os().skip(1).chain([lane]).collect(), told)
    });
    let mut all = Tally::default();
    for tally in futures_util::future::join_all(begun).await {
        all.add(tally);
    }
    all
}

/// Runs this program with these arguments and prints what it prints; what it counted.
pub async fn run(arguments: Vec<OsString>, told: &CancellationToken) -> Tally {
    try_run(arguments, told).await.unwrap_or_else(Tally::failure)
}

async fn try_run(arguments: Vec<OsString>, told: &CancellationToken) -> Result<Tally, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(program).args(arguments).stdout(Stdio::piped()).process_group(0).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut lines = BufReader::new(child.stdout.take().ok_or("it has no output")?).lines();
    let mut counted = None;
    let mut is_told = false;
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(tally) => counted = Some(tally),
                    Err(_) => println!("{line}"),
                },
                Ok(None) | Err(_) => break,
            },
            () = told.cancelled(), if !is_told => {
                is_told = true;
                // It may have ended meanwhile.
                group.map(|group| kill_process_group(group, Signal::TERM));
            }
        }
    }
    // Nobody reads on: it must not wait for that.
    drop(lines);
    let status = child.wait().await.map_err(|error| error.to_string())?;
    counted.ok_or(format!("a lane could not play its part: {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_share_all_places() {
        let lanes: Vec<Lane> = ["1/2", "2/2"].iter().map(|text| text.parse().unwrap()).collect();
        for place in 0..100 {
            assert_eq!(lanes.iter().filter(|lane| lane.takes(place)).count(), 1);
        }
        assert!(["1/1"].iter().all(|text| text.parse::<Lane>().unwrap().takes(7)));
        assert!(["", "1", "0/2", "3/2", "1/0", "a/b"].iter().all(|text| text.parse::<Lane>().is_err()));
    }
}
