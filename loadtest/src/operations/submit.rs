//! Submissions: each with an `Idempotency-Key`, some sent twice.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::follow::{Expectation, Following};
use super::payloads;
use crate::client::RequestFailure;
use crate::engine::{Arrival, Context, Random};
use crate::scenario::Series;

/// Submits, then follows the accepted workflow in a task of its own.
pub(super) async fn submit(
    context: Arc<Context>,
    arrival: Arrival,
    mut random: Random,
    slot: Option<OwnedSemaphorePermit>,
) -> Option<JoinHandle<()>> {
    let (body, expectation) = if arrival.operation == Series::Execute {
        (payloads::goal(&mut random), Expectation::AnyEnd)
    } else {
        let (body, output) = payloads::script(&mut random, arrival.operation == Series::Approval);
        (body, Expectation::Output(output))
    };
    let user = context.user_of(arrival);
    let key = format!("{}-{}-{}", context.run, arrival.operation, arrival.number);
    let result = post(&context, user, &body, &key).await;
    let outcome = result.as_ref().map(|_| ()).map_err(RequestFailure::clone);
    context.recorder.record(arrival.operation, arrival.planned, &outcome);
    drop(slot);
    let id = result.ok()?;
    context.ledger.accept(&id, user);
    let is_repeated = random.unit() < context.scenario.repeat;
    let following = Following { context: context.clone(), arrival, id, user, expectation };
    Some(context.spawn(async move {
        if is_repeated {
            repeat(&following, &body, &key).await;
        }
        following.run().await;
    }))
}

/// Sends the submission again. A failure counts for its operation.
async fn repeat(following: &Following, body: &Value, key: &str) {
    let context = &following.context;
    match post(context, following.user, body, key).await {
        Ok(second) => context.ledger.repeat(&following.id, &second),
        Err(failure) => {
            context.recorder.record(following.arrival.operation, following.arrival.planned, &Err(failure));
        }
    }
}

async fn post(context: &Context, user: usize, body: &Value, key: &str) -> Result<String, RequestFailure> {
    let token = context.token_of(user);
    let answer = context.api.post_with_key("/api/v3/execute", Some(&token), body, Some(key)).await?.expect(202)?;
    answer["data"]["workflow_id"].as_str().map(str::to_owned).ok_or(RequestFailure::Unexpected("no workflow id"))
}
