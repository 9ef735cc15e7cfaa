//! An approval bot that uses only the documented interface.

use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions, Subscriber};
use futures_util::StreamExt;
use serde_json::Value;

use crate::stack::Stack;

/// A bot that is connected to the stack's broker.
pub struct Bot {
    pub client: Client,
    pub name: String,
    requests: Subscriber,
    replies: Subscriber,
}

impl Bot {
    /// Signs in as the demo's bot, with its name and password only.
    ///
    /// # Panics
    ///
    /// If the broker refuses.
    pub async fn sign_in(stack: &Stack) -> Self {
        let password = std::fs::read_to_string(stack.text("/bots/0/password_file")).expect("a password");
        Self::sign_in_as(stack, stack.text("/bots/0/name"), password.trim()).await.expect("the broker accepts the bot")
    }

    /// Signs in as a bot of this name.
    ///
    /// # Errors
    ///
    /// If the broker refuses.
    ///
    /// # Panics
    ///
    /// If the subscriptions are refused.
    pub async fn sign_in_as(stack: &Stack, name: &str, password: &str) -> Result<Self, ConnectError> {
        let name = name.to_owned();
        let options = ConnectOptions::new().user_and_password(name.clone(), password.to_owned());
        let client = options.connect(stack.text("/nats_url")).await?;
        let requests = client.subscribe("approvals.requested.*").await.expect("a subscription");
        let replies = client.subscribe("approvals.replies.*").await.expect("a subscription");
        client.flush().await.expect("the subscriptions are active");
        Ok(Self { client, name, requests, replies })
    }

    /// Waits for the next announcement.
    pub async fn request(&mut self) -> Value {
        next(&mut self.requests, "a request").await
    }

    /// Waits for the next reply to one of its decisions.
    pub async fn reply(&mut self) -> Value {
        next(&mut self.replies, "a reply").await
    }

    /// Requests a page of the approvals that this bot may decide.
    pub async fn open(&self, question: &Value) -> Value {
        let subject = format!("approvals.open.{}", self.name);
        let answer = self.client.request(subject, question.to_string().into()).await.expect("an answer");
        serde_json::from_slice(&answer.payload).expect("JSON")
    }

    /// Requests pages as fast as possible while it is polled, and reads no reply. Ends with the connection.
    pub async fn flood_open(&self) {
        let (subject, inbox) = (format!("approvals.open.{}", self.name), self.client.new_inbox());
        while self.client.publish_with_reply(subject.clone(), inbox.clone(), "{}".into()).await.is_ok() {}
    }

    /// Publishes a decision on this bot's subject for the workflow.
    pub async fn decide(&self, workflow_id: &str, decision: &Value, message_id: &str) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", message_id);
        let subject = format!("approvals.decisions.{}.{workflow_id}", self.name);
        self.client.publish_with_headers(subject, headers, decision.to_string().into()).await.expect("published");
        self.client.flush().await.expect("sent");
    }
}

async fn next(messages: &mut Subscriber, what: &str) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(30), messages.next()).await;
    let message = message.unwrap_or_else(|_| panic!("{what}: not within 30 s")).expect("the subscription is active");
    serde_json::from_slice(&message.payload).expect("JSON")
}
