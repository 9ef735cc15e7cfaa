//! Floods: a bot whose decisions are refused again and again is not listened to for a while, so that neither the audit log nor
//! the other bots' decisions drown in what it sends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared::clock::Timestamp;
use shared::ids::UserName;
use shared::read_model::{Gcra, GcraState};

/// Refusals by its own fault that a bot may meet at once, and in a minute from then on.
const FAULTS: Gcra = Gcra { burst: 60, refill_per_minute: 60 };
/// The same of all refusals: of two bots that mean well and answer everything, one always comes second.
const REFUSALS: Gcra = Gcra { burst: 600, refill_per_minute: 600 };
/// A flood is noted once in this time.
const WINDOW_MS: i64 = 60_000;

/// What each bot met here; another approver counts for itself.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    bots: Mutex<HashMap<UserName, Met>>,
}

#[derive(Debug, Default)]
struct Met {
    faults: GcraState,
    refusals: GcraState,
    /// The window of the last flood that was noted.
    noted: Option<i64>,
}

impl Floods {
    /// Whether the bot has met too many refusals to be listened to now.
    pub(crate) fn is_flooding(&self, bot: &UserName, at: Timestamp) -> bool {
        let is_spent = |bucket: Gcra, state| !bucket.take(state, micros(at)).0.allowed;
        self.with(bot, |met| is_spent(FAULTS, met.faults) || is_spent(REFUSALS, met.refusals))
    }

    /// Counts a refusal, by the bot's own fault or not.
    pub(crate) fn count(&self, bot: &UserName, is_fault: bool, at: Timestamp) {
        self.with(bot, |met| {
            met.refusals = REFUSALS.take(met.refusals, micros(at)).1;
            if is_fault {
                met.faults = FAULTS.take(met.faults, micros(at)).1;
            }
        });
    }

    /// The window that has no record of the bot's flood yet.
    pub(crate) fn to_note(&self, bot: &UserName, at: Timestamp) -> Option<i64> {
        let window = at.as_millis() / WINDOW_MS;
        self.with(bot, |met| (met.noted != Some(window)).then_some(window))
    }

    /// Remembers that the window's record is written.
    pub(crate) fn noted(&self, bot: &UserName, window: i64) {
        self.with(bot, |met| met.noted = Some(window));
    }

    fn with<T>(&self, bot: &UserName, look: impl FnOnce(&mut Met) -> T) -> T {
        // Bots are few: the broker lets nobody in whom the operator did not make an account for.
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        look(bots.entry(bot.clone()).or_default())
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_millis() * 1_000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::samples::START;

    use super::*;

    #[test]
    fn a_bot_that_is_refused_too_often_waits_and_others_do_not() {
        let (floods, bot, other) = (Floods::default(), "bot".parse().unwrap(), "other".parse().unwrap());
        for _ in 0..FAULTS.burst {
            assert!(!floods.is_flooding(&bot, START));
            floods.count(&bot, true, START);
        }
        assert!(floods.is_flooding(&bot, START) && !floods.is_flooding(&other, START));
        let window = floods.to_note(&bot, START).unwrap();
        assert_eq!(floods.to_note(&bot, START), Some(window), "until it is written");
        floods.noted(&bot, window);
        assert_eq!(floods.to_note(&bot, START), None);
        let later = START.after(Duration::from_secs(60));
        assert!(!floods.is_flooding(&bot, later));
        assert_eq!(floods.to_note(&bot, later), Some(window + 1));
    }

    #[test]
    fn a_bot_that_only_comes_second_may_do_so_often() {
        let (floods, bot) = (Floods::default(), "bot".parse().unwrap());
        for _ in 0..REFUSALS.burst {
            assert!(!floods.is_flooding(&bot, START));
            floods.count(&bot, false, START);
        }
        assert!(floods.is_flooding(&bot, START));
    }
}
