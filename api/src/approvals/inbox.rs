//! `GET /api/v3/approvals`: the open approvals that the caller may decide.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::identity::Role;
use domain::workflow::Status;
use read_model::{ListPosition, ListQuery, VersionedWorkflow};
use serde_json::{Value, json};

use crate::auth::state::Auth;
use crate::auth::tokens::Caller;
use crate::executions::views::{pending_approval, summary};
use crate::http::pagination::QueryParams;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::awaits_decision_of;
use crate::workflows::state::Workflows;

/// Parked workflows read at once.
const SCAN_PAGE_SIZE: usize = 100;
/// Maximum reads for one page; the cursor continues from there.
const MAX_SCAN_PAGES: usize = 20;

/// Returns one page, those of the newest workflows first.
pub(crate) async fn inbox(
    workflows: web::Data<Workflows>,
    auth: web::Data<Auth>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let mut query = QueryParams::of(&request)?;
    let (limit, before) = (query.limit(), query.cursor());
    query.finish()?;
    // Callers below approver can decide on their own work only.
    let owner = (!caller.is_at_least(Role::Approver)).then(|| caller.user.name.clone());
    let mut parked = ListQuery { owner, status: Some(Status::WaitingApproval), before, limit: SCAN_PAGE_SIZE };
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..MAX_SCAN_PAGES {
        let page = workflows.reader.list(&parked).await?;
        (parked.before, next) = (page.next, page.next);
        found.extend(page.items.into_iter().filter(|stored| awaits_decision_of(&stored.workflow, &caller.user)));
        if found.len() >= limit || next.is_none() {
            break;
        }
    }
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().map(ListPosition::of);
    }
    found.iter_mut().for_each(|stored| auth.tokens.lapse_votes(&mut stored.workflow));
    let approvals: Vec<Value> = found.iter().filter_map(pending_item).collect();
    Ok(HttpResponse::Ok().json(json!({
        "status": "success",
        "data": {"approvals": approvals, "next_cursor": next.map(|next| next.to_string())},
    })))
}

/// Returns the open approval with a summary of its workflow.
fn pending_item(stored: &VersionedWorkflow) -> Option<Value> {
    let mut pending_item = pending_approval(&stored.workflow)?;
    pending_item["workflow_id"] = json!(stored.workflow.id);
    pending_item["workflow"] = summary(&stored.workflow);
    Some(pending_item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{parked, submitted};

    #[test]
    fn an_open_approval_names_its_workflow() {
        let stored = VersionedWorkflow { sequence: 7, workflow: parked("ann") };
        insta::assert_json_snapshot!(pending_item(&stored));
        assert_eq!(pending_item(&VersionedWorkflow { sequence: 1, workflow: submitted("ann") }), None);
    }
}
