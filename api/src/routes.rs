//! The table of routes. A test compares it with the OpenAPI document.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard, web};

use crate::admin::dead_letters;
use crate::analysis::analyze;
use crate::approvals::{decide, inbox};
use crate::auth::refresh::refresh;
use crate::auth::revoke::revoke;
use crate::auth::sign_in::sign_in;
use crate::executions::{artifacts, batch, cancel, events, list, status, submit};
use crate::http::body::discard;
use crate::http::problem::Problem;
use crate::middleware::bearer::require_token;
use crate::ops::{docs, health, openapi, runtimes};
use crate::recipes::handlers;

/// Paths under this prefix require a token.
const AUTHENTICATED_PREFIX: &str = "/api/v3";

/// A method and a path with its handler.
struct Endpoint {
    method: Method,
    path: &'static str,
    route: Route,
}

fn get(path: &'static str, route: impl FnOnce(Route) -> Route) -> Endpoint {
    Endpoint { method: Method::GET, path, route: route(web::route()) }
}

fn post(path: &'static str, route: impl FnOnce(Route) -> Route) -> Endpoint {
    Endpoint { method: Method::POST, path, route: route(web::route()) }
}

fn delete(path: &'static str, route: impl FnOnce(Route) -> Route) -> Endpoint {
    Endpoint { method: Method::DELETE, path, route: route(web::route()) }
}

/// Returns every route, in the order in which paths are matched.
fn calls() -> Vec<Endpoint> {
    vec![
        get("/", |route| route.to(docs::root)),
        get("/docs", |route| route.to(docs::explorer)),
        get("/openapi.json", |route| route.to(openapi::document)),
        get("/health", |route| route.to(health::health)),
        get("/ready", |route| route.to(health::ready)),
        post("/auth/token", |route| route.to(sign_in)),
        post("/auth/refresh", |route| route.to(refresh)),
        post("/auth/revoke", |route| route.to(revoke)),
        post("/api/v3/execute", |route| route.to(submit::submit)),
        post("/api/v3/execute/batch", |route| route.to(batch::batch)),
        get("/api/v3/execute", |route| route.to(list::list)),
        get("/api/v3/execute/status/{workflow_id}", |route| route.to(status::status)),
        post("/api/v3/execute/cancel/{workflow_id}", |route| route.to(cancel::cancel)),
        post("/api/v3/execute/approve/{workflow_id}", |route| route.to(decide::decide)),
        get("/api/v3/execute/{workflow_id}/events", |route| route.to(events::events)),
        get("/api/v3/execute/{workflow_id}/artifacts/{name:.+}", |route| route.to(artifacts::artifact)),
        get("/api/v3/approvals", |route| route.to(inbox::inbox)),
        get("/api/v3/admin/dead-letters", |route| route.to(dead_letters::list)),
        get("/api/v3/admin/dead-letters/{id}", |route| route.to(dead_letters::show)),
        delete("/api/v3/admin/dead-letters/{id}", |route| route.to(dead_letters::discard)),
        get("/api/v3/recipes", |route| route.to(handlers::list)),
        get("/api/v3/recipes/{name}", |route| route.to(handlers::show)),
        get("/api/v3/runtimes", |route| route.to(runtimes::runtimes)),
        post("/api/v3/analyze", |route| route.to(analyze::analyze)),
    ]
}

/// Returns method and path of every route, as metrics name them.
pub(crate) fn served() -> impl Iterator<Item = (Method, &'static str)> {
    calls().into_iter().map(|call| (call.method, call.path))
}

/// Registers every route. Other paths and methods are 404, or 401 without a token under [`AUTHENTICATED_PREFIX`].
///
/// Outside the prefix `HEAD` is answered like `GET`, for load balancers and monitors; the server leaves out the body.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let (mut authenticated, mut open) = (Vec::new(), Vec::new());
    for call in calls() {
        match call.path.strip_prefix(AUTHENTICATED_PREFIX) {
            Some(rest) => authenticated.push((rest, call.route.method(call.method))),
            None if call.method == Method::GET => {
                open.push((call.path, call.route.guard(guard::Any(guard::Get()).or(guard::Head()))));
            }
            None => open.push((call.path, call.route.method(call.method))),
        }
    }
    let scope = web::scope(AUTHENTICATED_PREFIX).default_service(web::to(route_not_found));
    let scope = resources(authenticated).into_iter().fold(scope, actix_web::Scope::service);
    config.service(scope.wrap(from_fn(require_token)));
    for resource in resources(open) {
        config.service(resource);
    }
    config.default_service(web::to(route_not_found));
}

/// Groups routes into one resource per path; other methods on it are 404, as for an unknown path.
fn resources(calls: Vec<(&'static str, Route)>) -> Vec<Resource> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    let mut resources: Vec<Resource> = Vec::new();
    for (path, route) in calls {
        let place = *order.entry(path).or_insert(resources.len());
        if place == resources.len() {
            resources.push(web::resource(path).default_service(web::to(route_not_found)).route(route));
        } else {
            let known = std::mem::replace(&mut resources[place], web::resource(path));
            resources[place] = known.route(route);
        }
    }
    resources
}

/// Answers any path and method without a route.
async fn route_not_found(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    discard(&request, payload.into_inner()).await;
    Err(Problem::route_not_found())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::ops::openapi::DOCUMENT;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn every_call_is_documented_and_every_documented_call_is_there() {
        let served: BTreeSet<(String, String)> = calls()
            .iter()
            .map(|call| (call.path.replace(":.+}", "}"), call.method.as_str().to_ascii_lowercase()))
            .collect();
        let document = document();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| (path.clone(), method.clone()))
            })
            .collect();
        assert_eq!(served, documented);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_is_whole() {
        let document = document();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 50);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
                let id = operation["operationId"].as_str().unwrap_or_default();
                assert!(!id.is_empty() && ids.insert(id.to_owned()), "{method} {path}");
                assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
                let is_authenticated = path.starts_with(AUTHENTICATED_PREFIX);
                let responses = operation["responses"].as_object().unwrap();
                let of_a_body =
                    ["400", "408", "413", "415", "422"].iter().all(|status| responses.contains_key(*status));
                assert_eq!(operation["requestBody"].is_object(), of_a_body, "{method} {path}");
                assert!(
                    !is_authenticated || (responses.contains_key("401") && responses.contains_key("429")),
                    "{method} {path}"
                );
            }
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    references.push(reference.clone());
                }
                members.values().for_each(|value| collect(value, references));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
