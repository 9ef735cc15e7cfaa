//! A per-bot limiter on refused decisions: a bot that exceeds it is refused unread for a while, so that its messages
//! crowd out neither the audit log nor other bots' decisions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use domain::ids::UserName;
use read_model::{Gcra, GcraState};

/// Maximum refusals caused by the bot itself.
const CLIENT_ERROR_LIMIT: Gcra = Gcra { burst: 60, refill_per_minute: 60 };
/// Maximum refusals in all. Higher, because of two correct bots that answer everything one is always second.
const REFUSAL_LIMIT: Gcra = Gcra { burst: 600, refill_per_minute: 600 };
/// Milliseconds per audit record of a limited bot.
const RECORD_WINDOW_MS: i64 = 60_000;

/// Limits the refusals of each bot within this process.
#[derive(Debug, Default)]
pub(crate) struct RefusalLimiter {
    bots: Mutex<HashMap<UserName, BotRefusals>>,
}

#[derive(Debug, Default)]
struct BotRefusals {
    client_errors: GcraState,
    all: GcraState,
    /// The last window with an audit record.
    recorded: Option<i64>,
}

impl RefusalLimiter {
    /// Returns whether the bot has exceeded a limit.
    pub(crate) fn is_limited(&self, bot: &UserName, at: Timestamp) -> bool {
        let is_spent = |limit: Gcra, state| !limit.take(state, micros(at)).0.allowed;
        self.with(bot, |refusals| {
            is_spent(CLIENT_ERROR_LIMIT, refusals.client_errors) || is_spent(REFUSAL_LIMIT, refusals.all)
        })
    }

    /// Counts a refusal.
    pub(crate) fn record(&self, bot: &UserName, is_client_error: bool, at: Timestamp) {
        self.with(bot, |refusals| {
            refusals.all = REFUSAL_LIMIT.take(refusals.all, micros(at)).1;
            if is_client_error {
                refusals.client_errors = CLIENT_ERROR_LIMIT.take(refusals.client_errors, micros(at)).1;
            }
        });
    }

    /// Returns the current window if the bot has no audit record in it yet.
    pub(crate) fn unrecorded_window(&self, bot: &UserName, at: Timestamp) -> Option<i64> {
        let window = at.as_millis() / RECORD_WINDOW_MS;
        self.with(bot, |refusals| (refusals.recorded != Some(window)).then_some(window))
    }

    /// Notes that the window has its audit record.
    pub(crate) fn mark_recorded(&self, bot: &UserName, window: i64) {
        self.with(bot, |refusals| refusals.recorded = Some(window));
    }

    fn with<T>(&self, bot: &UserName, access: impl FnOnce(&mut BotRefusals) -> T) -> T {
        // Never pruned: only bots with an account that the operator created reach this.
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        access(bots.entry(bot.clone()).or_default())
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_millis() * 1_000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::samples::START;

    use super::*;

    #[test]
    fn a_bot_beyond_the_limit_is_refused_and_others_are_not() {
        let (limiter, bot, other) = (RefusalLimiter::default(), "bot".parse().unwrap(), "other".parse().unwrap());
        for _ in 0..CLIENT_ERROR_LIMIT.burst {
            assert!(!limiter.is_limited(&bot, START));
            limiter.record(&bot, true, START);
        }
        assert!(limiter.is_limited(&bot, START) && !limiter.is_limited(&other, START));
        let window = limiter.unrecorded_window(&bot, START).unwrap();
        assert_eq!(limiter.unrecorded_window(&bot, START), Some(window), "until it is recorded");
        limiter.mark_recorded(&bot, window);
        assert_eq!(limiter.unrecorded_window(&bot, START), None);
        let later = START.after(Duration::from_secs(60));
        assert!(!limiter.is_limited(&bot, later));
        assert_eq!(limiter.unrecorded_window(&bot, later), Some(window + 1));
    }

    #[test]
    fn refusals_of_a_correct_bot_have_the_higher_limit() {
        let (limiter, bot) = (RefusalLimiter::default(), "bot".parse().unwrap());
        for _ in 0..REFUSAL_LIMIT.burst {
            assert!(!limiter.is_limited(&bot, START));
            limiter.record(&bot, false, START);
        }
        assert!(limiter.is_limited(&bot, START));
    }
}
