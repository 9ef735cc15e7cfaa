//! Planned instants of a constant arrival rate.

use std::time::Duration;

/// Evenly spaced arrivals of one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// Arrivals per second, above 0.
    rate: f64,
    length: Duration,
    /// Position of the first arrival in its interval, 0 to 1.
    phase: f64,
}

impl Schedule {
    /// Returns the schedule of `rate` arrivals per second. `phase` (0 to 1) shifts it within one interval, so that
    /// operations with equal rates do not arrive together.
    pub(crate) fn new(rate: f64, length: Duration, phase: f64) -> Self {
        Self { rate, length, phase }
    }

    /// Returns the offset of arrival `number`, counted from 0; `None` after the last one.
    ///
    /// Computed from the number, so that rounding does not add up.
    pub(crate) fn offset(&self, number: u64) -> Option<Duration> {
        let seconds = (number as f64 + self.phase) / self.rate;
        (seconds < self.length.as_secs_f64()).then(|| Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offsets(schedule: &Schedule) -> Vec<f64> {
        (0..).map_while(|number| schedule.offset(number)).map(|offset| offset.as_secs_f64()).collect()
    }

    proptest! {
        #[test]
        fn every_window_has_its_share_of_arrivals(
            rate in 0.1_f64..500.0, seconds in 1_u64..20, phase in 0.0_f64..1.0, from in 0.0_f64..0.9, share in 0.01_f64..0.9
        ) {
            let length = seconds as f64;
            let all = offsets(&Schedule::new(rate, Duration::from_secs(seconds), phase));
            prop_assert!(all.iter().all(|offset| (0.0..length).contains(offset)));
            prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!((all.len() as f64 - rate * length).abs() <= 1.0);
            let (start, end) = (from * length, (from + share).min(1.0) * length);
            let within = all.iter().filter(|offset| (start..end).contains(*offset)).count();
            prop_assert!((within as f64 - rate * (end - start)).abs() <= 1.000_1);
        }
    }
}
