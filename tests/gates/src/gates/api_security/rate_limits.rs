//! Floods of each rate limit.

use ::tests::{Answer, Client};
use futures_util::{StreamExt as _, stream};

use super::probes::Probes;

/// Requests of a flood that may be in flight.
const IN_FLIGHT: usize = 16;
const ABSENT_CANCEL: &str = "/api/v3/execute/cancel/018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";

struct Flood<'a> {
    name: &'static str,
    client: &'a Client,
    method: &'static str,
    path: &'static str,
    body: Option<&'static str>,
    /// More than the burst and what is refilled meanwhile.
    requests: usize,
}

/// Floods every bucket: each must answer 429 with `Retry-After`, and never a server error. Requests are wrong where a right one
/// would start work. `bystander`, another user, must not be limited.
pub async fn probe(stranger: &Client, attacker: &Client, bystander: &Client) -> Probes {
    let flood = |name, client, method, path, body, requests| Flood { name, client, method, path, body, requests };
    let wrong_password = Some(r#"{"username": "gate", "password": "a wrong password"}"#);
    let floods = [
        flood("limits.execute", attacker, "POST", "/api/v3/execute", Some("{}"), 300),
        flood("limits.analyze", attacker, "POST", "/api/v3/analyze", Some("{}"), 300),
        flood("limits.decide", attacker, "POST", ABSENT_CANCEL, None, 500),
        flood("limits.status", attacker, "GET", "/api/v3/execute", None, 1_000),
        flood("limits.sign_in", stranger, "POST", "/auth/token", wrong_password, 100),
        flood("limits.unauthenticated", stranger, "GET", "/api/v3/execute", None, 1_500),
    ];
    let mut probes = Probes::default();
    for flood in floods {
        run(&mut probes, &flood).await;
    }
    let answer = bystander.get("/api/v3/execute").await;
    probes.book("another user during the floods", answer.status, answer.status == 200, "200");
    probes
}

async fn run(probes: &mut Probes, flood: &Flood<'_>) {
    let send = || flood.client.send(flood.method, flood.path, &[], flood.body.map(str::to_owned));
    let mut answers = stream::iter(0..flood.requests).map(|_| send()).buffer_unordered(IN_FLIGHT);
    let mut last: Option<Answer> = None;
    let mut sent = 0;
    while let Some(answer) = answers.next().await {
        sent += 1;
        let ends = answer.status == 429 || answer.status >= 500;
        last = Some(answer);
        if ends {
            break;
        }
    }
    let status = last.as_ref().map_or(0, |answer| answer.status);
    let names_a_pause = last.is_some_and(|answer| answer.header("retry-after").parse::<u64>().is_ok());
    let what = format!("{} after {sent} requests", flood.name);
    probes.book(&what, status, status == 429 && names_a_pause, "429 with Retry-After");
}
