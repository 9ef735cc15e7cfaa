//! The checker against synthetic histories: a good one, and for every invariant one that breaks it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use domain::approval::{Actor, Channel, Decision, GateDecision, Policy, RiskLevel, Verdict};
use domain::ids::{ApprovalId, Digest, EventId};
use domain::samples::{START, options, submitted};
use domain::workflow::{
    Artifacts, Content, Event, EventKind, EventRecord, Failure, StepUsage, SubmissionOptions, TestSummary, TestVerdict,
    Workflow, transition,
};
use faults::checker::{Anomaly, Invariant, check, describe};
use faults::client::history::{ClientIntent, ClientOperation, RecordedCall, Response, WorkflowHistory};
use faults::evidence::{AllowedOutcomes, Evidence};
use messaging::{AuditRecord, Cause, DeadLetter, Entry, StoredDeadLetter};
use service::telemetry::TraceContext;

/// The history and the evidence of one workflow.
struct Case {
    history: WorkflowHistory,
    evidence: Evidence,
}

impl Case {
    fn log(&mut self) -> &mut Vec<Entry> {
        self.evidence.logs.values_mut().next().expect("a log")
    }

    /// Appends the result of an event to the state at `place` of the log.
    fn append(&mut self, place: usize, event: Event) {
        let kind = event.kind();
        let log = self.log();
        let sequence = log.last().map_or(1, |last| last.sequence + 1);
        let workflow = transition(&log[place].workflow, event, START).expect("it can happen there");
        log.push(entry(sequence, workflow, kind));
    }

    fn call(&mut self, operation: ClientOperation, code: u16, words: &str) {
        let response = Response { code, words: words.to_owned() };
        self.history.calls.push(RecordedCall { from_ms: 0, to_ms: 1, api: Some(0), operation, response });
    }

    /// Sets the broker's time of each transition to its own, unless the case has another.
    fn store(&mut self) {
        for entry in self.evidence.logs.values().flatten() {
            self.evidence.stored.entry(entry.sequence).or_insert(entry.happened.at);
        }
    }

    #[track_caller]
    fn breaks(mut self, invariant: Invariant) {
        self.store();
        let histories = [self.history];
        let found = check(&histories, &self.evidence);
        assert!(found.iter().any(|violation| violation.invariant == invariant), "{invariant:?} is not among {found:?}");
        let description = describe(&found, &histories, &self.evidence);
        assert!(found.iter().all(|violation| description.contains(&violation.what)), "{description}");
    }

    /// Checks that the case has no violation.
    #[track_caller]
    fn holds(mut self) {
        self.store();
        assert_eq!(check(&[self.history], &self.evidence), []);
    }
}

fn entry(sequence: u64, workflow: Workflow, kind: EventKind) -> Entry {
    let actor = Actor::Service("worker".to_owned());
    let happened = EventRecord { event_id: EventId::fresh(), kind, actor, at: START, detail: None };
    let at = START.after(Duration::from_secs(sequence));
    let happened = EventRecord { at, ..happened };
    Entry { sequence, workflow, happened, trace: TraceContext::root(), subject: String::new() }
}

fn usage() -> StepUsage {
    StepUsage { started_at: START, queue_ms: 0, sandbox_ms: 0, cost: 0.0 }
}

fn executed() -> Event {
    let results = Content::new("{}".into());
    Event::Executed {
        results,
        tests: TestSummary { total: 1, passed: 1 },
        ran: Box::default(),
        rerun: TestVerdict::Passed,
        usage: usage(),
    }
}

fn decision(verdict: Verdict) -> Event {
    Event::Decided {
        decision: Decision {
            verdict,
            by: "ann".parse().expect("a name"),
            channel: Channel::Http,
            on_behalf_of: None,
            comment: None,
            input: None,
            message_id: "m".into(),
            at: START,
            lapsed: false,
        },
        lapsed: Vec::new(),
    }
}

fn park(workflow: &Workflow) -> Event {
    match Policy::default().rule(workflow, RiskLevel::Low, START) {
        Some(GateDecision::Park(park)) => Event::Parked { park: *park },
        other => panic!("it parks: {other:?}"),
    }
}

