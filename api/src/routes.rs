//! Every call there is: this table is served, and a test compares it with the OpenAPI document.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{Resource, Route, guard, web};

use crate::admin::dead_letters;
use crate::analysis::analyze;
use crate::approvals::{decide, inbox};
use crate::auth::caller::require_token;
use crate::auth::refresh::refresh;
use crate::auth::revoke::revoke;
use crate::auth::sign_in::sign_in;
use crate::executions::{artifacts, cancel, events, list, submit, views};
use crate::middleware::observe::no_such_call;
use crate::ops::{docs, health, openapi};
use crate::recipes::catalogue;

/// Under this path nothing is answered without a token.
const BEHIND_THE_DOOR: &str = "/api/v3";

/// A method and a path with what serves it.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    route: Route,
}

fn get(path: &'static str, route: impl FnOnce(Route) -> Route) -> Call {
    Call { method: Method::GET, path, route: route(web::route()) }
}

fn post(path: &'static str, route: impl FnOnce(Route) -> Route) -> Call {
    Call { method: Method::POST, path, route: route(web::route()) }
}

fn delete(path: &'static str, route: impl FnOnce(Route) -> Route) -> Call {
    Call { method: Method::DELETE, path, route: route(web::route()) }
}

/// Every call, in the order in which paths are tried.
pub(crate) fn calls() -> Vec<Call> {
    vec![
        get("/", |route| route.to(docs::root)),
        get("/docs", |route| route.to(docs::explorer)),
        get("/openapi.json", |route| route.to(openapi::document)),
        get("/health", |route| route.to(health::health)),
        get("/ready", |route| route.to(health::ready)),
        post("/auth/token", |route| route.to(sign_in)),
        post("/auth/refresh", |route| route.to(refresh)),
        post("/auth/revoke", |route| route.to(revoke)),
        post("/api/v3/execute", |route| route.to(submit::execute)),
        get("/api/v3/execute", |route| route.to(list::list)),
        get("/api/v3/execute/status/{workflow_id}", |route| route.to(views::status)),
        post("/api/v3/execute/cancel/{workflow_id}", |route| route.to(cancel::cancel)),
        post("/api/v3/execute/approve/{workflow_id}", |route| route.to(decide::approve)),
        get("/api/v3/execute/{workflow_id}/events", |route| route.to(events::events)),
        get("/api/v3/execute/{workflow_id}/artifacts/{name:.+}", |route| route.to(artifacts::artifact)),
        get("/api/v3/approvals", |route| route.to(inbox::inbox)),
        get("/api/v3/admin/dead-letters", |route| route.to(dead_letters::list)),
        get("/api/v3/admin/dead-letters/{id}", |route| route.to(dead_letters::show)),
        delete("/api/v3/admin/dead-letters/{id}", |route| route.to(dead_letters::discard)),
        get("/api/v3/recipes", |route| route.to(catalogue::list)),
        get("/api/v3/recipes/{name}", |route| route.to(catalogue::show)),
        post("/api/v3/analyze", |route| route.to(analyze::analyze)),
    ]
}

/// Serves every call; anything else is 404, and behind the door 401 without a token.
///
/// Before the door `HEAD` is answered like `GET`, as load balancers and monitors ask; the server leaves the body out.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let (mut behind, mut open) = (Vec::new(), Vec::new());
    for call in calls() {
        match call.path.strip_prefix(BEHIND_THE_DOOR) {
            Some(rest) => behind.push((rest, call.route.method(call.method))),
            None if call.method == Method::GET => {
                open.push((call.path, call.route.guard(guard::Any(guard::Get()).or(guard::Head()))));
            }
            None => open.push((call.path, call.route.method(call.method))),
        }
    }
    let scope = web::scope(BEHIND_THE_DOOR).default_service(web::to(no_such_call));
    let scope = resources(behind).into_iter().fold(scope, actix_web::Scope::service);
    config.service(scope.wrap(from_fn(require_token)));
    for resource in resources(open) {
        config.service(resource);
    }
    config.default_service(web::to(no_such_call));
}

/// One resource for each path with all its methods; another method is 404 like another path.
fn resources(calls: Vec<(&'static str, Route)>) -> Vec<Resource> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    let mut resources: Vec<Resource> = Vec::new();
    for (path, route) in calls {
        let place = *order.entry(path).or_insert(resources.len());
        if place == resources.len() {
            resources.push(web::resource(path).default_service(web::to(no_such_call)).route(route));
        } else {
            let known = std::mem::replace(&mut resources[place], web::resource(path));
            resources[place] = known.route(route);
        }
    }
    resources
}
