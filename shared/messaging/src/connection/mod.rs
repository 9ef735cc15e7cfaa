//! The connection from the broker's client to the broker: a relay in this process, on loopback, that repairs input
//! which the client cannot read (decision 0036).

pub(crate) mod broker;
pub(crate) mod broker_clock;
mod dial;
mod frames;
mod header_block;
mod relay;

use std::io::{Error, Result};
use std::time::Duration;

pub(super) use header_block::HeaderBlock;
pub(super) use relay::Relay;

/// Fails if `work` takes longer than `limit`.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = tokio::time::timeout(limit, work).await;
    outcome.unwrap_or_else(|_| Err(Error::other(format!("no answer within {limit:?}"))))
}
