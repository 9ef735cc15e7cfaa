//! Signing in, tokens, and requests without a valid token.

use domain::identity::{Role, SigningKey, User};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use messaging::Buckets;
use serde_json::{Value, json};
use test_support::wait_until;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::stack::{Api, PASSWORD, Stack, goal, read, user};

const ABSENT: &str = "/api/v3/execute/status/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_under_the_api_requires_a_token() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    for (method, path) in [
        ("POST", "/api/v3/execute"),
        ("GET", "/api/v3/execute"),
        ("GET", ABSENT),
        ("GET", "/api/v3/approvals"),
        ("POST", "/api/v3/analyze"),
        ("GET", "/api/v3/execute/x/events"),
        ("GET", "/api/v3/execute/x/artifacts/generated_code"),
        ("PUT", "/api/v3/execute"),
        ("DELETE", "/api/v3/execute/x"),
        ("OPTIONS", "/api/v3/execute"),
        ("GET", "/api/v3/no/such/path"),
        ("POST", "/api/v3/execute/continue/x"),
        ("BREW", "/api/v3/coffee"),
        ("GET", "/api/v3"),
        ("GET", "/api/v3/"),
    ] {
        let response = api.request(method, path).body("{broken").send().await.unwrap();
        let challenge = response.headers().get("www-authenticate").unwrap().to_str().unwrap().to_owned();
        let (status, _) = read(response).await;
        assert_eq!((status, challenge.as_str()), (401, "Bearer"), "{method} {path}");
    }
    for (method, path) in [
        ("PUT", "/api/v3/execute"),
        ("DELETE", "/api/v3/approvals"),
        ("GET", "/api/v3/no/such/path"),
        ("GET", "/api/v3/analyze"),
        ("POST", "/api/v3/execute/continue/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3"),
        ("POST", "/api/v3/execute/force/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3"),
        ("BREW", "/api/v3/coffee"),
        ("GET", "/nowhere"),
        ("GET", "/auth/token"),
        ("POST", "/health"),
    ] {
        let (status, body) = read(api.request(method, path).bearer_auth(&token).send().await.unwrap()).await;
        assert_eq!(
            (status, body["type"].as_str()),
            (404, Some("urn:promptcraft:problem:route-not-found")),
            "{method} {path}"
        );
    }
}

