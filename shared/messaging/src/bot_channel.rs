//! Announcements to approval bots, their decisions and the replies: plain JSON, so that a five-line script can take
//! part.

use async_nats::Subscriber;
use async_nats::jetstream::Message;
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt;
use futures_util::stream::SelectAll;
use serde::{Deserialize, Serialize};

use super::subjects;
use crate::connection::broker::{Broker, BrokerError, BrokerSettings};
use crate::error::MessagingError;
use domain::approval::{ApprovalType, RiskLevel, Verdict};
use domain::ids::{ApprovalId, Digest, UserName, WorkflowId};
use service::failpoints;

/// An announcement that a workflow is parked.
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
    /// The subject on which a bot reads the reply to its decision; see [`Announcement::reply_subject_of`].
    pub reply_subject: String,
}

impl Announcement {
    /// Returns the reply subject for decisions on a workflow, the same in every bot's account.
    pub fn reply_subject_of(id: WorkflowId) -> String {
        subjects::reply_for_bots(id)
    }
}

/// A bot's decision as sent.
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

/// A reply to a bot's decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BotReply {
    pub workflow_id: Option<WorkflowId>,
    pub approval_id: Option<ApprovalId>,
    /// `applied`, `refused` or `kept`.
    pub status: String,
    /// The stable code of the refusal.
    pub code: Option<String>,
    pub reason: String,
    pub workflow_status: Option<String>,
    /// The decision's `Nats-Msg-Id`, if any.
    pub message_id: Option<String>,
}

/// A bot's request for the approvals that it may decide now.
#[derive(Debug)]
pub struct OpenRequest {
    /// Proved by the subject, as for decisions.
    pub bot: UserName,
    pub payload: bytes::Bytes,
    reply: String,
}

/// Requests that one subscription receives before the broker ends it, and unused ones below which the next subscription
/// begins. Even with payloads of the maximum size, what the broker holds for one bot stays below its `max_pending`, beyond
/// which it would close the connection of all bots.
const REQUESTS_PER_SUBSCRIPTION: u64 = 4;
const MIN_CREDIT: u64 = 3;
/// Maximum unread messages of a subscription; not reached as long as the broker counts.
const SUBSCRIPTION_CAPACITY: usize = 64;

/// Requests of one bot for its open approvals.
///
/// The broker sends only a few before they are read, and answers further ones with no responders.
#[derive(Debug)]
pub struct OpenRequests {
    broker: Broker,
    bot: UserName,
    /// Each ends after [`REQUESTS_PER_SUBSCRIPTION`] messages.
    subscriptions: SelectAll<Subscriber>,
    /// Messages that the broker may still send.
    credit: u64,
}

impl OpenRequests {
    /// Returns the next request; `None` once the connection has ended. Cancel safe.
    ///
    /// A request whose reply subject the broker did not generate is not from a bot's account and is dropped.
    pub async fn next(&mut self) -> Option<OpenRequest> {
        loop {
            if self.credit < MIN_CREDIT {
                self.subscribe().await.ok()?;
            }
            let message = self.subscriptions.next().await?;
            self.credit -= 1;
            let reply = message.reply.as_ref().filter(|reply| reply.starts_with(subjects::FOREIGN_REPLIES));
            if let (Some(reply), Some(bot)) = (reply, subjects::open_bot(&message.subject)) {
                return Some(OpenRequest { bot, payload: message.payload.clone(), reply: reply.to_string() });
            }
        }
    }

    /// Subscribes to further requests, shared among the approvers.
    async fn subscribe(&mut self) -> Result<(), MessagingError> {
        let client = self.broker.client();
        let subscription = client.queue_subscribe(subjects::open(&self.bot), "approvers".to_owned()).await;
        let mut subscription = subscription.map_err(MessagingError::unavailable)?;
        subscription.unsubscribe_after(REQUESTS_PER_SUBSCRIPTION).await.map_err(MessagingError::unavailable)?;
        self.subscriptions.push(subscription);
        self.credit += REQUESTS_PER_SUBSCRIPTION;
        Ok(())
    }
}

/// Receives and answers requests for open approvals over a separate connection: a flood delays no decision and no
/// watch.
#[derive(Debug, Clone)]
pub struct OpenApprovalsChannel {
    broker: Broker,
}

