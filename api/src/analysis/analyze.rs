//! `POST /api/v3/analyze`: synchronous for the caller, a queued job inside.

use std::time::Duration;

use actix_web::http::header::{Accept, Header, Quality};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::analysis::{AnalysisTask, AnalysisType, Severity, Suppressions};
use domain::identity::Role;
use domain::ids::{Digest, UserName};
use messaging::{AnalysisAnswer, AnalysisError, AnalysisRequests, decode, encode};
use read_model::ReadModel;
use serde_json::{Value, json};
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use service::telemetry::TraceContext;
use tokio::time::Instant;

use crate::analysis::sarif;
use crate::analysis::suggestions::{self, AnalyzeOptions};
use crate::auth::tokens::Caller;
use crate::http::body::{BodyMemoryBudget, discard, read_body};
use crate::http::json_fields::{FieldReader, Object};
use crate::http::problem::Problem;
use crate::http::request_context::trace_of;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;

/// The part of the application state for interactive analysis.
pub(crate) struct Analyses {
    pub(crate) requests: AnalysisRequests,
    pub(crate) cache: ReadModel,
    pub(crate) cache_ttl: Duration,
    pub(crate) deadline: Duration,
    /// Price of a CPU second.
    pub(crate) cpu_second: f64,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: web::Data<Lifecycle>,
}

/// Analyzes the code in the body, or returns the cached result of an equal request.
pub(crate) async fn analyze(
    analyses: web::Data<Analyses>,
    limits: web::Data<RateLimits>,
    body_memory: web::Data<BodyMemoryBudget>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let began = Instant::now();
    if !caller.is_at_least(Role::Developer) {
        discard(&request, payload.into_inner()).await;
        return Err(Problem::forbidden("Viewers cannot request analyses; ask an operator for the role developer."));
    }
    let payload = limits.admit_body(&request, &caller.user, Operation::Analyze, payload).await?;
    let (task, options) = read_body(&body_memory, &caller.user, &request, payload, parse_analyze_request).await?;
    let (analysis_type, file_path) = (task.analysis_type, task.file_path.clone());
    let (answer, is_hit) = analyses.run(&caller.user.name, task, trace_of(&request)).await?;
    if prefers_sarif(&request) {
        let log = sarif::log(&answer.report, options, file_path.as_deref());
        return Ok(HttpResponse::Ok().content_type(sarif::MEDIA_TYPE).body(log.to_string()));
    }
    let cost = if is_hit { 0.0 } else { cpu_cost(answer.cpu_ms, analyses.cpu_second) };
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": suggestions::response_data(&answer.report, analysis_type, options),
        "metadata": {
            "processing_time_ms": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "agents_consulted": suggestions::agents_consulted(&answer.report, analysis_type),
            "tools_used": answer.report.tools,
            "suppressed": answer.report.suppressed.len(),
            "cost": cost,
            "cache_hit": is_hit,
        },
    })))
}

fn cpu_cost(cpu_ms: u64, price: f64) -> f64 {
    (Duration::from_millis(cpu_ms).as_secs_f64() * price * 1e6).round() / 1e6
}

/// Returns whether the caller names SARIF and does not prefer JSON; a pattern such as `*/*` states no preference.
fn prefers_sarif(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    let quality =
        |kind: &str| accept.iter().filter(|item| item.item.essence_str() == kind).map(|item| item.quality).max();
    let json = ["application/json", "application/*", "*/*"].into_iter().find_map(quality);
    quality(sarif::MEDIA_TYPE).is_some_and(|sarif| sarif > Quality::ZERO && json.is_none_or(|json| sarif >= json))
}

fn parse_analyze_request(body: &Value) -> Result<(AnalysisTask, AnalyzeOptions), Problem> {
    let root = FieldReader::body(body)?;
    let mut fields = FieldReader::default();
    let types = [
        ("security", AnalysisType::Security),
        ("performance", AnalysisType::Performance),
        ("architecture", AnalysisType::Architecture),
        ("general", AnalysisType::General),
    ];
    let analysis_type = fields.choice(root, "analysis_type", &types).unwrap_or_default();
    let context = fields.object(root, "context");
    let project = fields.object(context, "context.project_context");
    let task = AnalysisTask {
        analysis_type,
        source: read_source(&mut fields, context, project)?,
        file_path: fields.text(context, "file_path", 1_024).filter(|path| !path.is_empty()),
        language: fields.text(context, "language", 64).filter(|name| !name.trim().is_empty()),
        framework: fields.text(project, "framework", 200),
        dependencies: fields.names(project, "dependencies", 200),
        // Callers analyze their own code, and no approval depends on the result.
        suppressions: Suppressions::Honor,
    };
    let options = read_options(&mut fields, root);
    fields.finish()?;
    Ok((task, options))
}

/// Reads `context.file_content`, or if absent the one in the project context.
fn read_source(fields: &mut FieldReader, context: Object<'_>, project: Object<'_>) -> Result<String, Problem> {
    let name = "file_content";
    let place = if context.get(name).is_some() { context } else { project };
    let is_text = place.get(name).is_none_or(Value::is_string);
    let source = fields.code(place, name)?;
    if source.is_none() && is_text && !place.get(name).and_then(Value::as_str).is_some_and(|text| text.contains('\0')) {
        fields.wrong(context, name, "is required: the code to analyze, not blank");
    }
    Ok(source.unwrap_or_default())
}

