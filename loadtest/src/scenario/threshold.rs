//! Thresholds such as `"analyze.p95" = "< 300ms"`: parsed before a run, judged after it.

use std::fmt;

use super::duration::{ScenarioDuration, split_unit};
use super::series::Series;

/// A condition on one figure of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    pub metric: Metric,
    pub comparison: Comparison,
    /// In the unit of the metric: milliseconds, percent, per second, or a count.
    pub limit: f64,
    /// The condition as the scenario has it.
    pub condition: String,
}

/// A figure of the report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// Milliseconds.
    Latency(Series, Statistic),
    /// Successful requests per second.
    Rate(Series),
    /// Failed requests, of one series or of all.
    Errors(Option<Series>),
    /// Percentage of failed requests, of one series or of all.
    ErrorRate(Option<Series>),
    /// A figure of the whole run.
    Run(RunFigure),
}

/// A statistic of successful requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    Mean,
    Max,
    /// From 0 to 100.
    Percentile(f64),
}

/// A figure of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFigure {
    /// Accepted workflows without an end.
    Lost,
    /// Workflows with more than one end.
    Doubled,
    /// Repeated keys that returned another workflow.
    Mismatched,
    /// Workflows whose step or event id went backwards.
    Reordered,
    /// Workflows with another end than expected, or with another output of their script.
    Wrong,
    /// Ended workflows whose history could not be read after the run.
    Unverified,
    /// Requests that were not sent on time.
    Late,
    /// Responses with status 429.
    Limited,
    /// Responses with a status of 500 or more.
    ServerErrors,
    /// Percentage of the machine's CPU time that the generator used.
    GeneratorCpu,
}

impl RunFigure {
    pub const ALL: [Self; 10] = [
        Self::Lost,
        Self::Doubled,
        Self::Mismatched,
        Self::Reordered,
        Self::Wrong,
        Self::Unverified,
        Self::Late,
        Self::Limited,
        Self::ServerErrors,
        Self::GeneratorCpu,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Mismatched => "mismatched",
            Self::Reordered => "reordered",
            Self::Wrong => "wrong",
            Self::Unverified => "unverified",
            Self::Late => "late",
            Self::Limited => "limited",
            Self::ServerErrors => "server_errors",
            Self::GeneratorCpu => "generator.cpu",
        }
    }
}

/// A comparison of a figure with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// The longest sign first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Percent,
    PerSecond,
    Count,
}

impl Unit {
    /// Formats a figure of this unit, e.g. `12.3 ms`.
    pub fn format(self, figure: f64) -> String {
        match self {
            Self::Milliseconds if figure >= 10_000.0 => format!("{:.1} s", figure / 1_000.0),
            Self::Milliseconds if figure >= 100.0 => format!("{figure:.0} ms"),
            Self::Milliseconds => format!("{figure:.1} ms"),
            Self::Percent => format!("{figure:.2} %"),
            Self::PerSecond => format!("{figure:.1}/s"),
            Self::Count => format!("{figure:.0}"),
        }
    }
}

impl Metric {
    pub const fn unit(self) -> Unit {
        match self {
            Self::Latency(..) => Unit::Milliseconds,
            Self::Rate(_) => Unit::PerSecond,
            Self::ErrorRate(_) | Self::Run(RunFigure::GeneratorCpu) => Unit::Percent,
            Self::Errors(_) | Self::Run(_) => Unit::Count,
        }
    }

    /// Returns the series that must be part of the scenario.
    pub const fn series(self) -> Option<Series> {
        match self {
            Self::Latency(series, _) | Self::Rate(series) => Some(series),
            Self::Errors(series) | Self::ErrorRate(series) => series,
            Self::Run(_) => None,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        if let Some(figure) = RunFigure::ALL.into_iter().find(|figure| figure.as_str() == name) {
            return Some(Self::Run(figure));
        }
        let (series, figure) = match name.split_once('.') {
            _ if name == "errors" || name == "errors.rate" => (None, name),
            Some((series, figure)) => (Some(series.parse().ok()?), figure),
            None => return None,
        };
        match (figure, series) {
            ("errors", series) => Some(Self::Errors(series)),
            ("errors.rate", series) => Some(Self::ErrorRate(series)),
            ("rate", Some(series)) => Some(Self::Rate(series)),
            (figure, Some(series)) => Statistic::parse(figure).map(|statistic| Self::Latency(series, statistic)),
            (_, None) => None,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Latency(series, statistic) => format!("{series}.{statistic}"),
            Self::Rate(series) => format!("{series}.rate"),
            Self::Errors(None) => "errors".to_owned(),
            Self::Errors(Some(series)) => format!("{series}.errors"),
            Self::ErrorRate(None) => "errors.rate".to_owned(),
            Self::ErrorRate(Some(series)) => format!("{series}.errors.rate"),
            Self::Run(figure) => figure.as_str().to_owned(),
        };
        formatter.pad(&name)
    }
}

impl Statistic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "mean" => Some(Self::Mean),
            "max" => Some(Self::Max),
            percentile => {
                let digits =
                    percentile.strip_prefix('p').filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
                let number: f64 = digits?.parse().ok()?;
                (number > 0.0 && number < 100.0).then_some(Self::Percentile(number))
            }
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => formatter.pad("mean"),
            Self::Max => formatter.pad("max"),
            Self::Percentile(number) => formatter.pad(&format!("p{number}")),
        }
    }
}

