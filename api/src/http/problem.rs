//! Problem documents (RFC 9457). A problem never holds submitted text.

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::error::Category;
use serde_json::{Value, json};

/// The media type of a problem document.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// An error in one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// Dotted path in the body, e.g. `context.project_context.language`.
    pub(crate) field: String,
    /// A description of the expected value; never the submitted value.
    pub(crate) message: String,
}

/// An error response.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    /// Last part of the `type` URN.
    kind: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    instance: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), errors: Vec::new(), instance: None, headers: Vec::new() }
    }

    /// Returns the problem for a bare status from the HTTP library.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Self::route_not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large("The body is too large."),
            StatusCode::REQUEST_TIMEOUT => Self::body_timeout(),
            StatusCode::INTERNAL_SERVER_ERROR => Self::internal(),
            other => Self::new(other, "http", format!("{}.", other.canonical_reason().unwrap_or("Error"))),
        }
    }

    /// Returns the problem of a body that does not parse, with the position. The parser's text on syntax names what it
    /// expected and never what it read.
    pub(crate) fn bad_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = match error.classify() {
            Category::Syntax | Category::Eof => text.split(" at line ").next().unwrap_or_default(),
            Category::Data | Category::Io => "unreadable",
        };
        let (line, column) = (error.line(), error.column());
        let detail = format!(
            "The body is not JSON in UTF-8: {reason} at line {line}, column {column} (counted in bytes); send one JSON \
             object."
        );
        Self::new(StatusCode::BAD_REQUEST, "bad-json", detail)
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn invalid_token(reason: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid-token", format!("Invalid token: {reason}"))
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// The request names a host that this API does not serve.
    pub(crate) fn misdirected() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected-request",
            "This API does not serve the host of the request; an operator can add host names to the setting api.hosts.",
        )
    }

    pub(crate) fn route_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "route-not-found", "Route not found; GET /openapi.json lists all routes.")
    }

    pub(crate) fn workflow_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "workflow-not-found", "Workflow not found, or you do not have access to it.")
    }

    pub(crate) fn dead_letter_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "dead-letter-not-found", "Dead letter not found; it may have been deleted.")
    }

    pub(crate) fn artifact_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "artifact-not-found", "Artifact not found, or not released.")
    }

    pub(crate) fn recipe_not_found(nearest: &[String]) -> Self {
        let near = if nearest.is_empty() { String::new() } else { format!("; near it: {}", nearest.join(", ")) };
        Self::new(StatusCode::NOT_FOUND, "recipe-not-found", format!("Recipe not found on any worker{near}."))
    }

    pub(crate) fn body_timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body did not arrive in time; send it again.")
    }

    pub(crate) fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    pub(crate) fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let messages: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{}.", messages.join("; ")));
        Self { errors, ..problem }
    }

    /// Returns the problem of one wrong field.
    pub(crate) fn invalid_field(field: &str, message: &str) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.to_owned() }])
    }

    /// A dependency is unavailable; the same request may succeed after `retry_after`.
    pub(crate) fn unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).with_retry_after(retry_after)
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error; the request id is in the log.")
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets `Retry-After` in whole seconds, at least one, rounded up so that a client does not retry too early.
    #[must_use]
    pub(crate) fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        self.with_header(
            RETRY_AFTER,
            HeaderValue::from_str(&seconds.to_string()).unwrap_or(HeaderValue::from_static("1")),
        )
    }

    /// Returns the value of `Retry-After`.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let (_, value) = self.headers.iter().find(|(name, _)| *name == RETRY_AFTER)?;
        value.to_str().ok()?.parse().ok()
    }

    /// Sets the path of the request.
    #[must_use]
    pub(crate) fn at(mut self, path: &str) -> Self {
        self.instance = Some(path.to_owned());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:promptcraft:problem:{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(instance) = &self.instance {
            document["instance"] = json!(instance);
        }
        if !self.errors.is_empty() {
            let errors = self.errors.iter().map(|error| json!({"field": error.field, "message": error.message}));
            document["errors"] = errors.collect();
        }
        document
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(self.document().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_every_field_and_a_whole_second_to_wait() {
        let errors = ["goal", "options"].map(|field| FieldError { field: field.into(), message: "is wrong".into() });
        let document = Problem::invalid(errors.to_vec()).at("/x").document();
        assert_eq!(document["status"], 422);
        assert_eq!(document["instance"], "/x");
        assert_eq!(document["errors"][1], json!({"field": "options", "message": "is wrong"}));
        assert_eq!(document["detail"], "goal: is wrong; options: is wrong.");
        for (wait, seconds) in [(0, "1"), (999, "1"), (1_001, "2")] {
            let problem = Problem::unavailable("x", Duration::from_millis(wait));
            assert_eq!(problem.error_response().headers().get(RETRY_AFTER).unwrap(), seconds);
        }
    }
}
