//! The HTTP client of the endpoint, and the mapping of its failures to [`GenerateError`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::prompt::Messages;
use crate::{CatalogueError, GenerateError, GenerateRequest, ModelConfig};

/// Timeout for connecting; after it the endpoint counts as unavailable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Maximum delay that is accepted from `Retry-After`.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(120);

/// A client of the configured endpoint. Clones share the connections and the detected dialect.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    http: reqwest::Client,
    url: Url,
    /// Includes the API key, if any.
    headers: HeaderMap,
    name: String,
    max_tokens: u64,
    dialect: Arc<Dialect>,
}

/// Deviations of the endpoint from the protocol that this process has detected.
#[derive(Debug, Default)]
struct Dialect {
    /// It rejects or ignores `response_format`.
    lacks_schemas: AtomicBool,
    /// It takes `max_completion_tokens` and rejects `max_tokens`.
    limits_completion: AtomicBool,
}

/// The text of a completion and its cost.
pub(super) struct Completion {
    pub(super) text: String,
    pub(super) tokens: u64,
}

/// The failure of a call.
pub(super) enum CallError {
    /// The endpoint rejected the form of the request; another form may succeed.
    FormRejected(GenerateError),
    Other(GenerateError),
}

impl From<CallError> for GenerateError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::FormRejected(error) | CallError::Other(error) => error,
        }
    }
}

/// The fields of a completion that are used; all but `choices` are optional, because many endpoints omit them.
#[derive(Deserialize)]
struct CompletionBody {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<TokenUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
struct TokenUsage {
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}

impl TokenUsage {
    fn total(&self) -> Option<u64> {
        let sum = || Some(self.prompt_tokens?.saturating_add(self.completion_tokens?));
        self.total_tokens.filter(|total| *total > 0).or_else(sum)
    }
}

fn fail(code: &'static str, message: impl Into<String>) -> GenerateError {
    GenerateError::Fail { code, message: message.into(), tokens: 0 }
}

/// Returns the failure for a reply that was charged and is unusable.
pub(super) fn unusable_reply(reason: &str, tokens: u64) -> GenerateError {
    let message = format!("the model's reply cannot be used: {reason}; {tokens} tokens were spent");
    GenerateError::Fail { code: "generator_invalid_reply", message, tokens }
}

impl Model {
    /// Creates a client without connecting.
    ///
    /// # Errors
    /// A setting is invalid.
    pub(crate) fn open(config: &ModelConfig) -> Result<Self, CatalogueError> {
        let invalid = |reason: &str| CatalogueError::Model { reason: reason.to_owned() };
        if config.model.trim().is_empty() || config.max_tokens == 0 || config.timeout.is_zero() {
            return Err(invalid("model, max_tokens and timeout must be set"));
        }
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if let Some(key) = config.api_key.as_deref().filter(|key| !key.is_empty()) {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| invalid("the API key has characters that a header cannot carry"))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let url = format!("{}/chat/completions", config.base_url.trim_end_matches('/'));
        let url = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| invalid("base_url must be an http or https address"))?;
        Ok(Self {
            http: http_client(config, url.scheme() == "https")?,
            url,
            headers,
            name: config.model.clone(),
            max_tokens: config.max_tokens,
            dialect: Arc::default(),
        })
    }

    /// Returns the model's name as configured.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether replies are requested under a schema.
    pub(super) fn is_structured(&self) -> bool {
        !self.dialect.lacks_schemas.load(Ordering::Relaxed)
    }

    /// Disables structured replies until this process exits.
    pub(super) fn disable_structured(&self) {
        self.dialect.lacks_schemas.store(true, Ordering::Relaxed);
    }

    /// Sends one request. `spent` are the tokens of earlier requests for the same generation.
    pub(super) async fn ask(
        &self,
        messages: &Messages,
        response_format: Option<Value>,
        request: &GenerateRequest,
        spent: u64,
    ) -> Result<Completion, CallError> {
        let sent = messages.system.len() + messages.user.len();
        let left = request.max_tokens.map(|budget| budget.saturating_sub(spent).saturating_sub(estimate_tokens(sent)));
        let limit = left.map_or(self.max_tokens, |left| left.min(self.max_tokens));
        if limit == 0 {
            let reason = "the remaining model tokens of this workflow do not cover the prompt";
            return Err(CallError::Other(fail("budget_exceeded", reason)));
        }
        let mut body = json!({
            "model": self.name,
            "stream": false,
            "messages": [{"role": "system", "content": messages.system}, {"role": "user", "content": messages.user}],
        });
        if let Some(format) = response_format {
            body["response_format"] = format;
        }
        // Counted before sending, because the endpoint may charge from then on.
        request.prompt_tokens.add(estimate_tokens(sent));
        let completion = self.complete(body, limit).await?;
        completion_of(completion, sent).map_err(CallError::Other)
    }

    /// Sends a body with the token limit under the name that the endpoint accepts.
    async fn complete(&self, body: Value, limit: u64) -> Result<CompletionBody, CallError> {
        let limited = |name: &str| {
            let mut body = body.clone();
            body[name] = limit.into();
            body
        };
        let limits_completion = &self.dialect.limits_completion;
        if !limits_completion.load(Ordering::Relaxed) {
            match self.send(&limited("max_tokens")).await {
                Err(Rejection { wants_completion_tokens: true, .. }) => {}
                answered => return answered.map_err(|rejection| rejection.error),
            }
        }
        let completion = self.send(&limited("max_completion_tokens")).await.map_err(|rejection| rejection.error)?;
        // Set only after success: the rejection may have quoted the name from the prompt or failed for another reason.
        limits_completion.store(true, Ordering::Relaxed);
        Ok(completion)
    }

