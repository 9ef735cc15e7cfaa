//! The desk: decisions from every path come to [`Desk::decide`], and every transition of the approver's to [`Desk::move_on`].

use std::time::Duration;

use shared::approval::{Actor, Channel, Decision, DecisionRequest, OnExpiry, Policy, Refusal, judge, lapsed_voters};
use shared::clock::{Clock, Timestamp};
use shared::failpoints;
use shared::identity::User;
use shared::ids::{Digest, EventId, UserName};
use shared::messaging::{
    AppendError, ApprovalDesk, AuditLog, AuditRecord, Blobs, Control, DeadLetters, Entry, ReadError, Timers, Watched,
    WorkflowLog,
};
use shared::read_model::ReadModel;
use shared::workflow::{Event, EventKind, Happened, Illegal, NewInput, Workflow, transition};

use crate::decisions::refusal_limiter::Floods;
use crate::metrics::DECISIONS;
use crate::timers::debounce::Brief;

/// How often a decision that loses the race to another transition looks again.
const RACES: usize = 16;

/// What the approver works with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) log: WorkflowLog,
    /// Whether the log is kept on several nodes, some of which may be behind.
    pub(crate) is_replicated: bool,
    pub(crate) blobs: Blobs,
    pub(crate) view: ReadModel,
    pub(crate) bots: ApprovalDesk,
    pub(crate) timers: Timers,
    pub(crate) letters: DeadLetters,
    pub(crate) control: Control,
    pub(crate) audit: AuditLog,
    pub(crate) users: Watched<User>,
    pub(crate) brief: Brief,
    pub(crate) floods: Floods,
    pub(crate) policy: Policy,
    /// Between two announcements of an open approval; zero: it is announced once.
    pub(crate) announce_every: Duration,
    pub(crate) clock: Clock,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It counts now, or counted before; this is the state after it.
    Applied(Box<Workflow>),
    /// It changes nothing, and the audit log knows.
    Refused(Refusal),
    /// The log is away; try again.
    Unavailable(String),
}

/// Why a transition was not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    #[error("someone else moved the workflow on")]
    Lost,
    #[error(transparent)]
    Illegal(Illegal),
    #[error("{0}")]
    Unavailable(String),
}

impl Desk {
    /// Applies a decision: the one function for HTTP and bots alike.
    ///
    /// Idempotent by the sender's message id. A refusal is in the audit log before this returns, but for
    /// [`Refusal::NotYetParked`], with which the caller tries again or gives up through [`Desk::give_up`].
    /// After `deadline` by the broker's clock it refuses.
    pub(crate) async fn decide(&self, request: &DecisionRequest, deadline: Option<Timestamp>) -> Outcome {
        failpoints::reach("decision.before").await;
        let outcome = self.apply(request, deadline).await;
        failpoints::reach("decision.after").await;
        // The caller tries that one again, or gives up.
        if outcome != Outcome::Refused(Refusal::NotYetParked) {
            count(request, &outcome);
        }
        outcome
    }

    /// Refuses a decision that is not looked at any more, as [`Desk::decide`] would.
    pub(crate) async fn give_up(&self, request: &DecisionRequest, refusal: Refusal) -> Outcome {
        let outcome = self.refuse(request, refusal).await;
        count(request, &outcome);
        outcome
    }

