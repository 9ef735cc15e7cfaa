//! The generic cell rate algorithm (ITU-T I.371, virtual scheduling): a token bucket stored as one number.

use std::time::Duration;

/// Size and refill rate of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gcra {
    /// Maximum calls at once, at least 1.
    pub burst: u32,
    /// Calls regained per minute, at least 1.
    pub refill_per_minute: u32,
}

/// The bucket's theoretical arrival time, in microseconds since the epoch; 0 is a full bucket.
pub type GcraState = i64;

/// The bucket's verdict on one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateVerdict {
    pub allowed: bool,
    /// Further calls that would be allowed now.
    pub remaining: u32,
    /// Time until the next call is allowed; zero if this one was.
    pub retry_after: Duration,
    /// Time until the bucket is full.
    pub reset: Duration,
}

impl Gcra {
    /// Returns the microseconds between two calls at the steady rate.
    pub fn interval_us(self) -> i64 {
        60_000_000 / i64::from(self.refill_per_minute.max(1))
    }

    /// Takes one call at `now_us` and returns the bucket after it. A refused call leaves the bucket as it was.
    pub fn take(self, state: GcraState, now_us: i64) -> (RateVerdict, GcraState) {
        let interval = self.interval_us();
        let capacity = interval * i64::from(self.burst.max(1));
        let arrival = state.max(now_us);
        let next = arrival + interval;
        if next - now_us > capacity {
            let wait = next - now_us - capacity;
            return (self.verdict(false, 0, wait, arrival - now_us), state);
        }
        let remaining = (capacity - (next - now_us)) / interval;
        (self.verdict(true, remaining, 0, next - now_us), next)
    }

    /// Returns one call to the bucket; a full one stays full.
    pub fn give_back(self, state: GcraState) -> GcraState {
        (state - self.interval_us()).max(0)
    }

    /// Builds a verdict from numbers that a Redis script computed in the same way.
    pub fn verdict(self, allowed: bool, remaining: i64, retry_us: i64, reset_us: i64) -> RateVerdict {
        let span = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        RateVerdict {
            allowed,
            remaining: u32::try_from(remaining).unwrap_or(0),
            retry_after: span(retry_us),
            reset: span(reset_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_passes_and_the_refill_brings_one_call_back() {
        let bucket = Gcra { burst: 3, refill_per_minute: 60 };
        let mut state = 0;
        for left in [2, 1, 0] {
            let (verdict, next) = bucket.take(state, 1_000_000);
            assert!(verdict.allowed);
            assert_eq!(verdict.remaining, left);
            state = next;
        }
        let (refused, same) = bucket.take(state, 1_000_000);
        assert!(!refused.allowed);
        assert_eq!((same, refused.retry_after), (state, Duration::from_secs(1)));
        assert!(bucket.take(state, 2_000_000).0.allowed);
    }

    proptest! {
        #[test]
        fn no_window_lets_more_through_than_burst_and_refill(
            burst in 1_u32..50,
            refill_per_minute in 1_u32..2_000,
            gaps in proptest::collection::vec(0_i64..2_000_000, 1..200),
        ) {
            let bucket = Gcra { burst, refill_per_minute };
            let (mut state, mut now, mut allowed) = (0, 1_000, 0_i64);
            let start = now;
            for gap in gaps {
                now += gap;
                let (verdict, next) = bucket.take(state, now);
                allowed += i64::from(verdict.allowed);
                prop_assert_eq!(verdict.allowed, verdict.retry_after.is_zero());
                state = next;
            }
            prop_assert!(allowed <= i64::from(burst) + (now - start) / bucket.interval_us() + 1);
        }
    }
}