impl OpenApprovalsChannel {
    /// Opens the connection.
    pub async fn connect(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        Ok(Self { broker: Broker::connect_aside(settings, "open approvals", SUBSCRIPTION_CAPACITY).await? })
    }

    /// Subscribes to requests of `bot`, shared among the approvers.
    pub async fn requests_of(&self, bot: &UserName) -> Result<OpenRequests, MessagingError> {
        let (broker, bot) = (self.broker.clone(), bot.clone());
        let mut requests = OpenRequests { broker, bot, subscriptions: SelectAll::new(), credit: 0 };
        requests.subscribe().await?;
        Ok(requests)
    }

    /// Answers a request.
    pub async fn answer(&self, request: &OpenRequest, page: &OpenPage) {
        let payload = serde_json::to_vec(page).unwrap_or_default();
        if let Err(error) = self.broker.publish(request.reply.clone(), payload).await {
            tracing::warn!(%error, bot = %request.bot, "Failed to send page of open approvals");
        }
    }
}

/// One page of the approvals that a bot may decide now, or the reason why there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenPage {
    /// `ok`, `refused` or `unavailable`.
    pub status: &'static str,
    pub open: Vec<Announcement>,
    /// The `cursor` of the next page; null on the last page.
    pub next: Option<String>,
    pub code: Option<&'static str>,
    pub reason: Option<String>,
}

/// A decision's sender and unparsed text.
#[derive(Debug, Clone, PartialEq)]
pub struct BotMessage {
    /// Proved by the subject, to which the broker lets only this bot publish.
    pub bot: UserName,
    /// The workflow that the subject names; `None` if that token is not an id.
    pub workflow_id: Option<WorkflowId>,
    /// The token of the reply subject.
    pub token: String,
    pub message_id: Option<String>,
    pub sequence: u64,
    pub payload: bytes::Bytes,
}

/// Announces approvals to bots and replies to them.
#[derive(Debug, Clone)]
pub struct BotChannel {
    broker: Broker,
}

impl BotChannel {
    /// Creates the service on `broker`.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone() }
    }

    /// Announces a parked workflow; returns once the announcement is on disk. A redelivered park is announced again
    /// with the same id.
    ///
    /// No `Nats-Msg-Id` is set: the stream does not deduplicate.
    pub async fn announce(&self, announcement: Announcement) -> Result<(), MessagingError> {
        let payload = serde_json::to_vec(&announcement).map_err(MessagingError::unreadable)?;
        let message = PublishMessage::build().payload(payload.into());
        let subject = subjects::requested(announcement.workflow_id);
        failpoints::reach("announcement.before").await;
        let ack = self.broker.store(subject, message).await;
        failpoints::reach("announcement.after").await;
        ack.map(|_| ()).map_err(MessagingError::unavailable)
    }

    /// Announces an open approval again to the bots connected now; nothing is stored.
    pub async fn repeat(&self, announcement: &Announcement) -> Result<(), MessagingError> {
        let payload = serde_json::to_vec(announcement).map_err(MessagingError::unreadable)?;
        let subject = subjects::repeated(announcement.workflow_id);
        self.broker.publish(subject, payload).await.map_err(MessagingError::unavailable)
    }

    /// Replies to a bot.
    pub async fn reply(&self, to: &BotMessage, reply: &BotReply) {
        let payload = serde_json::to_vec(reply).unwrap_or_default();
        let subject = subjects::reply(&to.bot, &to.token);
        if let Err(error) = self.broker.publish(subject, payload).await {
            tracing::warn!(%error, bot = %to.bot, "Failed to send reply");
        }
    }

    /// Reads the sender of a decision; `None` if the subject names no sender, which the broker's permissions rule out.
    pub fn read(message: &Message) -> Option<BotMessage> {
        let info = message.info().ok()?;
        let bot = subjects::decision_bot(&message.subject)?;
        let header = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
        Some(BotMessage {
            bot,
            workflow_id: subjects::parse_decision(&message.subject).map(|(_, id)| id),
            token: message.subject.rsplit('.').next()?.to_owned(),
            message_id: header.map(|value| value.as_str().to_owned()),
            sequence: info.stream_sequence,
            payload: message.payload.clone(),
        })
    }
}