    async fn apply(&self, request: &DecisionRequest, deadline: Option<Timestamp>) -> Outcome {
        for _ in 0..RACES {
            let (newest, is_past) =
                tokio::join!(self.log.newest_from_leader(request.workflow_id), self.control.is_past(deadline));
            match is_past {
                Ok(false) => {}
                Ok(true) => return self.refuse(request, Refusal::TooLate).await,
                Err(reason) => return Outcome::Unavailable(reason),
            }
            let entry = match newest {
                Ok(Some(entry)) => entry,
                Ok(None) => return self.refuse(request, Refusal::UnknownWorkflow).await,
                Err(ReadError::Unavailable(reason)) => return Outcome::Unavailable(reason),
                Err(ReadError::Decode(error)) => return Outcome::Unavailable(error.to_string()),
            };
            let user = self.decider(request);
            let decision = match judge(&entry.workflow, user.as_ref(), request, self.clock.now()) {
                Ok(Some(decision)) => match self.keep_code(decision, deadline).await {
                    Ok(Some(decision)) => decision,
                    Ok(None) => return self.refuse(request, Refusal::TooLate).await,
                    Err(reason) => return Outcome::Unavailable(reason),
                },
                Ok(None) => return Outcome::Applied(Box::new(entry.workflow)),
                Err(Refusal::NotYetParked) => return Outcome::Refused(Refusal::NotYetParked),
                Err(refusal) => return self.refuse(request, refusal).await,
            };
            let actor = match request.channel {
                Channel::Http => Actor::User(request.by.clone()),
                Channel::Nats => Actor::Bot(request.by.clone()),
            };
            let lapsed = lapsed_voters(&entry.workflow, |name| self.users.get(name.as_str()));
            match self.move_on(&entry, Event::Decided { decision, lapsed }, Some(actor)).await {
                Ok(workflow) => return Outcome::Applied(Box::new(workflow)),
                Err(MoveError::Lost) => {}
                Err(MoveError::Illegal(_)) => {
                    return self.refuse(request, Refusal::AlreadyDecided("another decision came first")).await;
                }
                Err(MoveError::Unavailable(reason)) => return Outcome::Unavailable(reason),
            }
        }
        Outcome::Unavailable("the workflow changes too fast".to_owned())
    }

    /// Stores supplied code that is large; only a decision that counts comes here. `None` if the deadline passed meanwhile.
    async fn keep_code(&self, mut decision: Decision, deadline: Option<Timestamp>) -> Result<Option<Decision>, String> {
        if let Some(NewInput::Code { content }) = &mut decision.input
            && let Some(text) = content.inline.take()
        {
            *content = self.blobs.store(text).await.map_err(|error| error.to_string())?;
            if self.control.is_past(deadline).await? {
                return Ok(None);
            }
        }
        Ok(Some(decision))
    }

    /// The sender's record; a person never counts as a bot, nor a bot as a person.
    fn decider(&self, request: &DecisionRequest) -> Option<User> {
        let is_bot = request.channel == Channel::Nats;
        self.users.get(request.by.as_str()).filter(|user| user.bot == is_bot)
    }

    /// Notes a refusal in the audit log. Where the log is away the refusal itself has to wait.
    async fn refuse(&self, request: &DecisionRequest, refusal: Refusal) -> Outcome {
        let (path, actor) = match request.channel {
            Channel::Http => ("http", Actor::User(request.by.clone())),
            Channel::Nats => ("nats", Actor::Bot(request.by.clone())),
        };
        let claim = request.on_behalf_of.as_ref().map(|claim| format!(", on behalf of {claim}")).unwrap_or_default();
        let record = AuditRecord {
            key: refusal_key(request, &refusal),
            at: self.clock.now(),
            actor,
            action: "refused".to_owned(),
            path: path.to_owned(),
            workflow_id: Some(request.workflow_id),
            approval_id: Some(request.approval_id),
            digest: request.digest,
            detail: Some(format!("{} was refused: {}{claim}", request.verdict.as_str(), refusal.code())),
        };
        match self.audit.append(record).await {
            Ok(()) => Outcome::Refused(refusal),
            Err(reason) => Outcome::Unavailable(reason),
        }
    }

