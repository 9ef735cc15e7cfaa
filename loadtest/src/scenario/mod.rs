//! Scenario files: what arrives, how fast, for how long, and which figures are good enough.

mod duration;
mod series;
mod threshold;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use duration::ScenarioDuration;
pub use series::Series;
pub use threshold::{Comparison, Metric, RunFigure, Statistic, Threshold, Unit};

/// A validated scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub description: String,
    pub model: WorkloadModel,
    /// Time before the measured window, under the same load.
    pub warm_up: Duration,
    /// The measured window.
    pub duration: Duration,
    /// Maximum wait for the ends of accepted workflows after the window.
    pub drain: Duration,
    /// Maximum time of one request.
    pub timeout: Duration,
    /// Maximum time from the planned instant of an arrival to its sending.
    pub max_delay: Duration,
    /// Maximum arrivals whose first request is in flight.
    pub connections: usize,
    /// Signed-in users that share the load.
    pub users: usize,
    /// Interval of the status requests for a running workflow.
    pub poll: Duration,
    /// Share of analyses whose text was not analyzed before.
    pub fresh: f64,
    /// Share of submissions that are sent again with the same `Idempotency-Key`.
    pub repeat: f64,
    pub seed: u64,
    pub thresholds: Vec<Threshold>,
}

/// The origin of requests.
#[derive(Debug, Clone)]
pub enum WorkloadModel {
    /// Arrivals per second by operation, independent of the responses.
    Open(BTreeMap<Series, f64>),
    /// Users who wait for a response before their next task.
    Closed { classes: Vec<UserClass>, spawn_rate: f64 },
}

/// A class of users of the closed model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserClass {
    pub name: String,
    pub users: usize,
    /// Shortest and longest wait between two tasks.
    pub wait: [ScenarioDuration; 2],
    /// Weights of the operations.
    pub tasks: BTreeMap<Series, u32>,
}

/// An unreadable scenario; the text lists every mistake.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {text}")]
    Invalid { path: PathBuf, text: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    description: String,
    duration: ScenarioDuration,
    #[serde(default = "Defaults::warm_up")]
    warm_up: ScenarioDuration,
    #[serde(default = "Defaults::drain")]
    drain: ScenarioDuration,
    #[serde(default = "Defaults::timeout")]
    timeout: ScenarioDuration,
    #[serde(default = "Defaults::max_delay")]
    max_delay: ScenarioDuration,
    #[serde(default = "Defaults::connections")]
    connections: usize,
    #[serde(default = "Defaults::users")]
    users: usize,
    #[serde(default = "Defaults::poll")]
    poll: ScenarioDuration,
    #[serde(default)]
    fresh: f64,
    #[serde(default)]
    repeat: f64,
    #[serde(default)]
    seed: u64,
    #[serde(default = "Defaults::spawn_rate")]
    spawn_rate: f64,
    #[serde(default)]
    rates: BTreeMap<Series, f64>,
    #[serde(default)]
    class: Vec<UserClass>,
    #[serde(default)]
    thresholds: BTreeMap<String, String>,
}

struct Defaults;

impl Defaults {
    const fn warm_up() -> ScenarioDuration {
        ScenarioDuration(Duration::ZERO)
    }
    const fn drain() -> ScenarioDuration {
        ScenarioDuration(Duration::from_secs(60))
    }
    const fn timeout() -> ScenarioDuration {
        ScenarioDuration(Duration::from_secs(15))
    }
    const fn max_delay() -> ScenarioDuration {
        ScenarioDuration(Duration::from_millis(100))
    }
    const fn connections() -> usize {
        256
    }
    const fn users() -> usize {
        16
    }
    const fn poll() -> ScenarioDuration {
        ScenarioDuration(Duration::from_millis(500))
    }
    const fn spawn_rate() -> f64 {
        10.0
    }
}

