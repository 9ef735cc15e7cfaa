//! `approvals.open.<bot>`: a bot asks for the approvals that it may decide now, page by page.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use shared::approval::{has_voted, may_decide};
use shared::clock::Timestamp;
use shared::identity::User;
use shared::ids::UserName;
use shared::lifecycle::Lifecycle;
use shared::messaging::{Announcement, OpenDesk, OpenPage, OpenRequest, OpenRequests};
use shared::read_model::{Gcra, GcraState, ListPosition, ListQuery};
use shared::workflow::{Status, Workflow};
use tokio::time::Instant;

use crate::announcements::announcement_of;
use crate::decisions::service::Desk;
use crate::metrics::OPEN_DROPPED;

/// Announcements on a page at most; their goals and descriptions fit into one message many times over.
const PAGE_LIMIT: usize = 50;
/// Parked workflows read at once.
const PORTION: usize = 50;
/// Portions read for one page at most; the cursor leads on from there.
const MAX_PORTIONS: usize = 20;
/// A page for which no portion is begun any more after this time; the cursor leads on as well.
const PAGE_TIME: Duration = Duration::from_secs(2);
/// Requests that each bot may make of one approver.
const REQUESTS: Gcra = Gcra { burst: 60, refill_per_minute: 120 };
/// A bot that asks too often is not heard for so long: the broker keeps its questions to itself.
const DEAF: Duration = Duration::from_secs(1);
/// After so many dropped questions a bot asks too often.
const MOST_DROPPED: usize = 64;
/// Between two lines of the log about one bot.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The body of a request; an empty one asks for the first page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Answers the questions of every bot until the life ends, each bot's in a task of its own.
pub(crate) async fn answer_open_requests(desk: Arc<Desk>, open: OpenDesk, life: Lifecycle) {
    let (stopping, mut changes) = (life.stopping(), desk.users.changes());
    let mut heard: HashSet<UserName> = HashSet::new();
    loop {
        // A bot that was removed is heard and refused until the process ends.
        for user in desk.users.values().into_iter().filter(|user| user.bot) {
            if heard.insert(user.name.clone()) {
                drop(life.spawn(answer_bot(desk.clone(), open.clone(), user.name, life.clone())));
            }
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Answers one bot's questions one after the other, with a pause where it asks too often.
async fn answer_bot(desk: Arc<Desk>, open: OpenDesk, bot: UserName, life: Lifecycle) {
    let (stopping, mut heard) = (life.stopping(), Heard::default());
    while !stopping.is_cancelled() {
        match open.requests_of(&bot).await {
            Ok(requests) => tokio::select! {
                () = stopping.cancelled() => return,
                () = answer_until_too_many(&desk, &open, requests, &mut heard) => heard.log(&bot),
            },
            Err(reason) => tracing::warn!(%reason, %bot, "its questions for open approvals cannot be received"),
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(DEAF) => {}
        }
    }
}

/// The questions of one bot.
#[derive(Debug, Default)]
struct Heard {
    spent: GcraState,
    /// Questions that were dropped since one was answered and none waited.
    dropped: usize,
    logged: Option<Instant>,
}

impl Heard {
    /// Counts a dropped question; returns whether these are too many.
    fn drop_one(&mut self) -> bool {
        OPEN_DROPPED.inc();
        self.dropped += 1;
        self.dropped >= MOST_DROPPED
    }

    fn log(&mut self, bot: &UserName) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            self.logged = Some(Instant::now());
            tracing::warn!(%bot, "it asks for open approvals too often and is not heard for moments at a time");
        }
    }
}

/// Answers until the bot asks too often. One question waits while another is answered, and more are dropped.
async fn answer_until_too_many(desk: &Desk, open: &OpenDesk, mut requests: OpenRequests, heard: &mut Heard) {
    let mut waiting: Option<OpenRequest> = None;
    heard.dropped = 0;
    loop {
        let request = match waiting.take() {
            Some(request) => request,
            None => {
                heard.dropped = 0;
                let Some(request) = requests.next().await else { return };
                request
            }
        };
        let (allowance, next) = REQUESTS.take(heard.spent, desk.clock.now().as_millis() * 1_000);
        heard.spent = next;
        if !allowance.allowed {
            let page = refused("too_many_requests", "Too many requests; ask again in a minute.");
            return open.answer(&request, &page).await;
        }
        let mut answering = std::pin::pin!(answer(desk, open, &request));
        loop {
            tokio::select! {
                () = &mut answering => break,
                next = requests.next() => match next {
                    Some(next) if waiting.is_none() && !next.is_too_long() => waiting = Some(next),
                    Some(_) if !heard.drop_one() => {}
                    Some(_) | None => return,
                },
            }
        }
    }
}

async fn answer(desk: &Desk, open: &OpenDesk, request: &OpenRequest) {
    if !request.is_too_long() {
        open.answer(request, &page_for(desk, request).await).await;
    }
}

async fn page_for(desk: &Desk, request: &OpenRequest) -> OpenPage {
    let Some(bot) = desk.users.get(request.bot.as_str()).filter(|user| user.bot && !user.disabled) else {
        return refused("not_entitled", "This bot is unknown or may not decide.");
    };
    let Some((before, limit)) = read(&request.payload) else {
        let text =
            "The request must be empty or a JSON object with cursor (the next of the page before) and limit (1 to 50).";
        return refused("malformed", text);
    };
    match open_approvals(desk, &bot, before, limit).await {
        Ok((open, next)) => {
            OpenPage { status: "ok", open, next: next.map(|next| next.to_string()), code: None, reason: None }
        }
        Err(reason) => {
            tracing::warn!(%reason, bot = %request.bot, "open approvals cannot be listed");
            let reason = Some("The list cannot be read now; ask again in a moment.".to_owned());
            OpenPage { status: "unavailable", code: Some("unavailable"), reason, ..OpenPage::default() }
        }
    }
}

fn refused(code: &'static str, reason: &str) -> OpenPage {
    OpenPage { status: "refused", code: Some(code), reason: Some(reason.to_owned()), ..OpenPage::default() }
}

/// Returns what the bot may decide, newest workflows first, and the place where the next page begins.
async fn open_approvals(
    desk: &Desk,
    bot: &User,
    before: Option<ListPosition>,
    limit: usize,
) -> Result<(Vec<Announcement>, Option<ListPosition>), String> {
    if !desk.view.is_complete().await.map_err(|error| error.to_string())? {
        return Err("the read model is being filled".to_owned());
    }
    let mut query = ListQuery { owner: None, status: Some(Status::WaitingApproval), before, limit: PORTION };
    let (mut open, begun) = (Vec::new(), Instant::now());
    for _ in 0..MAX_PORTIONS {
        let page = desk.view.list(&query).await.map_err(|error| error.to_string())?;
        for stored in page.items {
            if !is_open_to(&stored.workflow, bot, desk.clock.now()) {
                continue;
            }
            if open.len() == limit {
                return Ok((open, query.before));
            }
            open.extend(announcement_of(desk, &stored.workflow));
            query.before = Some(ListPosition::of(&stored));
        }
        if page.next.is_none() {
            return Ok((open, None));
        }
        query.before = page.next;
        if begun.elapsed() >= PAGE_TIME {
            break;
        }
    }
    Ok((open, query.before))
}

fn is_open_to(workflow: &Workflow, bot: &User, now: Timestamp) -> bool {
    workflow.park().is_some_and(|park| now < park.expires_at && !has_voted(workflow, bot) && may_decide(workflow, bot))
}

/// Reads where the page begins and how long it is; `None` where the request cannot be read.
fn read(payload: &[u8]) -> Option<(Option<ListPosition>, usize)> {
    let asked = match payload.trim_ascii() {
        [] => Asked::default(),
        payload => serde_json::from_slice(payload).ok()?,
    };
    let before = match asked.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(cursor.parse().ok()?),
    };
    let limit = asked.limit.unwrap_or(PAGE_LIMIT);
    (1..=PAGE_LIMIT).contains(&limit).then_some((before, limit))
}

#[cfg(test)]
mod tests {
    use shared::ids::WorkflowId;
    use shared::samples::START;

    use super::*;

    #[test]
    fn a_request_is_empty_or_names_a_place_and_a_length() {
        let place = ListPosition { created_at: START, id: WorkflowId::fresh() };
        let cursor = place.to_string();
        let at_cursor = format!(r#"{{"cursor":"{cursor}"}}"#);
        for (text, expected) in [
            ("", Some((None, PAGE_LIMIT))),
            (" \n", Some((None, PAGE_LIMIT))),
            ("{}", Some((None, PAGE_LIMIT))),
            (r#"{"cursor":null,"limit":null,"other":1}"#, Some((None, PAGE_LIMIT))),
            (r#"{"limit":7}"#, Some((None, 7))),
            (at_cursor.as_str(), Some((Some(place), PAGE_LIMIT))),
            (r#"{"limit":0}"#, None),
            (r#"{"limit":51}"#, None),
            (r#"{"limit":-1}"#, None),
            (r#"{"cursor":"nonsense"}"#, None),
            (r#"{"cursor":7}"#, None),
            ("nonsense", None),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
    }
}
