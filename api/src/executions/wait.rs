//! `?wait=` of a submission: the answer is delayed until the workflow has ended or waits for a human.

use std::time::Duration;

use actix_web::{HttpMessage, HttpRequest, web};
use domain::ids::WorkflowId;
use domain::workflow::{Status, Workflow};
use futures_util::FutureExt;
use serde_json::Value;
use service::keyed_semaphore::KeyedSemaphore;
use service::lifecycle::Lifecycle;
use tokio::sync::broadcast::Receiver;
use tokio::time::Instant;

use crate::auth::state::Auth;
use crate::auth::tokens::Caller;
use crate::connection::notice_close;
use crate::executions::status::status_document;
use crate::http::pagination::QueryParams;
use crate::http::problem::Problem;
use crate::http::request_context::{RequestContext, ServedAfter};
use crate::workflows::feed::FeedItem;
use crate::workflows::state::Workflows;

const MAX_WAIT: Duration = Duration::from_secs(60);
/// Maximum requests that wait at once on this instance, in total and per user; others are answered at once.
const MAX_WAITING: (usize, usize) = (512, 32);
/// Interval of reads that find what a silently broken feed missed.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The part of the application state for requests that wait.
pub(crate) struct Waiter {
    workflows: web::Data<Workflows>,
    auth: web::Data<Auth>,
    lifecycle: web::Data<Lifecycle>,
    places: KeyedSemaphore,
}

/// Reads `wait`: seconds with or without the unit, at most [`MAX_WAIT`]; `None` for no wait.
pub(crate) fn read_wait(request: &HttpRequest) -> Result<Option<Duration>, Problem> {
    let mut query = QueryParams::of(request)?;
    let read = |text: &str| {
        let seconds = text.strip_suffix('s').unwrap_or(text).parse().ok().map(Duration::from_secs)?;
        (seconds <= MAX_WAIT).then_some(seconds)
    };
    let wait = query.read("wait", "must be from 0s to 60s, such as 30s", read);
    query.finish()?;
    Ok(wait.filter(|wait| !wait.is_zero()))
}

impl Waiter {
    pub(crate) fn new(workflows: web::Data<Workflows>, auth: web::Data<Auth>, lifecycle: web::Data<Lifecycle>) -> Self {
        let (all, share) = MAX_WAITING;
        Self { workflows, auth, lifecycle, places: KeyedSemaphore::new(all, share) }
    }

    /// Returns the status document once the workflow has ended or waits for a human; `None` if it does not within
    /// `wait`, if too many requests wait, on a drain, and if the caller's token is no longer valid then.
    ///
    /// Cancel safe: the request is dropped when its client disconnects.
    pub(crate) async fn wait(
        &self,
        request: &HttpRequest,
        caller: &Caller,
        id: WorkflowId,
        wait: Duration,
    ) -> Option<Value> {
        let until = Instant::now() + wait;
        let served_after = request.extensions().get::<RequestContext>().map(|context| context.began.elapsed());
        if let Some(elapsed) = served_after {
            request.extensions_mut().insert(ServedAfter(elapsed));
        }
        let _place = self.places.take(caller.user.name.as_str()).now_or_never()?;
        let _closing = notice_close(request);
        let stopping = self.lifecycle.stopping();
        let workflow = tokio::select! {
            workflow = self.settled(id) => workflow,
            () = tokio::time::sleep_until(until) => return None,
            () = stopping.cancelled() => return None,
        };
        let user = self.auth.tokens.current_user(caller)?;
        // The submission is accepted, whether or not its result can be read now.
        status_document(&self.workflows, &self.auth, &user, workflow).await.ok()
    }

    /// Returns the workflow once it has ended or waits for a human.
    async fn settled(&self, id: WorkflowId) -> Workflow {
        // Subscribe before the first read, so that no entry is missed between the two.
        let mut feed = self.workflows.feed.subscribe();
        loop {
            if let Ok(Some(stored)) = self.workflows.reader.get(id).await
                && is_settled(&stored.workflow)
            {
                return stored.workflow;
            }
            if let Ok(workflow) = tokio::time::timeout(CHECK_INTERVAL, next_settled(&mut feed, id)).await
                && let Some(workflow) = workflow
            {
                return workflow;
            }
        }
    }
}

/// Returns the workflow's next state in which it has ended or waits for a human; `None` if entries may be missing.
async fn next_settled(feed: &mut Receiver<FeedItem>, id: WorkflowId) -> Option<Workflow> {
    loop {
        match feed.recv().await {
            Ok(FeedItem::Entry(entry)) if entry.workflow.id == id && is_settled(&entry.workflow) => {
                return Some(entry.workflow.clone());
            }
            Ok(FeedItem::Entry(_)) => {}
            Ok(FeedItem::Gap) | Err(_) => {
                // A closed feed must not make the caller read without a pause.
                tokio::time::sleep(CHECK_INTERVAL / 10).await;
                return None;
            }
        }
    }
}

fn is_settled(workflow: &Workflow) -> bool {
    let status = workflow.status();
    status.is_terminal() || status == Status::WaitingApproval
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_wait_is_at_most_a_minute() {
        let read = |query: &str| {
            read_wait(&TestRequest::with_uri(&format!("/x?{query}")).to_http_request())
                .map_err(|it| it.status().as_u16())
        };
        let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
        assert_eq!((read(""), read("wait="), read("wait=0s")), (Ok(None), Ok(None), Ok(None)));
        assert_eq!((read("wait=30s"), read("wait=60"), read("wait=1s")), (seconds(30), seconds(60), seconds(1)));
        for wrong in ["wait=61s", "wait=-1s", "wait=1m", "wait=s", "wait=0.5", "wait=99999999999999999999"] {
            assert_eq!(read(wrong), Err(422), "{wrong}");
        }
    }
}
