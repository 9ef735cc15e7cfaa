//! `GET /api/v3/execute`: the caller's workflows, newest first; for admins those of all users.

use std::cmp::Reverse;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::identity::Role;
use domain::ids::UserName;
use domain::workflow::Status;
use read_model::{ListPosition, ListQuery, Page, VersionedWorkflow};
use serde_json::{Value, json};

use crate::auth::tokens::Caller;
use crate::executions::views::summary;
use crate::http::pagination::QueryParams;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::state::Workflows;

/// Returns one page.
pub(crate) async fn list(
    workflows: web::Data<Workflows>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let (query, statuses) = read_query(&caller, &request)?;
    let page = list_any(&workflows, query, &statuses).await?;
    let items: Vec<Value> = page.items.iter().map(|stored| summary(&stored.workflow)).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": {"workflows": items, "next_cursor": next},
    })))
}

/// Returns one page of the workflows in any of the statuses; an empty list means all statuses.
async fn list_any(workflows: &Workflows, mut query: ListQuery, statuses: &[Status]) -> Result<Page, Problem> {
    if statuses.is_empty() {
        return workflows.reader.list(&query).await;
    }
    let mut pages = Vec::new();
    for status in statuses {
        query.status = Some(*status);
        pages.push(workflows.reader.list(&query).await?);
    }
    Ok(merge(pages, query.limit))
}

/// Merges the first pages of several lists into one page.
fn merge(pages: Vec<Page>, limit: usize) -> Page {
    // After this position a list may hold items that its page does not.
    let known_to = pages.iter().filter_map(|page| page.next).max();
    let items = pages.into_iter().flat_map(|page| page.items);
    let mut items: Vec<VersionedWorkflow> =
        items.filter(|stored| known_to.is_none_or(|known_to| ListPosition::of(stored) >= known_to)).collect();
    items.sort_by_key(|stored| Reverse(ListPosition::of(stored)));
    // A workflow that changed its status in between may be in two lists.
    items.dedup_by_key(|stored| stored.workflow.id);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(ListPosition::of) } else { known_to };
    Page { items, next }
}

/// Reads the query; the statuses come apart, because the caller may name several.
fn read_query(caller: &Caller, request: &HttpRequest) -> Result<(ListQuery, Vec<Status>), Problem> {
    let mut query = QueryParams::of(request)?;
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
        return Err(Problem::forbidden("Only admins can list the workflows of others."));
    }
    let owner = if all { owner } else { owner.or_else(|| Some(caller.user.name.clone())) };
    let statuses = Status::ALL.into_iter().filter(|status| named.contains(status)).collect();
    Ok((ListQuery { owner, status: None, before, limit }, statuses))
}
