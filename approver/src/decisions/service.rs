//! The decision service: [`DecisionService::decide`] applies decisions from HTTP and NATS alike.

use domain::Timestamp;
use domain::approval::{Actor, Channel, Decision, DecisionError, DecisionRequest, lapsed_voters, validate_decision};
use domain::identity::User;
use domain::ids::Digest;
use domain::workflow::{Event, NewInput, Workflow};
use messaging::{
    AdvanceError, AuditLog, AuditRecord, Blobs, BucketCache, DECISION_APPEND_TIMEOUT, DecisionRpc, Entry, ReadError,
    WorkflowLog,
};
use service::clock::Clock;
use service::failpoints;

use crate::metrics::{DECISIONS, observe_decision};
use crate::retry_error::RetryError;
use crate::transitions::TransitionAppender;

/// Maximum attempts to append a decision when other transitions of the workflow are appended concurrently.
const MAX_CONFLICT_RETRIES: usize = 16;

/// Validates decisions and applies them to the newest state of their workflows.
#[derive(Debug)]
pub(crate) struct DecisionService {
    pub(crate) log: WorkflowLog,
    pub(crate) blobs: Blobs,
    pub(crate) rpc: DecisionRpc,
    pub(crate) audit: AuditLog,
    pub(crate) users: BucketCache<User>,
    pub(crate) transitions: TransitionAppender,
    pub(crate) clock: Clock,
}

/// The outcome of a decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DecisionOutcome {
    /// Applied now or by an earlier identical request; holds the resulting state.
    Applied(Box<Entry>),
    /// Changed nothing; recorded in the audit log.
    Refused(DecisionError),
    /// The log is unavailable; the caller may retry.
    Unavailable(String),
}

impl DecisionService {
    /// Applies a decision. Idempotent by the sender's message id; refuses after `deadline` by the broker's clock.
    ///
    /// A refusal is in the audit log before this returns, except [`DecisionError::NotYetParked`]: the caller retries it, or
    /// ends it with [`Self::refuse`].
    pub(crate) async fn decide(&self, request: &DecisionRequest, deadline: Option<Timestamp>) -> DecisionOutcome {
        failpoints::reach("decision.before").await;
        let outcome = self.apply(request, deadline).await;
        failpoints::reach("decision.after").await;
        if outcome != DecisionOutcome::Refused(DecisionError::NotYetParked) {
            count(request, &outcome);
        }
        outcome
    }

    /// Refuses a decision without another attempt; records it as [`Self::decide`] does.
    pub(crate) async fn refuse(&self, request: &DecisionRequest, refusal: DecisionError) -> DecisionOutcome {
        let outcome = self.record_refusal(request, refusal).await;
        count(request, &outcome);
        outcome
    }

    async fn apply(&self, request: &DecisionRequest, deadline: Option<Timestamp>) -> DecisionOutcome {
        for _ in 0..MAX_CONFLICT_RETRIES {
            let (newest, is_past) =
                tokio::join!(self.log.newest_from_leader(request.workflow_id), self.rpc.is_past(deadline));
            match is_past {
                Ok(false) => {}
                Ok(true) => return self.record_refusal(request, DecisionError::TooLate).await,
                Err(error) => return DecisionOutcome::Unavailable(error.to_string()),
            }
            let entry = match newest {
                Ok(Some(entry)) => entry,
                Ok(None) => return self.record_refusal(request, DecisionError::UnknownWorkflow).await,
                Err(ReadError::Unavailable(reason)) => return DecisionOutcome::Unavailable(reason),
                Err(ReadError::Decode(error)) => return DecisionOutcome::Unavailable(error.to_string()),
            };
            let voter = self.find_voter(request);
            let decision = match validate_decision(&entry.workflow, voter.as_ref(), request, self.clock.now()) {
                Ok(Some(decision)) => match self.store_code(decision, deadline).await {
                    Ok(Some(decision)) => decision,
                    Ok(None) => return self.record_refusal(request, DecisionError::TooLate).await,
                    Err(error) => return DecisionOutcome::Unavailable(error.to_string()),
                },
                Ok(None) => return DecisionOutcome::Applied(Box::new(entry)),
                Err(DecisionError::NotYetParked) => return DecisionOutcome::Refused(DecisionError::NotYetParked),
                Err(refusal) => return self.record_refusal(request, refusal).await,
            };
            let lapsed = lapsed_voters(&entry.workflow, |name| self.users.get(name.as_str()));
            let requested_at = entry.workflow.park().map(|park| park.requested_at);
            let append = self.transitions.append(&entry, Event::Decided { decision, lapsed }, actor_of(request));
            match within_deadline(deadline, append).await {
                Ok(decided) => {
                    if let Some(requested_at) = requested_at {
                        observe_decision(request.channel, requested_at, decided.workflow.updated_at);
                    }
                    return DecisionOutcome::Applied(Box::new(decided));
                }
                Err(AdvanceError::Superseded) => {}
                Err(AdvanceError::IllegalTransition(_)) => {
                    let refusal = DecisionError::AlreadyDecided("another decision came first");
                    return self.record_refusal(request, refusal).await;
                }
                Err(AdvanceError::Unavailable(reason)) => return DecisionOutcome::Unavailable(reason),
            }
        }
        DecisionOutcome::Unavailable(format!("the workflow changed {MAX_CONFLICT_RETRIES} times meanwhile; retry"))
    }