fn first_gate(case: &Case) -> ApprovalId {
    ApprovalId::for_gate(case.history.id.expect("an id"), 1)
}

/// Returns a parked workflow that was accepted.
fn parked() -> Case {
    let workflow = submitted("ann", SubmissionOptions { require_approval: true, ..options() });
    let id = workflow.id;
    let history = WorkflowHistory {
        id: Some(id),
        expected: Some(Digest::of(b"1")),
        ..WorkflowHistory::new(0, ClientIntent::Approve)
    };
    let evidence = Evidence {
        logs: BTreeMap::from([(id, vec![entry(1, workflow, EventKind::Submitted)])]),
        stored: HashMap::new(),
        lost: vec![],
        audit: Ok(vec![]),
        letters: vec![],
        differences: vec![],
        leftovers: BTreeSet::new(),
        notified: HashSet::new(),
        healed: None,
        recovery: Some(Duration::from_secs(1)),
        allowed: AllowedOutcomes::default(),
        is_gated: false,
        apis: 1,
    };
    let mut case = Case { history, evidence };
    case.append(0, Event::Planned { usage: usage() });
    case.append(1, Event::Generated { artifacts: Box::new(Artifacts::default()), usage: usage() });
    case.append(2, Event::Analyzed { report: Content::new("{}".into()), issues: 0, usage: usage() });
    case.append(3, executed());
    let event = park(&case.log()[4].workflow);
    case.append(4, event);
    case.call(ClientOperation::Submit, 202, "");
    case
}

/// Returns an approved and released workflow, with its audit records.
fn released() -> Case {
    let mut case = parked();
    let approval_id = first_gate(&case);
    case.append(5, decision(Verdict::Approved));
    case.call(ClientOperation::Decide { approval_id, decision: "approved", channel: Channel::Http }, 200, "completed");
    case.call(ClientOperation::Status, 200, "completed");
    case.call(ClientOperation::FinalStatus, 200, "completed");
    case.history.outputs.push(Digest::of(b"1"));
    audit(&mut case);
    case
}

/// Returns a failed workflow with this code and intent, with its audit records.
fn failed(intent: ClientIntent, code: &'static str) -> Case {
    let mut case = parked();
    case.history.intent = intent;
    case.log().truncate(4);
    case.append(3, Event::failed(Failure::new(code, "It broke.", "Look.")));
    case.call(ClientOperation::FinalStatus, 200, &format!("failed ({code})"));
    audit(&mut case);
    case
}

/// Returns a dead letter of the case's last step but one.
fn letter(case: &Case, cause: Cause) -> StoredDeadLetter {
    let id = case.history.id.expect("an id");
    let letter = DeadLetter {
        stream: "WORKFLOWS".into(),
        sequence: 4,
        subject: format!("wf.execute.python.{id}"),
        cause,
        reason: "it had its attempts".into(),
        attempts: 4,
        headers: vec![],
        payload: vec![],
    };
    StoredDeadLetter { id: 1, at: START, letter }
}

fn audit(case: &mut Case) {
    let kinds = [EventKind::Parked, EventKind::Decided, EventKind::Expired];
    let is_kept = |entry: &&Entry| kinds.contains(&entry.happened.kind);
    let gate = first_gate(case);
    let records = case.log().iter().filter(is_kept).map(|entry| AuditRecord {
        key: format!("transition-{}", entry.sequence),
        at: START,
        actor: entry.happened.actor.clone(),
        action: if entry.happened.kind == EventKind::Decided { "approved" } else { entry.happened.kind.as_str() }
            .into(),
        path: if entry.happened.kind == EventKind::Decided { "http" } else { "log" }.into(),
        workflow_id: Some(entry.workflow.id),
        approval_id: Some(gate),
        digest: Some(entry.workflow.release_digest()),
        detail: None,
    });
    case.evidence.audit = Ok(records.collect());
}

fn records(case: &mut Case) -> &mut Vec<AuditRecord> {
    case.evidence.audit.as_mut().expect("records")
}

#[test]
fn a_good_history_is_good() {
    released().holds();
}

