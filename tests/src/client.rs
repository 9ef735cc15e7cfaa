//! A client of the HTTP contract.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::eventually;
use crate::stack::reqwest_client;

/// A response.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Returns the body as JSON; `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// Checks the status and returns the body.
    ///
    /// # Panics
    ///
    /// If the status differs, with the body.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Returns the text of a header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client of the API, with or without a token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    /// The refresh token of the sign-in.
    pub refresh_token: Option<String>,
}

impl Client {
    /// Returns a client without a token.
    pub fn new(base: &str) -> Self {
        Self { http: reqwest_client(), base: base.to_owned(), token: None, refresh_token: None }
    }

    /// Returns the same client with a token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Returns the address of the API, e.g. `http://127.0.0.1:8000`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Returns the access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Returns the same client, signed in.
    ///
    /// # Panics
    ///
    /// If the credentials are refused.
    pub async fn sign_in(mut self, user: &str, password: &str) -> Self {
        let answer = self.post("/auth/token", &json!({"username": user, "password": password})).await;
        let body = answer.expect(200);
        self.refresh_token = body["refresh_token"].as_str().map(str::to_owned);
        let token = body["access_token"].as_str().expect("a token").to_owned();
        self.with_token(&token)
    }

    /// Sends a request with a raw body.
    ///
    /// # Panics
    ///
    /// Without a response.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let method: Method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            request = request.header(name, HeaderValue::from_str(value).expect("a value"));
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let (status, headers): (StatusCode, HeaderMap) = (answer.status(), answer.headers().clone());
        Answer { status: status.as_u16(), headers, text: answer.text().await.unwrap_or_default() }
    }

    /// Sends `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    /// Sends `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], Some(body.to_string())).await
    }

    /// Submits and returns the workflow's id.
    pub async fn execute(&self, body: &Value) -> String {
        let accepted = self.post("/api/v3/execute", body).await.expect(202);
        accepted["data"]["workflow_id"].as_str().expect("an id").to_owned()
    }

    /// Submits code to be run as given, without approval.
    pub async fn run(&self, code: &str) -> String {
        self.execute(&run_request(code, false)).await
    }

    /// Returns the workflow's status document.
    pub async fn status(&self, id: &str) -> Value {
        self.get(&format!("/api/v3/execute/status/{id}")).await.expect(200)["data"].clone()
    }

    /// Waits until the workflow has this status; panics at any other terminal status.
    #[track_caller]
    pub fn until<'a>(&'a self, id: &'a str, status: &'static str) -> impl Future<Output = Value> + 'a {
        self.until_within(id, status, Duration::from_secs(60))
    }

    /// Like [`Client::until`] with another limit.
    #[track_caller]
    pub fn until_within<'a>(
        &'a self,
        id: &'a str,
        status: &'static str,
        limit: Duration,
    ) -> impl Future<Output = Value> + 'a {
        eventually("the workflow has the status", limit, move || async move {
            let answer = self.get(&format!("/api/v3/execute/status/{id}")).await;
            if answer.status >= 500 {
                return None;
            }
            let data = answer.expect(200)["data"].clone();
            let now = data["status"].as_str().expect("a status").to_owned();
            let ended = matches!(now.as_str(), "completed" | "failed" | "cancelled");
            assert!(now == status || !ended, "the workflow ended {now}, not {status}: {data:#}");
            (now == status).then_some(data)
        })
    }

    /// Decides the workflow's question.
    pub async fn decide(&self, id: &str, approval_id: &str, decision: &str) -> Answer {
        let body = json!({"workflow_id": id, "approval_id": approval_id, "decision": decision});
        self.post(&format!("/api/v3/execute/approve/{id}"), &body).await
    }
}

/// Returns the id of the first question in a status.
///
/// # Panics
///
/// If there is none.
pub fn question_of(status: &Value) -> String {
    status["pending_approvals"][0]["approval_id"].as_str().expect("a question").to_owned()
}

/// Returns a request to run code as given.
pub fn run_request(code: &str, require_approval: bool) -> Value {
    json!({
        "goal": "Run this script and show me its output",
        "context": {
            "project_context": {"file_content": code, "current_file": "main.py", "language": "python"},
            "execution_preferences": {"require_approval": require_approval},
        },
    })
}

/// Returns a request for a goal without code.
pub fn goal_request(goal: &str, require_approval: bool) -> Value {
    json!({"goal": goal, "context": {"execution_preferences": {"require_approval": require_approval}}})
}
