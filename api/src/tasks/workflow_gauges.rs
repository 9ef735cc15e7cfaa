//! Updates the gauges of queues and open approvals from the log tail.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::web;
use domain::Timestamp;
use domain::ids::WorkflowId;
use domain::workflow::Status;
use read_model::ListQuery;
use service::lifecycle::Lifecycle;
use service::telemetry::{QUEUES, RISKS, gauges};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use crate::workflows::active::{ActiveWorkflows, Waiting};
use crate::workflows::feed::FeedItem;
use crate::workflows::peers::Peers;
use crate::workflows::state::Workflows;

const UPDATE_INTERVAL: Duration = Duration::from_secs(1);
/// Workflows per page of a list.
const PAGE_SIZE: usize = 200;
const RETRY_DELAY: Duration = Duration::from_secs(2);
/// Time after which the table is filled once more: the read model may have been behind the log the first time.
const REFILL_DELAY: Duration = Duration::from_secs(10);

/// Updates the gauges until stopped.
pub(crate) async fn run_workflow_gauges(
    workflows: web::Data<Workflows>,
    peers: web::Data<Peers>,
    lifecycle: Lifecycle,
) {
    let (stopping, task) = (lifecycle.stopping(), lifecycle.health().task("workflow gauges"));
    let mut items = workflows.feed.subscribe();
    let (mut active, mut fills) = (ActiveWorkflows::default(), Fills::after_gap());
    let mut ticks = tokio::time::interval(UPDATE_INTERVAL);
    while !stopping.is_cancelled() {
        tokio::select! {
            () = stopping.cancelled() => return,
            item = items.recv() => match item {
                Ok(FeedItem::Entry(entry)) => active.observe(entry.sequence, &entry.workflow),
                Ok(FeedItem::Gap) | Err(RecvError::Lagged(_)) => {
                    active.clear();
                    fills = Fills::after_gap();
                }
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                if fills.is_due() {
                    let filled = task.beat_during(fill(&workflows, &mut active, &mut items)).await;
                    if let Err(error) = &filled {
                        tracing::debug!(%error, "Failed to read the active workflows; retrying");
                    }
                    fills.note(filled.is_ok());
                }
                task.beat();
                // An empty table would show empty queues.
                if !fills.is_first {
                    update(&active, &peers, workflows.clock.now());
                }
            }
        }
    }
}

/// The times at which the table is filled after a gap of the feed.
struct Fills {
    next: Option<Instant>,
    is_first: bool,
}

impl Fills {
    fn after_gap() -> Self {
        Self { next: Some(Instant::now()), is_first: true }
    }

    fn is_due(&self) -> bool {
        self.next.is_some_and(|next| Instant::now() >= next)
    }

    fn note(&mut self, is_filled: bool) {
        self.next = match (is_filled, self.is_first) {
            (false, _) => Some(Instant::now() + RETRY_DELAY),
            (true, true) => Some(Instant::now() + REFILL_DELAY),
            (true, false) => None,
        };
        self.is_first &= !is_filled;
    }
}

/// Adds every workflow that has not ended from the read model, and meanwhile what the feed brings. Fails after a gap of
/// the feed.
async fn fill(
    workflows: &Workflows,
    active: &mut ActiveWorkflows,
    items: &mut Receiver<FeedItem>,
) -> Result<(), String> {
    active.begin_fill();
    for status in [Status::Created, Status::Running, Status::WaitingApproval] {
        let mut query = ListQuery { owner: None, status: Some(status), before: None, limit: PAGE_SIZE };
        loop {
            let page = workflows.reader.list(&query).await.map_err(|error| error.to_string())?;
            page.items.iter().for_each(|item| active.observe(item.sequence, &item.workflow));
            // Received now, because the feed's buffer is bounded.
            take_items(active, items)?;
            query.before = page.next;
            if query.before.is_none() {
                break;
            }
        }
    }
    active.finish();
    Ok(())
}

fn take_items(active: &mut ActiveWorkflows, items: &mut Receiver<FeedItem>) -> Result<(), String> {
    loop {
        match items.try_recv() {
            Ok(FeedItem::Entry(entry)) => active.observe(entry.sequence, &entry.workflow),
            Err(TryRecvError::Empty) => return Ok(()),
            Ok(FeedItem::Gap) | Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => {
                active.clear();
                return Err("the feed has a gap".to_owned());
            }
        }
    }
}

fn update(active: &ActiveWorkflows, peers: &Peers, now: Timestamp) {
    let running: HashSet<WorkflowId> =
        peers.workers.all().into_iter().flat_map(|report| report.running_workflows).collect();
    let waiting: Vec<Waiting> = active.waiting(&running).collect();
    let (depth, oldest) = (gauges("promptcraft_queue_depth"), gauges("promptcraft_queue_oldest_seconds"));
    // The queue of analyses is measured at the broker.
    for labels in QUEUES.iter().filter(|labels| labels[0] != "analyses") {
        let ages = waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Step { phase, lane, since } => (*labels == [*phase, *lane]).then(|| age(*since, now)),
            Waiting::Decision { .. } => None,
        });
        let (count, age) = count_and_max(ages);
        depth.with_label_values(labels).set(count);
        oldest.with_label_values(labels).set(age);
    }
    for label in RISKS {
        let of_risk = waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Decision { risk, since, expires_at } if risk.as_str() == *label => Some((*since, *expires_at)),
            Waiting::Decision { .. } | Waiting::Step { .. } => None,
        });
        let (count, oldest) = count_and_max(of_risk.clone().map(|(since, _)| age(since, now)));
        let share = |(since, expires_at)| (age(since, now) / age(since, expires_at).max(1e-3)).min(1.0);
        let (_, lifetime) = count_and_max(of_risk.map(share));
        gauges("promptcraft_parked").with_label_values(&[label]).set(count);
        gauges("promptcraft_parked_oldest_seconds").with_label_values(&[label]).set(oldest);
        gauges("promptcraft_parked_lifetime_ratio").with_label_values(&[label]).set(lifetime);
    }
}

fn age(since: Timestamp, now: Timestamp) -> f64 {
    now.since(since).as_secs_f64()
}

fn count_and_max(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((0.0, 0.0), |(count, largest), value| (count + 1.0, value.max(largest)))
}
