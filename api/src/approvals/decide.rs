//! `POST /api/v3/execute/approve/{workflow_id}`: sends a decision to the approver, which alone applies it.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use domain::approval::{CODE_BYTES, COMMENT_CHARS, Verdict, is_eligible, may_decide, parse_supplied_input};
use domain::identity::User;
use domain::ids::{ApprovalId, Digest, WorkflowId};
use domain::workflow::{NewInput, Workflow};
use messaging::{ApprovalAnswer, HttpDecision};
use serde_json::{Value, json};
use service::lifecycle::Lifecycle;
use service::telemetry::TraceContext;
use uuid::Uuid;

use crate::auth::tokens::Caller;
use crate::http::body::{BodyMemoryBudget, read_body};
use crate::http::idempotency::read_key;
use crate::http::json_fields::{FieldReader, Object};
use crate::http::problem::Problem;
use crate::http::request_context::trace_of;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::access::{may_send_decision, parse_workflow_id};
use crate::workflows::peers::Peers;
use crate::workflows::state::Workflows;

/// Maximum wait for the approver; its own wait for a gate that is about to park is shorter.
const DECISION_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum attempts to have an unauthorized decision recorded in the audit log.
const MAX_AUDIT_ATTEMPTS: usize = 6;

/// The validated body of a decision.
#[derive(Debug, Clone, PartialEq)]
struct DecisionBody {
    approval_id: ApprovalId,
    verdict: Verdict,
    comment: Option<String>,
    digest: Option<Digest>,
    /// Its code is not stored yet; the approver stores the code of decisions that it accepts.
    input: Option<NewInput>,
}

/// The part of the application state for decisions.
pub(crate) struct Decisions {
    pub(crate) workflows: web::Data<Workflows>,
    pub(crate) peers: web::Data<Peers>,
    pub(crate) lifecycle: web::Data<Lifecycle>,
}

/// Decides. A repeat with the same `Idempotency-Key` is the same decision.
pub(crate) async fn decide(
    decisions: web::Data<Decisions>,
    limits: web::Data<RateLimits>,
    body_memory: web::Data<BodyMemoryBudget>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let payload = limits.admit_body(&request, &caller.user, Operation::Decide, payload).await?;
    // An invalid id in the path is 404, also with a wrong body.
    let path = parse_workflow_id(&id);
    let body = read_body(&body_memory, &caller.user, &request, payload, move |body| {
        path.map(|id| parse_decision(body, id)).transpose()
    })
    .await?;
    let key = read_key(&request)?;
    let (Some(id), Some(body)) = (path, body) else { return Err(Problem::workflow_not_found()) };
    // The deadline counts from here; both are read from the broker at once.
    let Decisions { workflows, peers, .. } = &**decisions;
    let (stored, deadline) =
        tokio::join!(workflows.reader.newest_from_leader(id), peers.decision_rpc.deadline(DECISION_TIMEOUT));
    let stored = stored?;
    let is_pending =
        stored.as_ref().is_some_and(|stored| is_pending_for(&stored.workflow, &caller.user, body.approval_id));
    if !is_pending {
        limits.charge_rejected_decision(&request, &caller.user).await?;
    }
    let workflow = stored.ok_or_else(Problem::workflow_not_found)?.workflow;
    let is_unauthorized = !may_send_decision(&workflow, &caller.user);
    let decision = HttpDecision {
        workflow_id: id,
        approval_id: body.approval_id,
        verdict: body.verdict,
        comment: body.comment,
        digest: body.digest,
        input: body.input,
        by: caller.user.name.clone(),
        role: caller.user.role,
        message_id: key.unwrap_or_else(|| Uuid::new_v4().to_string()),
        deadline,
        is_refused: is_unauthorized && !is_eligible(&workflow, &caller.user),
    };
    if decision.is_refused {
        // Respond as fast as for an unknown workflow; the approver records the attempt in the audit log.
        let audit = audit_refused(decisions.clone(), decision, trace_of(&request));
        decisions.lifecycle.spawn(audit);
        return Err(Problem::workflow_not_found());
    }
    let answer = peers.decision_rpc.request(&decision, trace_of(&request), DECISION_TIMEOUT).await;
    let is_refused = matches!(answer, Some(ApprovalAnswer::Refused { .. }));
    if is_unauthorized && is_refused {
        // Users who may decide get the result of a decision that is or may be applied: the gate may have opened
        // meanwhile.
        return Err(Problem::workflow_not_found());
    }
    respond(workflows, id, answer).await
}

