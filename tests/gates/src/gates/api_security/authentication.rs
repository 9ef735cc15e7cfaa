//! Requests without a token, and with one that is no token.

use ::tests::Client;

use super::document::Document;
use super::probes::{Probes, send_patiently};

/// Everything below requires a token, whether it exists or not.
const PROTECTED: &str = "/api/v3";

/// The operations that need no token. This list is not read from the document, which could open anything.
const OPEN: [(&str, &str); 9] = [
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("POST", "/auth/token"),
    ("POST", "/auth/refresh"),
];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Paths that are in no document.
const UNKNOWN: [&str; 15] = [
    "/api/v3",
    "/api/v3/",
    "/api/v3/nowhere",
    "/api/v3/users",
    "/api/v3/admin",
    "/api/v3/admin/users",
    "/api/v3/%65xecute",
    "/api/v3//execute",
    "/API/v3/execute",
    "/api/v2/execute",
    "/api",
    "/auth/users",
    "/metrics",
    "/admin",
    "/.env",
];

/// Sends every method to every path of the document and to unknown ones. `workflow` is an existing workflow, so that a path
/// that forgets its token has something to return.
pub async fn probe(stranger: &Client, document: &Document, workflow: &str) -> Probes {
    let mut probes = Probes::default();
    for operation in document.operations.iter().filter(|operation| operation.is_open) {
        let is_known = is_open(&operation.method, &operation.path);
        probes.book(&format!("{} {} is documented", operation.method, operation.path), 0, is_known, "with a token");
    }
    let forged = stranger.clone().with_token("forged");
    for path in document.paths() {
        let filled = fill(path, workflow);
        for method in METHODS.into_iter().filter(|method| !is_open(method, path)) {
            let is_documented = document.find(method, path).is_some();
            probe_one(&mut probes, stranger, method, &filled, is_documented).await;
            if is_documented {
                probe_one(&mut probes, &forged, method, &filled, true).await;
            }
        }
    }
    for path in UNKNOWN {
        for method in METHODS {
            probe_one(&mut probes, stranger, method, path, false).await;
        }
    }
    probes
}

async fn probe_one(probes: &mut Probes, client: &Client, method: &str, path: &str, is_documented: bool) {
    let has_body = matches!(method, "POST" | "PUT" | "PATCH");
    let answer = send_patiently(client, method, path, has_body.then(|| "{}".to_owned())).await;
    let token = if client.token().is_empty() { "no token" } else { "a forged token" };
    let what = format!("{method} {path} with {token}");
    if is_documented || path.starts_with(PROTECTED) {
        probes.book(&what, answer.status, answer.status == 401, "401");
    } else {
        // Outside of the protected paths an unknown one is not found.
        probes.book(&what, answer.status, (400..500).contains(&answer.status), "4xx");
    }
}

/// A GET that is open is open to HEAD.
fn is_open(method: &str, path: &str) -> bool {
    let method = if method == "HEAD" { "GET" } else { method };
    OPEN.contains(&(method, path))
}

/// Replaces the parameters of a path.
fn fill(path: &str, workflow: &str) -> String {
    let segment = |segment: &str| match segment {
        "{workflow_id}" => workflow.to_owned(),
        "{id}" => "1".to_owned(),
        "{name}" if path.contains("/artifacts/") => "generated_code".to_owned(),
        "{name}" => "fizzbuzz".to_owned(),
        other if other.starts_with('{') => "x".to_owned(),
        other => other.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}
