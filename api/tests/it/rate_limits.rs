//! Rate limits of signing in and of requests without a token.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::stack::{Api, PASSWORD, Stack, goal, read};

/// A response with its rate-limit headers.
struct Answer {
    status: u16,
    body: Value,
    /// `Retry-After`, `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`.
    headers: Vec<Option<u64>>,
}

impl Answer {
    #[track_caller]
    fn assert_limited(&self) {
        assert_eq!(self.status, 429, "{}", self.body);
        assert!(self.body["detail"].as_str().unwrap().contains("Rate limit exceeded"), "{}", self.body);
        assert!(self.headers.iter().all(Option::is_some), "{:?}", self.headers);
        assert!(self.headers[0] > Some(0) && self.headers[2] == Some(0), "{:?}", self.headers);
    }
}

/// Sends a request as a proxy that forwards it from `address`.
async fn send(api: &Api, address: &str, method: &str, path: &str, token: Option<&str>, body: Value) -> Answer {
    let request = api.request(method, path).header("x-forwarded-for", address);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().parse().unwrap());
    let names = ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
    let headers = names.into_iter().map(header).collect();
    let (status, body) = read(response).await;
    Answer { status, body, headers }
}

async fn sign_in(api: &Api, address: &str, name: &str, password: &str) -> Answer {
    send(api, address, "POST", "/auth/token", None, json!({"username": name, "password": password})).await
}

async fn wrong(api: &Api, address: &str, name: &str) -> u16 {
    sign_in(api, address, name, "wrong password").await.status
}

async fn right(api: &Api, address: &str, name: &str) -> u16 {
    sign_in(api, address, name, PASSWORD).await.status
}

