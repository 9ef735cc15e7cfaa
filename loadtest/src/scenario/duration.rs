//! Durations in scenario files: a number with `us`, `ms`, `s`, `m` or `h`.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A duration of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ScenarioDuration(pub Duration);

const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
const MAX_SECONDS: f64 = 7.0 * 86_400.0;

impl FromStr for ScenarioDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_unit(text);
        let seconds_per_unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| seconds);
        let seconds = number.parse::<f64>().ok().zip(seconds_per_unit).map(|(number, seconds)| number * seconds);
        match seconds {
            Some(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(Self(Duration::from_secs_f64(seconds))),
            Some(_) | None => Err(format!("{text:?} is not a duration such as \"300ms\", \"60s\" or \"2m\"")),
        }
    }
}

impl TryFrom<String> for ScenarioDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Splits `300ms` into the number and the unit, both trimmed.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!("1.5 s".parse(), Ok(ScenarioDuration(Duration::from_millis(1_500))));
        assert_eq!("250us".parse(), Ok(ScenarioDuration(Duration::from_micros(250))));
        assert_eq!("2m".parse(), Ok(ScenarioDuration(Duration::from_secs(120))));
        for wrong in ["", "5", "s", "-1s", "1e9h", "1 day", "1.2.3s", "NaNs"] {
            assert!(wrong.parse::<ScenarioDuration>().is_err(), "{wrong}");
        }
    }
}
