//! Rate limits of signing in (decision 0026).
//!
//! A sign-in is charged before its password is checked, so that concurrent guesses cannot exceed a limit. A right
//! password refunds the charges that only wrong ones cost.

use actix_web::{HttpMessage, HttpRequest};
use domain::ids::Digest;
use read_model::{Gcra, RateVerdict};

use crate::auth::sign_in_queue::SignInQueue;
use crate::http::client_address::{address_prefix, client_address};
use crate::http::problem::Problem;
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::limits::admission::{RateLimits, enforce};
use crate::limits::settings::SignInLimits;
use crate::metrics;

/// Wrong passwords per address for a user name under attack from many addresses. At least the number of concurrent
/// password checks, so that right ones sent together do not reject each other.
const WRONG_UNDER_ATTACK: Gcra = Gcra { burst: 4, refill_per_minute: 1 };

const SIGN_INS: &str = "sign-ins of a user name from an address";
const WRONG: &str = "wrong passwords of a user name from an address";
const WRONG_OF_ADDRESS: &str = "wrong passwords from an address";

/// The bucket names of one sign-in.
pub(super) struct SignInBuckets {
    address: String,
    name: String,
}

/// The charges of one sign-in. If dropped they remain: an aborted attempt counts as a wrong one.
#[derive(Default)]
pub(super) struct Attempt {
    charges: Vec<(String, Gcra)>,
    /// Status of the bucket that right passwords are charged to as well.
    counted: Option<RateLimitStatus>,
}

impl SignInBuckets {
    pub(super) fn of(limits: &RateLimits, request: &HttpRequest, user_name: &str) -> Self {
        let address = client_address(request, limits.addresses.trusted_proxies()).map(address_prefix);
        Self {
            address: address.map_or("unknown".to_owned(), |address| address.to_string()),
            // Stored as a digest: the text may be a password typed into the wrong field.
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

    /// Returns a 429 problem if a bucket was empty a moment ago. Charges nothing and takes no permit from other
    /// sign-ins.
    pub(super) fn check_recent_refusals(
        &self,
        queue: &SignInQueue,
        limits: &RateLimits,
        request: &HttpRequest,
    ) -> Result<(), Problem> {
        let Some(buckets) = limits.settings.sign_in() else { return Ok(()) };
        for (name, unit, bucket) in [
            (self.of_attempts(), SIGN_INS, buckets.attempts),
            (self.of_address(), WRONG_OF_ADDRESS, buckets.wrong_of_address),
            (self.of_pair(), WRONG, buckets.wrong),
            (self.under_attack(), WRONG, WRONG_UNDER_ATTACK),
        ] {
            if let Some(verdict) = queue.refusal(&name) {
                enforce(request, "sign_in", unit, bucket, verdict)?;
            }
        }
        Ok(())
    }

    /// Charges the sign-in; 429 without any charge if one of its buckets is empty.
    pub(super) async fn charge(
        &self,
        queue: &SignInQueue,
        limits: &RateLimits,
        request: &HttpRequest,
    ) -> Result<Attempt, Problem> {
        let mut attempt = Attempt::default();
        let Some(sizes) = limits.settings.sign_in() else { return Ok(attempt) };
        let charges = SignInCharges { attempt: &mut attempt, queue, limits, request };
        match charges.charge_all(self, sizes).await {
            Ok(()) => Ok(attempt),
            Err(problem) => {
                attempt.cancel(limits).await;
                Err(problem)
            }
        }
    }
}

/// Charges the buckets of one sign-in.
struct SignInCharges<'c> {
    attempt: &'c mut Attempt,
    queue: &'c SignInQueue,
    limits: &'c RateLimits,
    request: &'c HttpRequest,
}

impl SignInCharges<'_> {
    async fn charge_all(mut self, names: &SignInBuckets, sizes: SignInLimits) -> Result<(), Problem> {
        self.charge(names.of_attempts(), SIGN_INS, sizes.attempts).await?;
        self.attempt.counted = self.request.extensions().get::<RateLimitStatus>().copied();
        self.charge(names.of_address(), WRONG_OF_ADDRESS, sizes.wrong_of_address).await?;
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

    async fn take(&mut self, name: String, bucket: Gcra) -> RateVerdict {
        let verdict = self.limits.limiter.take(&name, bucket).await;
        if verdict.allowed {
            self.attempt.charges.push((name, bucket));
        }
        verdict
    }
}

impl Attempt {
    /// Refunds everything but the count of sign-ins, after a right password.
    pub(super) async fn succeed(mut self, limits: &RateLimits, request: &HttpRequest) {
        if let Some(counted) = self.counted {
            request.extensions_mut().insert(counted);
            self.charges.remove(0);
        }
        self.cancel(limits).await;
    }

    /// Refunds everything, if the password was not checked.
    pub(super) async fn cancel(self, limits: &RateLimits) {
        for (name, bucket) in &self.charges {
            limits.limiter.give_back(name, *bucket).await;
        }
    }
}