    /// Moves large supplied code of a valid decision into a blob; `None` if the deadline passed meanwhile.
    async fn store_code(
        &self,
        mut decision: Decision,
        deadline: Option<Timestamp>,
    ) -> Result<Option<Decision>, RetryError> {
        if let Some(NewInput::Code { content }) = &mut decision.input
            && let Some(text) = content.inline.take()
        {
            *content = self.blobs.store(text).await?;
            if self.rpc.is_past(deadline).await? {
                return Ok(None);
            }
        }
        Ok(Some(decision))
    }

    /// Returns the sender's user record; only a bot's record for NATS and only a person's for HTTP.
    fn find_voter(&self, request: &DecisionRequest) -> Option<User> {
        let is_bot = request.channel == Channel::Nats;
        self.users.get(request.by.as_str()).filter(|user| user.bot == is_bot)
    }

    /// Writes a refusal into the audit log; unavailable if that fails.
    async fn record_refusal(&self, request: &DecisionRequest, refusal: DecisionError) -> DecisionOutcome {
        let claim = request.on_behalf_of.as_ref().map(|claim| format!(", on behalf of {claim}")).unwrap_or_default();
        let record = AuditRecord {
            key: refusal_key(request, &refusal),
            at: self.clock.now(),
            actor: actor_of(request),
            action: "refused".to_owned(),
            path: request.channel.as_str().to_owned(),
            workflow_id: Some(request.workflow_id),
            approval_id: Some(request.approval_id),
            digest: request.digest,
            detail: Some(format!("{} was refused: {}{claim}", request.verdict.as_str(), refusal.code())),
        };
        match self.audit.append(record).await {
            Ok(()) => DecisionOutcome::Refused(refusal),
            Err(error) => DecisionOutcome::Unavailable(error.to_string()),
        }
    }
}

fn actor_of(request: &DecisionRequest) -> Actor {
    match request.channel {
        Channel::Http => Actor::User(request.by.clone()),
        Channel::Nats => Actor::Bot(request.by.clone()),
    }
}

/// Gives up an append in time if its caller has a deadline.
async fn within_deadline(
    deadline: Option<Timestamp>,
    append: impl Future<Output = Result<Entry, AdvanceError>>,
) -> Result<Entry, AdvanceError> {
    if deadline.is_none() {
        return append.await;
    }
    let appended = tokio::time::timeout(DECISION_APPEND_TIMEOUT, append).await;
    appended.unwrap_or_else(|_| Err(AdvanceError::Unavailable("the append was not acknowledged in time".to_owned())))
}

fn count(request: &DecisionRequest, outcome: &DecisionOutcome) {
    let name = match outcome {
        DecisionOutcome::Applied(_) => "applied",
        DecisionOutcome::Refused(refusal) => refusal.code(),
        DecisionOutcome::Unavailable(_) => "unavailable",
    };
    DECISIONS.with_label_values(&[request.channel.as_str(), name]).inc();
}

/// Returns the message to the sender of an applied decision, by the state after it.
pub(crate) fn confirmation(workflow: &Workflow) -> String {
    match workflow.park() {
        Some(park) => format!("Recorded: {} of {} approvals.", park.approvals(), park.required_approvers),
        None if workflow.status().is_terminal() => "Recorded; the workflow has ended.".to_owned(),
        None => "Recorded; the workflow goes on.".to_owned(),
    }
}

/// Returns the audit key of a refused decision: the same for each delivery of it, and for no other decision.
fn refusal_key(request: &DecisionRequest, refusal: &DecisionError) -> String {
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
