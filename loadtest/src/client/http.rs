//! Requests to the API.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::RequestFailure;

/// The API under test.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
}

/// A response with its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// Returns the body of a response with this status.
    pub fn expect(self, status: u16) -> Result<Value, RequestFailure> {
        if self.status == status { Ok(self.body) } else { Err(RequestFailure::Status(self.status)) }
    }
}

impl Api {
    /// Returns a client with a timeout for each request. Connections are kept and reused.
    pub fn new(base: &str, timeout: Duration) -> Result<Self, reqwest::Error> {
        static PROVIDER: Once = Once::new();
        // Fails only if another thread was first.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(timeout)
            .user_agent(concat!("promptcraft-loadtest/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Returns a request, with a token if there is one.
    pub fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<Answer, RequestFailure> {
        read(self.request(Method::GET, path, token).send().await?).await
    }

    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Answer, RequestFailure> {
        self.post_with_key(path, token, body, None).await
    }

    /// Sends a JSON body, with an `Idempotency-Key` if there is one.
    pub async fn post_with_key(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answer, RequestFailure> {
        let mut request = self.request(Method::POST, path, token).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        read(request.body(body.to_string()).send().await?).await
    }
}

async fn read(response: Response) -> Result<Answer, RequestFailure> {
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}
