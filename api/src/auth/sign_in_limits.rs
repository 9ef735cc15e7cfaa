//! Limits of signing in (decision 0026).
//!
//! A sign-in is charged before its password is checked, so that guesses sent at once cannot pass a limit together. A right
//! password gives back what only wrong ones cost.

use actix_web::{HttpMessage, HttpRequest};
use shared::ids::Digest;
use shared::read_model::{Gcra, Verdict};

use crate::app_state::State;
use crate::http::client_address::{address_prefix, client_address};
use crate::http::problem::Problem;
use crate::limits::settings::{SignInLimits, Taken, judge};
use crate::metrics;

/// Wrong passwords of an address for a user name that is being guessed from many addresses. At least as many as passwords
/// are checked at once, so that right ones that come together do not refuse each other.
const WRONG_UNDER_ATTACK: Gcra = Gcra { burst: 4, refill_per_minute: 1 };

const WRONG: &str = "wrong passwords";
const SIGN_INS: &str = "sign-ins";

/// The names of the buckets of one sign-in.
pub(super) struct Buckets {
    address: String,
    name: String,
}

/// The charges of one sign-in. Dropped, they remain: an attempt that is broken off is a wrong one.
#[derive(Default)]
pub(super) struct Attempt {
    charges: Vec<(String, Gcra)>,
    /// Taken from the bucket that right passwords cost as well.
    counted: Option<Taken>,
}

impl Buckets {
    pub(super) fn of(state: &State, request: &HttpRequest, user_name: &str) -> Self {
        let address = client_address(request, &state.config.trusted_proxies).map(address_prefix);
        Self {
            address: address.map_or("unknown".to_owned(), |address| address.to_string()),
            // By digest: the name is whatever someone typed, and may be a password typed into the wrong field.
            name: Digest::of(user_name.as_bytes()).to_string(),
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    fn of_attempts(&self) -> String {
        format!("sign_in:attempts:{}:{}", self.name, self.address)
    }

    fn of_address(&self) -> String {
        format!("sign_in:address:{}", self.address)
    }

    fn of_pair(&self) -> String {
        format!("sign_in:wrong:{}:{}", self.name, self.address)
    }

    fn under_attack(&self) -> String {
        format!("sign_in:attack:{}:{}", self.name, self.address)
    }

    /// 429 where one of the buckets was found empty a moment ago; charges nothing. Such a sign-in takes no turn from others.
    pub(super) fn look(&self, state: &State, request: &HttpRequest) -> Result<(), Problem> {
        let Some(limits) = state.config.limits.sign_in() else { return Ok(()) };
        for (name, unit, bucket) in [
            (self.of_attempts(), SIGN_INS, limits.attempts),
            (self.of_address(), WRONG, limits.wrong_of_address),
            (self.of_pair(), WRONG, limits.wrong),
            (self.under_attack(), WRONG, WRONG_UNDER_ATTACK),
        ] {
            if let Some(verdict) = state.sign_ins.refusal(&name) {
                judge(request, "sign_in", unit, bucket, verdict)?;
            }
        }
        Ok(())
    }

    /// Charges the sign-in; 429 where one of its buckets is empty, and then it costs nothing.
    pub(super) async fn admit(&self, state: &State, request: &HttpRequest) -> Result<Attempt, Problem> {
        let mut attempt = Attempt::default();
        let Some(limits) = state.config.limits.sign_in() else { return Ok(attempt) };
        match attempt.charge_all(state, request, self, limits).await {
            Ok(()) => Ok(attempt),
            Err(problem) => {
                attempt.cancel(state).await;
                Err(problem)
            }
        }
    }
}

impl Attempt {
    async fn charge_all(
        &mut self,
        state: &State,
        request: &HttpRequest,
        buckets: &Buckets,
        limits: SignInLimits,
    ) -> Result<(), Problem> {
        self.charge(state, request, buckets.of_attempts(), SIGN_INS, limits.attempts).await?;
        self.counted = request.extensions().get::<Taken>().copied();
        self.charge(state, request, buckets.of_address(), WRONG, limits.wrong_of_address).await?;
        self.charge(state, request, buckets.of_pair(), WRONG, limits.wrong).await?;
        if self.take(state, format!("sign_in:name:{}", buckets.name), limits.wrong_of_name).await.allowed {
            return Ok(());
        }
        metrics::RATE_LIMITED.with_label_values(&["sign_in_name"]).inc();
        self.charge(state, request, buckets.under_attack(), WRONG, WRONG_UNDER_ATTACK).await
    }

    async fn charge(
        &mut self,
        state: &State,
        request: &HttpRequest,
        name: String,
        unit: &'static str,
        bucket: Gcra,
    ) -> Result<(), Problem> {
        let verdict = self.take(state, name.clone(), bucket).await;
        if !verdict.allowed {
            state.sign_ins.remember_refusal(&name, verdict);
        }
        judge(request, "sign_in", unit, bucket, verdict)
    }

    async fn take(&mut self, state: &State, name: String, bucket: Gcra) -> Verdict {
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
