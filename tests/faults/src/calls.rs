//! One call of the client, and its place in the history.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use shared::ids::{Digest, WorkflowId};
use tokio::time::sleep;

use crate::history::{Answered, Asked, Call};
use crate::load::Client;

/// An API that is well answers within so many tries.
const TRIES: usize = 20;

/// One question to one API.
pub(crate) struct Question<'a> {
    pub(crate) number: usize,
    pub(crate) asked: Asked,
    pub(crate) path: &'a str,
    pub(crate) key: &'a str,
    pub(crate) body: Option<&'a Value>,
    /// Another than the story's own.
    pub(crate) token: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// One without a body.
    pub(crate) fn get(number: usize, asked: Asked, path: &'a str) -> Self {
        Self { number, asked, path, key: "", body: None, token: None }
    }
}

impl Client {
    /// Asks the API whose turn it is.
    pub(crate) async fn call(&self, question: Question<'_>) -> (Answered, Value) {
        let api = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        self.call_at(api, question).await
    }

    async fn call_at(&self, api: usize, question: Question<'_>) -> (Answered, Value) {
        let Question { number, asked, path, key, body, token } = question;
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
        let answered = Answered { code, words: words(code, &value, &text) };
        let output = shown_output(&value).filter(|_| code == 200 && asked.is_look());
        let call = Call { from_ms, to_ms: self.history.now_ms(), api: Some(api), asked, answered: answered.clone() };
        self.history.tell(number, |story| {
            // Of looks that show the same only the first and the last are worth keeping.
            let same = |call: &Call| call.asked == Asked::Status && call.answered == answered;
            if story.calls.len() >= 2 && same(&call) && story.calls.iter().rev().take(2).all(same) {
                story.calls.pop();
            }
            story.calls.push(call);
            story.outputs.extend(output.filter(|output| !story.outputs.contains(output)));
        });
        (answered, value)
    }

    /// Looks at a workflow.
    pub(crate) async fn look(&self, number: usize, id: WorkflowId) -> Value {
        let path = status_path(id);
        self.call(Question::get(number, Asked::Status, &path)).await.1["data"].clone()
    }

    /// Looks at every story from `first` on once more, at each API, until it answers.
    pub async fn look_again(&self, first: usize) {
        for story in self.history.since(first) {
            let Some(id) = story.id else { continue };
            let path = status_path(id);
            for api in 0..self.urls.len() {
                for _ in 0..TRIES {
                    let question = Question::get(story.number, Asked::LastLook, &path);
                    if !is_trouble(self.call_at(api, question).await.0.code) {
                        break;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// How many APIs there are.
    pub fn apis(&self) -> usize {
        self.urls.len()
    }
}

/// Whether the same may be asked again later: no answer, too many questions, or something behind it is away.
pub(crate) fn is_trouble(code: u16) -> bool {
    matches!(code, 0 | 429 | 500..)
}

fn status_path(id: WorkflowId) -> String {
    format!("/api/v3/execute/status/{id}")
}

/// What a completed workflow's code printed, as it is shown.
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
