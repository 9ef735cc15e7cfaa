//! `approvals.open.<bot>`: a bot asks for the approvals that it may decide now, page by page.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use shared::approval::{has_voted, may_decide};
use shared::clock::Timestamp;
use shared::identity::User;
use shared::ids::{UserName, WorkflowId};
use shared::lifecycle::Lifecycle;
use shared::messaging::{Announcement, OpenPage, OpenRequest, OpenRequests};
use shared::read_model::{Gcra, GcraState, ListQuery};
use shared::workflow::{Status, Workflow};

use crate::announcements::announcement_of;
use crate::desk::Desk;

/// Announcements on a page at most; their goals and descriptions fit into one message many times over.
const PAGE_LIMIT: usize = 50;
/// Parked workflows read at once.
const PORTION: usize = 50;
/// Portions read for one page at most; the cursor leads on from there.
const MAX_PORTIONS: usize = 20;
/// Requests that each bot may make of one approver.
const REQUESTS: Gcra = Gcra { burst: 60, refill_per_minute: 120 };

/// A place in the list of parked workflows, newest first.
type Place = (Timestamp, WorkflowId);

/// The body of a request; an empty one asks for the first page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Answers requests one after the other until the life ends: a flood waits in line and takes nothing from decisions.
pub(crate) async fn answer_open_requests(desk: Arc<Desk>, mut requests: OpenRequests, life: Lifecycle) {
    let stopping = life.stopping();
    let mut spent: HashMap<UserName, GcraState> = HashMap::new();
    loop {
        let request = tokio::select! {
            () = stopping.cancelled() => return,
            request = requests.next() => request,
        };
        let Some(request) = request else { return };
        let state = spent.entry(request.bot.clone()).or_default();
        let (allowance, next) = REQUESTS.take(*state, desk.clock.now().as_millis() * 1_000);
        *state = next;
        let page = if allowance.allowed {
            page_for(&desk, &request).await
        } else {
            refused("too_many_requests", "Too many requests; ask again in a minute.")
        };
        desk.bots.answer_open(&request, &page).await;
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
        Ok((open, next)) => OpenPage { status: "ok", open, next: next.map(cursor_after), code: None, reason: None },
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
    before: Option<Place>,
    limit: usize,
) -> Result<(Vec<Announcement>, Option<Place>), String> {
    if !desk.view.is_complete().await.map_err(|error| error.to_string())? {
        return Err("the read model is being filled".to_owned());
    }
    let mut query = ListQuery { owner: None, status: Some(Status::WaitingApproval), before, limit: PORTION };
    let mut open = Vec::new();
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
            query.before = Some((stored.workflow.created_at, stored.workflow.id));
        }
        if page.next.is_none() {
            return Ok((open, None));
        }
        query.before = page.next;
    }
    Ok((open, query.before))
}

fn is_open_to(workflow: &Workflow, bot: &User, now: Timestamp) -> bool {
    workflow.park().is_some_and(|park| now < park.expires_at && !has_voted(workflow, bot) && may_decide(workflow, bot))
}

/// Reads where the page begins and how long it is; `None` where the request cannot be read.
fn read(payload: &[u8]) -> Option<(Option<Place>, usize)> {
    let asked = match payload.trim_ascii() {
        [] => Asked::default(),
        payload => serde_json::from_slice(payload).ok()?,
    };
    let before = match asked.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(read_cursor(cursor)?),
    };
    let limit = asked.limit.unwrap_or(PAGE_LIMIT);
    (1..=PAGE_LIMIT).contains(&limit).then_some((before, limit))
}

fn cursor_after((at, id): Place) -> String {
    format!("{:x}.{id}", at.as_millis())
}

fn read_cursor(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    let at = i64::from_str_radix(at, 16).ok().filter(|millis| *millis >= 0)?;
    Some((Timestamp::from_millis(at), id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use shared::ids::WorkflowId;
    use shared::samples::START;

    use super::*;

    #[test]
    fn a_request_is_empty_or_names_a_place_and_a_length() {
        let place = (START, WorkflowId::fresh());
        let cursor = cursor_after(place);
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
