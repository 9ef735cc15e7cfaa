//! A figure and its target.

use serde::Serialize;

/// The comparison with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Bound {
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
}

impl Bound {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
        }
    }
}

/// A figure, its target and the comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub bound: Bound,
    pub target: f64,
    /// `None` if it could not be measured.
    pub current: Option<f64>,
    pub unit: &'static str,
    pub passed: bool,
}

impl Check {
    /// Returns a judged check. An absent figure, or one that is not a number, has failed.
    pub fn new(name: &'static str, current: Option<f64>, bound: Bound, target: f64, unit: &'static str) -> Self {
        let current = current.filter(|current| current.is_finite());
        let passed = current.is_some_and(|current| match bound {
            Bound::Below => current < target,
            Bound::Above => current > target,
            Bound::AtMost => current <= target,
            Bound::AtLeast => current >= target,
        });
        Self { name, bound, target, current, unit, passed }
    }

    /// Returns the target with comparison and unit, e.g. `> 80 %`.
    pub fn target_text(&self) -> String {
        format!("{} {} {}", self.bound.as_str(), short(self.target), self.unit).trim_end().to_owned()
    }

    /// Returns the figure with its unit.
    pub fn current_text(&self) -> String {
        let Some(current) = self.current else { return "not measured".to_owned() };
        format!("{} {}", short(current), self.unit).trim_end().to_owned()
    }
}

/// Returns a number with at most three decimals.
fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the percentage; `None` of nothing.
pub fn percentage(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

/// Returns the smallest sample that at least `percent` of all samples do not exceed (nearest rank). `None` without samples.
pub fn percentile(samples: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent * sorted.len() as f64 / 100.0).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(current: Option<f64>, bound: Bound, target: f64, passed: bool) {
        let check = Check::new("a figure", current, bound, target, "%");
        assert_eq!(check.passed, passed, "{check:?}");
    }

    #[test]
    fn a_figure_at_its_target_is_not_above_it() {
        check(Some(80.0), Bound::Above, 80.0, false);
        check(Some(80.1), Bound::Above, 80.0, true);
        check(Some(5.0), Bound::Below, 5.0, false);
        check(Some(4.9), Bound::Below, 5.0, true);
        check(Some(60.0), Bound::AtLeast, 60.0, true);
        check(Some(59.9), Bound::AtLeast, 60.0, false);
        check(Some(0.0), Bound::AtMost, 0.0, true);
        check(Some(1.0), Bound::AtMost, 0.0, false);
    }

    #[test]
    fn a_figure_that_was_not_measured_has_failed() {
        for bound in [Bound::Below, Bound::Above, Bound::AtMost, Bound::AtLeast] {
            check(None, bound, 0.0, false);
            check(Some(f64::NAN), bound, 0.0, false);
        }
        check(percentage(0, 0), Bound::AtMost, 100.0, false);
        check(percentile(&[], 95.0), Bound::Below, 5.0, false);
        check(Some(f64::INFINITY), Bound::AtLeast, 60.0, false);
    }

    #[test]
    fn percentages_and_percentiles() {
        assert_eq!(percentage(199, 200), Some(99.5));
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&samples, 95.0), Some(95.0));
        assert_eq!(percentile(&samples, 99.0), Some(99.0));
        assert_eq!(percentile(&samples[..1], 95.0), Some(100.0));
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 50.0), Some(2.0));
    }

    #[test]
    fn texts_are_short() {
        let check = Check::new("a", Some(99.123_456), Bound::Above, 99.5, "%");
        assert_eq!((check.target_text().as_str(), check.current_text().as_str()), ("> 99.5 %", "99.123 %"));
        let count = Check::new("a", Some(0.0), Bound::AtMost, 0.0, "");
        assert_eq!((count.target_text().as_str(), count.current_text().as_str()), ("<= 0", "0"));
    }
}
