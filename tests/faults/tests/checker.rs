//! The checker against histories made by hand: a good one, and for every invariant one that breaks it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use faults::checker::{Invariant, check, tell};
use faults::evidence::Evidence;
use faults::history::{Answered, Asked, Call, Story, Wish};
use shared::approval::{Actor, Channel, Decision, Policy, RiskLevel, Ruling, Verdict};
use shared::ids::{ApprovalId, EventId};
use shared::messaging::{AuditRecord, Entry};
use shared::samples::{START, options, submitted};
use shared::telemetry::TraceContext;
use shared::workflow::{
    Artifacts, Content, Event, EventKind, Failure, Happened, Options, Rerun, StepUsage, TestSummary, Workflow,
    transition,
};

/// What a client and a cluster know of one workflow.
struct Case {
    story: Story,
    evidence: Evidence,
}

impl Case {
    fn log(&mut self) -> &mut Vec<Entry> {
        self.evidence.logs.values_mut().next().expect("a log")
    }

    /// Appends what happened to the state at `place` of the log.
    fn append(&mut self, place: usize, event: Event) {
        let kind = event.kind();
        let log = self.log();
        let sequence = log.last().map_or(1, |last| last.sequence + 1);
        let workflow = transition(&log[place].workflow, event, START).expect("it can happen there");
        log.push(entry(sequence, workflow, kind));
    }

    fn call(&mut self, asked: Asked, code: u16, words: &str) {
        let answered = Answered { code, words: words.to_owned() };
        self.story.calls.push(Call { from_ms: 0, to_ms: 1, asked, answered });
    }

    #[track_caller]
    fn breaks(self, invariant: Invariant) {
        let stories = [self.story];
        let found = check(&stories, &self.evidence);
        assert!(found.iter().any(|violation| violation.invariant == invariant), "{invariant:?} is not among {found:?}");
        assert!(tell(&found[0], &stories, &self.evidence).contains(found[0].invariant.name()));
    }
}

fn entry(sequence: u64, workflow: Workflow, kind: EventKind) -> Entry {
    let actor = Actor::Service("worker".to_owned());
    let happened = Happened { event_id: EventId::fresh(), kind, actor, at: START, detail: None };
    Entry { sequence, workflow, happened, trace: TraceContext::root(), subject: String::new() }
}

fn usage() -> StepUsage {
    StepUsage { started_at: START, queue_ms: 0, sandbox_ms: 0, cost: 0.0 }
}

fn executed() -> Event {
    let results = Content::new("{}".into());
    Event::Executed { results, tests: TestSummary { total: 1, passed: 1 }, rerun: Rerun::Enough, usage: usage() }
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
        },
    }
}

fn park(workflow: &Workflow) -> Event {
    match Policy::default().rule(workflow, RiskLevel::Low, START) {
        Some(Ruling::Park(park)) => Event::Parked { park: *park },
        other => panic!("it parks: {other:?}"),
    }
}

fn first_gate(case: &Case) -> ApprovalId {
    ApprovalId::for_gate(case.story.id.expect("an id"), 1)
}

/// A workflow at its parked gate, accepted and seen by the client.
fn parked() -> Case {
    let workflow = submitted("ann", Options { require_approval: true, ..options() });
    let id = workflow.id;
    let story = Story { number: 0, wish: Wish::Approve, id: Some(id), other_ids: vec![], calls: vec![], end: None };
    let evidence = Evidence {
        logs: BTreeMap::from([(id, vec![entry(1, workflow, EventKind::Submitted)])]),
        audit: Ok(vec![]),
        differences: vec![],
        leftovers: vec![],
        notified: HashSet::new(),
        recovery: Some(Duration::from_secs(1)),
    };
    let mut case = Case { story, evidence };
    case.append(0, Event::Planned { usage: usage() });
    case.append(1, Event::Generated { artifacts: Box::new(Artifacts::default()), usage: usage() });
    case.append(2, Event::Analyzed { report: Content::new("{}".into()), issues: 0, usage: usage() });
    case.append(3, executed());
    let event = park(&case.log()[4].workflow);
    case.append(4, event);
    case.call(Asked::Submit, 202, "");
    case
}

/// Approved and released, and in the audit log.
fn released() -> Case {
    let mut case = parked();
    let approval_id = first_gate(&case);
    case.append(5, decision(Verdict::Approved));
    case.call(Asked::Decide { approval_id, decision: "approved" }, 200, "completed");
    case.call(Asked::Status, 200, "completed");
    audit(&mut case);
    case
}

fn audit(case: &mut Case) {
    let records = case.log().iter().map(|entry| AuditRecord {
        key: format!("transition-{}", entry.sequence),
        at: START,
        actor: Actor::approver(),
        action: "a".into(),
        path: "log".into(),
        workflow_id: Some(entry.workflow.id),
        approval_id: None,
        digest: None,
        detail: None,
    });
    case.evidence.audit = Ok(records.collect());
}

#[test]
fn a_good_history_is_good() {
    let Case { story, evidence } = released();
    assert_eq!(check(&[story], &evidence), []);
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
    other.call(Asked::Status, 200, "failed (timeout)");
    other.breaks(Invariant::EndsOnce);

    let mut forgotten = released();
    forgotten.call(Asked::Status, 404, "");
    forgotten.breaks(Invariant::EndsOnce);

    let mut undone = released();
    undone.call(Asked::Status, 200, "running");
    undone.breaks(Invariant::EndsOnce);

    let mut failed = parked();
    failed.story.wish = Wish::Run;
    failed.log().truncate(4);
    failed.append(3, Event::failed(Failure::new("internal", "It broke.", "Look.")));
    failed.breaks(Invariant::EndsOnce);

    let mut doubled = released();
    doubled.story.other_ids.push("00000000-0000-4000-8000-00000000000f".parse().expect("an id"));
    doubled.breaks(Invariant::EndsOnce);
}

#[test]
fn a_result_of_an_older_state_is_stale() {
    let mut case = parked();
    case.append(3, executed());
    case.breaks(Invariant::NoStaleCommit);

    // It could happen where the workflow stands now, but what it made is not what comes of that.
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
    unasked.story.calls.retain(|call| !matches!(call.asked, Asked::Decide { .. }));
    unasked.breaks(Invariant::NothingUnapproved);

    let mut cancelled = released();
    cancelled.call(Asked::Cancel, 200, "cancelled");
    cancelled.breaks(Invariant::NothingUnapproved);

    let mut rejected = released();
    let approval_id = first_gate(&rejected);
    rejected.call(Asked::Decide { approval_id, decision: "rejected" }, 200, "failed");
    rejected.breaks(Invariant::NothingUnapproved);
}

#[test]
fn what_follows_the_log_has_to_follow_it() {
    let mut unaudited = released();
    unaudited.evidence.audit = Ok(vec![]);
    unaudited.breaks(Invariant::AuditComplete);

    let mut unrefused = released();
    let approval_id = first_gate(&unrefused);
    unrefused.call(Asked::Decide { approval_id, decision: "rejected" }, 409, "");
    unrefused.breaks(Invariant::AuditComplete);

    let mut unchained = released();
    unchained.evidence.audit = Err("the audit chain breaks at record 2".into());
    unchained.breaks(Invariant::AuditComplete);

    let mut different = released();
    different.evidence.differences.push("a difference".into());
    different.breaks(Invariant::ViewEqualsLog);

    let mut littered = released();
    littered.evidence.leftovers.push("process 1".into());
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
