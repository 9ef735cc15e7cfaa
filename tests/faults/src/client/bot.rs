//! An approval bot. It has an account on the brokers and repeats a decision until it receives a reply.

use std::time::Duration;

use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, HeaderMap};
use domain::ids::{ApprovalId, WorkflowId};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::cluster::{BOT, Cluster, OPERATOR};

/// A decision without a reply in this time may be lost and is repeated.
const REPLY_TIMEOUT: Duration = Duration::from_secs(2);
/// Ping interval after which an unresponsive broker is left for another.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A bot that is connected to the brokers directly, without proxies.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    client: Client,
    /// Announcements are read from the stream: a message to a disconnected bot is lost.
    announcements: Context,
}

impl Bot {
    pub(crate) async fn sign_in(cluster: &Cluster) -> Result<Self, String> {
        let sign_in = async |user: &str| {
            let options = ConnectOptions::with_user_and_password(user.to_owned(), cluster.password_of(user));
            options.ping_interval(PING_INTERVAL).connect(cluster.broker_urls()).await.map_err(|error| error.to_string())
        };
        Ok(Self { client: sign_in(BOT).await?, announcements: jetstream::new(sign_in(OPERATOR).await?) })
    }

    /// Waits for the announcement of a question.
    pub(crate) async fn announcement_of(&self, id: WorkflowId, question: ApprovalId) -> Value {
        let mut next = 1;
        loop {
            match self.announced(id, next).await {
                Some((_, announcement)) if announcement["approval_id"] == question.to_string() => return announcement,
                // An earlier question of the workflow, announced again after an approver died.
                Some((sequence, _)) => next = sequence + 1,
                None => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Returns the first announcement about a workflow at or after this sequence, with its sequence.
    async fn announced(&self, id: WorkflowId, from: u64) -> Option<(u64, Value)> {
        let stream = self.announcements.get_stream_no_info("APPROVALS").await.ok()?;
        let message = stream.get_first_raw_message_by_subject(format!("approvals.requested.{id}"), from).await.ok()?;
        Some((message.sequence, serde_json::from_slice(&message.payload).ok()?))
    }

    /// Sends a decision once and waits for the reply; `None` if there is none within [`REPLY_TIMEOUT`].
    pub(crate) async fn decide(&self, id: WorkflowId, decision: &Value, message_id: &str) -> Option<Value> {
        let mut replies = self.client.subscribe(format!("approvals.replies.{id}")).await.ok()?;
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", message_id);
        let subject = format!("approvals.decisions.{BOT}.{id}");
        self.client.publish_with_headers(subject, headers, decision.to_string().into()).await.ok()?;
        let answer = async {
            loop {
                let reply: Value = serde_json::from_slice(&replies.next().await?.payload).ok()?;
                // A queued decision gets a second reply.
                if reply["message_id"] == message_id && reply["status"] != "kept" {
                    return Some(reply);
                }
            }
        };
        timeout(REPLY_TIMEOUT, answer).await.ok().flatten()
    }
}
