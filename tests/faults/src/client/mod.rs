//! The client: a steady mix of workflows, each with an intent, and every call in the history.

mod bot;
mod calls;
mod decisions;
pub mod history;
mod script;

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use domain::ids::{ApprovalId, WorkflowId};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, DEVELOPERS};
use crate::random::Random;
use bot::Bot;
use calls::{ApiCall, JsonBody, is_retryable};
use decisions::pending;
use history::{ClientHistory, ClientIntent, ClientOperation};
use script::Script;

/// Interval between submissions.
const SUBMIT_INTERVAL: Duration = Duration::from_millis(350);
/// Maximum workflows in flight; a client that waits does not start more.
const MAX_IN_FLIGHT: usize = 32;
/// Every 12th submission is a burst, so that submissions share a batch in the log.
const BURST_EVERY: usize = 12;
const BURST: usize = 12;
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(150);
/// Every 8th run, from the first on, is longer than the time within which a dead worker's job must be removed. It is
/// cancelled when the load ends, or its gate may expire.
const LONG_EVERY: usize = 8;
const LONG_RUN: Duration = Duration::from_secs(15);
/// Long enough to kill its worker in the middle.
const WATCHED_RUN: Duration = Duration::from_secs(4);
/// Every 4th workflow is accompanied by an analysis.
const ANALYSIS_EVERY: usize = 4;
/// Every 12th workflow is accompanied by a sign-in and a revocation.
const SIGN_IN_EVERY: usize = 12;
/// Questions left to expire in a topology whose questions expire; the round waits for them.
const UNANSWERED: usize = 3;
/// Share of each intent in percent.
const MIX: [(ClientIntent, usize); 7] = [
    (ClientIntent::Run, 30),
    (ClientIntent::Approve, 15),
    (ClientIntent::Bot, 10),
    (ClientIntent::Reject, 10),
    (ClientIntent::Change, 10),
    (ClientIntent::Cancel, 15),
    (ClientIntent::Race, 10),
];

/// A client of every API of a cluster.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) urls: Vec<String>,
    pub(crate) tokens: Vec<String>,
    pub(crate) turn: Arc<AtomicUsize>,
    pub(crate) bot: Bot,
    /// The webhook that every third workflow names.
    webhook: String,
    /// Number of questions to leave unanswered.
    unanswered: usize,
    pub history: Arc<ClientHistory>,
}

