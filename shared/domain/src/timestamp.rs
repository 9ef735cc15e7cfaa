//! Time in the domain: milliseconds since the Unix epoch, passed in by the caller.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time in milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Builds a timestamp from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time `duration` later, saturating at the maximum.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time `duration` earlier, saturating at the minimum.
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the midnight (UTC) at which its day began.
    pub fn day_began(self) -> Self {
        Self(self.0 - self.0.rem_euclid(86_400_000))
    }

    /// Returns the time elapsed since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Formats as RFC 3339 with milliseconds, e.g. `2026-01-31T12:00:00.250Z`; a time outside the calendar's range as
    /// the epoch.
    pub fn to_rfc3339(self) -> String {
        self.to_date_time().format(&Rfc3339).unwrap_or_default()
    }

    /// Parses RFC 3339; `None` if the text is invalid.
    pub fn of_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(Self::of_date_time)
    }

    /// Converts a calendar time, which has no fraction of a millisecond afterwards.
    pub fn of_date_time(time: OffsetDateTime) -> Self {
        Self(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
    }

    /// Converts to a calendar time; a time outside of its range to the epoch.
    pub fn to_date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Returns the UTC calendar day, e.g. `2026-01-31`.
    pub fn day(self) -> String {
        self.to_rfc3339().chars().take(10).collect()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_as_rfc3339_and_counts_durations() {
        let start = Timestamp::from_millis(1_769_860_800_250);
        assert_eq!(start.to_rfc3339(), "2026-01-31T12:00:00.25Z");
        assert_eq!(start.day(), "2026-01-31");
        assert_eq!(start.day_began().to_rfc3339(), "2026-01-31T00:00:00Z");
        assert_eq!(start.day_began().before(Duration::from_millis(1)).day(), "2026-01-30");
        assert_eq!(start.after(Duration::from_millis(5)).since(start), Duration::from_millis(5));
        assert_eq!(start.since(start.after(Duration::from_secs(1))), Duration::ZERO);
        for text in ["2026-01-31T12:00:00.25Z", "2026-01-31T12:00:00.250999999Z", "2026-01-31T14:00:00.25+02:00"] {
            assert_eq!(Timestamp::of_rfc3339(text), Some(start), "{text}");
        }
        assert_eq!(Timestamp::of_rfc3339("yesterday"), None);
    }
}
