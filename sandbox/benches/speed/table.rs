//! The rows of the tables and their printing.

/// Samples of one measurement in milliseconds.
pub(crate) struct Times {
    name: &'static str,
    samples: Vec<f64>,
    /// Samples of the floor, each taken right before a sample, so that other load affects both.
    floor: Option<Vec<f64>>,
    /// Maximum median, as a multiple of the floor's.
    factor: Option<f64>,
    /// Maximum 95th percentile.
    limit: Option<f64>,
    /// Maximum milliseconds of the median above the floor's.
    within: Option<f64>,
}

impl Times {
    pub(crate) fn floor(name: &'static str, samples: Vec<f64>) -> Self {
        Self { name, samples, floor: None, factor: None, limit: None, within: None }
    }

    pub(crate) fn beside(floor: Vec<f64>, name: &'static str, samples: Vec<f64>, factor: Option<f64>) -> Self {
        Self { name, samples, floor: Some(floor), factor, limit: None, within: None }
    }

    pub(crate) fn within(floor: Vec<f64>, name: &'static str, samples: Vec<f64>, milliseconds: f64) -> Self {
        Self { within: Some(milliseconds), ..Self::beside(floor, name, samples, None) }
    }

    pub(crate) fn under(name: &'static str, samples: Vec<f64>, limit: f64) -> Self {
        Self { name, samples, floor: None, factor: None, limit: Some(limit), within: None }
    }

    pub(crate) fn at(&self, share: f64) -> f64 {
        at(&self.samples, share)
    }

    fn target(&self) -> String {
        match (self.factor, self.limit, self.within) {
            (Some(factor), _, _) => format!("< {factor} x"),
            (None, Some(limit), _) => format!("p95 < {limit}"),
            (None, None, Some(within)) => format!("< + {within}"),
            (None, None, None) => "-".to_owned(),
        }
    }
}

fn at(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small index"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}

/// A rate per second.
pub(crate) struct Rate {
    name: &'static str,
    per_second: f64,
    floor: Option<(&'static str, f64)>,
    at_least: Option<f64>,
}

impl Rate {
    pub(crate) fn floor(name: &'static str, per_second: f64) -> Self {
        Self { name, per_second, floor: None, at_least: None }
    }

    pub(crate) fn at_least(name: &'static str, per_second: f64, at_least: f64) -> Self {
        Self { name, per_second, floor: None, at_least: Some(at_least) }
    }

    pub(crate) fn share(name: &'static str, per_second: f64, floor: &'static str, share: f64) -> Self {
        Self { name, per_second, floor: Some((floor, share)), at_least: None }
    }
}

pub(crate) fn print_times(rows: &[Times]) {
    println!("\n{:48} {:>9} {:>9} {:>9} {:>10}", "milliseconds", "median", "p95", "x floor", "target");
    for row in rows {
        let ratio = row.floor.as_ref().map_or("-".to_owned(), |floor| format!("{:.2}", row.at(0.5) / at(floor, 0.5)));
        println!("{:48} {:>9.2} {:>9.2} {ratio:>9} {:>10}", row.name, row.at(0.5), row.at(0.95), row.target());
    }
}

pub(crate) fn print_rates(rows: &[Rate]) {
    println!("\n{:48} {:>9} {:>9} {:>10}", "jobs a second", "rate", "of floor", "target");
    for row in rows {
        let floor = row.floor.and_then(|(name, share)| Some((rows.iter().find(|row| row.name == name)?, share)));
        let share =
            floor.map_or("-".to_owned(), |(floor, _)| format!("{:.0} %", row.per_second / floor.per_second * 100.0));
        let target = match (row.floor, row.at_least) {
            (Some((_, share)), _) => format!("> {:.0} %", share * 100.0),
            (None, Some(rate)) => format!("> {rate:.0}"),
            (None, None) => "-".to_owned(),
        };
        println!("{:48} {:>9.1} {share:>9} {target:>10}", row.name, row.per_second);
    }
}