#[test]
fn what_was_accepted_has_to_end_and_only_once() {
    parked().breaks(Invariant::EndsOnce);

    let mut twice = released();
    twice.append(5, Event::Cancelled { by: Actor::approver() });
    twice.breaks(Invariant::EndsOnce);

    let mut lost = released();
    lost.evidence.logs.clear();
    lost.breaks(Invariant::EndsOnce);

    let mut other = released();
    other.call(ClientOperation::Status, 200, "failed (timeout)");
    other.breaks(Invariant::EndsOnce);

    let mut forgotten = released();
    forgotten.call(ClientOperation::Status, 404, "");
    forgotten.breaks(Invariant::EndsOnce);

    let mut undone = released();
    undone.call(ClientOperation::Status, 200, "running");
    undone.breaks(Invariant::EndsOnce);

    let mut doubled = released();
    doubled.history.other_ids.push("00000000-0000-4000-8000-00000000000f".parse().expect("an id"));
    doubled.breaks(Invariant::EndsOnce);
}

#[test]
fn a_result_of_an_older_state_is_stale() {
    let mut case = parked();
    case.append(3, executed());
    case.breaks(Invariant::NoStaleCommit);

    // It is legal in the present state, but its result does not follow from it.
    let mut forgetful = parked();
    forgetful.append(5, decision(Verdict::ChangesRequested));
    forgetful.append(1, Event::Generated { artifacts: Box::new(Artifacts::default()), usage: usage() });
    forgetful.breaks(Invariant::NoStaleCommit);
}

#[test]
fn nothing_is_released_unapproved_or_against_an_answer() {
    let mut changed = released();
    let last = changed.log().last_mut().expect("an end");
    last.workflow.artifacts.documentation = Some(Content::new("slipped in".into()));
    changed.breaks(Invariant::NothingUnapproved);

    let mut unasked = released();
    unasked.history.calls.retain(|call| !matches!(call.operation, ClientOperation::Decide { .. }));
    unasked.breaks(Invariant::NothingUnapproved);

    let mut cancelled = released();
    cancelled.call(ClientOperation::Cancel, 200, "cancelled");
    cancelled.breaks(Invariant::NothingUnapproved);

    let mut other = released();
    let approval_id = ApprovalId::for_gate(other.history.id.expect("an id"), 2);
    other.history.calls.retain(|call| !matches!(call.operation, ClientOperation::Decide { .. }));
    other.call(ClientOperation::Decide { approval_id, decision: "approved", channel: Channel::Http }, 409, "");
    other.breaks(Invariant::NothingUnapproved);

    let mut bots = released();
    let approval_id = first_gate(&bots);
    bots.call(ClientOperation::Decide { approval_id, decision: "approved", channel: Channel::Nats }, 200, "completed");
    bots.breaks(Invariant::NothingUnapproved);

    let mut rejected = released();
    let approval_id = first_gate(&rejected);
    rejected.call(ClientOperation::Decide { approval_id, decision: "rejected", channel: Channel::Http }, 200, "failed");
    rejected.breaks(Invariant::NothingUnapproved);
}

#[test]
fn what_follows_the_log_has_to_follow_it() {
    let mut unaudited = released();
    unaudited.evidence.audit = Ok(vec![]);
    unaudited.breaks(Invariant::AuditComplete);

    let mut unrefused = released();
    let approval_id = first_gate(&unrefused);
    unrefused.call(ClientOperation::Decide { approval_id, decision: "rejected", channel: Channel::Http }, 409, "");
    unrefused.breaks(Invariant::AuditComplete);

    let mut unchained = released();
    unchained.evidence.audit = Err("the audit chain breaks at record 2".into());
    unchained.breaks(Invariant::AuditComplete);

    let mut different = released();
    different.evidence.differences.push(Anomaly::whole("a difference"));
    different.breaks(Invariant::ViewEqualsLog);

    let mut littered = released();
    littered.evidence.leftovers.insert("process 1".into());
    littered.breaks(Invariant::NoLeftovers);

    for recovery in [None, Some(Duration::from_secs(31))] {
        let mut late = released();
        late.evidence.recovery = recovery;
        late.breaks(Invariant::Progress);
    }

    let mut silent = released();
    for entry in silent.log() {
        entry.workflow.submission.options.notification_webhook = Some("http://127.0.0.1/".into());
    }
    silent.breaks(Invariant::Notified);
}