impl Client {
    /// Signs in as every developer, and as the bot.
    pub async fn sign_in(cluster: &Cluster, webhook: &str) -> Result<Self, String> {
        let urls = &cluster.api_urls;
        let http = crate::http_client(Duration::from_secs(15));
        let mut tokens = Vec::new();
        for name in DEVELOPERS {
            let body = json!({"username": name, "password": format!("{name}_pass")});
            let answer = http.post(format!("{}/auth/token", urls[0])).json_body(&body).send().await;
            let text = answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())?;
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            tokens.push(body["access_token"].as_str().ok_or(format!("no token for {name}: {text}"))?.to_owned());
        }
        Ok(Self {
            http,
            urls: urls.clone(),
            tokens,
            turn: Arc::default(),
            bot: Bot::sign_in(cluster).await?,
            webhook: webhook.to_owned(),
            unanswered: if cluster.topology.is_expiring() { UNANSWERED } else { 0 },
            history: Arc::default(),
        })
    }

    /// Starts workflows until `stop`, then waits at most `patience` for those in flight.
    pub async fn run(&self, seed: u64, stop: CancellationToken, patience: Duration) {
        let mut random = Random::new(seed);
        let mut in_flight = JoinSet::new();
        let (mut round, mut runs) = (0_usize, 0_usize);
        for _ in 0..self.unanswered {
            let client = self.clone();
            in_flight.spawn(async move { client.run_with_reads(ClientIntent::Expire, Duration::ZERO).await });
        }
        while !stop.is_cancelled() {
            while in_flight.try_join_next().is_some() {}
            round += 1;
            let many = if round.is_multiple_of(BURST_EVERY) { BURST } else { 1 };
            for _ in 0..many.min(MAX_IN_FLIGHT.saturating_sub(in_flight.len())) {
                let intent = intent(&mut random);
                let delay = Duration::from_millis(random.any() % 900);
                let is_long = intent == ClientIntent::Run && runs.is_multiple_of(LONG_EVERY);
                runs += usize::from(intent == ClientIntent::Run);
                let client = self.clone();
                if is_long {
                    let over = stop.clone().cancelled_owned();
                    in_flight.spawn(async move {
                        client.run_workflow(ClientIntent::Cancel, Some(LONG_RUN), over).await;
                    });
                } else {
                    in_flight.spawn(async move { client.run_with_reads(intent, delay).await });
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(SUBMIT_INTERVAL) => {}
            }
        }
        let all = async { while in_flight.join_next().await.is_some() {} };
        // The checker reports those that have not ended.
        drop(tokio::time::timeout(patience, all).await);
    }

    /// Runs one workflow from submission to end. Its code runs for `runs`, by default one second or none. An intent to
    /// cancel is carried out at `over`.
    async fn run_workflow(
        &self,
        intent: ClientIntent,
        runs: Option<Duration>,
        over: impl Future<Output = ()>,
    ) -> usize {
        let number = self.history.begin(intent);
        self.drive(number, intent, runs, over).await;
        number
    }

    /// Like [`Self::run_workflow`], cancelled after `delay`, with further reads beside it and after it.
    async fn run_with_reads(&self, intent: ClientIntent, delay: Duration) {
        let number = self.history.begin(intent);
        let analysis = async {
            if number.is_multiple_of(ANALYSIS_EVERY) {
                self.analyze(number).await;
            }
        };
        tokio::join!(analysis, self.drive(number, intent, None, sleep(delay)));
        self.read_afterwards(number).await;
    }

    async fn drive(&self, number: usize, intent: ClientIntent, runs: Option<Duration>, over: impl Future<Output = ()>) {
        let runs = runs.unwrap_or(Duration::from_secs(u64::from(number % 2 == 1)));
        let Some(id) = self.submit(number, intent, runs).await else { return };
        match intent {
            ClientIntent::Cancel => {
                over.await;
                self.cancel(number, id).await;
            }
            ClientIntent::Race => {
                if let Some(gate) = self.until_asked(number, id, None).await {
                    tokio::join!(self.decide(number, id, gate, "approved"), self.cancel(number, id));
                }
            }
            ClientIntent::Approve => drop(self.answer(number, id, None, "approved").await),
            ClientIntent::Reject => drop(self.answer(number, id, None, "rejected").await),
            ClientIntent::Change => {
                let first = self.answer(number, id, None, "changes_requested").await;
                if let Some(first) = first {
                    self.supply_code_after(number, id, first, runs).await;
                }
            }
            ClientIntent::Bot => self.answer_by_bot(number, id).await,
            ClientIntent::Expire => {
                let question = self.until_asked(number, id, None).await;
                self.history.update(number, |history| history.is_left_open = question.is_some());
            }
            ClientIntent::Run => {}
        }
        self.until_ended(number, id).await;
    }

    /// Without a language model a requested change asks for code. The same code is supplied, and its release approved.
    async fn supply_code_after(&self, number: usize, id: WorkflowId, first: ApprovalId, runs: Duration) {
        let Some(question) = self.until_asked(number, id, Some(first)).await else { return };
        let body = json!({"code": Script::new(number, runs).text()});
        self.decide_with(number, id, question, "approved", body).await;
        self.answer(number, id, Some(question), "approved").await;
    }

    /// Runs one workflow without approval and returns its number.
    pub async fn run_one(&self) -> usize {
        self.run_workflow(ClientIntent::Run, None, ready(())).await
    }

    /// Runs one workflow whose code takes [`WATCHED_RUN`].
    pub async fn run_long(&self) {
        self.run_workflow(ClientIntent::Run, Some(WATCHED_RUN), ready(())).await;
    }

    /// Submits until it is accepted; any other response that is not retryable ends the workflow's history.
    async fn submit(&self, number: usize, intent: ClientIntent, runs: Duration) -> Option<WorkflowId> {
        let key = format!("workflow-{number}-{}", self.history.now_ms());
        let script = Script::new(number, runs);
        self.history.update(number, |history| {
            history.runs = script.runs;
            history.expected = Some(script.output());
        });
        let mut body = json!({
            "goal": "Run this script and show me its output",
            "context": {
                "project_context": {"file_content": script.text(), "current_file": "main.py", "language": "python"},
                "execution_preferences": {"require_approval": intent.is_gated()},
            },
        });
        if number.is_multiple_of(3) {
            body["options"] = json!({"notification_webhook": self.webhook});
        }
        let mut first = None;
        // Every 5th is submitted once more after its 202, like by a client that lost the response.
        let mut again = number.is_multiple_of(5);
        loop {
            let path = "/api/v3/execute";
            let api_call =
                ApiCall { key: &key, body: Some(&body), ..ApiCall::get(number, ClientOperation::Submit, path) };
            let (response, body) = self.call(api_call).await;
            match response.code {
                202 => {
                    let id: Option<WorkflowId> = body["data"]["workflow_id"].as_str().and_then(|id| id.parse().ok());
                    self.history.update(number, |history| match history.id {
                        None => history.id = id,
                        Some(_) => history.other_ids.extend(id),
                    });
                    first = first.or(id);
                    if !std::mem::take(&mut again) {
                        return first;
                    }
                }
                code if is_retryable(code) => sleep(Duration::from_millis(300)).await,
                _ => return first,
            }
        }
    }

    async fn cancel(&self, number: usize, id: WorkflowId) {
        let path = format!("/api/v3/execute/cancel/{id}");
        let body = json!({});
        let api_call = || ApiCall { body: Some(&body), ..ApiCall::get(number, ClientOperation::Cancel, &path) };
        while is_retryable(self.call(api_call()).await.0.code) {
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Requests an analysis once; its response is not guaranteed.
    async fn analyze(&self, number: usize) {
        let body = json!({"context": {"file_content": format!("print('analysis {number}')\n"), "language": "python"}});
        let path = "/api/v3/analyze";
        self.call(ApiCall { body: Some(&body), ..ApiCall::get(number, ClientOperation::Analyze, path) }).await;
    }

    /// Reads the ended workflow at each API, and a list.
    async fn read_afterwards(&self, number: usize) {
        if let Some(id) = self.history.id_of(number) {
            for _ in &self.urls {
                sleep(POLL_INTERVAL).await;
                self.read_status(number, id).await;
            }
        }
        let (operation, path) = match number % 2 {
            0 => (ClientOperation::List, "/api/v3/execute"),
            _ => (ClientOperation::Inbox, "/api/v3/approvals"),
        };
        self.call(ApiCall::get(number, operation, path)).await;
        if number.is_multiple_of(SIGN_IN_EVERY) {
            self.sign_in_and_revoke(number).await;
        }
    }

    /// Signs in again and revokes the token.
    async fn sign_in_and_revoke(&self, number: usize) {
        let name = DEVELOPERS[0];
        let body = json!({"username": name, "password": format!("{name}_pass")});
        let sign_in = ApiCall { body: Some(&body), ..ApiCall::get(number, ClientOperation::SignIn, "/auth/token") };
        let (_, answer) = self.call(sign_in).await;
        let Some(token) = answer["access_token"].as_str() else { return };
        let body = json!({});
        let revoke = ApiCall {
            body: Some(&body),
            token: Some(token),
            ..ApiCall::get(number, ClientOperation::Revoke, "/auth/revoke")
        };
        self.call(revoke).await;
    }

    pub(crate) async fn until_ended(&self, number: usize, id: WorkflowId) {
        while !is_end(&self.poll(number, id).await) {
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Reads the status, and approves the run of the code if that is asked.
    pub(crate) async fn poll(&self, number: usize, id: WorkflowId) -> Value {
        let data = self.read_status(number, id).await;
        if let Some(question) = pending(&data).filter(|question| question.is_before_run) {
            self.decide(number, id, question.id, "approved").await;
        }
        data
    }

    /// Measures how long a new workflow takes until it is completed, and one that is approved, and returns the longer
    /// time. `None` if one exceeds `limit` or ends otherwise.
    pub async fn probe(&self, limit: Duration) -> Option<Duration> {
        let (run, approved) =
            tokio::join!(self.probe_one(ClientIntent::Run, limit), self.probe_one(ClientIntent::Approve, limit));
        Some(run?.max(approved?))
    }

    async fn probe_one(&self, intent: ClientIntent, limit: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let until_completed = async {
            loop {
                let number = self.run_workflow(intent, None, ready(())).await;
                match self.history.last_words(number).as_deref() {
                    Some("completed") => return true,
                    // Its answer came too late; try the next one.
                    Some("failed (approval_expired)") => {}
                    Some(_) | None => return false,
                }
            }
        };
        tokio::time::timeout(limit, until_completed).await.ok()?.then(|| begun.elapsed())
    }

    /// Waits, at most 30 s, until every question is open that is to be left unanswered, from history `first` on.
    pub async fn until_left_open(&self, first: usize) {
        let all = async {
            while self
                .history
                .since(first)
                .iter()
                .any(|history| history.intent == ClientIntent::Expire && !history.is_left_open)
            {
                sleep(POLL_INTERVAL).await;
            }
        };
        drop(tokio::time::timeout(Duration::from_secs(30), all).await);
    }
}

fn intent(random: &mut Random) -> ClientIntent {
    let mut left = random.below(100);
    for (intent, share) in MIX {
        if left < share {
            return intent;
        }
        left -= share;
    }
    ClientIntent::Run
}

pub(crate) fn is_end(data: &Value) -> bool {
    matches!(data["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}
