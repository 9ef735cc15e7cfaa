//! An approval bot, as anyone could write one: an account of the brokers, and a decision that it sends again until it is answered.

use std::time::Duration;

use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, HeaderMap};
use futures_util::StreamExt;
use serde_json::Value;
use shared::ids::{ApprovalId, WorkflowId};
use tokio::time::{sleep, timeout};

use crate::cluster::{BOT, Cluster, OPERATOR};

/// A decision that was not answered by then may not have arrived.
const PATIENCE: Duration = Duration::from_secs(2);
/// A broker that does not answer is left for another.
const PING: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(200);

/// One that has signed in to the brokers, past the wires.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    client: Client,
    /// Announcements as the stream keeps them: a message to a bot that is not there just then is lost.
    announcements: Context,
}

impl Bot {
    pub(crate) async fn sign_in(cluster: &Cluster) -> Result<Self, String> {
        let sign_in = async |user: &str| {
            let options = ConnectOptions::with_user_and_password(user.to_owned(), cluster.password_of(user));
            options.ping_interval(PING).connect(cluster.broker_urls()).await.map_err(|error| error.to_string())
        };
        Ok(Self { client: sign_in(BOT).await?, announcements: jetstream::new(sign_in(OPERATOR).await?) })
    }

    /// Waits for the announcement of a question.
    pub(crate) async fn hear_of(&self, id: WorkflowId, question: ApprovalId) -> Value {
        let mut next = 1;
        loop {
            match self.announced(id, next).await {
                Some((_, announcement)) if announcement["approval_id"] == question.to_string() => return announcement,
                // Of another question: the workflow may have asked before, and that is announced again where an approver died.
                Some((sequence, _)) => next = sequence + 1,
                None => sleep(LOOK).await,
            }
        }
    }

    /// The first announcement about a workflow from this place in the stream on, and its place.
    async fn announced(&self, id: WorkflowId, from: u64) -> Option<(u64, Value)> {
        let stream = self.announcements.get_stream_no_info("APPROVALS").await.ok()?;
        let message = stream.get_first_raw_message_by_subject(format!("approvals.requested.{id}"), from).await.ok()?;
        Some((message.sequence, serde_json::from_slice(&message.payload).ok()?))
    }

    /// Sends a decision once and waits for what becomes of it; `None` where nobody says it in time.
    pub(crate) async fn decide(&self, id: WorkflowId, decision: &Value, message_id: &str) -> Option<Value> {
        let mut replies = self.client.subscribe(format!("approvals.replies.{id}")).await.ok()?;
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", message_id);
        let subject = format!("approvals.decisions.{BOT}.{id}");
        self.client.publish_with_headers(subject, headers, decision.to_string().into()).await.ok()?;
        let answer = async {
            loop {
                let reply: Value = serde_json::from_slice(&replies.next().await?.payload).ok()?;
                // One that is kept is answered again.
                if reply["message_id"] == message_id && reply["status"] != "kept" {
                    return Some(reply);
                }
            }
        };
        timeout(PATIENCE, answer).await.ok().flatten()
    }
}
