//! Decisions on a workflow's questions, by the client or by its bot.

use std::time::Duration;

use domain::approval::Channel;
use domain::ids::{ApprovalId, WorkflowId};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::calls::{ApiCall, is_retryable};
use super::history::{ClientOperation, RecordedCall, Response};
use super::{Client, POLL_INTERVAL, is_end};

/// Delay between two tries.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// An open question.
pub(crate) struct Pending {
    pub(crate) id: ApprovalId,
    /// True if it is about running the code, false if about releasing the result.
    pub(crate) is_before_run: bool,
}

pub(crate) fn pending(data: &Value) -> Option<Pending> {
    let question = &data["pending_approvals"][0];
    let id = question["approval_id"].as_str()?.parse().ok()?;
    Some(Pending { id, is_before_run: question["approval_type"] == "code_execution" })
}

impl Client {
    /// Decides a question about the result other than `last`, and returns its id.
    pub(crate) async fn answer(
        &self,
        number: usize,
        id: WorkflowId,
        last: Option<ApprovalId>,
        decision: &'static str,
    ) -> Option<ApprovalId> {
        let approval_id = self.until_asked(number, id, last).await?;
        self.decide(number, id, approval_id, decision).await;
        Some(approval_id)
    }

    /// Approves the result as the bot, once it was announced. Repeats the decision until it gets a reply.
    pub(crate) async fn answer_by_bot(&self, number: usize, id: WorkflowId) {
        let Some(approval_id) = self.until_asked(number, id, None).await else { return };
        let announced = tokio::select! {
            announced = self.bot.announcement_of(id, approval_id) => announced,
            () = self.until_ended(number, id) => return,
        };
        let verdict = "approved";
        let (question, digest) = (&announced["approval_id"], &announced["digest"]);
        let decision = json!({"workflow_id": id, "approval_id": question, "decision": verdict, "digest": digest});
        let message_id = format!("decision-{number}-{approval_id}");
        loop {
            let from_ms = self.history.now_ms();
            let response = response_of(self.bot.decide(id, &decision, &message_id).await);
            let is_over = !is_retryable(response.code);
            let operation = ClientOperation::Decide { approval_id, decision: verdict, channel: Channel::Nats };
            let call = RecordedCall { from_ms, to_ms: self.history.now_ms(), api: None, operation, response };
            self.history.update(number, |history| history.calls.push(call));
            if is_over {
                return;
            }
            sleep(RETRY_DELAY).await;
        }
    }

    pub(crate) async fn decide(&self, number: usize, id: WorkflowId, approval_id: ApprovalId, decision: &'static str) {
        self.decide_with(number, id, approval_id, decision, json!({})).await;
    }

    /// Decides, with further fields in the body.
    pub(crate) async fn decide_with(
        &self,
        number: usize,
        id: WorkflowId,
        approval_id: ApprovalId,
        decision: &'static str,
        mut body: Value,
    ) {
        let path = format!("/api/v3/execute/approve/{id}");
        for (field, value) in
            [("workflow_id", json!(id)), ("approval_id", json!(approval_id)), ("decision", json!(decision))]
        {
            body[field] = value;
        }
        let key = format!("decision-{number}-{approval_id}");
        let operation = ClientOperation::Decide { approval_id, decision, channel: Channel::Http };
        let api_call = || ApiCall { key: &key, body: Some(&body), ..ApiCall::get(number, operation.clone(), &path) };
        while is_retryable(self.call(api_call()).await.0.code) {
            sleep(RETRY_DELAY).await;
        }
    }

    /// Waits for a question about the result other than `last`; `None` if the workflow ends before.
    pub(crate) async fn until_asked(
        &self,
        number: usize,
        id: WorkflowId,
        last: Option<ApprovalId>,
    ) -> Option<ApprovalId> {
        loop {
            let data = self.poll(number, id).await;
            let question = pending(&data).filter(|question| Some(question.id) != last && !question.is_before_run);
            if question.is_some() || is_end(&data) {
                return question.map(|question| question.id);
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Converts a reply to the bot into a response.
fn response_of(reply: Option<Value>) -> Response {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match reply {
        None => Response { code: 0, words: "no reply".to_owned() },
        Some(reply) if reply["status"] == "applied" => Response { code: 200, words: text(&reply["workflow_status"]) },
        Some(reply) => Response { code: 409, words: text(&reply["code"]) },
    }
}
