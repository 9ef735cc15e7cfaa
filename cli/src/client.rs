//! Client of the HTTP API: authentication, retries, JSON.

use std::path::PathBuf;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::env;
use crate::output::sanitize;
use crate::stack::Manifest;

/// Options that select the API and the user.
#[derive(clap::Args, Clone)]
pub struct ConnectionArgs {
    /// URL of the API [env: PROMPTCRAFT_URL] [default: of the stack on --data, else http://localhost:8000]
    #[arg(long, help_heading = "Connection")]
    url: Option<String>,
    /// User to sign in as [env: PROMPTCRAFT_USER, unless PROMPTCRAFT_TOKEN has a token]
    #[arg(long, help_heading = "Connection")]
    user: Option<String>,
    /// Password of the user [env: PROMPTCRAFT_PASSWORD]
    #[arg(long, help_heading = "Connection", requires = "user")]
    password: Option<String>,
    /// Data directory of a stack on this machine
    #[arg(long, help_heading = "Connection", default_value = "./data")]
    data: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("cannot reach {url}: {reason}. Start a stack with `promptcraft up`, or pass --url")]
    Unreachable { url: String, reason: String },
    #[error("no credentials. Set PROMPTCRAFT_TOKEN, or pass --user and --password")]
    MissingCredentials,
    #[error("no password for {user}. Set PROMPTCRAFT_PASSWORD, or pass --password")]
    MissingPassword { user: String },
    #[error("{detail} (HTTP 401). Sign in again: eval \"$(promptcraft login --user NAME --password WORD)\"")]
    InvalidToken { detail: String },
    #[error("{detail}{fields} (HTTP {status})")]
    Rejected { status: u16, detail: String, fields: String, retry_after: Option<Duration> },
    #[error("unexpected response from {url}: {reason}. Check the URL")]
    UnexpectedResponse { url: String, reason: String },
}

/// Minimum delay after a 429.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Maximum time to retry while the API restarts or returns 429 or 503.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

impl ApiError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Rejected { status: 429 | 503, .. })
    }
}

/// An authenticated client. Renews an expired token if it has a password.
pub struct ApiClient {
    client: reqwest::Client,
    base: String,
    token: Mutex<String>,
    /// For signing in again; `None` if only a token was given.
    credentials: Option<ConnectionArgs>,
}

/// The response to a sign-in.
pub struct SignInResponse {
    pub access: String,
    pub refresh: String,
    pub expires_in_seconds: u64,
}

impl ConnectionArgs {
    /// Signs in, unless a token is set.
    pub async fn connect(&self) -> Result<ApiClient, ApiError> {
        let client = client()?;
        let base = self.base_url();
        let (token, credentials) = match (env::token(), &self.user) {
            (Some(token), None) => (token, None),
            _ => (self.sign_in().await?.access, Some(self.clone())),
        };
        Ok(ApiClient { client, base, token: Mutex::new(token), credentials })
    }

    /// Exchanges user name and password for tokens.
    pub async fn sign_in(&self) -> Result<SignInResponse, ApiError> {
        let (user, password) = self.credentials()?;
        let base = self.base_url();
        let url = format!("{base}/auth/token");
        let request = client()?.post(&url).json_body(&json!({ "username": user, "password": password }));
        let answer = request_json(&base, request).await?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(SignInResponse {
            access: text("access_token"),
            refresh: text("refresh_token"),
            expires_in_seconds: answer["expires_in"].as_u64().unwrap_or_default(),
        })
    }

    fn base_url(&self) -> String {
        let named = self.url.clone().or_else(env::url);
        let running = || Manifest::read(&self.data).map(|stack| stack.api_url);
        let base = named.or_else(running).unwrap_or_else(|| "http://localhost:8000".to_owned());
        base.trim_end_matches('/').to_owned()
    }

    /// Returns user name and password; without options, those of the demo user if a demo stack runs on this machine.
    fn credentials(&self) -> Result<(String, String), ApiError> {
        if let Some(user) = self.user.clone().or_else(env::user) {
            return match self.password.clone().or_else(env::password) {
                Some(password) => Ok((user, password)),
                None => Err(ApiError::MissingPassword { user }),
            };
        }
        let demo = self.url.is_none() && Manifest::read(&self.data).is_some_and(|stack| stack.demo);
        if demo { Ok(("test_user".to_owned(), "test_pass".to_owned())) } else { Err(ApiError::MissingCredentials) }
    }
}

