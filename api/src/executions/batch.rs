//! `POST /api/v3/execute/batch`: several submissions in one call, each with an answer of its own.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::auth::tokens::Caller;
use crate::executions::submit::{Accepted, Submitter, admit};
use crate::executions::submit_request::SubmitRequest;
use crate::http::body::{BodyMemoryBudget, read_body};
use crate::http::idempotency::{check_key, read_key};
use crate::http::json_fields::FieldReader;
use crate::http::problem::Problem;
use crate::http::request_context::trace_of;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

const MAX_SUBMISSIONS: usize = 100;
/// Maximum submissions of one call that are stored at once; the log writes them together.
const MAX_CONCURRENT: usize = 16;
/// Member of a submission that has the role of the header `Idempotency-Key`.
const KEY: &str = "idempotency_key";

/// A submission of a batch, with its key.
type Item = Result<(Option<String>, SubmitRequest), Problem>;

/// Accepts submissions. The answer lists one answer for each, in their order: one that is refused does not affect the
/// others. With keys, a repeated call stores nothing twice.
pub(crate) async fn batch(
    submitter: web::Data<Submitter>,
    limits: web::Data<RateLimits>,
    body_memory: web::Data<BodyMemoryBudget>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let payload = admit(&limits, &caller, &request, payload).await?;
    let batch_key = read_key(&request);
    let allow_private = submitter.allow_private_webhooks;
    let parse = move |body: &Value| read_items(body, allow_private);
    let items = read_body(&body_memory, &caller.user, &request, payload, parse).await?;
    let (batch_key, trace) = (batch_key?, trace_of(&request));
    let items = charged(items, &limits, &caller, &request).await;
    let (submitter, caller) = (&submitter, &caller);
    let accept = |(index, item): (usize, Item)| {
        // No header holds such a key, so a submission of a batch never repeats a single one by accident.
        let derived = batch_key.as_ref().map(|key| format!("{key}\0{index}"));
        let trace = trace.child();
        async move {
            let (key, submit_request) = item?;
            submitter.accept(caller, trace, key.or(derived), submit_request).await
        }
    };
    let answers: Vec<Value> = stream::iter(items.into_iter().enumerate())
        .map(accept)
        .buffered(MAX_CONCURRENT)
        .map(|accepted| answer(submitter, accepted, request.path()))
        .collect()
        .await;
    let accepted = answers.iter().filter(|answer| answer["status"] == 202).count();
    let data = json!({"accepted": accepted, "refused": answers.len() - accepted, "results": answers});
    Ok(HttpResponse::Ok().json(json!({"status": "success", "data": data})))
}

fn read_items(body: &Value, allow_private: bool) -> Result<Vec<Item>, Problem> {
    FieldReader::body(body)?;
    let list = body.get("submissions").and_then(Value::as_array);
    let list = list.filter(|items| (1..=MAX_SUBMISSIONS).contains(&items.len())).ok_or_else(|| {
        Problem::invalid_field("submissions", &format!("must be a list of 1 to {MAX_SUBMISSIONS} submissions"))
    })?;
    Ok(list.iter().map(|item| read_item(item, allow_private)).collect())
}

/// The key is no part of what a repeated submission must equal, as a header is not.
fn read_item(item: &Value, allow_private: bool) -> Item {
    let mut item = item.clone();
    let key = match item.as_object_mut().and_then(|members| members.remove(KEY)) {
        None | Some(Value::Null) => None,
        Some(key) => Some(check_key(key.as_str().unwrap_or_default(), KEY)?),
    };
    Ok((key, SubmitRequest::parse(&item, allow_private)?))
}

/// Charges every submission but the first, which was charged with the call. From the first one on that the bucket does
/// not cover, all are refused, so that their order is kept.
async fn charged(items: Vec<Item>, limits: &RateLimits, caller: &Caller, request: &HttpRequest) -> Vec<Item> {
    let mut refusal: Option<Problem> = None;
    let mut charged = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 && refusal.is_none() {
            refusal = limits.admit(request, &caller.user, Operation::Execute).await.err();
        }
        charged.push(match &refusal {
            Some(problem) => Err(problem.clone()),
            None => item,
        });
    }
    charged
}

/// Returns the answer to one submission: as if it had been sent alone, with its status as a number.
fn answer(submitter: &Submitter, accepted: Result<Accepted, Problem>, path: &str) -> Value {
    match accepted {
        Ok(Accepted { workflow, is_repeat }) => {
            let document = submitter.document(&workflow);
            json!({
                "status": 202,
                "replayed": is_repeat,
                "data": document["data"],
                "endpoints": document["endpoints"],
            })
        }
        Err(problem) => {
            let mut answer = json!({"status": problem.status().as_u16()});
            if let Some(seconds) = problem.retry_after_seconds() {
                answer["retry_after_seconds"] = seconds.into();
            }
            answer["error"] = problem.at(path).document();
            answer
        }
    }
}
