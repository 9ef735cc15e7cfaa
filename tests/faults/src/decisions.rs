//! How the client answers a workflow's questions: itself, or by its bot.

use std::time::Duration;

use serde_json::{Value, json};
use shared::approval::Channel;
use shared::ids::{ApprovalId, WorkflowId};
use tokio::time::sleep;

use crate::calls::{Question, is_trouble};
use crate::history::{Answered, Asked, Call};
use crate::load::{Client, LOOK, is_end};

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(200);

/// A question that waits.
pub(crate) struct Pending {
    pub(crate) id: ApprovalId,
    /// Whether it is about running the code, and not about its result.
    pub(crate) is_before_run: bool,
}

pub(crate) fn pending(data: &Value) -> Option<Pending> {
    let question = &data["pending_approvals"][0];
    let id = question["approval_id"].as_str()?.parse().ok()?;
    Some(Pending { id, is_before_run: question["approval_type"] == "code_execution" })
}

impl Client {
    /// Answers a question about the result other than `last`; which one that was.
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

    /// Has the bot approve the result once it was announced; it sends its decision until it is told what became of it.
    pub(crate) async fn answer_by_bot(&self, number: usize, id: WorkflowId) {
        let Some(approval_id) = self.until_asked(number, id, None).await else { return };
        let announced = tokio::select! {
            announced = self.bot.hear_of(id, approval_id) => announced,
            () = self.until_ended(number, id) => return,
        };
        let verdict = "approved";
        let (question, digest) = (&announced["approval_id"], &announced["digest"]);
        let decision = json!({"workflow_id": id, "approval_id": question, "decision": verdict, "digest": digest});
        let message_id = format!("decision-{number}-{approval_id}");
        loop {
            let from_ms = self.history.now_ms();
            let answered = heard(self.bot.decide(id, &decision, &message_id).await);
            let is_over = !is_trouble(answered.code);
            let asked = Asked::Decide { approval_id, decision: verdict, channel: Channel::Nats };
            let call = Call { from_ms, to_ms: self.history.now_ms(), api: None, asked, answered };
            self.history.tell(number, |story| story.calls.push(call));
            if is_over {
                return;
            }
            sleep(AGAIN).await;
        }
    }

    pub(crate) async fn decide(&self, number: usize, id: WorkflowId, approval_id: ApprovalId, decision: &'static str) {
        self.decide_with(number, id, approval_id, decision, json!({})).await;
    }

    /// Decides, with further fields of the body.
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
        let asked = Asked::Decide { approval_id, decision, channel: Channel::Http };
        let question = || Question { key: &key, body: Some(&body), ..Question::get(number, asked.clone(), &path) };
        while is_trouble(self.call(question()).await.0.code) {
            sleep(AGAIN).await;
        }
    }

    /// Waits for a question about the result other than `last`; `None` where the workflow ends instead.
    pub(crate) async fn until_asked(
        &self,
        number: usize,
        id: WorkflowId,
        last: Option<ApprovalId>,
    ) -> Option<ApprovalId> {
        loop {
            let data = self.look_on(number, id).await;
            let asked = pending(&data).filter(|asked| Some(asked.id) != last && !asked.is_before_run);
            if asked.is_some() || is_end(&data) {
                return asked.map(|asked| asked.id);
            }
            sleep(LOOK).await;
        }
    }
}

/// A reply to the bot, in the words of a call.
fn heard(reply: Option<Value>) -> Answered {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match reply {
        None => Answered { code: 0, words: "no reply".to_owned() },
        Some(reply) if reply["status"] == "applied" => Answered { code: 200, words: text(&reply["workflow_status"]) },
        Some(reply) => Answered { code: 409, words: text(&reply["code"]) },
    }
}
