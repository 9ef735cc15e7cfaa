//! One call to the endpoint, and what its failures mean.

use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::json;

use super::prompt::Messages;
use crate::{CatalogueError, GenerateError, ModelConfig, Request};

/// An endpoint that is not connected in this time is away.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// A configured endpoint. Cloning shares its connections.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    client: Client<OpenAIConfig>,
    name: String,
    max_tokens: u64,
}

/// What the model said, and what it cost.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) tokens: u64,
}

/// The part of a completion that every endpoint sends; others are not looked at, because many endpoints leave them out.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
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
struct Usage {
    total_tokens: u64,
}

fn fail(code: &'static str, message: impl Into<String>) -> GenerateError {
    GenerateError::Fail { code, message: message.into(), tokens: 0 }
}

fn retry(code: &'static str, message: impl Into<String>) -> GenerateError {
    GenerateError::Retry { code, message: message.into(), may_have_cost: false }
}

/// A reply that was paid for and is of no use.
pub(super) fn unusable_reply(reason: &str, tokens: u64) -> GenerateError {
    let message = format!("the model's reply cannot be used: {reason}; {tokens} tokens were spent");
    GenerateError::Fail { code: "generator_invalid_reply", message, tokens }
}

impl Model {
    /// Prepares a client; makes no connection.
    ///
    /// # Errors
    /// Settings that cannot work.
    pub(crate) fn open(config: &ModelConfig) -> Result<Self, CatalogueError> {
        let key = config.api_key.as_deref().unwrap_or_default();
        let invalid = |reason: &str| CatalogueError::Model { reason: reason.to_owned() };
        if config.model.trim().is_empty() || config.max_tokens == 0 || config.timeout.is_zero() {
            return Err(invalid("model, max_tokens and timeout must be set"));
        }
        HeaderValue::from_str(key).map_err(|_| invalid("the API key has characters that a header cannot carry"))?;
        let http = http_client(config)?;
        let sign = !key.is_empty();
        let send = tower::service_fn(move |factory: HttpRequestFactory| {
            let http = http.clone();
            async move { send_once(&http, factory, sign).await }
        });
        // Every field is set, because the crate fills the others from environment variables: a key meant for another
        // service must not reach this endpoint.
        let endpoint = OpenAIConfig::new()
            .with_api_base(config.base_url.trim_end_matches('/'))
            .with_api_key(key)
            .with_org_id("")
            .with_project_id("");
        let client = Client::build(plain_client()?, endpoint).with_http_service(send);
        Ok(Self { client, name: config.model.clone(), max_tokens: config.max_tokens })
    }

    /// Returns the model's name as configured.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Sends one request and never repeats it: whoever holds the job decides about that.
    pub(super) async fn ask(&self, messages: &Messages, request: &Request) -> Result<Answer, GenerateError> {
        let limit = request.max_tokens.map_or(self.max_tokens, |budget| budget.min(self.max_tokens));
        if limit == 0 {
            return Err(fail("budget_exceeded", "no model tokens are left for this workflow"));
        }
        let body = json!({
            "model": self.name,
            "stream": false,
            "max_tokens": limit,
            "messages": [{"role": "system", "content": messages.system}, {"role": "user", "content": messages.user}],
        });
        let sent = messages.system.len() + messages.user.len();
        // Before it leaves: from then on the endpoint may charge for it.
        request.sent.add(estimate(sent));
        let completion: Completion = self.client.chat().create_byot(body).await.map_err(|error| explain(&error))?;
        read(completion, sent)
    }
}

