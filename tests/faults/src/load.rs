//! The client: a steady mix of workflows, each with a wish, and every call in the history.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shared::ids::{ApprovalId, WorkflowId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::history::{Answered, Asked, Call, History, Wish};
use crate::random::Random;

/// One workflow begins after the other.
const PACE: Duration = Duration::from_millis(350);
/// At most so many are under way; a client that waits does not pile up more.
const UNDER_WAY: usize = 32;
/// Every so often several begin at once, so that submissions share their way to the disk.
const BURST_EVERY: usize = 12;
const BURST: usize = 12;
const LOOK: Duration = Duration::from_millis(150);
const LONG_RUN_SECONDS: usize = 4;
/// Lines of a code that is over 8 KiB, and words of such an output.
const LARGE_LINES: usize = 3_000;
/// As they come in a hundred workflows.
const MIX: [(Wish, usize); 6] = [
    (Wish::Run, 35),
    (Wish::Approve, 20),
    (Wish::Reject, 10),
    (Wish::Change, 10),
    (Wish::Cancel, 15),
    (Wish::Race, 10),
];

/// A client of every API of a cluster.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    urls: Vec<String>,
    tokens: Vec<String>,
    turn: Arc<AtomicUsize>,
    /// Where every third workflow's end is to be told.
    webhook: String,
    pub history: Arc<History>,
}