impl Threshold {
    /// Parses a line of `[thresholds]`. The error names the line and what would be right.
    pub fn parse(name: &str, condition: &str) -> Result<Self, String> {
        let metric = Metric::parse(name).ok_or_else(|| {
            format!(
                "threshold {name:?} is unknown; use lost, doubled, mismatched, reordered, wrong, unverified, late, limited, \
                 server_errors, generator.cpu, errors, errors.rate, or SERIES.p95 (any percentile), .mean, .max, .rate, .errors, \
                 .errors.rate, where SERIES is one of {}",
                Series::ALL.map(Series::as_str).join(", ")
            )
        })?;
        let trimmed = condition.trim();
        let (comparison, limit) = SIGNS
            .iter()
            .find_map(|(sign, comparison)| Some((*comparison, trimmed.strip_prefix(sign)?)))
            .ok_or_else(|| format!("threshold {name:?}: {condition:?} must begin with <, <=, ==, >= or >"))?;
        let limit = parse_limit(metric.unit(), limit)
            .ok_or_else(|| format!("threshold {name:?}: {condition:?} must end with {}", example(metric.unit())))?;
        Ok(Self { metric, comparison, limit, condition: trimmed.to_owned() })
    }

    /// Returns whether a figure meets the threshold.
    pub fn is_met_by(&self, figure: f64) -> bool {
        match self.comparison {
            Comparison::Less => figure < self.limit,
            Comparison::AtMost => figure <= self.limit,
            Comparison::Equal => (figure - self.limit).abs() < f64::EPSILON,
            Comparison::AtLeast => figure >= self.limit,
            Comparison::Greater => figure > self.limit,
        }
    }
}

fn parse_limit(unit: Unit, text: &str) -> Option<f64> {
    let (number, suffix) = split_unit(text);
    match unit {
        Unit::Milliseconds => text.parse::<ScenarioDuration>().ok().map(|duration| duration.0.as_secs_f64() * 1_000.0),
        Unit::Percent => number.parse().ok().filter(|_| suffix == "%"),
        Unit::PerSecond => number.parse().ok().filter(|_| suffix == "/s"),
        Unit::Count => number.parse::<u32>().ok().map(f64::from).filter(|_| suffix.is_empty()),
    }
}

const fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "a duration such as 300ms or 2s",
        Unit::Percent => "a percentage such as 0.1%",
        Unit::PerSecond => "a rate such as 190/s",
        Unit::Count => "a whole number",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_signs_and_units_are_checked() {
        for (name, condition, limit) in [
            ("analyze.p95", "< 300ms", 300.0),
            ("workflow.p99.9", "<=2s", 2_000.0),
            ("lost", "== 0", 0.0),
            ("errors.rate", "< 0.1%", 0.1),
            ("execute.errors.rate", "<1 %", 1.0),
            ("analyze.rate", ">= 190/s", 190.0),
            ("generator.cpu", "< 50%", 50.0),
        ] {
            let threshold = Threshold::parse(name, condition).unwrap();
            assert!((threshold.limit - limit).abs() < 1e-9, "{name} {condition}");
            assert_eq!(threshold.metric.to_string(), name);
        }
        for (name, condition, why) in [
            ("analyse.p95", "< 1s", "is unknown"),
            ("analyze.p0", "< 1s", "is unknown"),
            ("analyze.p+5", "< 1s", "is unknown"),
            ("analyze.p100", "< 1s", "is unknown"),
            ("lost.rate", "== 0", "is unknown"),
            ("analyze.p95", "300ms", "must begin with <"),
            ("analyze.p95", "=< 300ms", "must begin with <"),
            ("analyze.p95", "< 300", "a duration"),
            ("analyze.p95", "< 3%", "a duration"),
            ("errors.rate", "< 0.1", "a percentage"),
            ("analyze.rate", "> 5", "a rate"),
            ("lost", "== 0.5", "a whole number"),
            ("lost", "== 0ms", "a whole number"),
        ] {
            let error = Threshold::parse(name, condition).unwrap_err();
            assert!(error.contains(why), "{name} {condition}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_comparison_means_what_its_sign_says(limit in 0_u32..1_000, figure in 0_u32..1_000) {
            for (sign, expected) in [
                ("<", figure < limit),
                ("<=", figure <= limit),
                ("==", figure == limit),
                (">=", figure >= limit),
                (">", figure > limit),
            ] {
                let threshold = Threshold::parse("lost", &format!("{sign} {limit}")).unwrap();
                prop_assert_eq!(threshold.is_met_by(f64::from(figure)), expected);
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused(name in ".{0,20}", condition in ".{0,20}") {
            drop(Threshold::parse(&name, &condition));
            drop(Threshold::parse("analyze.p95", &condition));
        }

        #[test]
        fn every_percentile_keeps_its_name(tenths in 1_u32..1_000) {
            let name = format!("decide.p{}", f64::from(tenths) / 10.0);
            prop_assert_eq!(Threshold::parse(&name, "< 1s").unwrap().metric.to_string(), name);
        }
    }
}