#[test]
fn every_wish_has_its_ends() {
    for intent in [
        ClientIntent::Run,
        ClientIntent::Approve,
        ClientIntent::Change,
        ClientIntent::Cancel,
        ClientIntent::Race,
        ClientIntent::Reject,
        ClientIntent::Bot,
        ClientIntent::Expire,
    ] {
        failed(intent, "internal").breaks(Invariant::EndsOnce);
    }
    failed(ClientIntent::Reject, "rejected").holds();
    let mut unrejected = released();
    unrejected.history.intent = ClientIntent::Reject;
    unrejected.breaks(Invariant::EndsOnce);

    let mut late = failed(ClientIntent::Run, "timeout");
    late.evidence.allowed.timeouts = true;
    late.holds();
    let mut timed_out = released();
    timed_out.log()[2].happened.kind = EventKind::TimedOut;
    timed_out.breaks(Invariant::EndsOnce);
}

/// Returns a workflow whose question expired this long after it was asked, by the broker's clock.
fn expired(intent: ClientIntent, after: Duration) -> Case {
    let mut case = parked();
    case.history.intent = intent;
    case.append(5, Event::Expired);
    let asked_at = case.log()[5].workflow.park().expect("a question").requested_at;
    case.evidence.stored.insert(7, asked_at.after(after));
    case.call(ClientOperation::FinalStatus, 200, "failed (approval_expired)");
    audit(&mut case);
    case
}

#[test]
fn a_question_expires_when_its_time_is_over_and_not_before() {
    let time = Policy::default().expiry;
    expired(ClientIntent::Expire, time).holds();
    expired(ClientIntent::Cancel, time).holds();
    expired(ClientIntent::Expire, time - Duration::from_millis(1)).breaks(Invariant::EndsOnce);
    expired(ClientIntent::Approve, time).breaks(Invariant::EndsOnce);
    let mut late = expired(ClientIntent::Approve, time);
    late.evidence.allowed.late_answers = true;
    late.evidence.healed = Some(START.after(time));
    late.holds();
    let mut slow = expired(ClientIntent::Approve, time);
    slow.evidence.allowed.late_answers = true;
    slow.evidence.healed = Some(START.after(time - Duration::from_secs(31)));
    slow.breaks(Invariant::EndsOnce);
    for (after, is_late) in [(30, false), (31, true)] {
        let mut case = expired(ClientIntent::Expire, time + Duration::from_secs(after));
        case.evidence.healed = Some(START.after(Duration::from_secs(60)));
        if is_late { case.breaks(Invariant::Progress) } else { case.holds() }
    }
    let mut response = released();
    response.history.intent = ClientIntent::Expire;
    response.breaks(Invariant::EndsOnce);
}

#[test]
fn what_the_bot_said_is_a_bots_and_no_persons() {
    let refused = |actor: Actor, path: &str, channel: Channel| {
        let mut case = released();
        let approval_id = first_gate(&case);
        case.call(ClientOperation::Decide { approval_id, decision: "rejected", channel }, 409, "already_decided");
        let like = records(&mut case)[0].clone();
        let detail = Some("rejected was refused: already_decided".into());
        let (key, action, path) = ("refused-1".into(), "refused".into(), path.into());
        records(&mut case).push(AuditRecord { key, actor, action, path, detail, ..like });
        case
    };
    let (bot, person) = (Actor::Bot("robot".parse().unwrap()), Actor::User("ann".parse().unwrap()));
    refused(bot.clone(), "nats", Channel::Nats).holds();
    refused(person.clone(), "http", Channel::Http).holds();
    refused(bot, "nats", Channel::Http).breaks(Invariant::AuditComplete);
    refused(person, "nats", Channel::Nats).breaks(Invariant::AuditComplete);
}

#[test]
fn a_step_that_was_given_up_has_a_letter_and_a_reason() {
    let exhausted = |explains: bool, cause: Option<Cause>| {
        let mut case = failed(ClientIntent::Run, "attempts_exhausted");
        case.evidence.allowed.exhausted = explains;
        case.evidence.letters.extend(cause.map(|cause| letter(&case, cause)));
        case
    };
    exhausted(true, Some(Cause::Exhausted)).holds();
    exhausted(true, None).breaks(Invariant::CorrectDeadLetters);
    exhausted(true, Some(Cause::Unreadable)).breaks(Invariant::CorrectDeadLetters);
    exhausted(false, Some(Cause::Exhausted)).breaks(Invariant::EndsOnce);
}

