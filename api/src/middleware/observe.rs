//! The outermost middleware: request id and trace, problem documents, security headers, metrics and the access log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use service::telemetry::{Span, SpanKind};
use tracing::Instrument;

use crate::auth::state::Auth;
use crate::auth::tokens::Tokens;
use crate::http::hosts::Hosts;
use crate::http::problem::{MEDIA_TYPE, Problem};
use crate::http::rate_limit_headers::RateLimitStatus;
use crate::http::request_context::{REQUEST_ID, RequestContext, ServedAfter};
use crate::limits::admission::RateLimits;
use crate::metrics;
use crate::middleware::access_log::AccessLog;
use crate::middleware::rate_limit::{admit, charge_caller, charge_misdirected, closes_connection, is_sampled};

/// Counts the requests whose response head is not ready yet; a drain waits for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningRequests(Arc<AtomicUsize>);

/// A counted request; released on drop, also after a panic.
struct Running(RunningRequests);

impl RunningRequests {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn enter(&self) -> Running {
        self.0.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Serves a request and completes its response, also after a panic.
pub(crate) async fn observe(
    running: web::Data<RunningRequests>,
    access_log: web::Data<AccessLog>,
    hosts: web::Data<Hosts>,
    limits: web::Data<RateLimits>,
    auth: web::Data<Auth>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let _running = running.enter();
    let context = RequestContext::of(&request, limits.addresses.trusted_proxies());
    request.extensions_mut().insert(context.clone());
    // Named when the route is known.
    let span = Span::start(SpanKind::Server, known_method(&context.method), &context.trace);
    span.run(serve(&context, &access_log, answer(&hosts, &limits, &auth.tokens, request, next))).await
}

/// Checks the host and the rate limits, then serves the request.
async fn answer(
    hosts: &Hosts,
    limits: &RateLimits,
    tokens: &Tokens,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = match hosts.check(request.request()) {
        Ok(()) => admit(limits, tokens, request.request()).err(),
        Err(problem) => Some(charge_misdirected(limits, request.request()).err().unwrap_or(problem)),
    };
    match refusal {
        None => Ok(charge_caller(limits, next.call(request).await?).await),
        // The connection is closed after this response, so the body is not read.
        Some(problem) => {
            let (request, _) = request.into_parts();
            Ok(ServiceResponse::new(request, HttpResponse::from_error(problem)))
        }
    }
}

async fn serve(
    context: &RequestContext,
    log: &AccessLog,
    answer: impl Future<Output = Result<ServiceResponse<BoxBody>, Error>>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let span = tracing::info_span!("request", request.id = context.id, trace.id = context.trace.trace_id());
    match AssertUnwindSafe(answer).catch_unwind().instrument(span).await {
        Ok(Ok(response)) => Ok(finish(context, log, response)),
        Ok(Err(error)) => {
            Err(lost_request_error(context, log, Problem::of_status(error.as_response_error().status_code())))
        }
        Err(_) => {
            tracing::error!(request.id = context.id, http.path = context.path, "Handler panicked");
            Err(lost_request_error(context, log, Problem::internal()))
        }
    }
}

fn finish(context: &RequestContext, log: &AccessLog, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut response = with_problem(context, response);
    let rate_limit = response.request().extensions().get::<RateLimitStatus>().copied();
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status();
    let is_sampled = is_sampled(response.request(), status);
    let headers = response.headers_mut();
    if let Some(rate_limit) = rate_limit {
        rate_limit.write_headers(headers);
    }
    add_security_headers(context, headers);
    if closes_connection(response.request(), status) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let served_after = response.request().extensions().get::<ServedAfter>().map(|served| served.0);
    record(context, &route, status, served_after, !is_sampled || log.admits_sampled_line());
    response
}

/// Turns any error response into a problem document.
fn with_problem(context: &RequestContext, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem_of_handler = response.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    let is_document = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() != MEDIA_TYPE.as_bytes());
    if problem_of_handler.is_none() && is_document && status == StatusCode::SERVICE_UNAVAILABLE {
        // The health response has its own form.
        return response;
    }
    let problem = problem_of_handler.unwrap_or_else(|| Problem::of_status(status)).at(&context.path);
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, problem.error_response())
}

/// Returns the error for a request that was lost by its handler; the HTTP library responds with it.
fn lost_request_error(context: &RequestContext, log: &AccessLog, problem: Problem) -> Error {
    record(context, "unmatched", problem.status(), None, log.admits_sampled_line());
    let id = HeaderValue::from_str(&context.id).unwrap_or(HeaderValue::from_static("unknown"));
    problem.at(&context.path).with_header(REQUEST_ID, id).into()
}

fn add_security_headers(context: &RequestContext, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(REQUEST_ID, id);
    }
    let mut unless_set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    unless_set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(CACHE_CONTROL, "no-store");
    unless_set(REFERRER_POLICY, "no-referrer");
    unless_set(X_FRAME_OPTIONS, "DENY");
    unless_set(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if context.is_https {
        unless_set(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
}

/// Counts a request and logs it if `is_logged`. The log omits the path, in which a caller may have put a token. The
/// histogram leaves out the time for which the caller wanted to wait.
fn record(context: &RequestContext, route: &str, status: StatusCode, served_after: Option<Duration>, is_logged: bool) {
    let elapsed = context.began.elapsed();
    let method = known_method(&context.method);
    complete_span(method, route, status);
    metrics::REQUESTS.with_label_values(&[method, route, status.as_str()]).inc();
    metrics::REQUEST_SECONDS.with_label_values(&[method, route]).observe(served_after.unwrap_or(elapsed).as_secs_f64());
    if !is_logged {
        return;
    }
    tracing::info!(
        request.id = context.id,
        trace.id = context.trace.trace_id(),
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "Request {}: {method} {route} -> {}",
        context.id,
        status.as_u16()
    );
}

/// Names the request's span by its route, without the path itself.
fn complete_span(method: &str, route: &str, status: StatusCode) {
    let span = Span::current()
        .with("http.request.method", method)
        .with("http.route", route)
        .with_number("http.response.status_code", status.as_u16().into());
    span.rename(format!("{method} {route}"));
    if status.is_server_error() {
        span.fail(status.as_str());
    }
}

/// Maps unknown methods to `other`: each would be a time series of its own.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::body::to_bytes;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use service::clock::Clock;

    #[actix_web::test]
    async fn a_panic_is_a_problem_too() {
        async fn fall() -> HttpResponse {
            panic!("this handler falls on purpose")
        }
        let serve_all = |request: ServiceRequest, next: Next<BoxBody>| async move {
            serve(&RequestContext::of(&request, &[]), &AccessLog::new(Clock::system()), next.call(request)).await
        };
        let app = App::new().wrap(from_fn(serve_all)).route("/fall", web::get().to(fall));
        let app = init_service(app).await;
        let request = TestRequest::with_uri("/fall").insert_header(("x-request-id", "id-1")).to_request();
        let error = try_call_service(&app, request).await.expect_err("the request is lost");
        let response = error.error_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers().get("x-request-id").unwrap(), "id-1");
        let body: serde_json::Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(body["instance"], "/fall");
        assert!(!body.to_string().contains("on purpose"));
    }
}