    async fn send(&self, body: &Value) -> Result<CompletionBody, Rejection> {
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).body(body.to_string());
        let response = request.send().await.map_err(|error| transport_error(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            let body = read_body(response).await?;
            return serde_json::from_slice(&body).map_err(|_| not_a_completion().into());
        }
        let is_of_form = matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
        let error = status_error(status, &headers);
        if !is_of_form {
            return Err(error.into());
        }
        // The body may quote the prompt, so it is only searched for this name.
        let body = read_body(response).await.unwrap_or_default();
        let wants_completion_tokens = String::from_utf8_lossy(&body).contains("max_completion_tokens");
        Err(Rejection { error: CallError::FormRejected(error), wants_completion_tokens })
    }
}

/// A response without a completion.
struct Rejection {
    error: CallError,
    wants_completion_tokens: bool,
}

impl From<GenerateError> for Rejection {
    fn from(error: GenerateError) -> Self {
        Self { error: CallError::Other(error), wants_completion_tokens: false }
    }
}

/// Estimates tokens as four bytes each, for endpoints that do not report usage.
fn estimate_tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

fn completion_of(body: CompletionBody, sent_bytes: usize) -> Result<Completion, GenerateError> {
    let choice = body.choices.into_iter().next();
    let text = choice.as_ref().and_then(|choice| choice.message.content.as_deref()).unwrap_or_default();
    let counted = body.usage.and_then(|usage| usage.total());
    let tokens = counted.unwrap_or_else(|| estimate_tokens(sent_bytes + text.len()));
    let Some(choice) = &choice else { return Err(unusable_reply("it has no choices", tokens)) };
    if choice.finish_reason.as_deref() == Some("length") {
        return Err(unusable_reply("it was cut off at the token limit; raise max_tokens", tokens));
    }
    let text = without_reasoning(text).trim();
    if text.is_empty() {
        return Err(unusable_reply("it is empty", tokens));
    }
    Ok(Completion { tokens, text: text.to_owned() })
}

/// Removes the reasoning that some models send before their answer.
fn without_reasoning(text: &str) -> &str {
    match text.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>")) {
        Some((_, answer)) => answer,
        None => text,
    }
}

/// Reads a body of at most `MAX_BODY_BYTES`.
async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, GenerateError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_error(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            return Err(fail("generator_invalid_reply", "the model endpoint's response is too large"));
        }
    }
    Ok(body)
}

fn not_a_completion() -> GenerateError {
    fail("generator_invalid_reply", "the model endpoint's response is not a chat completion")
}

/// Maps an error status to a failure. Omits the body, which may quote the prompt.
fn status_error(status: StatusCode, headers: &HeaderMap) -> GenerateError {
    let delayed = |code: &'static str, message: String| GenerateError::Retry {
        code,
        message,
        tokens: 0,
        may_have_cost: false,
        after: retry_delay(headers),
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            delayed("generator_rate_limited", "the model endpoint rejected the call by its rate limit".to_owned())
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            fail("generator_unauthorized", "the model endpoint rejected the API key; check the model settings")
        }
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            delayed("generator_unavailable", format!("the model endpoint returned status {}", status.as_u16()))
        }
        status => fail(
            "generator_rejected",
            format!(
                "the model endpoint returned status {}; check base_url and model in the model settings",
                status.as_u16()
            ),
        ),
    }
}

/// Returns the delay of `Retry-After` in seconds; HTTP dates are ignored.
fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_DELAY))
}

fn transport_error(error: &reqwest::Error) -> GenerateError {
    if error.is_builder() {
        return fail("generator_rejected", "the model endpoint's address cannot be used");
    }
    // Only a failed connection guarantees that the endpoint did not receive the request.
    let may_have_cost = !error.is_connect();
    let (code, message) = if error.is_timeout() && may_have_cost {
        ("generator_timeout", "the model endpoint did not respond in time")
    } else {
        ("generator_unavailable", "the connection to the model endpoint failed")
    };
    GenerateError::Retry { code, message: message.to_owned(), tokens: 0, may_have_cost, after: None }
}

fn http_client(config: &ModelConfig, is_tls: bool) -> Result<reqwest::Client, CatalogueError> {
    let builder = if is_tls { verified_builder().https_only(true) } else { unverified_builder() };
    // Shorter than the timeout of the call, so that a failed connection is reported as such and not as a possible
    // charge.
    let connect_timeout = CONNECT_TIMEOUT.min(config.timeout / 2);
    // A redirect could send the key and the code to another host.
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    let built = builder.timeout(config.timeout).connect_timeout(connect_timeout).build();
    built.map_err(|error| CatalogueError::Model { reason: format!("the HTTP client cannot be created: {error}") })
}

fn verified_builder() -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have installed a provider meanwhile.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    reqwest::Client::builder()
}

/// Returns a builder for plain HTTP without root certificates, which a machine may lack.
fn unverified_builder() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match tls {
        Ok(tls) => {
            let no_roots = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
            reqwest::Client::builder().tls_backend_preconfigured(no_roots)
        }
        Err(_) => verified_builder(),
    }
}