#[test]
fn every_api_shows_the_end_and_what_the_code_printed() {
    let mut unasked = released();
    unasked.evidence.apis = 2;
    unasked.breaks(Invariant::EndsOnce);

    let mut unavailable = released();
    unavailable.call(ClientOperation::FinalStatus, 503, "");
    unavailable.breaks(Invariant::EndsOnce);

    let mut other = released();
    other.history.outputs.push(Digest::of(b"another's"));
    other.breaks(Invariant::CorrectContent);

    let mut nothing = released();
    nothing.history.outputs.clear();
    nothing.breaks(Invariant::CorrectContent);

    for (operation, code) in [
        (ClientOperation::Submit, 409),
        (ClientOperation::Submit, 401),
        (ClientOperation::Status, 500),
        (ClientOperation::Cancel, 404),
    ] {
        let mut odd = released();
        odd.call(operation, code, "");
        odd.breaks(Invariant::CorrectResponses);
    }
}

#[test]
fn what_was_judged_stays_and_what_stood_goes_on() {
    let mut lost = released();
    let other = ApprovalId::nobodys();
    lost.evidence.lost.push(Anomaly::whole(format!("{other} is missing")));
    lost.breaks(Invariant::EndsOnce);

    // Transition n happened n seconds after the start; the sixth parks.
    let healed = |case: &mut Case, seconds| case.evidence.healed = Some(START.after(Duration::from_secs(seconds)));
    let mut quick = released();
    healed(&mut quick, 3);
    quick.holds();
    let mut waiting = released();
    healed(&mut waiting, 6);
    waiting.log()[6].happened.at = START.after(Duration::from_secs(100));
    waiting.holds();
    let mut stuck = released();
    healed(&mut stuck, 3);
    stuck.log()[3..].iter_mut().for_each(|entry| entry.happened.at = START.after(Duration::from_secs(40)));
    stuck.breaks(Invariant::Progress);

    // The writer's clock may be wrong, the broker's is right.
    let store = |case: &mut Case, seconds: fn(u64) -> u64| {
        case.evidence.stored =
            (1..=8).map(|sequence| (sequence, START.after(Duration::from_secs(seconds(sequence))))).collect();
    };
    let mut ahead = released();
    healed(&mut ahead, 3);
    ahead.log()[3].happened.at = START.after(Duration::from_secs(300));
    store(&mut ahead, |sequence| sequence);
    ahead.holds();
    let mut late = released();
    healed(&mut late, 3);
    store(&mut late, |sequence| if sequence > 3 { 40 } else { sequence });
    late.breaks(Invariant::Progress);
}

#[test]
fn the_audit_log_says_who_did_what_and_once() {
    let forged: [fn(&mut AuditRecord); 5] = [
        |record| record.action = "rejected".into(),
        |record| record.actor = Actor::approver(),
        |record| record.path = "nats".into(),
        |record| record.approval_id = None,
        |record| record.digest = Some(Digest::of(b"other")),
    ];
    for forge in forged {
        let mut case = released();
        forge(records(&mut case).last_mut().expect("the decision's"));
        case.breaks(Invariant::AuditComplete);
    }

    let mut twice = released();
    let again = records(&mut twice)[0].clone();
    records(&mut twice).push(again);
    twice.breaks(Invariant::AuditComplete);

    let mut invented = released();
    let refusal = AuditRecord {
        key: "refused-1".into(),
        action: "refused".into(),
        path: "http".into(),
        detail: Some("rejected was refused: x".into()),
        ..records(&mut invented)[0].clone()
    };
    records(&mut invented).push(refusal);
    invented.breaks(Invariant::AuditComplete);
}

#[test]
fn no_code_runs_before_somebody_agreed() {
    let mut case = released();
    case.evidence.is_gated = true;
    case.breaks(Invariant::NothingUnapproved);
}