/// Sends a refused decision until an approver has recorded it in the audit log.
async fn audit_refused(decisions: web::Data<Decisions>, decision: HttpDecision, trace: TraceContext) {
    let (rpc, stopping) = (&decisions.peers.decision_rpc, decisions.lifecycle.stopping());
    for _ in 0..MAX_AUDIT_ATTEMPTS {
        let deadline = rpc.deadline(DECISION_TIMEOUT).await;
        let decision = HttpDecision { deadline, ..decision.clone() };
        let answer = rpc.request(&decision, trace.child(), DECISION_TIMEOUT).await;
        if matches!(answer, Some(ApprovalAnswer::Applied { .. } | ApprovalAnswer::Refused { .. })) {
            return;
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    tracing::warn!(
        workflow.id = %decision.workflow_id,
        user.name = %decision.by,
        "Failed to record an unauthorized decision on workflow {} in the audit log", decision.workflow_id
    );
}

/// Returns whether this gate is open and the user may decide it; anything else is rejected, or was applied before.
fn is_pending_for(workflow: &Workflow, user: &User, approval_id: ApprovalId) -> bool {
    may_decide(workflow, user) && workflow.gate().is_some_and(|gate| gate.approval_id == approval_id)
}

fn parse_decision(body: &Value, id: WorkflowId) -> Result<DecisionBody, Problem> {
    let root = FieldReader::body(body)?;
    let mut fields = FieldReader::default();
    let named = fields.required_text(root, "workflow_id", 64);
    if !named.is_empty() && !named.eq_ignore_ascii_case(&id.to_string()) {
        fields.wrong(root, "workflow_id", "must be the id in the path");
    }
    let approval_id = fields.required_text(root, "approval_id", 64);
    let verdicts = [Verdict::Approved, Verdict::Rejected, Verdict::ChangesRequested];
    let verdict = fields.choice(root, "decision", &verdicts.map(|verdict| (verdict.as_str(), verdict)));
    if root.get("decision").is_none() {
        fields.wrong(root, "decision", "is required: approved, rejected or changes_requested");
    }
    let comment = fields.text(root, "comment", COMMENT_CHARS).filter(|text| !text.trim().is_empty());
    // Text that is not a digest gets the same conflict as a wrong digest.
    let digest = fields.text(root, "digest", 128).map(|text| text.parse().unwrap_or(Digest::of(text.as_bytes())));
    let input = read_input(&mut fields, root, verdict)?;
    fields.finish()?;
    let verdict = verdict.ok_or_else(|| Problem::invalid_field("decision", "is required"))?;
    Ok(DecisionBody {
        approval_id: parse_approval_id(&approval_id.to_ascii_lowercase()),
        verdict,
        comment,
        digest,
        input,
    })
}

/// Parses an approval id; other text becomes the id of an approval that does not exist.
fn parse_approval_id(text: &str) -> ApprovalId {
    text.parse().unwrap_or_else(|_| ApprovalId::nobodys())
}

fn read_input(
    fields: &mut FieldReader,
    root: Object<'_>,
    verdict: Option<Verdict>,
) -> Result<Option<NewInput>, Problem> {
    let recipe = fields.text(root, "recipe", CODE_BYTES);
    let code = fields.code(root, "code")?;
    let input = parse_supplied_input(recipe, code).unwrap_or_else(|wrong| {
        fields.wrong(root, wrong.field(), &wrong.to_string());
        None
    });
    if input.is_some() && verdict.is_some_and(|verdict| verdict != Verdict::Approved) {
        fields.wrong(root, "decision", "must be approved if a recipe or code is supplied");
    }
    Ok(input)
}

async fn respond(
    workflows: &Workflows,
    id: WorkflowId,
    answer: Option<ApprovalAnswer>,
) -> Result<HttpResponse, Problem> {
    match answer {
        Some(ApprovalAnswer::Applied { status, message, sequence }) => {
            // Ensures that no later response of this instance shows the state before the decision.
            if let Some(sequence) = sequence {
                workflows.reader.observe(id, sequence);
            } else if let Err(problem) = workflows.reader.get_from_leader(id).await {
                tracing::debug!(%problem, workflow.id = %id, "Workflow {id}: failed to read it after a decision");
            }
            let body = json!({"status": "success", "message": message, "workflow_status": status});
            Ok(HttpResponse::Ok().json(body))
        }
        Some(ApprovalAnswer::Refused { code, message }) => Err(decision_problem(&code, message)),
        Some(ApprovalAnswer::Unavailable { message }) => {
            tracing::warn!(message, workflow.id = %id, "Workflow {id}: decision not written: {message}");
            Err(Problem::unavailable(
                "The decision could not be stored. Read the workflow's status, and send it again unless it is shown.",
                Duration::from_secs(1),
            ))
        }
        None => Err(Problem::unavailable(
            "No approver answered in time; the decision is dropped unless the workflow's status shows it. Read the \
             status, and send the decision again if it is not shown.",
            Duration::from_secs(2),
        )),
    }
}

fn decision_problem(code: &str, message: String) -> Problem {
    match code {
        "unknown_workflow" => Problem::workflow_not_found(),
        "unknown_approval" => Problem::new(actix_web::http::StatusCode::NOT_FOUND, "approval-not-found", message),
        "already_decided" => Problem::conflict("already-decided", message),
        "already_voted" => Problem::conflict("already-voted", message),
        "cancelled" => Problem::conflict("cancelled", message),
        "workflow_ended" => Problem::conflict("workflow-ended", message),
        "expired" => Problem::conflict("expired", message),
        "digest_mismatch" => Problem::conflict("digest-mismatch", message),
        "not_entitled" => Problem::forbidden(message),
        "digest_missing" => {
            Problem::invalid_field("digest", "is required: the digest of the result that you decide on")
        }
        "input_not_asked" => {
            Problem::invalid_field("decision", "concerns a result; a recipe or code is accepted for needs_input only")
        }
        "message_reused" => {
            Problem::invalid_field("Idempotency-Key", "was used before for another decision; choose a new key")
        }
        "unknown_recipe" => Problem::invalid_field("recipe", message.trim_end_matches('.')),
        "malformed" => Problem::invalid_field("body", "is not a valid decision"),
        "not_yet_parked" | "too_late" => Problem::unavailable(message, Duration::from_secs(1)),
        other => {
            tracing::error!(code = other, "Unknown rejection code {other} from the approver; upgrade this API");
            Problem::conflict("refused", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";

    #[track_caller]
    fn check(change: Value, wrong: &[&str]) {
        let mut body = json!({"workflow_id": ID, "approval_id": ID, "decision": "approved"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let named: Vec<String> = match parse_decision(&body, ID.parse().unwrap()) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                let document = problem.document();
                document["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
            }
        };
        assert_eq!(named, wrong, "{change}");
    }

    #[test]
    fn decision_bodies_are_validated() {
        check(json!({}), &[]);
        check(json!({"decision": "changes_requested", "comment": "shorter", "digest": "a".repeat(64)}), &[]);
        check(json!({"workflow_id": "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d4"}), &["workflow_id"]);
        check(json!({"workflow_id": null}), &["workflow_id"]);
        check(json!({"approval_id": "nonsense"}), &[]);
        check(json!({"approval_id": null}), &["approval_id"]);
        check(json!({"approval_id": 5}), &["approval_id"]);
        check(json!({"decision": "yes"}), &["decision"]);
        check(json!({"decision": null}), &["decision"]);
        check(json!({"comment": "x".repeat(4_001)}), &["comment"]);
        check(json!({"digest": "abc"}), &[]);
        check(json!({"digest": 5}), &["digest"]);
        check(json!({"recipe": "jwt-auth"}), &[]);
        check(json!({"code": "print(1)"}), &[]);
        check(json!({"code": "print(1)", "recipe": "jwt-auth"}), &["recipe"]);
        check(json!({"code": "print(1)", "decision": "rejected"}), &["decision"]);
    }

    #[test]
    fn each_rejection_has_its_status() {
        for (code, status) in [
            ("unknown_workflow", 404),
            ("unknown_approval", 404),
            ("already_decided", 409),
            ("already_voted", 409),
            ("cancelled", 409),
            ("workflow_ended", 409),
            ("expired", 409),
            ("digest_mismatch", 409),
            ("not_entitled", 403),
            ("malformed", 422),
            ("unknown_recipe", 422),
            ("input_not_asked", 422),
            ("message_reused", 422),
            ("digest_missing", 422),
            ("not_yet_parked", 503),
            ("too_late", 503),
        ] {
            assert_eq!(decision_problem(code, "so".to_owned()).status(), status, "{code}");
        }
    }

    const NAMES: &[&str] = &["workflow_id", "approval_id", "decision", "comment", "digest", "code"];

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic(
            names in prop::collection::vec(prop::sample::select(NAMES), 0..6),
            texts in prop::collection::vec(".{0,80}", 6),
        ) {
            let members = names.into_iter().zip(texts).map(|(name, text)| (name.to_owned(), Value::from(text)));
            let body: Value = members.collect();
            prop_assert!(parse_decision(&body, ID.parse().unwrap()).is_err());
        }
    }
}
