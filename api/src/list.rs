//! `GET /api/v3/execute`: the caller's workflows, newest first; admins may look at everybody's.

use std::cmp::Reverse;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use shared::identity::Role;
use shared::ids::UserName;
use shared::read_model::{ListQuery, Page, Stored};
use shared::workflow::Status;

use crate::auth::Caller;
use crate::limits::{Operation, admit};
use crate::paging::{Query, cursor_after};
use crate::problem::Problem;
use crate::state::State;
use crate::status::summary;

/// One page.
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    admit(&state, &request, &caller, Operation::Status).await?;
    let (query, statuses) = read_query(&caller, &request)?;
    let page = list_any(&state, query, &statuses).await?;
    let workflows: Vec<Value> = page.items.iter().map(|stored| summary(&stored.workflow)).collect();
    let next = page.items.last().filter(|_| page.more).map(cursor_after);
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": {"workflows": workflows, "next_cursor": next},
    })))
}

/// One page of the workflows in any of the statuses; in all where none is named.
async fn list_any(state: &State, mut query: ListQuery, statuses: &[Status]) -> Result<Page, Problem> {
    if statuses.is_empty() {
        return state.newest.list(&query).await;
    }
    let mut all = Page { items: Vec::new(), more: false };
    for status in statuses {
        query.status = Some(*status);
        let page = state.newest.list(&query).await?;
        all.items.extend(page.items);
        all.more |= page.more;
    }
    let place = |stored: &Stored| (stored.workflow.created_at, stored.workflow.id);
    all.items.sort_by_key(|stored| Reverse(place(stored)));
    // One that moved on in between may stand in two lists.
    all.items.dedup_by_key(|stored| stored.workflow.id);
    all.more |= all.items.len() > query.limit;
    all.items.truncate(query.limit);
    Ok(all)
}

/// The query, but for the statuses, which come apart: the caller may name several.
fn read_query(caller: &Caller, request: &HttpRequest) -> Result<(ListQuery, Vec<Status>), Problem> {
    let mut query = Query::of(request)?;
    let named = query.read_all(
        "status",
        "must be one of created, running, waiting_approval, completed, failed, cancelled",
        |text| Status::ALL.into_iter().find(|status| status.as_str() == text),
    );
    let owner = query.read("owner", "must be a user name", |text| text.parse::<UserName>().ok());
    let all = query.read("all", "must be true or false", |text| text.parse::<bool>().ok()).unwrap_or(false);
    let (limit, before) = (query.limit(), query.cursor());
    query.finish()?;
    let asks_for_others = all || owner.as_ref().is_some_and(|owner| *owner != caller.user.name);
    if asks_for_others && !caller.is_at_least(Role::Admin) {
        return Err(Problem::forbidden("Only admins list the workflows of others."));
    }
    let owner = if all { owner } else { owner.or_else(|| Some(caller.user.name.clone())) };
    let statuses = Status::ALL.into_iter().filter(|status| named.contains(status)).collect();
    Ok((ListQuery { owner, status: None, before, limit }, statuses))
}
