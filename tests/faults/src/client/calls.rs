//! Calls of the client, recorded in the history.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::ids::{Digest, WorkflowId};
use serde_json::Value;
use tokio::time::sleep;

use super::Client;
use super::history::{ClientOperation, RecordedCall, Response};

/// Maximum tries until a healthy API responds.
const MAX_TRIES: usize = 20;

/// One call of one API.
pub(crate) struct ApiCall<'a> {
    pub(crate) number: usize,
    pub(crate) operation: ClientOperation,
    pub(crate) path: &'a str,
    pub(crate) key: &'a str,
    pub(crate) body: Option<&'a Value>,
    /// Replaces the token of the workflow's user.
    pub(crate) token: Option<&'a str>,
}

impl<'a> ApiCall<'a> {
    /// Returns a call without a body.
    pub(crate) fn get(number: usize, operation: ClientOperation, path: &'a str) -> Self {
        Self { number, operation, path, key: "", body: None, token: None }
    }
}

impl Client {
    /// Calls the APIs in turn.
    pub(crate) async fn call(&self, api_call: ApiCall<'_>) -> (Response, Value) {
        let api = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        self.call_at(api, api_call).await
    }

    async fn call_at(&self, api: usize, api_call: ApiCall<'_>) -> (Response, Value) {
        let ApiCall { number, operation, path, key, body, token } = api_call;
        let token = token.unwrap_or(&self.tokens[number % self.tokens.len()]);
        let method = if body.is_some() { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut request = self.http.request(method, format!("{}{path}", self.urls[api])).bearer_auth(token);
        if let Some(body) = body {
            request = request.json_body(body);
        }
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let from_ms = self.history.now_ms();
        let (code, text) = match request.send().await {
            Ok(answer) => {
                let code = answer.status().as_u16();
                answer.text().await.map_or_else(|error| (0, error.to_string()), |text| (code, text))
            }
            Err(error) => (0, error.without_url().to_string()),
        };
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let response = Response { code, words: words(code, &value, &text) };
        let output = shown_output(&value).filter(|_| code == 200 && operation.is_status());
        let call = RecordedCall {
            from_ms,
            to_ms: self.history.now_ms(),
            api: Some(api),
            operation,
            response: response.clone(),
        };
        self.history.update(number, |history| {
            // Of equal status responses in a row only the first and the last are recorded.
            let same = |call: &RecordedCall| call.operation == ClientOperation::Status && call.response == response;
            if history.calls.len() >= 2 && same(&call) && history.calls.iter().rev().take(2).all(same) {
                history.calls.pop();
            }
            history.calls.push(call);
            history.outputs.extend(output.filter(|output| !history.outputs.contains(output)));
        });
        (response, value)
    }

    /// Reads a workflow's status.
    pub(crate) async fn read_status(&self, number: usize, id: WorkflowId) -> Value {
        let path = status_path(id);
        self.call(ApiCall::get(number, ClientOperation::Status, &path)).await.1["data"].clone()
    }

    /// Reads the status of every workflow from number `first` on, at each API, until it responds.
    pub async fn read_final_statuses(&self, first: usize) {
        for history in self.history.since(first) {
            let Some(id) = history.id else { continue };
            let path = status_path(id);
            for api in 0..self.urls.len() {
                for _ in 0..MAX_TRIES {
                    let api_call = ApiCall::get(history.number, ClientOperation::FinalStatus, &path);
                    if !is_retryable(self.call_at(api, api_call).await.0.code) {
                        break;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// Returns the number of APIs.
    pub fn apis(&self) -> usize {
        self.urls.len()
    }
}

/// Returns whether the call may be repeated: no response, rate-limited, or a server error.
pub(crate) fn is_retryable(code: u16) -> bool {
    matches!(code, 0 | 429 | 500..)
}

fn status_path(id: WorkflowId) -> String {
    format!("/api/v3/execute/status/{id}")
}

/// Returns the digest of the output that is shown of a completed workflow.
fn shown_output(body: &Value) -> Option<Digest> {
    let data = &body["data"];
    let output = data["artifacts"]["test_results"]["stdout"].as_str()?;
    (data["status"] == "completed").then(|| Digest::of(output.as_bytes()))
}

fn words(code: u16, body: &Value, text: &str) -> String {
    let status = body["data"]["status"].as_str().or(body["workflow_status"].as_str()).map(str::to_owned);
    let error = body["data"]["error"]["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
    match (code, status) {
        (0, _) => text.to_owned(),
        (_, Some(status)) => status + &error,
        (_, None) => body["detail"].as_str().or(body["message"].as_str()).unwrap_or_default().to_owned(),
    }
}

/// `reqwest` without its feature `json`.
pub(crate) trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}
