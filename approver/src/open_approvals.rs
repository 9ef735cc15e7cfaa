//! `approvals.open.<bot>`: answers requests of bots for the approvals that they may decide now, page by page.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::approval::{has_voted, may_decide};
use domain::identity::User;
use domain::ids::UserName;
use domain::workflow::{Status, Workflow};
use messaging::{Announcement, BucketCache, OpenApprovalsChannel, OpenPage, OpenRequest, OpenRequests};
use read_model::{Gcra, GcraState, ListPosition, ListQuery, ReadModel};
use serde::Deserialize;
use service::clock::Clock;
use service::lifecycle::Lifecycle;
use tokio::time::Instant;

use crate::announcements::announcement_of;
use crate::metrics::OPEN_REFUSED;

/// Maximum announcements on a page. A page is far below the broker's message limit, goals and descriptions included.
const MAX_PAGE: usize = 50;
/// Parked workflows per read of the read model, and maximum reads for one page; the cursor continues from there.
const SCAN_BATCH: usize = 50;
const MAX_SCAN_BATCHES: usize = 20;
/// Time after which no further read is begun for a page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum requests of each bot to this process.
const REQUEST_LIMIT: Gcra = Gcra { burst: 60, refill_per_minute: 120 };
/// Time without a subscription after a bot exceeded the limit: the broker then answers its requests with no responders.
const RESUBSCRIBE_DELAY: Duration = Duration::from_secs(1);
/// Maximum length of a request, a cursor and a limit, in bytes.
const MAX_REQUEST_BYTES: usize = 1024;
/// Minimum time between two log lines about one bot.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Dependencies of the answers.
#[derive(Debug)]
pub(crate) struct OpenApprovals {
    pub(crate) channel: OpenApprovalsChannel,
    pub(crate) users: BucketCache<User>,
    pub(crate) view: ReadModel,
    pub(crate) clock: Clock,
}