impl ApiClient {
    /// Returns the response with sanitized texts.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.get_raw(path).await.map(sanitize_json)
    }

    /// Returns the items `name` of the first non-empty page, and whether more follow. `path` ends with `?` or `&`.
    pub async fn first_page(&self, path: &str, name: &str) -> Result<(Vec<Value>, bool), ApiError> {
        let mut cursor = String::new();
        loop {
            let answer = self.get(&format!("{path}{cursor}")).await?;
            let items = answer["data"][name].as_array().cloned().unwrap_or_default();
            let next = answer["data"]["next_cursor"].as_str();
            match next {
                // An empty page may have a successor.
                Some(next) if items.is_empty() => cursor = format!("cursor={next}"),
                Some(_) | None => return Ok((items, next.is_some())),
            }
        }
    }

    /// Returns the response with sanitized texts.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.post_raw(path, body).await.map(sanitize_json)
    }

    /// Returns the response unchanged.
    pub async fn get_raw(&self, path: &str) -> Result<Value, ApiError> {
        let request = || self.client.get(self.address(path));
        match request_json(&self.base, request().bearer_auth(self.token())).await {
            Err(ApiError::InvalidToken { detail }) => {
                let Some(connection) = &self.credentials else { return Err(ApiError::InvalidToken { detail }) };
                let tokens = connection.sign_in().await?;
                *self.token.lock().unwrap_or_else(PoisonError::into_inner) = tokens.access;
                request_json(&self.base, request().bearer_auth(self.token())).await
            }
            answer => answer,
        }
    }

    /// Like [`get`](Self::get), with retries while the API is unavailable or rate limited.
    pub async fn get_with_retry(&self, path: &str) -> Result<Value, ApiError> {
        self.get_raw_with_retry(path).await.map(sanitize_json)
    }

    /// Like [`get_raw`](Self::get_raw), with retries while the API is unavailable or rate limited.
    pub async fn get_raw_with_retry(&self, path: &str) -> Result<Value, ApiError> {
        let until = Instant::now() + RETRY_TIMEOUT;
        loop {
            match self.get_raw(path).await {
                Err(error) if error.is_retryable() && Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Like [`post`](Self::post), with retries while rate limited. `notify` receives the delay before each; one that ends
    /// after more than a minute in all is an error at once.
    pub async fn post_with_retry(
        &self,
        path: &str,
        body: &Value,
        notify: impl Fn(Duration),
    ) -> Result<Value, ApiError> {
        let until = Instant::now() + RETRY_TIMEOUT;
        loop {
            let (error, delay) = match self.post(path, body).await {
                Err(error @ ApiError::Rejected { status: 429, retry_after, .. }) => {
                    (error, retry_after.unwrap_or_default().max(RETRY_DELAY))
                }
                answer => return answer,
            };
            if delay > until.duration_since(Instant::now()) {
                return Err(error);
            }
            notify(delay);
            tokio::time::sleep(delay).await;
        }
    }

    fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the response unchanged.
    pub async fn post_raw(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        request_json(&self.base, self.client.post(self.address(path)).bearer_auth(self.token()).json_body(body)).await
    }

    /// Returns the content at the path of `segments` and, below it, `name`, whose parts may hold any characters.
    pub async fn download(&self, segments: &[&str], name: &str) -> Result<Vec<u8>, ApiError> {
        let unexpected = |reason: String| ApiError::UnexpectedResponse { url: self.base.clone(), reason };
        let mut url = reqwest::Url::parse(&self.base).map_err(|error| unexpected(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| unexpected("the URL has no path".to_owned()))?
            .pop_if_empty()
            .extend(segments.iter().copied().chain(name.split('/')));
        let response = send(&self.base, self.client.get(url).bearer_auth(self.token())).await?;
        if !response.status().is_success() {
            return Err(read_problem(response).await);
        }
        response.bytes().await.map(|body| body.to_vec()).map_err(|error| unexpected(root_cause(&error)))
    }

    /// Opens a stream of server-sent events.
    pub async fn events(&self, path: &str) -> Result<reqwest::Response, ApiError> {
        let request =
            self.client.get(self.address(path)).bearer_auth(self.token()).header("accept", "text/event-stream");
        let response = send(&self.base, request.timeout(Duration::from_secs(24 * 3600))).await?;
        if response.status().is_success() { Ok(response) } else { Err(read_problem(response).await) }
    }

    /// Returns the URL of `path`.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}

fn client() -> Result<reqwest::Client, ApiError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only if a provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
    });
    let built = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60))
        .user_agent(concat!("promptcraft/", env!("CARGO_PKG_VERSION")))
        .build();
    built.map_err(|error| ApiError::UnexpectedResponse { url: "this machine".to_owned(), reason: root_cause(&error) })
}

async fn send(base: &str, request: reqwest::RequestBuilder) -> Result<reqwest::Response, ApiError> {
    request.send().await.map_err(|error| ApiError::Unreachable { url: base.to_owned(), reason: root_cause(&error) })
}

async fn request_json(base: &str, request: reqwest::RequestBuilder) -> Result<Value, ApiError> {
    let response = send(base, request).await?;
    if !response.status().is_success() {
        return Err(read_problem(response).await);
    }
    let unexpected = |reason: String| ApiError::UnexpectedResponse { url: base.to_owned(), reason };
    let body = response.bytes().await.map_err(|error| unexpected(root_cause(&error)))?;
    serde_json::from_slice(&body).map_err(|error| unexpected(error.to_string()))
}

pub(crate) fn sanitize_json(answer: Value) -> Value {
    match answer {
        Value::String(text) => sanitize(&text).into(),
        Value::Array(items) => items.into_iter().map(sanitize_json).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (sanitize(&name), sanitize_json(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => answer,
    }
}

/// Converts a problem document into an error.
async fn read_problem(response: reqwest::Response) -> ApiError {
    let status = response.status();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let problem: Value =
        response.bytes().await.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let problem = sanitize_json(problem);
    let detail = problem["detail"].as_str().or(status.canonical_reason()).unwrap_or("refused").to_owned();
    let fields: Vec<String> = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| Some(format!("{}: {}", error["field"].as_str()?, error["message"].as_str()?)))
        .filter(|field| !detail.contains(field))
        .collect();
    let fields = if fields.is_empty() { String::new() } else { format!(" [{}]", fields.join("; ")) };
    if detail.contains("Invalid token") {
        return ApiError::InvalidToken { detail };
    }
    ApiError::Rejected { status: status.as_u16(), detail, fields, retry_after: retry_after.map(Duration::from_secs) }
}

/// Returns the innermost source of an error, which is the specific one.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