fn read_options(fields: &mut FieldReader, root: Object<'_>) -> AnalyzeOptions {
    let options = fields.object(root, "options");
    let levels = [("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High)];
    AnalyzeOptions {
        include_suggestions: fields.flag(options, "include_suggestions", true),
        include_examples: fields.flag(options, "include_examples", true),
        max_suggestions: fields.count(options, "max_suggestions", 50),
        threshold: fields.choice(options, "severity_threshold", &levels).unwrap_or(Severity::Medium),
    }
}

impl Analyses {
    /// Returns the result and whether it came from the cache. The cache key is a digest that includes the user: a hit
    /// across users would reveal that another user has the same code.
    async fn run(
        &self,
        user: &UserName,
        task: AnalysisTask,
        trace: TraceContext,
    ) -> Result<(AnalysisAnswer, bool), Problem> {
        let name = format!("analysis:{}:{user}:{}", env!("CARGO_PKG_VERSION"), Digest::of(&encode(&task)));
        if let Ok(Some(cached)) = self.cache.cached(&name).await
            && let Ok(answer) = decode(&cached)
        {
            return Ok((answer, true));
        }
        let outcome = self.requests.ask(task, user.as_str(), self.clock.now(), self.deadline, trace).await;
        let answer = outcome.map_err(|error| analysis_unavailable(&error))?;
        let (cache, encoded, ttl) = (self.cache.clone(), encode(&answer), self.cache_ttl);
        // The caller does not wait for the cache.
        self.lifecycle.spawn(async move {
            if let Err(error) = cache.cache(&name, &encoded, ttl).await {
                tracing::debug!(%error, "Failed to cache an analysis");
            }
        });
        Ok((answer, false))
    }
}

fn analysis_unavailable(error: &AnalysisError) -> Problem {
    match error {
        AnalysisError::NoWorker => {
            Problem::unavailable("No worker answered in time; try again.", Duration::from_secs(5))
        }
        AnalysisError::Unavailable(reason) => {
            tracing::warn!(reason, "Failed to queue an analysis: {reason}");
            Problem::unavailable("Analyses cannot be queued right now; try again.", Duration::from_secs(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    #[track_caller]
    fn check(body: Value, wrong: &[&str]) {
        let named: Vec<String> = match parse_analyze_request(&body) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                let document = problem.document();
                document["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
            }
        };
        assert_eq!(named, wrong, "{body}");
    }

    #[test]
    fn analyze_requests_are_validated() {
        let with = |options: Value| json!({"context": {"file_content": "x = 1"}, "options": options});
        check(with(json!({})), &[]);
        check(json!({"context": {"project_context": {"file_content": "x = 1"}}}), &[]);
        check(json!({}), &["context.file_content"]);
        check(json!({"context": {"file_content": "  \n"}}), &["context.file_content"]);
        check(
            json!({"context": {"file_content": "", "project_context": {"file_content": "x"}}}),
            &["context.file_content"],
        );
        check(json!({"context": {"file_content": 5}}), &["context.file_content"]);
        check(json!({"context": {"file_content": "a\u{0}"}}), &["context.file_content"]);
        for (count, read) in [(json!(0), 0), (json!(-1), 0), (json!(7), 7), (json!(100_000), 100_000)] {
            let options = parse_analyze_request(&with(json!({"max_suggestions": count}))).unwrap().1;
            assert_eq!(options.max_suggestions, read, "{count}");
        }
        check(with(json!({"max_suggestions": 2.5})), &["options.max_suggestions"]);
        check(with(json!({"max_suggestions": "5"})), &["options.max_suggestions"]);
        check(with(json!({"severity_threshold": "critical"})), &["options.severity_threshold"]);
        check(with(json!({"include_examples": 1})), &["options.include_examples"]);
        check(json!({"analysis_type": "magic", "context": {"file_content": "x"}}), &["analysis_type"]);
        let dependencies =
            |value: Value| json!({"context": {"file_content": "x", "project_context": {"dependencies": value}}});
        let names = |value: Value| parse_analyze_request(&dependencies(value)).unwrap().0.dependencies;
        assert_eq!(names(json!(["flask==2.0", "x".repeat(300)])), ["flask==2.0".to_owned(), "x".repeat(200)]);
        assert_eq!(names(json!({"pycrypto": "^2.6", "flask": {"version": "2"}})), ["flask", "pycrypto"]);
        for wrong in [json!("flask"), json!([1]), json!(["flask", null])] {
            check(dependencies(wrong), &["context.project_context.dependencies"]);
        }
    }

    #[test]
    fn the_first_file_content_wins() {
        let body = json!({"context": {"file_content": "a = 1", "project_context": {"file_content": "b = 2"}}});
        assert_eq!(parse_analyze_request(&body).unwrap().0.source, "a = 1");
    }

    #[test]
    fn accept_weights_choose_the_format() {
        let check = |accept: &str, expect: bool| {
            let request = TestRequest::default().insert_header((ACCEPT, accept)).to_http_request();
            assert_eq!(prefers_sarif(&request), expect, "{accept}");
        };
        check("application/sarif+json", true);
        check("Application/SARIF+JSON; version=2.1.0", true);
        check("application/json, application/sarif+json", true);
        check("application/sarif+json, */*;q=0.1", true);
        check("application/sarif+json;q=0.5, application/json;q=0.4, */*", true);
        check("application/json;q=1, application/sarif+json;q=0.5", false);
        check("application/sarif+json;q=0.5, */*", false);
        check("application/sarif+json;q=0", false);
        check("*/*", false);
        check("", false);
        assert!(!prefers_sarif(&TestRequest::default().to_http_request()));
    }
}