/// The body of a request; an empty one asks for the first page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageRequest {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Answers the requests of every bot until the process stops, each bot's in a task of its own.
pub(crate) async fn answer_open_requests(approvals: Arc<OpenApprovals>, lifecycle: Lifecycle) {
    let (stopping, mut changes) = (lifecycle.stopping(), approvals.users.changes());
    let mut served: HashSet<UserName> = HashSet::new();
    loop {
        // A removed bot keeps its task and is refused there.
        for user in approvals.users.values().into_iter().filter(|user| user.bot) {
            if served.insert(user.name.clone()) {
                drop(lifecycle.spawn(answer_bot(approvals.clone(), user.name, lifecycle.clone())));
            }
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Answers one bot's requests in turn, with a pause after it exceeded its limit.
async fn answer_bot(approvals: Arc<OpenApprovals>, bot: UserName, lifecycle: Lifecycle) {
    let (stopping, mut usage) = (lifecycle.stopping(), BotUsage::default());
    while !stopping.is_cancelled() {
        match approvals.channel.requests_of(&bot).await {
            Ok(requests) => tokio::select! {
                () = stopping.cancelled() => return,
                () = answer_within_limit(&approvals, requests, &mut usage) => {}
            },
            Err(reason) => {
                tracing::warn!(%bot, %reason, "Failed to subscribe to open-approval requests of bot {bot}: {reason}");
            }
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(RESUBSCRIBE_DELAY) => {}
        }
    }
}

/// The requests of one bot.
#[derive(Debug, Default)]
struct BotUsage {
    spent: GcraState,
    logged: Option<Instant>,
}

impl BotUsage {
    /// Counts and logs a refusal.
    fn record_refusal(&mut self, bot: &UserName) {
        OPEN_REFUSED.inc();
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            tracing::warn!(%bot, "Throttling bot {bot}: it asks for open approvals too often");
        }
    }
}

/// Answers requests one after the other until the bot exceeds its limit or the connection ends.
async fn answer_within_limit(approvals: &OpenApprovals, mut requests: OpenRequests, usage: &mut BotUsage) {
    while let Some(request) = requests.next().await {
        let (allowance, next) = REQUEST_LIMIT.take(usage.spent, approvals.clock.now().as_millis() * 1_000);
        usage.spent = next;
        if !allowance.allowed {
            usage.record_refusal(&request.bot);
            let page = refused("too_many_requests", "Too many requests; ask again in a minute.");
            return approvals.channel.answer(&request, &page).await;
        }
        approvals.channel.answer(&request, &page_for(approvals, &request).await).await;
    }
}

async fn page_for(approvals: &OpenApprovals, request: &OpenRequest) -> OpenPage {
    let Some(bot) = approvals.users.get(request.bot.as_str()).filter(|user| user.bot && !user.disabled) else {
        return refused("not_entitled", "This bot is unknown or may not decide.");
    };
    let Some((before, limit)) = parse(&request.payload) else {
        let text = "The request must be empty or a JSON object of at most 1 KiB with cursor (the next of the page before) and limit (1 to 50).";
        return refused("malformed", text);
    };
    match approvals.page(&bot, before, limit).await {
        Ok((open, next)) => {
            OpenPage { status: "ok", open, next: next.map(|next| next.to_string()), code: None, reason: None }
        }
        Err(reason) => {
            let bot = &request.bot;
            tracing::warn!(%bot, %reason, "Failed to list open approvals for bot {bot}: {reason}");
            let reason = Some("The list cannot be read now; ask again in a moment.".to_owned());
            OpenPage { status: "unavailable", code: Some("unavailable"), reason, ..OpenPage::default() }
        }
    }
}

fn refused(code: &'static str, reason: &str) -> OpenPage {
    OpenPage { status: "refused", code: Some(code), reason: Some(reason.to_owned()), ..OpenPage::default() }
}

impl OpenApprovals {
    /// Returns the approvals that the bot may decide, newest workflows first, and the position of the next page.
    async fn page(
        &self,
        bot: &User,
        before: Option<ListPosition>,
        limit: usize,
    ) -> Result<(Vec<Announcement>, Option<ListPosition>), String> {
        if !self.view.is_complete().await.map_err(|error| error.to_string())? {
            return Err("the read model is being rebuilt".to_owned());
        }
        let mut query = ListQuery { owner: None, status: Some(Status::WaitingApproval), before, limit: SCAN_BATCH };
        let (mut open, begun) = (Vec::new(), Instant::now());
        for _ in 0..MAX_SCAN_BATCHES {
            let page = self.view.list(&query).await.map_err(|error| error.to_string())?;
            for stored in page.items {
                if !is_open_to(&stored.workflow, bot, self.clock.now()) {
                    continue;
                }
                if open.len() == limit {
                    return Ok((open, query.before));
                }
                open.extend(announcement_of(&self.users, &stored.workflow));
                query.before = Some(ListPosition::of(&stored));
            }
            if page.next.is_none() {
                return Ok((open, None));
            }
            query.before = page.next;
            if begun.elapsed() >= PAGE_TIMEOUT {
                break;
            }
        }
        Ok((open, query.before))
    }
}

fn is_open_to(workflow: &Workflow, bot: &User, now: Timestamp) -> bool {
    workflow.park().is_some_and(|park| now < park.expires_at && !has_voted(workflow, bot) && may_decide(workflow, bot))
}

/// Parses the position and the length of the page; `None` if the request is malformed.
fn parse(payload: &[u8]) -> Option<(Option<ListPosition>, usize)> {
    let request = match payload.trim_ascii() {
        [] => PageRequest::default(),
        payload if payload.len() > MAX_REQUEST_BYTES => return None,
        payload => serde_json::from_slice(payload).ok()?,
    };
    let before = match request.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(cursor.parse().ok()?),
    };
    let limit = request.limit.unwrap_or(MAX_PAGE);
    (1..=MAX_PAGE).contains(&limit).then_some((before, limit))
}

#[cfg(test)]
mod tests {
    use domain::ids::WorkflowId;
    use domain::samples::START;

    use super::*;

    #[test]
    fn a_request_is_empty_or_has_a_cursor_and_a_limit() {
        let position = ListPosition { created_at: START, id: WorkflowId::fresh() };
        let cursor = position.to_string();
        let too_long = format!(r#"{{"other":"{}"}}"#, "x".repeat(MAX_REQUEST_BYTES));
        let at_cursor = format!(r#"{{"cursor":"{cursor}"}}"#);
        for (text, expected) in [
            ("", Some((None, MAX_PAGE))),
            (" \n", Some((None, MAX_PAGE))),
            ("{}", Some((None, MAX_PAGE))),
            (r#"{"cursor":null,"limit":null,"other":1}"#, Some((None, MAX_PAGE))),
            (r#"{"limit":7}"#, Some((None, 7))),
            (at_cursor.as_str(), Some((Some(position), MAX_PAGE))),
            (r#"{"limit":0}"#, None),
            (r#"{"limit":51}"#, None),
            (r#"{"limit":-1}"#, None),
            (r#"{"cursor":"nonsense"}"#, None),
            (r#"{"cursor":7}"#, None),
            ("nonsense", None),
            (too_long.as_str(), None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }
}