    /// Appends what happened behind `entry`, and shows it in the read model at once.
    pub(crate) async fn move_on(
        &self,
        entry: &Entry,
        event: Event,
        actor: Option<Actor>,
    ) -> Result<Workflow, MoveError> {
        let now = self.clock.now();
        let (kind, detail) = (event.kind(), detail_of(&entry.workflow, &event));
        let next = transition(&entry.workflow, event, now).map_err(MoveError::Illegal)?;
        let happened = Happened {
            event_id: EventId::fresh(),
            kind,
            actor: actor.unwrap_or_else(Actor::approver),
            at: now,
            detail,
        };
        let sequence = match self.log.append(entry.sequence, &next, &happened, entry.trace.child()).await {
            Ok(sequence) => sequence,
            Err(AppendError::Lost) => return Err(MoveError::Lost),
            Err(AppendError::Unavailable(reason)) => return Err(MoveError::Unavailable(reason)),
        };
        tracing::info!(workflow.id = %next.id, event = kind.as_str(), next = next.phase.kind().as_str(), "moved on");
        if let Err(error) = self.view.project(sequence, &next).await {
            tracing::debug!(%error, "the projector will show it");
        }
        if kind == EventKind::TimedOut {
            self.control.cancel(next.id).await;
        }
        Ok(next)
    }
}

fn count(request: &DecisionRequest, outcome: &Outcome) {
    let path = match request.channel {
        Channel::Http => "http",
        Channel::Nats => "nats",
    };
    let name = match outcome {
        Outcome::Applied(_) => "applied",
        Outcome::Refused(refusal) => refusal.code(),
        Outcome::Unavailable(_) => "unavailable",
    };
    DECISIONS.with_label_values(&[path, name]).inc();
}

/// The answer to a decision that counts, by the state after it.
pub(crate) fn recorded(workflow: &Workflow) -> String {
    match workflow.park() {
        Some(park) => format!("Recorded: {} of {} approvals.", park.approvals(), park.required_approvers),
        None if workflow.status().is_terminal() => "Recorded; the workflow has ended.".to_owned(),
        None => "Recorded; the workflow goes on.".to_owned(),
    }
}

/// One record for each refused decision, however often it is delivered; another decision under the same id is another record.
fn refusal_key(request: &DecisionRequest, refusal: &Refusal) -> String {
    let texts = [
        request.by.to_string(),
        request.message_id.clone(),
        request.workflow_id.to_string(),
        request.approval_id.to_string(),
        request.verdict.as_str().to_owned(),
        request.digest.map(|digest| digest.to_string()).unwrap_or_default(),
        refusal.code().to_owned(),
    ];
    format!("refused-{}", Digest::of_parts(texts.iter().map(|text| ("", text.as_bytes()))))
}

fn detail_of(workflow: &Workflow, event: &Event) -> Option<String> {
    match event {
        Event::GateReleased { reason } => Some(reason.clone()),
        Event::Parked { park } => Some(format!("{} at risk {}", park.approval_type.as_str(), park.risk.as_str())),
        Event::Decided { decision, lapsed } => Some(decision_detail(decision, lapsed)),
        Event::StepFailed { failure, .. } => Some(failure.code.clone()),
        Event::Expired => workflow.park().map(|park| match park.on_expiry {
            OnExpiry::Release => "released".to_owned(),
            OnExpiry::Fail => "failed".to_owned(),
        }),
        Event::Planned { .. }
        | Event::Generated { .. }
        | Event::NoGenerator { .. }
        | Event::Analyzed { .. }
        | Event::Executed { .. }
        | Event::TimedOut
        | Event::Cancelled { .. } => None,
    }
}

fn decision_detail(decision: &Decision, lapsed: &[UserName]) -> String {
    let mut detail = decision.verdict.as_str().to_owned();
    if let Some(claim) = &decision.on_behalf_of {
        detail.push_str(&format!(", on behalf of {claim}"));
    }
    if !lapsed.is_empty() {
        let names: Vec<&str> = lapsed.iter().map(UserName::as_str).collect();
        detail.push_str(&format!("; no longer counted: {}", names.join(", ")));
    }
    detail
}
