//! The schedule of retries: exponential backoff for failed attempts, and a delay by age for throttled ones.

use std::time::Duration;

use ring::rand;

/// Maximum attempts of one notification, spread over about an hour.
const MAX_ATTEMPTS: u32 = 12;
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1_800);
/// Maximum age of a workflow's end at which a throttled attempt is not counted; below the minimum age for archiving.
const MAX_THROTTLE_AGE: Duration = Duration::from_secs(12 * 3_600);
/// Bounds of the delay after a throttled attempt, which grows with the age of the workflow's end.
const MIN_THROTTLE_DELAY: Duration = Duration::from_secs(30);
const MAX_THROTTLE_DELAY: Duration = Duration::from_secs(1_800);

/// Returns the delay until the next attempt and the number of counted attempts; `None` after the last.
///
/// `age` is the time since the workflow's end. `random`, from 0 to 1, spreads notifications of one burst.
pub(super) fn next_attempt(was_throttled: bool, attempts: u32, age: Duration, random: f64) -> Option<(Duration, u32)> {
    if was_throttled && age < MAX_THROTTLE_AGE {
        let longest = age.clamp(MIN_THROTTLE_DELAY, MAX_THROTTLE_DELAY);
        return Some((longest.mul_f64(random), attempts.saturating_sub(1)));
    }
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let delay = Duration::from_secs(2_u64.saturating_pow(attempts)).min(MAX_RETRY_DELAY);
    Some((delay.mul_f64(0.5 + random), attempts))
}

/// Returns a random number from 0 to 1; 0.5 if the system provides no randomness.
pub(super) fn random_fraction() -> f64 {
    let drawn = rand::generate::<[u8; 4]>(&rand::SystemRandom::new());
    drawn.map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes.expose())) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_attempt_does_not_count_and_retries_are_spread() {
        let seconds = |count| Duration::from_secs(count);
        assert_eq!(
            next_attempt(true, MAX_ATTEMPTS, seconds(1), 1.0),
            Some((seconds(30), MAX_ATTEMPTS - 1)),
            "the last attempt is still to come"
        );
        assert_eq!(next_attempt(true, 1, seconds(600), 0.5), Some((seconds(300), 0)));
        assert_eq!(next_attempt(true, 1, seconds(7_200), 1.0), Some((seconds(1_800), 0)));
        assert_eq!(next_attempt(true, 3, MAX_THROTTLE_AGE, 0.5), Some((seconds(8), 3)), "not without end");
        assert_eq!(next_attempt(true, MAX_ATTEMPTS, MAX_THROTTLE_AGE, 0.5), None);
        assert_eq!(next_attempt(false, MAX_ATTEMPTS, seconds(1), 0.5), None);
        for (random, delay) in [(0.0, 1), (0.5, 2), (1.0, 3)] {
            assert_eq!(next_attempt(false, 1, seconds(1), random), Some((seconds(delay), 1)));
        }
        let delays = (1..MAX_ATTEMPTS).filter_map(|attempts| next_attempt(false, attempts, seconds(1), 0.5));
        let total: Duration = delays.map(|(delay, _)| delay).sum();
        assert!((3_000..4_800).contains(&total.as_secs()), "about an hour: {total:?}");
        let drawn: Vec<f64> = (0..100).map(|_| random_fraction()).collect();
        assert!(drawn.iter().all(|random| (0.0..=1.0).contains(random)));
        assert!(drawn.iter().any(|random| *random != drawn[0]));
    }
}