/// Four bytes a token is the usual rule of thumb where the endpoint does not count.
fn estimate(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

fn read(completion: Completion, sent_bytes: usize) -> Result<Answer, GenerateError> {
    let choice = completion.choices.into_iter().next();
    let text = choice.as_ref().and_then(|choice| choice.message.content.as_deref()).unwrap_or_default();
    let tokens = completion.usage.map_or_else(|| estimate(sent_bytes + text.len()), |usage| usage.total_tokens);
    let Some(choice) = &choice else { return Err(unusable_reply("it has no choices", tokens)) };
    if choice.finish_reason.as_deref() == Some("length") {
        return Err(unusable_reply("it was cut off at the token limit; raise max_tokens", tokens));
    }
    if text.trim().is_empty() {
        return Err(unusable_reply("it is empty", tokens));
    }
    Ok(Answer { tokens, text: text.to_owned() })
}

async fn send_once(
    client: &reqwest::Client,
    factory: HttpRequestFactory,
    sign: bool,
) -> Result<reqwest::Response, OpenAIError> {
    let mut request = factory.build().await?;
    if !sign {
        request.headers_mut().remove(AUTHORIZATION);
    }
    // Turned into an error here, because the crate drops the status of an error body that is not JSON.
    let mut response = client.execute(request).await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            return Err(OpenAIError::InvalidArgument("the answer is too large".to_owned()));
        }
    }
    // Checked here, because the crate writes a body that it cannot read into the log, and that may repeat the prompt.
    match serde_json::from_slice::<Completion>(&body) {
        Ok(_) => Ok(http::Response::new(body).into()),
        Err(_) => Err(OpenAIError::InvalidArgument("the answer is not a chat completion".to_owned())),
    }
}

/// Says what a failure means. Bodies are left out: they may repeat the prompt.
fn explain(error: &OpenAIError) -> GenerateError {
    let OpenAIError::Reqwest(error) = error else {
        return fail("generator_invalid_reply", "the model endpoint's answer is not a chat completion");
    };
    match error.status() {
        Some(StatusCode::TOO_MANY_REQUESTS) => retry("generator_rate_limited", "the model endpoint limits our rate"),
        Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            fail("generator_unauthorized", "the model endpoint refuses the API key; check the model settings")
        }
        Some(status) if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            retry("generator_unavailable", format!("the model endpoint answers {}", status.as_u16()))
        }
        Some(status) => fail(
            "generator_rejected",
            format!("the model endpoint answers {}; check base_url and model in the model settings", status.as_u16()),
        ),
        // Who could not be reached was asked nothing.
        None if error.is_timeout() && !error.is_connect() => GenerateError::Retry {
            code: "generator_timeout",
            message: "the model endpoint did not answer in time".to_owned(),
            may_have_cost: true,
        },
        None if error.is_builder() => fail("generator_rejected", "the model endpoint's address cannot be used"),
        None => retry("generator_unavailable", "the connection to the model endpoint failed"),
    }
}

fn http_client(config: &ModelConfig) -> Result<reqwest::Client, CatalogueError> {
    let address = reqwest::Url::parse(&config.base_url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(address) = address else {
        return Err(CatalogueError::Model { reason: "base_url must be an http or https address".to_owned() });
    };
    let builder = match address.scheme() {
        "https" => verified_builder().https_only(true),
        _ => unverified_builder(),
    };
    // Well before the time of the whole call: what ends by that may have been asked.
    let to_connect = CONNECT_PATIENCE.min(config.timeout / 2);
    // A redirect could carry the key, and the code, elsewhere.
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    builder.timeout(config.timeout).connect_timeout(to_connect).build().map_err(unusable)
}

fn unusable(error: reqwest::Error) -> CatalogueError {
    CatalogueError::Model { reason: format!("no HTTP client can be made: {error}") }
}

fn verified_builder() -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing a race against another part of the process that installs one is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    reqwest::Client::builder()
}

/// For plain HTTP: trusts nobody, so that a machine without root certificates can use it.
fn unverified_builder() -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match tls {
        Ok(tls) => {
            let trusts_nobody = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
            reqwest::Client::builder().tls_backend_preconfigured(trusts_nobody)
        }
        Err(_) => verified_builder(),
    }
}

/// The client that builds requests; the service above sends them.
fn plain_client() -> Result<reqwest::Client, CatalogueError> {
    unverified_builder().build().map_err(unusable)
}
