//! Announcements to approval bots, their decisions, and our replies: plain JSON, so that a five-line script can take part.

use async_nats::Subscriber;
use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use super::broker::{Broker, BrokerError, BrokerSettings};
use super::subjects;
use crate::approval::{ApprovalType, RiskLevel, Verdict};
use crate::failpoints;
use crate::ids::{ApprovalId, Digest, UserName, WorkflowId};

/// What is announced when a workflow parks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    pub workflow_id: WorkflowId,
    pub approval_id: ApprovalId,
    pub approval_type: ApprovalType,
    pub description: String,
    pub risk_level: RiskLevel,
    pub digest: Digest,
    pub context: serde_json::Value,
    pub required_approvers: u32,
    /// RFC 3339.
    pub expires_at: String,
    /// The subject on which a bot reads the answer to its decision; see [`Announcement::reply_subject_of`].
    pub reply_subject: String,
}

impl Announcement {
    /// The reply subject for decisions on a workflow, the same in every bot's account.
    pub fn reply_subject_of(id: WorkflowId) -> String {
        subjects::reply_for_bots(id)
    }
}

/// A bot's decision as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BotDecision {
    pub workflow_id: WorkflowId,
    pub approval_id: ApprovalId,
    pub decision: Verdict,
    pub comment: Option<String>,
    pub digest: Option<Digest>,
    pub decided_by: Option<String>,
    pub recipe: Option<String>,
    pub code: Option<String>,
}

/// What a bot reads on the reply subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BotReply {
    pub workflow_id: Option<WorkflowId>,
    pub approval_id: Option<ApprovalId>,
    /// `applied`, `refused` or `kept`.
    pub status: String,
    /// The refusal's stable code.
    pub code: Option<String>,
    pub reason: String,
    pub workflow_status: Option<String>,
    /// The decision's `Nats-Msg-Id`, where it had one.
    pub message_id: Option<String>,
}

/// A bot's question for the approvals that it may decide now.
#[derive(Debug)]
pub struct OpenRequest {
    /// Proved by the subject, as for decisions.
    pub bot: UserName,
    pub payload: bytes::Bytes,
    reply: String,
}

impl OpenRequest {
    /// Returns whether it is longer than any question needs to be.
    pub fn is_too_long(&self) -> bool {
        self.payload.len() > OPEN_BYTES
    }
}

/// A question is at most this long: a cursor and a limit.
const OPEN_BYTES: usize = 1024;
/// Questions of a bot that the client holds until they are read, which is at once: a flood ends its subscription.
const OPEN_HELD: usize = 4_096;

/// Questions of one bot for what is open.
#[derive(Debug)]
pub struct OpenRequests {
    messages: Subscriber,
}

impl OpenRequests {
    /// The next one; `None` once the connection has ended. Cancel safe.
    ///
    /// A request without a reply subject of the broker's own making is not from a bot's account and is dropped.
    pub async fn next(&mut self) -> Option<OpenRequest> {
        loop {
            let message = self.messages.next().await?;
            let reply = message.reply.as_ref().filter(|reply| reply.starts_with(subjects::FOREIGN_REPLIES));
            if let (Some(reply), Some(bot)) = (reply, subjects::open_bot(&message.subject)) {
                return Some(OpenRequest { bot, payload: message.payload.clone(), reply: reply.to_string() });
            }
        }
    }
}

/// Receives and answers what bots ask for, over a connection of its own: a flood delays no decision and no watch.
#[derive(Debug, Clone)]
pub struct OpenDesk {
    broker: Broker,
}

impl OpenDesk {
    /// Opens the connection.
    pub async fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        Ok(Self { broker: Broker::connect_aside(settings, "open approvals", OPEN_HELD).await? })
    }

    /// Questions of `bot` from now on, shared among the approvers.
    pub async fn requests_of(&self, bot: &UserName) -> Result<OpenRequests, String> {
        let messages = self.broker.client().queue_subscribe(subjects::open(bot), "approvers".to_owned()).await;
        Ok(OpenRequests { messages: messages.map_err(|error| error.to_string())? })
    }

    /// Answers a question.
    pub async fn answer(&self, request: &OpenRequest, page: &OpenPage) {
        let payload = serde_json::to_vec(page).unwrap_or_default();
        if let Err(error) = self.broker.client().publish(request.reply.clone(), payload.into()).await {
            tracing::warn!(%error, bot = %request.bot, "a page of open approvals could not be sent");
        }
    }
}

/// One page of the approvals that a bot may decide now, or the reason for none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenPage {
    /// `ok`, `refused` or `unavailable`.
    pub status: &'static str,
    pub open: Vec<Announcement>,
    /// The `cursor` of the next page; null on the last.
    pub next: Option<String>,
    pub code: Option<&'static str>,
    pub reason: Option<String>,
}

/// A decision's sender and text, before the text was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Proved by the subject, which the broker lets only this bot publish to.
    pub bot: UserName,
    /// The workflow that the subject names; `None` where that token is no id.
    pub workflow_id: Option<WorkflowId>,
    /// The token of the subject that an answer goes to.
    pub token: String,
    pub message_id: Option<String>,
    pub sequence: u64,
    pub payload: bytes::Bytes,
}

/// Speaks with bots.
#[derive(Debug, Clone)]
pub struct ApprovalDesk {
    broker: Broker,
}

impl ApprovalDesk {
    /// The desk behind `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Announces a park; returns once the announcement is on disk. A redelivered park is announced again, under the same id.
    ///
    /// It carries no `Nats-Msg-Id`: the stream compares none.
    pub async fn announce(&self, announcement: Announcement) -> Result<(), String> {
        let payload = serde_json::to_vec(&announcement).map_err(|error| error.to_string())?;
        let message = PublishMessage::build().payload(payload.into());
        let subject = subjects::requested(announcement.workflow_id);
        failpoints::reach("announcement.before").await;
        let ack =
            self.broker.jetstream().send_publish(subject, message).await.map_err(|error| error.to_string())?.await;
        failpoints::reach("announcement.after").await;
        ack.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Announces an open approval once more, to the bots that are connected now; nothing is stored.
    pub async fn repeat(&self, announcement: &Announcement) -> Result<(), String> {
        let payload = serde_json::to_vec(announcement).map_err(|error| error.to_string())?;
        let subject = subjects::repeated(announcement.workflow_id);
        self.broker.client().publish(subject, payload.into()).await.map_err(|error| error.to_string())
    }

    /// Answers a bot.
    pub async fn reply(&self, to: &Received, reply: &BotReply) {
        let payload = serde_json::to_vec(reply).unwrap_or_default();
        let subject = subjects::reply(&to.bot, &to.token);
        if let Err(error) = self.broker.client().publish(subject, payload.into()).await {
            tracing::warn!(%error, bot = %to.bot, "a reply could not be sent");
        }
    }

    /// Reads who sent a decision; `None` where the subject names no sender, which the broker's permissions rule out.
    pub fn read(message: &Message) -> Option<Received> {
        let info = message.info().ok()?;
        let bot = subjects::decision_bot(&message.subject)?;
        let header = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
        Some(Received {
            bot,
            workflow_id: subjects::parse_decision(&message.subject).map(|(_, id)| id),
            token: message.subject.rsplit('.').next()?.to_owned(),
            message_id: header.map(|value| value.as_str().to_owned()),
            sequence: info.stream_sequence,
            payload: message.payload.clone(),
        })
    }
}
