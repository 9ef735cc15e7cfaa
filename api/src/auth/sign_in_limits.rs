//! Limits of signing in (decision 0026).
//!
//! A sign-in is charged before its password is checked, so that guesses sent at once cannot pass a limit together. A right
//! password gives back what only wrong ones cost.

use actix_web::{HttpMessage, HttpRequest};
use shared::ids::Digest;
use shared::read_model::{Gcra, Verdict};

use crate::auth::sign_in_queue::SignInQueue;
use crate::http::client_address::{address_prefix, client_address};
use crate::http::problem::Problem;
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::limits::admission::{RateLimits, enforce};
use crate::limits::settings::SignInLimits;
use crate::metrics;

/// Wrong passwords of an address for a user name that is being guessed from many addresses. At least as many as passwords
/// are checked at once, so that right ones that come together do not refuse each other.
const WRONG_UNDER_ATTACK: Gcra = Gcra { burst: 4, refill_per_minute: 1 };

const WRONG: &str = "wrong passwords";
const SIGN_INS: &str = "sign-ins";

/// The names of the buckets of one sign-in.
pub(super) struct SignInBuckets {
    address: String,
    name: String,
}

/// The charges of one sign-in. Dropped, they remain: an attempt that is broken off is a wrong one.
#[derive(Default)]
pub(super) struct Attempt {
    charges: Vec<(String, Gcra)>,
    /// From the bucket that right passwords cost as well.
    counted: Option<RateLimitStatus>,
}

impl SignInBuckets {
    pub(super) fn of(limits: &RateLimits, request: &HttpRequest, user_name: &str) -> Self {
        let address = client_address(request, limits.addresses.trusted_proxies()).map(address_prefix);
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
    pub(super) fn check_recent_refusals(
        &self,
        queue: &SignInQueue,
        limits: &RateLimits,
        request: &HttpRequest,
    ) -> Result<(), Problem> {
        let Some(buckets) = limits.settings.sign_in() else { return Ok(()) };
        for (name, unit, bucket) in [
            (self.of_attempts(), SIGN_INS, buckets.attempts),
            (self.of_address(), WRONG, buckets.wrong_of_address),
            (self.of_pair(), WRONG, buckets.wrong),
            (self.under_attack(), WRONG, WRONG_UNDER_ATTACK),
        ] {
            if let Some(verdict) = queue.refusal(&name) {
                enforce(request, "sign_in", unit, bucket, verdict)?;
            }
        }
        Ok(())
    }

    /// Charges the sign-in; 429 where one of its buckets is empty, and then it costs nothing.
    pub(super) async fn charge(
        &self,
        queue: &SignInQueue,
        limits: &RateLimits,
        request: &HttpRequest,
    ) -> Result<Attempt, Problem> {
        let mut attempt = Attempt::default();
        let Some(sizes) = limits.settings.sign_in() else { return Ok(attempt) };
        let charges = Charges { attempt: &mut attempt, queue, limits, request };
        match charges.charge_all(self, sizes).await {
            Ok(()) => Ok(attempt),
            Err(problem) => {
                attempt.cancel(limits).await;
                Err(problem)
            }
        }
    }
}

/// The charging of one sign-in.
struct Charges<'c> {
    attempt: &'c mut Attempt,
    queue: &'c SignInQueue,
    limits: &'c RateLimits,
    request: &'c HttpRequest,
}

impl Charges<'_> {
    async fn charge_all(mut self, names: &SignInBuckets, sizes: SignInLimits) -> Result<(), Problem> {
        self.charge(names.of_attempts(), SIGN_INS, sizes.attempts).await?;
        self.attempt.counted = self.request.extensions().get::<RateLimitStatus>().copied();
        self.charge(names.of_address(), WRONG, sizes.wrong_of_address).await?;
        self.charge(names.of_pair(), WRONG, sizes.wrong).await?;
        if self.take(format!("sign_in:name:{}", names.name), sizes.wrong_of_name).await.allowed {
            return Ok(());
        }
        metrics::RATE_LIMITED.with_label_values(&["sign_in_name"]).inc();
        self.charge(names.under_attack(), WRONG, WRONG_UNDER_ATTACK).await
    }

    async fn charge(&mut self, name: String, unit: &'static str, bucket: Gcra) -> Result<(), Problem> {
        let verdict = self.take(name.clone(), bucket).await;
        if !verdict.allowed {
            self.queue.remember_refusal(&name, verdict);
        }
        enforce(self.request, "sign_in", unit, bucket, verdict)
    }

    async fn take(&mut self, name: String, bucket: Gcra) -> Verdict {
        let verdict = self.limits.limiter.take(&name, bucket).await;
        if verdict.allowed {
            self.attempt.charges.push((name, bucket));
        }
        verdict
    }
}

impl Attempt {
    /// The password was right: only the count of sign-ins keeps its charge.
    pub(super) async fn succeed(mut self, limits: &RateLimits, request: &HttpRequest) {
        if let Some(counted) = self.counted {
            request.extensions_mut().insert(counted);
            self.charges.remove(0);
        }
        self.cancel(limits).await;
    }

    /// The password was not checked: every charge is given back.
    pub(super) async fn cancel(self, limits: &RateLimits) {
        for (name, bucket) in &self.charges {
            limits.limiter.give_back(name, *bucket).await;
        }
    }
}
