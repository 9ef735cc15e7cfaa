//! The operations of a scenario, each from its first request to its last.

mod audit;
mod follow;
mod payloads;
mod submit;

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

pub(crate) use audit::verify_histories;

use crate::client::RequestFailure;
use crate::engine::{Arrival, Context, Random};
use crate::scenario::Series;

/// Performs an arrival's first request, then frees its slot. Returns the task that follows an accepted workflow.
pub(crate) async fn perform(
    context: Arc<Context>,
    arrival: Arrival,
    slot: Option<OwnedSemaphorePermit>,
) -> Option<JoinHandle<()>> {
    let random = Random::of(context.scenario.seed, arrival.operation as u64 + 1, arrival.number);
    let result = match arrival.operation {
        Series::Analyze | Series::Stress => analyze(&context, arrival, random).await,
        Series::Health => health(&context).await,
        Series::Execute | Series::Run | Series::Approval | Series::Events => {
            return submit::submit(context, arrival, random, slot).await;
        }
        Series::Status | Series::Decide | Series::FirstEvent | Series::Workflow | Series::SignIn => {
            Err(RequestFailure::Unexpected("not an operation"))
        }
    };
    context.recorder.record(arrival.operation, arrival.planned, &result);
    None
}

async fn analyze(context: &Context, arrival: Arrival, mut random: Random) -> Result<(), RequestFailure> {
    let body = if arrival.operation == Series::Stress {
        payloads::stress_analysis(&mut random)
    } else {
        let is_fresh = random.unit() < context.scenario.fresh;
        let mark = is_fresh.then(|| format!("{}-{}", context.run, arrival.number));
        payloads::analysis(&mut random, mark.as_deref())
    };
    let token = context.token_of(context.user_of(arrival));
    let answer = context.api.post("/api/v3/analyze", Some(&token), &body).await?.expect(200)?;
    if answer["data"]["suggestions"].is_array() { Ok(()) } else { Err(RequestFailure::Unexpected("no suggestions")) }
}

async fn health(context: &Context) -> Result<(), RequestFailure> {
    let answer = context.api.get("/health", None).await?.expect(200)?;
    if answer["status"].as_str() == Some("healthy") { Ok(()) } else { Err(RequestFailure::Unexpected("not healthy")) }
}
