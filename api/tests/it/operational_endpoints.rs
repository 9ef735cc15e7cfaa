//! Health, readiness, metrics, the OpenAPI document and the explorer.

use messaging::{
    ApproverReport, Catalogues, Heartbeats, PublishedRecipe, RecipeFile, RecipeParameter, RecipeSummary, WorkerReport,
};
use read_model::{Difference, ReadModel, compare, rebuild};
use serde_json::{Value, json};
use test_support::wait_until;

use crate::stack::{Stack, goal, read};

fn worker() -> WorkerReport {
    WorkerReport {
        instance: "w1".to_owned(),
        phases: ["plan", "generate", "analyze", "execute", "analyses"].map(str::to_owned).to_vec(),
        runtimes: vec!["python".to_owned()],
        runtime_details: Vec::new(),
        running_workflows: Vec::new(),
        running: 0,
        sandbox_backend: "bubblewrap".to_owned(),
        sandbox_ok: true,
        sandbox_detail: "ready".to_owned(),
        catalogue: None,
        generator: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_follows_heartbeats_and_tolerates_a_missing_redis() {
    let mut stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let health = async || read(api.request("GET", "/health").send().await.unwrap()).await;
    let (code, body) = health().await;
    assert_eq!((code, &body["status"]), (503, &json!("unhealthy")));
    assert!(body["problems"].to_string().contains("worker"));
    let heartbeats = Heartbeats::new(&stack.broker);
    wait_until("only the approver is missing", async || {
        heartbeats.send_worker(&worker()).await;
        let (code, body) = health().await;
        code == 503 && body["problems"].as_array().is_some_and(|all| all.len() == 1)
    })
    .await;
    assert_eq!(health().await.1["services"]["approver"]["status"], "down");
    let approver = ApproverReport { instance: "a1".to_owned() };
    wait_until("the approver is seen", async || {
        heartbeats.send_worker(&worker()).await;
        heartbeats.send_approver(&approver).await;
        health().await.0 == 200
    })
    .await;
    stack.kill_redis();
    heartbeats.send_worker(&worker()).await;
    heartbeats.send_approver(&approver).await;
    let (code, body) = health().await;
    assert_eq!((code, &body["degraded"], &body["services"]["redis"]["status"]), (200, &json!(true), &json!("down")));
    assert_conforms(&body, "Health");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_response_has_security_headers_and_is_counted() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let response = api.request("GET", "/api/v3/execute").bearer_auth(&token).send().await.unwrap();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    assert!(!response.headers().contains_key("strict-transport-security"), "not on loopback");
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let odd = api.request("GET", "/ready").header("x-request-id", "<script>").send().await.unwrap();
    assert_ne!(odd.headers()["x-request-id"], "<script>");
    let text = api.client.get(format!("http://{}/metrics", api.metrics)).send().await.unwrap().text().await.unwrap();
    let counted = r#"promptcraft_http_requests_total{method="GET",route="/api/v3/execute",status="200"}"#;
    assert!(text.contains(counted), "{text}");
    assert_eq!(api.request("GET", "/metrics").send().await.unwrap().status(), 404, "on a port of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_requests_get_no_body() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let metrics = format!("http://{}/metrics", api.metrics);
    for path in ["/", "/docs", "/openapi.json", "/health", "/ready"] {
        let [got, head] = ["GET", "HEAD"].map(|method| api.request(method, path).send());
        let (got, head) = (got.await.unwrap(), head.await.unwrap());
        assert_eq!(head.status(), got.status(), "{path}");
        assert_eq!(head.headers().get("content-type"), got.headers().get("content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    let head = api.client.head(metrics).send().await.unwrap();
    assert_eq!((head.status(), head.bytes().await.unwrap().len()), (reqwest::StatusCode::OK, 0));
    let token = api.token("ann").await;
    for (path, status) in [("/api/v3/execute", 404), ("/auth/token", 404), ("/nowhere", 404)] {
        let head = api.request("HEAD", path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(head.status(), status, "{path}");
    }
    assert_eq!(api.request("HEAD", "/api/v3/execute").send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_explorer_loads_no_external_resources() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let response = api.request("GET", "/").send().await.unwrap();
    assert_eq!(response.url().path(), "/docs");
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = response.text().await.unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    assert!(!page.contains("://") && !page.contains("{{"), "no address of another host");
    let again = api.request("GET", "/docs").send().await.unwrap();
    assert!(!again.headers()["content-security-policy"].to_str().unwrap().contains(&nonce));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_the_documented_form() {
    let stack = Stack::start().await;
    let api = stack.api(&[("analysis.deadline", "50ms")]).await;
    let pair = api.sign_in("ann").await;
    assert_conforms(&pair, "TokenPair");
    let token = pair["access_token"].as_str().unwrap();
    let (_, accepted) = api.post("/api/v3/execute", Some(token), &goal()).await;
    assert_conforms(&accepted, "Accepted");
    let id = accepted["data"]["workflow_id"].as_str().unwrap();
    assert_conforms(&api.get(&format!("/api/v3/execute/status/{id}"), token).await.1, "WorkflowAnswer");
    assert_conforms(&api.get("/api/v3/execute", token).await.1, "WorkflowList");
    assert_conforms(&api.get("/api/v3/approvals", token).await.1, "Inbox");
    assert_conforms(&api.post(&format!("/api/v3/execute/cancel/{id}"), Some(token), &json!({})).await.1, "Cancelled");
    let (code, problem) =
        api.post("/api/v3/analyze", Some(token), &json!({"context": {"file_content": "x = 1"}})).await;
    assert_eq!(code, 503, "no worker runs here");
    assert_conforms(&problem, "Problem");
    assert_conforms(&api.post("/api/v3/execute", Some(token), &json!({})).await.1, "Problem");
    assert_conforms(&api.post("/auth/revoke", Some(token), &json!({})).await.1, "Revoked");
}

fn recipe() -> PublishedRecipe {
    let parameter = RecipeParameter {
        name: "capacity".to_owned(),
        description: "Maximum number of entries".to_owned(),
        kind: "integer".to_owned(),
        default: Some(json!(128)),
        min: Some(1.0),
        max: None,
        choices: Vec::new(),
    };
    PublishedRecipe {
        summary: RecipeSummary {
            name: "lru-cache".to_owned(),
            version: "1.0.0".to_owned(),
            title: "LRU cache".to_owned(),
            summary: "Keep what was used lately.".to_owned(),
            runtime: "node".to_owned(),
            examples: vec!["Write an LRU cache".to_owned()],
            parameters: vec![parameter],
            provides: vec!["class".to_owned()],
        },
        files: vec![RecipeFile { path: "lru.js".to_owned(), is_test: false, content: "'use strict';".to_owned() }],
        documentation: "# LRU cache".to_owned(),
        phrasings: vec!["cache with eviction".to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipes_are_those_that_workers_report() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = &api.token("ann").await;
    let one = "/api/v3/recipes/lru-cache";
    for path in ["/api/v3/recipes", one] {
        assert_eq!(api.get(path, token).await.0, 503, "no worker has reported");
        assert_eq!(read(api.request("GET", path).send().await.unwrap()).await.0, 401);
    }
    let choose = |name: &str| {
        let mut chosen = goal();
        chosen["context"] = json!({"execution_preferences": {"recipe": name}});
        chosen
    };
    assert_eq!(api.post("/api/v3/execute", Some(token), &choose("xyzzy")).await.0, 202, "it may be one");

    let catalogue = Catalogues::open(&stack.broker).await.unwrap().publish(&[recipe()]).await.unwrap();
    let heartbeats = Heartbeats::new(&stack.broker);
    wait_until("the list is there", async || {
        heartbeats.send_worker(&WorkerReport { catalogue: Some(catalogue), ..worker() }).await;
        api.get("/api/v3/recipes", token).await.0 == 200
    })
    .await;
    let (_, list) = api.get("/api/v3/recipes", token).await;
    assert_conforms(&list, "RecipeList");
    let listed = &list["data"]["recipes"][0];
    assert_eq!((&listed["name"], &listed["language"]), (&json!("lru-cache"), &json!("javascript")));
    assert_eq!((&listed["on_all_workers"], &listed["parameters"][0]["default"]), (&json!(true), &json!(128)));
    let (_, whole) = api.get(one, token).await;
    assert_conforms(&whole, "RecipeAnswer");
    assert_eq!(whole["data"]["files"][0]["content"], "'use strict';");

    let first = api.request("GET", one).bearer_auth(token).send().await.unwrap();
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    let tag = first.headers()["etag"].clone();
    let again = api.request("GET", one).bearer_auth(token).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let (code, problem) = api.get("/api/v3/recipes/xyzzy", token).await;
    assert_eq!(code, 404);
    assert!(!problem["detail"].to_string().contains("xyzzy"), "{problem}");
    let (code, problem) = api.post("/api/v3/execute", Some(token), &choose("xyzzy")).await;
    assert_eq!((code, &problem["errors"][0]["field"]), (422, &json!("context.execution_preferences.recipe")));
    assert_eq!(api.post("/api/v3/execute", Some(token), &choose("lru-cache")).await.0, 202);
}

fn document() -> Value {
    serde_json::from_str(include_str!("../../src/ops/openapi.json")).unwrap()
}

#[track_caller]
fn assert_conforms(value: &Value, schema: &str) {
    let document = document();
    let faults = faults(&document, &document["components"]["schemas"][schema], value, schema);
    assert!(faults.is_empty(), "{faults:?} in {value}");
}

/// Lists where `value` violates `schema` or has undocumented members. Covers the parts of JSON Schema that the document
/// uses.
fn faults(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(document, document.pointer(&reference[1..]).expect("a reference"), value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| faults(document, choice, value, place).is_empty()).count();
        return if fitting == 1 { Vec::new() } else { vec![format!("{place} fits {fitting} of its choices")] };
    }
    let mut found = Vec::new();
    let types = &schema["type"];
    let types: Vec<&str> = match types.as_array() {
        Some(several) => several.iter().filter_map(Value::as_str).collect(),
        None => types.as_str().into_iter().collect(),
    };
    let fits = types.is_empty()
        || types.iter().any(|name| match *name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => value.is_null(),
        });
    if !fits {
        found.push(format!("{place} is no {types:?}"));
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        found.push(format!("{place} is none of {allowed:?}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        found.push(format!("{place} is not {}", schema["const"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            found.push(format!("{place}.{name} is missing"));
        }
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, inner) in members {
            match properties.get(name) {
                Some(schema) => found.extend(faults(document, schema, inner, &format!("{place}.{name}"))),
                None if place.contains("services") => {}
                None => found.push(format!("{place}.{name} is not documented")),
            }
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        found.extend(faults(document, &schema["items"], inner, &format!("{place}[]")));
    }
    found
}

#[tokio::test]
async fn forged_states_in_redis_are_neither_shown_nor_kept() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let (true_one, other) = (api.submit(&token).await, api.submit(&token).await);
    let view = ReadModel::open(&format!("redis://127.0.0.1:{}/0", stack.redis_port)).unwrap();
    wait_until("both are in the view", async || compare(&stack.log, &view).await.unwrap().is_empty()).await;
    assert_eq!(api.post(&format!("/api/v3/execute/cancel/{other}"), Some(&token), &json!({})).await.0, 200);

    let unknown = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    let forge = "for k = 2, 3 do \
                   redis.call('HSET', KEYS[k], 'seq', '999999', 'state', redis.call('HGET', KEYS[1], 'state')) end";
    let keys = [&other, &true_one, unknown].map(|id| format!("workflow:{id}"));
    assert_eq!(stack.redis(&["EVAL", forge, "3", &keys[0], &keys[1], &keys[2]]), "");
    stack.redis(&["ZADD", "list:*", "1", unknown]);
    stack.redis(&["ZADD", "list:ann:failed", "1", &true_one]);

    let (code, body) = api.get(&format!("/api/v3/execute/status/{true_one}"), &token).await;
    assert_eq!(
        (code, &body["data"]["status"], &body["data"]["workflow_id"]),
        (200, &json!("created"), &json!(true_one))
    );
    let differences = compare(&stack.log, &view).await.unwrap();
    let mut found: Vec<String> = differences.iter().map(|difference: &Difference| difference.id.to_string()).collect();
    found.sort();
    let mut expected = [true_one.clone(), unknown.to_owned()];
    expected.sort();
    assert_eq!(found, expected);
    rebuild(&stack.log, &view).await.unwrap();
    assert_eq!(compare(&stack.log, &view).await.unwrap(), []);
}