impl Scenario {
    /// Reads and validates a scenario file.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|text| ScenarioError::Invalid { path: path.to_owned(), text })
    }

    /// Parses and validates the text of a scenario. The error lists every mistake.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut mistakes = file.mistakes();
        let mut thresholds = Vec::new();
        for (name, condition) in &file.thresholds {
            match Threshold::parse(name, condition) {
                Ok(threshold) => thresholds.push(threshold),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let measured = file.measured();
        for series in thresholds.iter().filter_map(|threshold| threshold.metric.series()) {
            if !measured.contains(&series) {
                mistakes.push(format!("a threshold needs the series {series}, which this scenario does not measure"));
            }
        }
        if mistakes.is_empty() { Ok(file.into_scenario(thresholds)) } else { Err(mistakes.join("\n  ")) }
    }

    /// Multiplies every rate, or the number of users of every class.
    pub fn scale(&mut self, factor: f64) {
        match &mut self.model {
            WorkloadModel::Open(rates) => rates.values_mut().for_each(|rate| *rate *= factor),
            WorkloadModel::Closed { classes, .. } => {
                for class in classes {
                    class.users = ((class.users as f64 * factor).round() as usize).max(1);
                }
            }
        }
    }

    /// Returns every series that a run of the scenario measures.
    pub fn series(&self) -> BTreeSet<Series> {
        match &self.model {
            WorkloadModel::Open(rates) => with_followers(rates.keys()),
            WorkloadModel::Closed { classes, .. } => {
                with_followers(classes.iter().flat_map(|class| class.tasks.keys()))
            }
        }
    }
}

fn with_followers<'s>(operations: impl Iterator<Item = &'s Series>) -> BTreeSet<Series> {
    operations.flat_map(|series| series.followers().iter().chain([series])).copied().collect()
}

const MAX_RATE: f64 = 100_000.0;
const MAX_USERS: usize = 10_000;

impl File {
    fn measured(&self) -> BTreeSet<Series> {
        with_followers(self.rates.keys().chain(self.class.iter().flat_map(|class| class.tasks.keys())))
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut require = |holds: bool, text: &str| {
            if !holds {
                mistakes.push(text.to_owned());
            }
        };
        require(
            self.rates.is_empty() != self.class.is_empty(),
            "needs either [rates] (open model) or [[class]] (closed model)",
        );
        require(self.duration.0 >= Duration::from_secs(1), "duration must be at least 1s");
        require(self.timeout.0 > Duration::ZERO && self.poll.0 > Duration::ZERO, "timeout and poll must not be 0");
        require((1..=MAX_USERS).contains(&self.users), "users must be 1 to 10000");
        require(self.connections > 0, "connections must be at least 1");
        require(self.spawn_rate > 0.0, "spawn_rate must be above 0");
        require(
            [self.fresh, self.repeat].iter().all(|share| (0.0..=1.0).contains(share)),
            "fresh and repeat must be between 0 and 1",
        );
        require(
            self.rates.values().all(|rate| *rate > 0.0 && *rate <= MAX_RATE),
            "every rate must be above 0 and at most 100000 per second",
        );
        for class in &self.class {
            require((1..=MAX_USERS).contains(&class.users), "the users of a class must be 1 to 10000");
            require(class.wait[0] <= class.wait[1], "wait must be [shortest, longest]");
            require(class.tasks.values().any(|weight| *weight > 0), "a class needs a task with a weight above 0");
        }
        for series in self.rates.keys().chain(self.class.iter().flat_map(|class| class.tasks.keys())) {
            require(series.is_operation(), &format!("{series} is not an operation that can be scheduled"));
        }
        mistakes
    }

    fn into_scenario(self, thresholds: Vec<Threshold>) -> Scenario {
        let model = if self.class.is_empty() {
            WorkloadModel::Open(self.rates)
        } else {
            WorkloadModel::Closed { classes: self.class, spawn_rate: self.spawn_rate }
        };
        Scenario {
            name: self.name,
            description: self.description,
            model,
            warm_up: self.warm_up.0,
            duration: self.duration.0,
            drain: self.drain.0,
            timeout: self.timeout.0,
            max_delay: self.max_delay.0,
            connections: self.connections,
            users: self.users,
            poll: self.poll.0,
            fresh: self.fresh,
            repeat: self.repeat,
            seed: self.seed,
            thresholds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_before_the_run() {
        let error = Scenario::parse(
            r#"
            name = "wrong"
            duration = "10s"
            fresh = 2
            [rates]
            analyze = 0
            status = 1
            [thresholds]
            "analyze.p95" = "< 300"
            "decide.p95" = "< 1s"
            "latency" = "< 1s"
            "#,
        )
        .unwrap_err();
        for part in
            ["fresh and repeat", "every rate", "status is not", "a duration", "series decide", "\"latency\" is unknown"]
        {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        let both = "name = \"x\"\nduration = \"1s\"\n";
        assert!(Scenario::parse(both).unwrap_err().contains("either [rates]"));
        assert!(Scenario::parse(&format!("{both}rate = 5")).unwrap_err().contains("unknown field `rate`"));
    }

    #[test]
    fn the_scenarios_of_this_folder_are_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            let scenario = Scenario::read(&file).unwrap();
            assert_eq!(Some(scenario.name.as_str()), file.file_stem().and_then(|stem| stem.to_str()));
        }
    }
}
