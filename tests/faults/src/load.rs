//! The client: a steady mix of workflows, each with a wish, and every call in the history.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde_json::{Value, json};
use shared::ids::{ApprovalId, WorkflowId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::bot::Bot;
use crate::calls::{JsonBody, Question, is_trouble};
use crate::cluster::{Cluster, DEVELOPERS};
use crate::decisions::pending;
use crate::history::{Asked, History, Wish};
use crate::random::Random;
use crate::script::Script;

/// One workflow begins after the other.
const PACE: Duration = Duration::from_millis(350);
/// At most so many are under way; a client that waits does not pile up more.
const UNDER_WAY: usize = 32;
/// Every so often several begin at once, so that submissions share their way to the disk.
const BURST_EVERY: usize = 12;
const BURST: usize = 12;
pub(crate) const LOOK: Duration = Duration::from_millis(150);
/// Every so often one runs for longer than whoever dies may leave its job behind, and is cancelled when the load ends; the first that
/// was to run only does. Where code runs only once that was agreed to, they wait for that, and it may expire.
const LONG_EVERY: usize = 8;
const LONG_RUN: Duration = Duration::from_secs(15);
/// Long enough to kill its worker meanwhile.
const WATCHED_RUN: Duration = Duration::from_secs(4);
/// Every so often the code is analysed beside.
const ANALYSIS_EVERY: usize = 4;
/// Every so often somebody signs in and out.
const SIGN_IN_EVERY: usize = 12;
/// So many questions are left to expire where any do, from the beginning on: the round does not end before.
const UNANSWERED: usize = 3;
/// As they come in a hundred workflows.
const MIX: [(Wish, usize); 7] = [
    (Wish::Run, 30),
    (Wish::Approve, 15),
    (Wish::Bot, 10),
    (Wish::Reject, 10),
    (Wish::Change, 10),
    (Wish::Cancel, 15),
    (Wish::Race, 10),
];

/// A client of every API of a cluster.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) urls: Vec<String>,
    pub(crate) tokens: Vec<String>,
    pub(crate) turn: Arc<AtomicUsize>,
    pub(crate) bot: Bot,
    /// Where every third workflow's end is to be told.
    webhook: String,
    /// So many questions are left unanswered.
    unanswered: usize,
    pub history: Arc<History>,
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
            unanswered: if cluster.shape.is_expiring() { UNANSWERED } else { 0 },
            history: Arc::default(),
        })
    }

    /// Begins workflows until `stop`, then waits for those under way at most `patience`.
    pub async fn run(&self, seed: u64, stop: CancellationToken, patience: Duration) {
        let mut random = Random::new(seed);
        let mut under_way = JoinSet::new();
        let (mut round, mut runs) = (0_usize, 0_usize);
        for _ in 0..self.unanswered {
            let client = self.clone();
            under_way.spawn(async move { client.live_fully(Wish::Expire, Duration::ZERO).await });
        }
        while !stop.is_cancelled() {
            while under_way.try_join_next().is_some() {}
            round += 1;
            let many = if round.is_multiple_of(BURST_EVERY) { BURST } else { 1 };
            for _ in 0..many.min(UNDER_WAY.saturating_sub(under_way.len())) {
                let wish = wish(&mut random);
                let delay = Duration::from_millis(random.any() % 900);
                let is_long = wish == Wish::Run && runs.is_multiple_of(LONG_EVERY);
                runs += usize::from(wish == Wish::Run);
                let client = self.clone();
                if is_long {
                    let over = stop.clone().cancelled_owned();
                    under_way.spawn(async move {
                        client.live(Wish::Cancel, Some(LONG_RUN), over).await;
                    });
                } else {
                    under_way.spawn(async move { client.live_fully(wish, delay).await });
                }
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

    /// One workflow from its submission to its end; its code runs for as long as is said, else a second or none. Who wishes to cancel it
    /// does so at `over`.
    async fn live(&self, wish: Wish, runs: Option<Duration>, over: impl Future<Output = ()>) -> usize {
        let number = self.history.begin(wish);
        self.go_through(number, wish, runs, over).await;
        number
    }

    /// As [`Self::live`], cancelled after `delay`, with what else a client asks meanwhile and afterwards.
    async fn live_fully(&self, wish: Wish, delay: Duration) {
        let number = self.history.begin(wish);
        let analysis = async {
            if number.is_multiple_of(ANALYSIS_EVERY) {
                self.analyze(number).await;
            }
        };
        tokio::join!(analysis, self.go_through(number, wish, None, sleep(delay)));
        self.read_on(number).await;
    }

    async fn go_through(&self, number: usize, wish: Wish, runs: Option<Duration>, over: impl Future<Output = ()>) {
        let runs = runs.unwrap_or(Duration::from_secs(u64::from(number % 2 == 1)));
        let Some(id) = self.submit(number, wish, runs).await else { return };
        match wish {
            Wish::Cancel => {
                over.await;
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
                if let Some(first) = first {
                    self.supply_code_after(number, id, first, runs).await;
                }
            }
            Wish::Bot => self.answer_by_bot(number, id).await,
            Wish::Expire => {
                let asked = self.until_asked(number, id, None).await;
                self.history.tell(number, |story| story.is_left_open = asked.is_some());
            }
            Wish::Run => {}
        }
        self.until_ended(number, id).await;
    }

    /// Without a language model nothing works a comment in: the question is for code, which is the same once more, and then for its release.
    async fn supply_code_after(&self, number: usize, id: WorkflowId, first: ApprovalId, runs: Duration) {
        let Some(question) = self.until_asked(number, id, Some(first)).await else { return };
        let body = json!({"code": Script::new(number, runs).text()});
        self.decide_with(number, id, question, "approved", body).await;
        self.answer(number, id, Some(question), "approved").await;
    }

    /// One workflow that only has to run, from now on; its story's number.
    pub async fn live_plainly(&self) -> usize {
        self.live(Wish::Run, None, ready(())).await
    }

    /// One workflow whose code runs for some seconds.
    pub async fn live_long(&self) {
        self.live(Wish::Run, Some(WATCHED_RUN), ready(())).await;
    }

    /// Submits until it is accepted; any other answer but trouble ends the story, and is for the checker to judge.
    async fn submit(&self, number: usize, wish: Wish, runs: Duration) -> Option<WorkflowId> {
        let key = format!("story-{number}-{}", self.history.now_ms());
        let script = Script::new(number, runs);
        self.history.tell(number, |story| {
            story.runs = script.runs;
            story.expected = Some(script.output());
        });
        let mut body = json!({
            "goal": "Run this script and show me its output",
            "context": {
                "project_context": {"file_content": script.text(), "current_file": "main.py", "language": "python"},
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
            let path = "/api/v3/execute";
            let question = Question { key: &key, body: Some(&body), ..Question::get(number, Asked::Submit, path) };
            let (answered, body) = self.call(question).await;
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
                code if is_trouble(code) => sleep(Duration::from_millis(300)).await,
                _ => return first,
            }
        }
    }

    async fn cancel(&self, number: usize, id: WorkflowId) {
        let path = format!("/api/v3/execute/cancel/{id}");
        let body = json!({});
        let question = || Question { body: Some(&body), ..Question::get(number, Asked::Cancel, &path) };
        while is_trouble(self.call(question()).await.0.code) {
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Once, whatever comes of it: an analysis is no promise.
    async fn analyze(&self, number: usize) {
        let body = json!({"context": {"file_content": format!("print('analysis {number}')\n"), "language": "python"}});
        let path = "/api/v3/analyze";
        self.call(Question { body: Some(&body), ..Question::get(number, Asked::Analyze, path) }).await;
    }

    /// What a client looks at between two workflows; the one that ended has to stay ended, whichever API is asked.
    async fn read_on(&self, number: usize) {
        if let Some(id) = self.history.id_of(number) {
            for _ in &self.urls {
                sleep(LOOK).await;
                self.look(number, id).await;
            }
        }
        let (asked, path) = match number % 2 {
            0 => (Asked::List, "/api/v3/execute"),
            _ => (Asked::Inbox, "/api/v3/approvals"),
        };
        self.call(Question::get(number, asked, path)).await;
        if number.is_multiple_of(SIGN_IN_EVERY) {
            self.come_and_go(number).await;
        }
    }

    /// Signs in once more, and has the token revoked.
    async fn come_and_go(&self, number: usize) {
        let name = DEVELOPERS[0];
        let body = json!({"username": name, "password": format!("{name}_pass")});
        let sign_in = Question { body: Some(&body), ..Question::get(number, Asked::SignIn, "/auth/token") };
        let (_, answer) = self.call(sign_in).await;
        let Some(token) = answer["access_token"].as_str() else { return };
        let body = json!({});
        let revoke =
            Question { body: Some(&body), token: Some(token), ..Question::get(number, Asked::Revoke, "/auth/revoke") };
        self.call(revoke).await;
    }

    pub(crate) async fn until_ended(&self, number: usize, id: WorkflowId) {
        while !is_end(&self.look_on(number, id).await) {
            sleep(LOOK).await;
        }
    }

    /// Looks, and lets the code run where that is asked.
    pub(crate) async fn look_on(&self, number: usize, id: WorkflowId) -> Value {
        let data = self.look(number, id).await;
        if let Some(asked) = pending(&data).filter(|asked| asked.is_before_run) {
            self.decide(number, id, asked.id, "approved").await;
        }
        data
    }

    /// How long a fresh workflow takes from now until it is completed, and how long one that is approved; the longer of the two.
    /// `None` where one takes longer than `limit` or ends otherwise.
    pub async fn probe(&self, limit: Duration) -> Option<Duration> {
        let (run, approved) = tokio::join!(self.probe_one(Wish::Run, limit), self.probe_one(Wish::Approve, limit));
        Some(run?.max(approved?))
    }

    async fn probe_one(&self, wish: Wish, limit: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let until_completed = async {
            loop {
                let number = self.live(wish, None, ready(())).await;
                match self.history.last_words(number).as_deref() {
                    Some("completed") => return true,
                    // Its answer came too late; the next one's need not.
                    Some("failed (approval_expired)") => {}
                    Some(_) | None => return false,
                }
            }
        };
        tokio::time::timeout(limit, until_completed).await.ok()?.then(|| begun.elapsed())
    }

    /// Waits until every question was asked that is to be left unanswered, of the stories from `first` on; not for ever.
    pub async fn until_left_open(&self, first: usize) {
        let all = async {
            while self.history.since(first).iter().any(|story| story.wish == Wish::Expire && !story.is_left_open) {
                sleep(LOOK).await;
            }
        };
        drop(tokio::time::timeout(Duration::from_secs(30), all).await);
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

pub(crate) fn is_end(data: &Value) -> bool {
    matches!(data["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}