/// Returns the status of the response to a request whose body is never sent.
async fn status_of_head(api: &Api, head: &str) -> String {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(format!("{head}\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = BufReader::new(stream).lines();
    let line = tokio::time::timeout(std::time::Duration::from_secs(5), answer.next_line()).await;
    line.expect("the answer waits for no body").unwrap().unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_ignores_the_body_does_not_wait_for_it() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("ann").await;
    let id = api.submit(&token).await;
    let bearer = format!("authorization: Bearer {token}");
    let body = "content-length: 10";
    for (head, status) in [
        (format!("GET {ABSENT} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket"), "401"),
        ("GET /nowhere HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket".to_owned(), "404"),
        ("CONNECT example.org:443 HTTP/1.1".to_owned(), "404"),
        (format!("POST /api/v3/execute HTTP/1.1\r\n{body}"), "401"),
        ("POST /api/v3/execute HTTP/1.1\r\ntransfer-encoding: chunked".to_owned(), "401"),
        (format!("POST /nowhere HTTP/1.1\r\n{body}"), "404"),
        (format!("POST /api/v3/execute/cancel/{id} HTTP/1.1\r\n{bearer}\r\n{body}"), "200"),
    ] {
        assert_eq!(status_of_head(&api, &head).await, status, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_truncated_and_expired_tokens_are_rejected() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let (_, key) = Buckets::new(&stack.broker).signing_keys().await.unwrap().all().await.unwrap().remove(0);
    let now = service::clock::Clock::system().now().as_millis() / 1_000;
    let good = json!({
        "iss": "promptcraft", "aud": "promptcraft-api", "sub": "ann", "jti": "j", "fam": "f", "role": "developer",
        "iat": now, "nbf": now, "exp": now + 60,
    });
    check(&api, &sign(&key, Algorithm::HS256, &good), None).await;
    for (change, reason) in [
        (json!({"exp": now - 1}), "expired"),
        (json!({"nbf": now + 60}), "not valid yet"),
        (json!({"iss": "someone else"}), "issuer"),
        (json!({"aud": "something else"}), "audience"),
        (json!({"aud": "promptcraft-api/refresh"}), "audience"),
        (json!({"sub": "nobody"}), "user"),
        (json!({"sub": "gone"}), "user"),
        (json!({"sub": "robot"}), "user"),
        (json!({"exp": (now + 60).to_string()}), ""),
        (json!({"exp": null}), ""),
        (json!({"nbf": null}), ""),
        (json!({"iat": null}), ""),
        (json!({"jti": null}), ""),
        (json!({"sub": null}), ""),
        (json!({"aud": null}), ""),
    ] {
        let mut claims = good.clone();
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        check(&api, &sign(&key, Algorithm::HS256, &claims), Some(reason)).await;
    }
    check(&api, &sign(&key, Algorithm::HS384, &good), Some("signature")).await;
    let other = SigningKey { secret: domain::identity::Secret::fresh(), ..key.clone() };
    check(&api, &sign(&other, Algorithm::HS256, &good), Some("signature")).await;
    let unknown = SigningKey { kid: "unknown".to_owned(), ..key.clone() };
    check(&api, &sign(&unknown, Algorithm::HS256, &good), Some("unknown key")).await;
    let whole = sign(&key, Algorithm::HS256, &good);
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", whole.split('.').nth(1).unwrap());
    for bad in ["x", "a.b.c", &whole[..whole.len() - 4], &unsigned, &"a".repeat(5_000)] {
        check(&api, bad, Some("")).await;
    }
}

fn sign(key: &SigningKey, algorithm: Algorithm, claims: &Value) -> String {
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(algorithm) };
    encode(&header, claims, &EncodingKey::from_secret(key.secret.expose().as_bytes())).unwrap()
}

async fn check(api: &Api, token: &str, refused: Option<&str>) {
    let (status, body) = api.get("/api/v3/execute", token).await;
    match refused {
        None => assert_eq!(status, 200, "{body}"),
        Some(reason) => {
            assert_eq!(status, 401, "{body}");
            let detail = body["detail"].as_str().unwrap();
            assert!(detail.starts_with("Invalid token: ") && detail.contains(reason), "{detail} for {reason}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_users_and_wrong_passwords_get_the_same_response() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let mut answers = Vec::new();
    for (name, password) in [
        ("ann", "wrong password"),
        ("nobody", PASSWORD),
        ("no such name!", PASSWORD),
        ("gone", PASSWORD),
        ("robot", PASSWORD),
    ] {
        let (status, mut body) = api.post("/auth/token", None, &json!({"username": name, "password": password})).await;
        assert_eq!((status, &body["detail"]), (401, &json!("Invalid credentials")), "{name}");
        body["instance"].take();
        answers.push(body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    for (body, status) in [
        ("{broken", 400),
        ("[]", 422),
        ("{}", 422),
        (r#"{"username": "ann"}"#, 422),
        (r#"{"username": 1, "password": []}"#, 422),
        (r#"{"username": "ann", "password": "\u0000"}"#, 422),
    ] {
        let response = api.request("POST", "/auth/token").body(body).send().await.unwrap();
        assert_eq!(read(response).await.0, status, "{body}");
    }
    let pair = api.sign_in("ann").await;
    assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("bearer"), &json!(900)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_stops_at_once_on_every_instance() {
    let stack = Stack::start().await;
    let (one, two) = (stack.api(&[]).await, stack.api(&[]).await);
    let pair = one.sign_in("ann").await;
    let token = pair["access_token"].as_str().unwrap();
    for api in [&one, &two] {
        assert_eq!(api.get("/api/v3/execute", token).await.0, 200);
    }
    assert_eq!(one.post("/auth/revoke", None, &json!({})).await.0, 401);
    assert_eq!(one.post("/auth/revoke", Some(token), &json!({})).await.0, 200);
    for api in [&one, &two] {
        let (status, body) = api.get("/api/v3/execute", token).await;
        assert_eq!((status, &body["detail"]), (401, &json!("Invalid token: revoked")));
    }
    let refresh = json!({"refresh_token": pair["refresh_token"]});
    assert_eq!(two.post("/auth/refresh", None, &refresh).await.0, 401, "its refresh token ends with it");
    let other = two.token("ann").await;
    assert_eq!(one.get("/api/v3/execute", &other).await.0, 200, "another sign-in goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_works_once_and_its_reuse_revokes_the_family() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let first = api.sign_in("ann").await;
    let trade =
        async |pair: &Value| api.post("/auth/refresh", None, &json!({"refresh_token": pair["refresh_token"]})).await;
    let (status, second) = trade(&first).await;
    assert_eq!(status, 200);
    let (status, third) = trade(&second).await;
    assert_eq!(status, 200);
    assert_eq!(api.get("/api/v3/execute", third["access_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(trade(&first).await.0, 401, "used before");
    assert_eq!(trade(&third).await.0, 401, "the family is revoked");
    let newest = third["access_token"].as_str().unwrap();
    wait_until("the family's access tokens stop", async || api.get("/api/v3/execute", newest).await.0 == 401).await;
    let access_as_refresh = json!({"refresh_token": api.sign_in("ann").await["access_token"]});
    assert_eq!(api.post("/auth/refresh", None, &access_as_refresh).await.0, 401);
    let large = json!({"refresh_token": "x".repeat(17_000)});
    assert_eq!(api.post("/auth/refresh", None, &large).await.0, 413);
    for body in [json!({}), json!({"refresh_token": 5}), json!([])] {
        assert_eq!(api.post("/auth/refresh", None, &body).await.0, 422);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_refreshes_of_one_token_do_not_both_succeed() {
    let stack = Stack::start().await;
    let (one, two) = (stack.api(&[]).await, stack.api(&[]).await);
    let body = json!({"refresh_token": one.sign_in("ann").await["refresh_token"]});
    let (left, right) = tokio::join!(one.post("/auth/refresh", None, &body), two.post("/auth/refresh", None, &body));
    assert!(left.0 != 200 || right.0 != 200, "{} {}", left.0, right.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_end_with_their_password_or_user_and_later_ones_work() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let now = service::clock::Clock::system().now();
    let of_then = |millis: u64| User {
        tokens_from: Some(now.after(std::time::Duration::from_millis(millis))),
        ..user("eve", Role::Developer)
    };
    // Disabled and enabled again, or removed and added, within the second in which the tokens were issued.
    for change in 0..2 {
        let pair = api.sign_in("eve").await;
        let old = pair["access_token"].as_str().unwrap();
        assert_eq!(api.get("/api/v3/execute", old).await.0, 200);
        stack.put_user(&of_then(change)).await;
        wait_until("the access token stops", async || api.get("/api/v3/execute", old).await.0 == 401).await;
        let refresh = json!({"refresh_token": pair["refresh_token"]});
        let (status, body) = api.post("/auth/refresh", None, &refresh).await;
        assert_eq!((status, &body["detail"]), (401, &json!("Invalid token: revoked")));
        let next = api.sign_in("eve").await;
        let refresh = json!({"refresh_token": next["refresh_token"]});
        let (status, traded) = api.post("/auth/refresh", None, &refresh).await;
        assert_eq!(status, 200, "{traded}");
        assert_eq!(api.get("/api/v3/execute", traded["access_token"].as_str().unwrap()).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_user_stops_at_once_and_a_changed_role_counts_at_once() {
    let stack = Stack::start().await;
    let api = stack.api(&[]).await;
    let token = api.token("eve").await;
    stack.put_user(&user("eve", Role::Viewer)).await;
    let submit = async || api.post("/api/v3/execute", Some(&token), &goal()).await.0;
    wait_until("a viewer may not submit", async || submit().await == 403).await;
    stack.put_user(&User { disabled: true, ..user("eve", Role::Developer) }).await;
    wait_until("a disabled user is rejected", async || submit().await == 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_refuses_the_demo_stack_and_says_why() {
    let stack = Stack::start().await;
    let refusal = async |profile: &str| {
        let config =
            api::Config::read(stack.settings(&[("profile", profile), ("limits.profile", "standard")])).unwrap();
        let life = service::lifecycle::Lifecycle::new();
        let outcome = api::Application::build(config, life.clone()).await;
        life.stop();
        outcome.err().map(|error| error.to_string())
    };
    assert_eq!(refusal("demo").await, None);
    assert!(refusal("production").await.unwrap().contains("demo"));
    let keys = Buckets::new(&stack.broker).signing_keys().await.unwrap();
    let (kid, demo) = keys.all().await.unwrap().remove(0);
    let own = SigningKey::fresh(false, demo.created_at);
    keys.put(&own.kid, &own).await.unwrap();
    assert!(refusal("production").await.unwrap().contains("signing key"));
    keys.delete(&kid).await.unwrap();
    assert!(refusal("production").await.unwrap().contains("the user"));
    keys.delete(&own.kid).await.unwrap();
    assert!(refusal("development").await.unwrap().contains("promptcraft admin keys rotate"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_revocation_updates_rejects_requests() {
    let stack = Stack::start().await;
    let api = stack.api(&[("auth.max_revocation_staleness", "3s")]).await;
    let token = api.token("ann").await;
    let list = async || {
        let response = api.request("GET", "/api/v3/execute").bearer_auth(&token).send().await.unwrap();
        let waits = response.headers().contains_key("retry-after");
        (read(response).await.0, waits)
    };
    assert_eq!(list().await.0, 200);
    stack.hold_broker("-STOP");
    wait_until("requests are rejected", async || list().await == (503, true)).await;
    let forged = api.request("GET", "/api/v3/execute").bearer_auth("x").send().await.unwrap();
    assert_eq!(read(forged).await.0, 401, "a forged token is always 401");
    assert_eq!(api.get("/ready", "").await.0, 503, "a balancer is to go elsewhere");
    let (status, health) = api.get("/health", "").await;
    assert_eq!((status, &health["services"]["nats"]["status"]), (503, &json!("down")));
    stack.hold_broker("-CONT");
    wait_until("requests are accepted again", async || list().await.0 == 200).await;
    assert_eq!(api.get("/ready", "").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_credentials_work_in_the_demo_only() {
    let stack = Stack::start().await;
    let demo = stack.api(&[]).await;
    let known_to_all = demo.token("ann").await;
    let own = SigningKey::fresh(false, service::clock::Clock::system().now());
    let keys = Buckets::new(&stack.broker).signing_keys().await.unwrap();
    let (_, demo_key) = keys.all().await.unwrap().remove(0);
    keys.put(&own.kid, &own).await.unwrap();
    stack.put_user(&User { demo: false, ..user("eve", Role::Developer) }).await;
    let api = stack.api(&[("profile", "development")]).await;
    assert_eq!(api.get("/api/v3/execute", &known_to_all).await.0, 401);
    let pair = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(api.post("/auth/token", None, &pair).await.0, 401);
    let eve = api.token("eve").await;
    assert_eq!(api.get("/api/v3/execute", &eve).await.0, 200);
    let now = service::clock::Clock::system().now().as_millis() / 1_000;
    let claims = |name: &str| {
        json!({
            "iss": "promptcraft", "aud": "promptcraft-api", "sub": name, "jti": "j", "fam": "f", "role": "developer",
            "iat": now, "nbf": now, "exp": now + 60,
        })
    };
    check(&api, &sign(&demo_key, Algorithm::HS256, &claims("eve")), Some("unknown key")).await;
    check(&api, &sign(&own, Algorithm::HS256, &claims("ann")), Some("user")).await;
    check(&api, &sign(&own, Algorithm::HS256, &claims("eve")), None).await;
    assert_eq!(demo.post("/auth/token", None, &pair).await.0, 200, "the demo's own");
}
