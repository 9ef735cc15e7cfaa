//! Limits of signing in (decision 0026).
//!
//! A sign-in is charged before its password is checked, so that guesses sent at once cannot pass a limit together. A right
//! password gives back what only wrong ones cost.

use actix_web::{HttpMessage, HttpRequest};
use shared::ids::Digest;
use shared::read_model::{Gcra, Verdict};

use crate::address::{address_prefix, client_address};
use crate::limits::{SignInLimits, Taken, judge};
use crate::metrics;
use crate::problem::Problem;
use crate::state::State;

/// Wrong passwords of an address for a user name that is being guessed from many addresses. At least as many as passwords
/// are checked at once, so that right ones that come together do not refuse each other.
const WRONG_UNDER_ATTACK: Gcra = Gcra { burst: 4, refill_per_minute: 1 };

const WRONG: &str = "wrong passwords";

/// The charges of one sign-in. Dropped, they remain: an attempt that is broken off is a wrong one.
#[derive(Default)]
pub(super) struct Attempt {
    charges: Vec<(String, Gcra)>,
    /// Taken from the bucket that right passwords cost as well.
    counted: Option<Taken>,
}

/// Charges a sign-in as `user_name`; 429 where one of its buckets is empty, and then it costs nothing.
pub(super) async fn admit(state: &State, request: &HttpRequest, user_name: &str) -> Result<Attempt, Problem> {
    let mut attempt = Attempt::default();
    let Some(limits) = state.config.limits.sign_in() else { return Ok(attempt) };
    match attempt.charge_all(state, request, user_name, limits).await {
        Ok(()) => Ok(attempt),
        Err(problem) => {
            attempt.cancel(state).await;
            Err(problem)
        }
    }
}

impl Attempt {
    async fn charge_all(
        &mut self,
        state: &State,
        request: &HttpRequest,
        user_name: &str,
        limits: SignInLimits,
    ) -> Result<(), Problem> {
        let address = client_address(request, &state.config.trusted_proxies).map(address_prefix);
        let address = address.map_or("unknown".to_owned(), |address| address.to_string());
        // By digest: the name is whatever someone typed, and may be a password typed into the wrong field.
        let name = Digest::of(user_name.as_bytes());
        let pair = format!("{name}:{address}");
        let verdict = self.charge(state, format!("sign_in:attempts:{pair}"), limits.attempts).await;
        judge(request, "sign_in", "sign-ins", limits.attempts, verdict)?;
        self.counted = request.extensions().get::<Taken>().copied();
        let verdict = self.charge(state, format!("sign_in:address:{address}"), limits.wrong_of_address).await;
        judge(request, "sign_in", WRONG, limits.wrong_of_address, verdict)?;
        let verdict = self.charge(state, format!("sign_in:wrong:{pair}"), limits.wrong).await;
        judge(request, "sign_in", WRONG, limits.wrong, verdict)?;
        if self.charge(state, format!("sign_in:name:{name}"), limits.wrong_of_name).await.allowed {
            return Ok(());
        }
        metrics::RATE_LIMITED.with_label_values(&["sign_in_name"]).inc();
        let verdict = self.charge(state, format!("sign_in:attack:{pair}"), WRONG_UNDER_ATTACK).await;
        judge(request, "sign_in", WRONG, WRONG_UNDER_ATTACK, verdict)
    }

    async fn charge(&mut self, state: &State, name: String, bucket: Gcra) -> Verdict {
        let verdict = state.limiter.take(&name, bucket).await;
        if verdict.allowed {
            self.charges.push((name, bucket));
        }
        verdict
    }

    /// The password was right: only the count of sign-ins keeps its charge.
    pub(super) async fn succeed(mut self, state: &State, request: &HttpRequest) {
        if let Some(counted) = self.counted {
            request.extensions_mut().insert(counted);
            self.charges.remove(0);
        }
        self.cancel(state).await;
    }

    /// The password was not checked: every charge is given back.
    pub(super) async fn cancel(self, state: &State) {
        for (name, bucket) in &self.charges {
            state.limiter.give_back(name, *bucket).await;
        }
    }
}