impl Client {
    /// Signs in as every developer.
    pub async fn sign_in(urls: &[String], developers: &[&str], webhook: &str) -> Result<Self, String> {
        let http = crate::http_client(Duration::from_secs(15));
        let mut tokens = Vec::new();
        for name in developers {
            let body = json!({"username": name, "password": format!("{name}_pass")});
            let answer = http.post(format!("{}/auth/token", urls[0])).json_body(&body).send().await;
            let text = answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())?;
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            tokens.push(body["access_token"].as_str().ok_or(format!("no token for {name}: {text}"))?.to_owned());
        }
        Ok(Self {
            http,
            urls: urls.to_vec(),
            tokens,
            turn: Arc::default(),
            webhook: webhook.to_owned(),
            history: Arc::default(),
        })
    }

    /// Begins workflows until `stop`, then waits for those under way at most `patience`.
    pub async fn run(&self, seed: u64, stop: CancellationToken, patience: Duration) {
        let mut random = Random::new(seed);
        let mut under_way = JoinSet::new();
        let mut round = 0_usize;
        while !stop.is_cancelled() {
            while under_way.try_join_next().is_some() {}
            round += 1;
            let many = if round.is_multiple_of(BURST_EVERY) { BURST } else { 1 };
            for _ in 0..many.min(UNDER_WAY.saturating_sub(under_way.len())) {
                let wish = wish(&mut random);
                let (client, delay) = (self.clone(), Duration::from_millis(random.any() % 900));
                under_way.spawn(async move { client.live(wish, delay).await });
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(PACE) => {}
            }
        }
        let all = async { while under_way.join_next().await.is_some() {} };
        // What has not ended by then is for the checker to judge.
        drop(tokio::time::timeout(patience, all).await);
    }

    /// Looks at every story from `first` on once more, at another API than last.
    pub async fn look_again(&self, first: usize) {
        for story in self.history.since(first) {
            if let Some(id) = story.id {
                self.look(story.number, id).await;
            }
        }
    }

    /// One workflow from its submission to its end.
    pub async fn live(&self, wish: Wish, delay: Duration) -> usize {
        let number = self.history.begin(wish);
        let Some(id) = self.submit(number, wish, number % 3).await else { return number };
        match wish {
            Wish::Cancel => {
                sleep(delay).await;
                self.cancel(number, id).await;
            }
            Wish::Race => {
                if let Some(gate) = self.until_asked(number, id, None).await {
                    tokio::join!(self.decide(number, id, gate, "approved"), self.cancel(number, id));
                }
            }
            Wish::Approve => drop(self.answer(number, id, None, "approved").await),
            Wish::Reject => drop(self.answer(number, id, None, "rejected").await),
            Wish::Change => {
                let first = self.answer(number, id, None, "changes_requested").await;
                if first.is_some() {
                    self.answer(number, id, first, "approved").await;
                }
            }
            Wish::Run => {}
        }
        self.until_ended(number, id).await;
        number
    }

    /// One workflow whose code runs for some seconds.
    pub async fn live_long(&self) {
        let number = self.history.begin(Wish::Run);
        if let Some(id) = self.submit(number, Wish::Run, LONG_RUN_SECONDS).await {
            self.until_ended(number, id).await;
        }
    }

    async fn answer(
        &self,
        number: usize,
        id: WorkflowId,
        last: Option<ApprovalId>,
        decision: &'static str,
    ) -> Option<ApprovalId> {
        let gate = self.until_asked(number, id, last).await?;
        self.decide(number, id, gate, decision).await;
        Some(gate)
    }

    /// Submits until it is accepted; any other answer but trouble ends the story.
    async fn submit(&self, number: usize, wish: Wish, seconds: usize) -> Option<WorkflowId> {
        let key = format!("story-{number}-{}", self.history.now_ms());
        // The code of some, and what it prints, is too large to travel in the log itself.
        let padding = if number % 4 == 1 {
            format!("print('{number} ' * {LARGE_LINES})\n") + &format!("# {number}\n").repeat(LARGE_LINES)
        } else {
            String::new()
        };
        let mut body = json!({
            "goal": "Run this script and show me its output",
            "context": {
                "project_context": {
                    "file_content": format!("import time\ntime.sleep({seconds})\nprint('story {number}')\n{padding}"),
                    "current_file": "main.py", "language": "python",
                },
                "execution_preferences": {"require_approval": wish.is_gated()},
            },
        });
        if number.is_multiple_of(3) {
            body["options"] = json!({"notification_webhook": self.webhook});
        }
        let mut first = None;
        // Now and then once more although it was accepted: a client that lost the answer.
        let mut again = number.is_multiple_of(5);
        loop {
            let (answered, body) = self.call(number, Asked::Submit, "/api/v3/execute", &key, Some(&body)).await;
            match answered.code {
                202 => {
                    let id: Option<WorkflowId> = body["data"]["workflow_id"].as_str().and_then(|id| id.parse().ok());
                    self.history.tell(number, |story| match story.id {
                        None => story.id = id,
                        Some(_) => story.other_ids.extend(id),
                    });
                    first = first.or(id);
                    if !std::mem::take(&mut again) {
                        return first;
                    }
                }
                0 | 429 | 500.. => sleep(Duration::from_millis(300)).await,
                _ => return first,
            }
        }
    }

    async fn cancel(&self, number: usize, id: WorkflowId) {
        let path = format!("/api/v3/execute/cancel/{id}");
        while matches!(self.call(number, Asked::Cancel, &path, "", Some(&json!({}))).await.0.code, 0 | 429 | 500..) {
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn decide(&self, number: usize, id: WorkflowId, approval_id: ApprovalId, decision: &'static str) {
        let path = format!("/api/v3/execute/approve/{id}");
        let body = json!({"workflow_id": id, "approval_id": approval_id, "decision": decision});
        let key = format!("decision-{number}-{approval_id}");
        let asked = Asked::Decide { approval_id, decision };
        while matches!(self.call(number, asked.clone(), &path, &key, Some(&body)).await.0.code, 0 | 429 | 500..) {
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits for a question other than `last`; `None` where the workflow ends instead.
    async fn until_asked(&self, number: usize, id: WorkflowId, last: Option<ApprovalId>) -> Option<ApprovalId> {
        loop {
            let data = self.look(number, id).await;
            let asked = data["pending_approvals"][0]["approval_id"].as_str().and_then(|id| id.parse().ok());
            if asked.is_some() && asked != last {
                return asked;
            }
            if is_end(&data) {
                return None;
            }
            sleep(LOOK).await;
        }
    }

    async fn until_ended(&self, number: usize, id: WorkflowId) {
        loop {
            let data = self.look(number, id).await;
            if is_end(&data) {
                let end = data["status"].as_str().map(str::to_owned);
                return self.history.tell(number, |story| story.end = end);
            }
            sleep(LOOK).await;
        }
    }

    async fn look(&self, number: usize, id: WorkflowId) -> Value {
        let path = format!("/api/v3/execute/status/{id}");
        self.call(number, Asked::Status, &path, "", None).await.1["data"].clone()
    }

    /// One call to one API after the other, and its place in the history.
    async fn call(
        &self,
        number: usize,
        asked: Asked,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> (Answered, Value) {
        let url = &self.urls[self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len()];
        let token = &self.tokens[number % self.tokens.len()];
        let method = if body.is_some() { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut request = self.http.request(method, format!("{url}{path}")).bearer_auth(token);
        if let Some(body) = body {
            request = request.json_body(body);
        }
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let from_ms = self.history.now_ms();
        let (code, text) = match request.send().await {
            Ok(answer) => {
                let code = answer.status().as_u16();
                answer.text().await.map_or_else(|error| (0, error.to_string()), |text| (code, text))
            }
            Err(error) => (0, error.without_url().to_string()),
        };
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let answered = Answered { code, words: words(code, &value, &text) };
        let call = Call { from_ms, to_ms: self.history.now_ms(), asked, answered: answered.clone() };
        self.history.tell(number, |story| {
            // Of looks that show the same only the first and the last are worth keeping.
            let same = |call: &Call| call.asked == Asked::Status && call.answered == answered;
            if story.calls.len() >= 2 && same(&call) && story.calls.iter().rev().take(2).all(same) {
                story.calls.pop();
            }
            story.calls.push(call);
        });
        (answered, value)
    }

    /// How long a fresh workflow takes from now until it is completed; `None` where it takes longer than `limit` or ends otherwise.
    pub async fn probe(&self, limit: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let number = tokio::time::timeout(limit, self.live(Wish::Run, Duration::ZERO)).await.ok()?;
        let mut is_completed = false;
        self.history.tell(number, |story| is_completed = story.end.as_deref() == Some("completed"));
        is_completed.then(|| begun.elapsed())
    }
}

fn wish(random: &mut Random) -> Wish {
    let mut left = random.below(100);
    for (wish, share) in MIX {
        if left < share {
            return wish;
        }
        left -= share;
    }
    Wish::Run
}

fn is_end(data: &Value) -> bool {
    matches!(data["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}

fn words(code: u16, body: &Value, text: &str) -> String {
    let status = body["data"]["status"].as_str().or(body["workflow_status"].as_str()).map(str::to_owned);
    let error = body["data"]["error"]["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
    match (code, status) {
        (0, _) => text.to_owned(),
        (_, Some(status)) => status + &error,
        (_, None) => body["detail"].as_str().or(body["message"].as_str()).unwrap_or_default().to_owned(),
    }
}

/// `reqwest` without its feature `json`.
trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}