/// Starts an API with the default limits and `more` settings, behind a trusted proxy.
async fn limited(stack: &Stack, more: &[(&str, &str)]) -> Api {
    let mut settings = vec![("limits.profile", "standard"), ("api.trusted_proxies", "127.0.0.1")];
    settings.extend(more);
    stack.api(&settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_keeps_no_user_from_signing_in_elsewhere() {
    let mut stack = Stack::start().await;
    let api = limited(&stack, &[("limits.sign_in", "5/1")]).await;
    for (attacker, is_redis_up) in [("203.0.113.1", true), ("203.0.113.2", false)] {
        if !is_redis_up {
            stack.kill_redis();
        }
        let statuses = join_all((0..30).map(|_| wrong(&api, attacker, "ann"))).await;
        let checked = statuses.iter().filter(|status| **status == 401).count();
        assert_eq!(checked, 5, "guesses sent at once do not pass together: {statuses:?}");
        sign_in(&api, attacker, "ann", PASSWORD).await.assert_limited();
        for last in 10..30 {
            assert_eq!(right(&api, &format!("198.51.100.{last}"), "ann").await, 200);
        }
        assert_eq!(right(&api, attacker, "eve").await, 200, "another user behind the attacker's address");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ipv6_network_is_one_address() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.sign_in", "3/1"), ("limits.unauthenticated", "6/1")]).await;
    for host in 1..=3 {
        assert_eq!(wrong(&api, &format!("2001:db8:1:1::{host}"), "ann").await, 401);
    }
    assert_eq!(wrong(&api, "2001:db8:1:1:ffff::9", "ann").await, 429);
    assert_eq!(wrong(&api, "2001:db8:1:2::1", "ann").await, 401, "the next network");
    for host in 1..=6 {
        send(&api, &format!("2001:db8:1:1::{host}"), "GET", "/nowhere", None, Value::Null).await;
    }
    send(&api, "2001:db8:1:1::7", "GET", "/nowhere", None, Value::Null).await.assert_limited();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_passwords_cost_nothing_of_what_wrong_ones_do() {
    let stack = Stack::start().await;
    let small = [
        ("limits.sign_in", "4/1"),
        ("limits.sign_in_address", "4/1"),
        ("limits.sign_in_name", "4/1"),
        ("limits.unauthenticated", "12/1"),
        ("limits.sign_in_attempts", "31/1"),
    ];
    let api = limited(&stack, &small).await;
    for _ in 0..15 {
        assert_eq!(right(&api, "192.0.2.1", "ann").await, 200);
    }
    let together = join_all((0..12).map(|_| right(&api, "192.0.2.1", "ann"))).await;
    assert_eq!(together, [200; 12]);
    for _ in 0..4 {
        assert_eq!(wrong(&api, "192.0.2.1", "ann").await, 401);
    }
    assert_eq!(wrong(&api, "192.0.2.1", "ann").await, 429);
    assert_eq!(wrong(&api, "192.0.2.1", "eve").await, 429, "the address's bucket is empty");
    let other = limited(&stack, &[("limits.sign_in_attempts", "2/1")]).await;
    for status in [200, 200, 429] {
        assert_eq!(right(&other, "192.0.2.2", "ann").await, status, "hashing is bounded, too");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_tries_many_names_is_limited() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.sign_in_address", "3/1")]).await;
    for name in ["ann", "nobody", "no such name!"] {
        assert_eq!(wrong(&api, "203.0.113.1", name).await, 401);
    }
    sign_in(&api, "203.0.113.1", "eve", "wrong password").await.assert_limited();
    assert_eq!(wrong(&api, "203.0.113.2", "eve").await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guessed_name_is_slowed_down_and_never_locked_out() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.sign_in_name", "6/1")]).await;
    for last in 1..=6 {
        assert_eq!(wrong(&api, &format!("203.0.113.{last}"), "ann").await, 401);
    }
    for status in [401, 401, 401, 401, 429] {
        assert_eq!(wrong(&api, "203.0.113.99", "ann").await, status);
    }
    for last in 1..=20 {
        assert_eq!(right(&api, &format!("198.51.100.{last}"), "ann").await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_a_valid_token_are_limited_per_address_and_cost_redis_nothing() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.unauthenticated", "7/1")]).await;
    let token = api.token("ann").await;
    let flood = "203.0.113.1";
    stack.redis(&["FLUSHALL"]);
    for (method, path, token, status) in [
        ("GET", "/api/v3/execute", None, 401),
        ("GET", "/api/v3/execute", Some("forged"), 401),
        ("GET", "/nowhere", None, 404),
        ("GET", "/nowhere", Some("a.b.c"), 404),
        ("BREW", "/api/v3/coffee", None, 401),
        ("GET", "/openapi.json", None, 200),
        ("POST", "/auth/revoke", None, 401),
    ] {
        assert_eq!(send(&api, flood, method, path, token, Value::Null).await.status, status, "{method} {path}");
    }
    for (method, path) in [("GET", "/api/v3/execute"), ("GET", "/x"), ("GET", "/auth/token"), ("GET", "/docs")] {
        send(&api, flood, method, path, Some("forged"), Value::Null).await.assert_limited();
    }
    assert_eq!(stack.redis(&["KEYS", "rate:*"]), "");
    for _ in 0..20 {
        let answer = send(&api, flood, "GET", "/api/v3/execute", Some(&token), Value::Null).await;
        assert_eq!(answer.status, 200, "a caller with a token behind the same address");
    }
    assert_eq!(send(&api, flood, "GET", "/ready", None, Value::Null).await.status, 200, "a probe behind it");
    assert_eq!(send(&api, "203.0.113.2", "GET", "/docs", None, Value::Null).await.status, 200, "another address");
    let signed_in = sign_in(&api, flood, "ann", PASSWORD).await;
    assert_eq!(signed_in.status, 200, "a user behind it");
    let refresh = json!({"refresh_token": signed_in.body["refresh_token"]});
    assert_eq!(send(&api, flood, "POST", "/auth/refresh", None, refresh).await.status, 200);
    for _ in 0..7 {
        assert_eq!(send(&api, flood, "POST", "/auth/refresh", None, json!({})).await.status, 422);
    }
    send(&api, flood, "POST", "/auth/token", None, json!({})).await.assert_limited();
    for _ in 0..7 * 20 {
        send(&api, "203.0.113.3", "GET", "/health", None, Value::Null).await;
    }
    send(&api, "203.0.113.3", "GET", "/health", None, Value::Null).await.assert_limited();
    for _ in 0..20 {
        assert_eq!(send(&api, "203.0.113.3", "GET", "/ready", None, Value::Null).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_sign_in_takes_no_permit_from_others() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.sign_in", "2/1")]).await;
    while wrong(&api, "203.0.113.1", "ann").await != 429 {}
    // All permits are taken during these checks, and no rejected sign-in waits for one.
    let addresses: Vec<String> = (0..40).map(|last| format!("198.51.100.{last}")).collect();
    let busy = join_all(addresses.iter().map(|address| right(&api, address, "ann")));
    let refused = async {
        let began = tokio::time::Instant::now();
        let statuses = join_all((0..20).map(|_| wrong(&api, "203.0.113.1", "ann"))).await;
        (statuses, began.elapsed())
    };
    let began = tokio::time::Instant::now();
    let (signed_in, (statuses, refused_after)) = tokio::join!(busy, refused);
    println!("refused after {refused_after:?}, the others signed in after {:?}", began.elapsed());
    assert_eq!(signed_in, [200; 40]);
    assert_eq!(statuses, [429; 20]);
    assert!(refused_after < began.elapsed() / 4, "{refused_after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_calls_are_charged_to_their_caller() {
    let stack = Stack::start().await;
    let api = limited(&stack, &[("limits.status", "3/1"), ("limits.unauthenticated", "40/1")]).await;
    for (name, method, path, body, status) in [
        ("vic", "POST", "/api/v3/execute", goal(), 403),
        ("ann", "GET", "/api/v3/no/such/path", Value::Null, 404),
        ("bob", "GET", "/nowhere", Value::Null, 404),
        ("eve", "GET", "/api/v3/admin/dead-letters", Value::Null, 404),
        ("root", "GET", "/docs", Value::Null, 200),
    ] {
        let token = api.token(name).await;
        for _ in 0..3 {
            let answer = send(&api, "192.0.2.1", method, path, Some(&token), body.clone()).await;
            assert_eq!((answer.status, answer.headers[1]), (status, Some(3)), "{name} {method} {path}");
        }
        send(&api, "192.0.2.1", method, path, Some(&token), body).await.assert_limited();
    }
}
