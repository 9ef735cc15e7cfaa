//! Signing in with an unknown name takes as long as with a known one. Counts the password checks of the whole process.

use serde_json::json;

use crate::stack::{Api, PASSWORD, Stack};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sign_in_costs_one_password_check() {
    let stack = Stack::start_alone().await;
    let api = stack.api(&[]).await;
    for (name, password, expected) in [
        ("ann", PASSWORD, 200),
        ("ann", "wrong password", 401),
        ("nobody", PASSWORD, 401),
        ("no such name!", PASSWORD, 401),
        ("gone", PASSWORD, 401),
        ("robot", PASSWORD, 401),
    ] {
        let before = checks(&api).await;
        let (status, _) = api.post("/auth/token", None, &json!({"username": name, "password": password})).await;
        assert_eq!((status, checks(&api).await - before), (expected, 1), "{name}");
    }
}

async fn checks(api: &Api) -> u64 {
    let text = api.client.get(format!("http://{}/metrics", api.metrics)).send().await.unwrap().text().await.unwrap();
    let count = text.lines().find_map(|line| line.strip_prefix("promptcraft_password_checks_total "));
    count.map_or(0, |count| count.parse().unwrap())
}
